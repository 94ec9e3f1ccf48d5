"""What takes space, as a picture and as a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

import keepsake
from tests.ui.browser.conftest import OpenPage, Served, axe_findings
from tests.ui.browser.study import Study, make_study, serving_study


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Study]]:
    with serving_study(tmp_path_factory.mktemp("study")) as site:
        yield site


@pytest.fixture
def served(site: tuple[Served, Study]) -> Served:
    return site[0]


@pytest.fixture
def study(site: tuple[Served, Study]) -> Study:
    return site[1]


def test_the_storage_says_what_du_says(served: Served, study: Study, open_page: OpenPage) -> None:
    page = open_page(served, "/storage")
    table = page.get_by_role("table", name="Storage by experiment")
    expect(table.get_by_role("row")).to_have_count(4)
    expect(table.get_by_role("row", name="baseline")).to_contain_text("finished")
    expect(page.locator(".usage-tile")).to_have_count(3)
    expect(page.get_by_role("img", name="What is stored")).to_be_visible()
    expect(page.get_by_text("keepsake collect", exact=True)).to_be_visible()
    table.get_by_role("button", name="Logical").click()
    expect(page).to_have_url(f"{served.origin}/storage?by=-logical")
    expect(table.get_by_role("columnheader", name="Logical")).to_have_attribute("aria-sort", "descending")
    table.get_by_role("link", name=study.id(0)[:7]).click()
    expect(page.locator("h1")).to_have_text("baseline")


def test_what_a_deletion_left_can_be_freed(
    serve: Callable[[Path], Served], tmp_path: Path, open_page: OpenPage
) -> None:
    study = make_study(tmp_path)
    study.experiments[0].delete()
    page = open_page(serve(study.repository), "/storage")
    expect(page.get_by_text("can be freed:")).to_be_visible()


def test_nothing_stored_says_how_something_would_be(
    serve: Callable[[Path], Served], project: keepsake.Project, open_page: OpenPage
) -> None:
    project.experiments.create(quiet=True).stop()
    assert project.repository is not None
    page = open_page(serve(Path(project.repository)), "/storage")
    expect(page.get_by_role("heading", name="Nothing is stored yet.")).to_be_visible()


@pytest.mark.parametrize(("color_scheme", "width"), [("light", 1280), ("dark", 400)])
def test_axe_finds_nothing_serious(served: Served, open_page: OpenPage, color_scheme: str, width: int) -> None:
    page = open_page(served, "/storage", color_scheme=color_scheme, width=width)
    expect(page.locator(".usage-tile").first).to_be_visible()
    assert axe_findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_page_about_this_page_says_what_is_shown(served: Served, study: Study, open_page: OpenPage) -> None:
    page = open_page(served, "/about")
    expect(page.get_by_role("row", name="Experiments")).to_contain_text("3")
    expect(page.get_by_role("row", name="Repository")).to_contain_text("repository")
    assert axe_findings(page) == []
