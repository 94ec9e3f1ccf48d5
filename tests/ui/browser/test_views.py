"""Views with a name: what they keep, that they come back, and that only this browser has them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

import keepsake
from tests.ui.browser.conftest import OpenPage, RunModule, Served, axe_findings_in_both_themes
from tests.ui.browser.study import serving_made

HOSTILE = "<img src=x onerror=\"document.title='hacked'\"> " + "x" * 40


def train(project: keepsake.Project) -> list[keepsake.Experiment]:
    """Make six experiments with two models."""
    made = []
    for number in range(6):
        params = {"lr": 0.1 / 2**number, "model": "cnn" if number % 3 else "vit"}
        experiment = project.experiments.create(params=params, quiet=True)
        experiment.checkpoint(step=0, loss=1 / (number + 1), primary_metric=("loss", "minimize"))
        experiment.stop()
        made.append(experiment)
    return made


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving_made(tmp_path_factory.mktemp("views"), train) as (served, _):
        yield served


LOOK = "/?q=params.model+=+cnn&sort=params.lr&group=params.model&at=latest"


def rows(page: Page) -> Locator:
    return page.locator("[role=row][aria-selected]")


def open_views(page: Page) -> Locator:
    page.get_by_role("button", name=re.compile("^View")).click()
    return page.get_by_role("dialog", name="Views")


def save_as(page: Page, name: str) -> None:
    views = open_views(page)
    views.get_by_role("textbox", name="Save this as").fill(name)
    views.get_by_role("button", name=re.compile("^(Save|Replace)$")).click()
    expect(views.get_by_role("status")).to_have_text(f"Saved as {name}.")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name=re.compile("^View"))).to_be_focused()


def test_a_view_keeps_filter_order_group_columns_and_metrics_and_comes_back(
    served: Served, open_page: OpenPage
) -> None:
    page = open_page(served, f"{LOOK}&open=*")
    button = page.get_by_role("button", name=re.compile("^View"))
    expect(page.locator(".group")).to_have_count(1)
    expect(button).to_have_text("View")
    page.keyboard.press("v")
    views = page.get_by_role("dialog", name="Views")
    expect(views).to_contain_text("in this browser")
    expect(views.get_by_role("textbox", name="Save this as")).to_be_focused()
    page.keyboard.type("small nets")
    page.keyboard.press("Enter")
    expect(views.get_by_role("status")).to_have_text("Saved as small nets.")
    page.keyboard.press("Escape")
    expect(button).to_have_text("Viewsmall nets")
    # Elsewhere one looks at all of them again.
    page.goto(served.origin)
    expect(rows(page)).to_have_count(6)
    expect(button).to_have_text("View")
    page.keyboard.press("v")
    expect(views.get_by_role("link", name="small nets")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"\?q=params\.model.*sort=params\.lr&cols=.*group=params\.model&at=latest$"))
    expect(views).to_have_count(0)
    expect(page.locator(".group")).to_have_count(1)
    expect(button).to_have_text("Viewsmall nets")
    page.go_back()
    expect(rows(page)).to_have_count(6)


def test_what_was_changed_is_told_and_can_be_saved(served: Served, open_page: OpenPage) -> None:
    page = open_page(served, "/?sort=params.lr")
    save_as(page, "by rate")
    button = page.get_by_role("button", name=re.compile("^View"))
    page.get_by_role("button", name="Only what differs").click()
    expect(button).to_have_text("Viewby rate, changed")
    open_views(page).get_by_role("button", name="Save the changes to by rate").click()
    page.keyboard.press("Escape")
    expect(button).to_have_text("Viewby rate")
    open_views(page).get_by_role("link", name="As it is without a view").click()
    expect(page).to_have_url(f"{served.origin}/")
    expect(button).to_have_text("View")
    open_views(page).get_by_role("link", name="by rate").click()
    expect(page).to_have_url(re.compile(r"\?sort=params\.lr&cols=.*&differ=1$"))


def test_views_are_renamed_replaced_deleted_and_brought_back(served: Served, open_page: OpenPage) -> None:
    page = open_page(served, "/")
    for name in ("two", "ten", HOSTILE.strip()[:60].strip()):
        save_as(page, name)
    views = open_views(page)
    names = views.locator("a.view-name")
    expect(names).to_contain_text(["<img", "ten", "two", "As it is"])
    assert page.title() != "hacked"
    views.get_by_role("button", name="Rename two").click()
    box = views.get_by_role("textbox", name="New name")
    expect(box).to_be_focused()
    box.fill("ten")
    box.press("Enter")
    expect(views.get_by_role("status")).to_have_text("There is a view ten already.")
    box.press("Escape")  # leaves the name as it is, and the menu open
    expect(box).to_have_count(0)
    views.get_by_role("button", name="Rename two").click()
    box.fill("run 2")
    box.press("Enter")
    expect(names).to_contain_text(["<img", "run 2", "ten", "As it is"])
    views.get_by_role("button", name="Delete ten").click()
    expect(names).to_contain_text(["<img", "run 2", "As it is"])
    expect(views.get_by_role("button", name="Undo")).to_be_focused()
    page.keyboard.press("Enter")
    expect(names).to_contain_text(["<img", "run 2", "ten", "As it is"])
    views.get_by_role("textbox", name="Save this as").fill("ten")
    views.get_by_role("button", name="Replace").click()
    page.reload()
    expect(open_views(page).locator("a.view-name")).to_contain_text(["<img", "run 2", "ten", "As it is"])


def test_nothing_serious_stands_in_the_way_and_all_of_it_is_seen_on_a_narrow_page(
    served: Served, open_page: OpenPage
) -> None:
    page = open_page(served, "/", width=400)
    save_as(page, HOSTILE.strip()[:60].strip())
    views = open_views(page)
    views.get_by_role("button", name=re.compile("^Delete")).hover()
    assert axe_findings_in_both_themes(page) == []
    box = views.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 400
    assert page.evaluate("document.documentElement.scrollWidth") <= 400


def test_what_a_browser_has_kept_of_another_kind_is_no_view(run_module: RunModule) -> None:
    function = """(m, kept) => {
        localStorage.setItem("keepsake.views.r", kept);
        return m.readViews("r").map(({ name }) => name);
    }"""
    assert run_module("core/views.js", function, "{") == []
    assert run_module("core/views.js", function, '{"a": 1}') == []
    assert run_module("core/views.js", function, '[null, 1, {"name": 2, "view": {}}, {"name": "a", "view": {}}]') == [
        "a"
    ]


def test_a_selection_is_no_part_of_a_view(run_module: RunModule) -> None:
    query = {"q": "lr < 1", "differ": "sel", "sel": "ab12", "preview": "1", "open": "*"}
    view = run_module("core/views.js", "(m, query) => m.viewOf(query, '!id')", query)
    assert view == {"q": "lr < 1", "sort": "", "cols": "!id", "group": "", "differ": "", "at": ""}
    after = run_module("core/views.js", "(m, query, view) => m.withView(query, view)", query | {"at": "min"}, view)
    assert after == {"sel": "ab12", "preview": "1", "open": ""} | view
