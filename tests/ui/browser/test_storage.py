"""What takes space, as a picture and as a table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

import keepsake
from tests.ui.browser.conftest import OpenPage, Served, axe_findings, axe_findings_in_both_themes
from tests.ui.browser.study import Study, make_study


@pytest.fixture
def served(served_study: tuple[Served, Study]) -> Served:
    return served_study[0]


@pytest.fixture
def study(served_study: tuple[Served, Study]) -> Study:
    return served_study[1]


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


def test_axe_finds_nothing_serious(served: Served, open_page: OpenPage) -> None:
    page = open_page(served, "/storage")
    expect(page.locator(".usage-tile").first).to_be_visible()
    assert axe_findings_in_both_themes(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    page.set_viewport_size({"width": 400, "height": 800})
    expect(page.locator(".usage-tile").first).to_be_visible()
    assert axe_findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 400


def test_the_page_about_this_page_says_what_is_shown(served: Served, study: Study, open_page: OpenPage) -> None:
    page = open_page(served, "/about")
    expect(page.get_by_role("row", name="Experiments")).to_contain_text("3")
    expect(page.get_by_role("row", name="Repository")).to_contain_text("repository")
    assert axe_findings(page) == []
