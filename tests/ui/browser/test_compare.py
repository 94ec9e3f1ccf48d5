"""Experiments and checkpoints next to each other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

import keepsake
from tests.ui.browser.conftest import OpenPage, Served, Watch, axe_findings_in_both_themes
from tests.ui.browser.study import HOSTILE, Study, png


@pytest.fixture
def served(served_study: tuple[Served, Study]) -> Served:
    return served_study[0]


@pytest.fixture
def study(served_study: tuple[Served, Study]) -> Study:
    return served_study[1]


def test_two_experiments_are_compared_in_everything(served: Served, study: Study, open_page: OpenPage) -> None:
    page = open_page(served, f"/compare/{study.id(0)}...{study.id(1)}")
    expect(page.locator("#params").get_by_role("row", name="lr")).to_contain_text("0.01")
    expect(page.locator("#params").get_by_role("row", name="model")).to_have_count(0)  # the same
    loss = page.locator("#metrics").get_by_role("row", name="loss")
    expect(loss).to_contain_text("\u22120.018 (\u221290 %) better")
    expect(page.locator("#files").get_by_role("row", name="code/train.py")).to_contain_text("changed +2 \u22122 lines")
    expect(page.locator("#code ins", has_text="return x * 21")).to_be_attached()
    expect(page.locator("#code del .marked", has_text="20")).to_be_attached()
    expect(page.locator("#tensors").get_by_role("row", name="weight")).to_contain_text("float32[6, 10]")
    expect(page.locator("#images img")).to_have_count(2)
    expect(page.locator("#curves").get_by_role("region", name="train_loss")).to_be_visible()
    page.get_by_label("Only what differs").uncheck()
    expect(page.locator("#params").get_by_role("row", name="model")).to_be_visible()
    page.reload()
    expect(page.locator("#params").get_by_role("row", name="model")).to_be_visible()


def test_four_sides_choose_their_checkpoints(served: Served, study: Study, open_page: OpenPage) -> None:
    path = f"/compare/{study.id(0)}...{study.id(0)}@0...{study.id(1)}@latest...{study.id(2)}"
    page = open_page(served, path)
    expect(page.locator(".side")).to_have_count(4)
    expect(page.locator(".side").nth(1)).to_contain_text("step 0")
    expect(page.locator(".side").nth(3)).to_contain_text(HOSTILE)
    loss = page.locator("#metrics").get_by_role("row", name="loss")
    expect(loss.get_by_role("cell").nth(1)).to_contain_text("worse")
    expect(loss.get_by_role("cell").nth(2)).to_contain_text("better")
    page.locator("#code").get_by_role("combobox").select_option(index=2)
    expect(page.locator("#code ins", has_text="return x * 22")).to_be_attached()
    page.get_by_role("link", name="Remove").first.click()
    expect(page.locator(".side")).to_have_count(3)
    expect(page).to_have_url(f"{served.origin}/compare/{study.id(0)}@0...{study.id(1)}@latest...{study.id(2)}")


def test_sides_are_swapped_and_added(served: Served, study: Study, open_page: OpenPage) -> None:
    page = open_page(served, f"/compare/{study.id(0)}...{study.id(1)}?only=0")
    page.get_by_role("button", name="Swap").click()
    expect(page).to_have_url(f"{served.origin}/compare/{study.id(1)}...{study.id(0)}?only=0")
    expect(page.locator("#metrics").get_by_role("row", name="loss")).to_contain_text("worse")
    page.get_by_label("Another experiment or checkpoint").fill(f"{study.id(2)}@best")
    page.keyboard.press("Enter")
    expect(page.locator(".side")).to_have_count(3)


def test_lines_stand_side_by_side_and_what_is_left_out_is_shown(
    served: Served, study: Study, open_page: OpenPage
) -> None:
    page = open_page(served, f"/compare/{study.id(0)}...{study.id(1)}#code/code/train.py")
    file = page.locator("details", has=page.get_by_text("code/train.py"))
    expect(file).to_be_in_viewport()
    page.get_by_role("button", name="Split").click()
    expect(page).to_have_url(f"{served.origin}/compare/{study.id(0)}...{study.id(1)}?layout=split#code/code/train.py")
    before = file.get_by_role("region", name="code/train.py, before")
    after = file.get_by_role("region", name="code/train.py, after")
    expect(before.locator("del")).to_have_count(2)
    expect(after.locator("ins")).to_have_count(2)
    assert before.locator("del").first.bounding_box()["y"] == after.locator("ins").first.bounding_box()["y"]  # type: ignore[index]
    expect(before.get_by_text("def step_7(x):")).to_have_count(0)
    before.get_by_role("button", name="Show 58 lines").click()
    expect(before.get_by_text("def step_7(x):")).to_be_visible()
    expect(after.get_by_text("def step_7(x):")).to_be_visible()


def test_keys_go_from_change_to_change(served: Served, study: Study, open_page: OpenPage) -> None:
    page = open_page(served, f"/compare/{study.id(0)}...{study.id(1)}", height=500)
    expect(page.locator("#code ins").first).to_be_attached()
    expect(page.locator("#curves").get_by_role("region", name="train_loss")).to_be_attached()
    wanted = page.locator("#code ins", has_text="return x * 21")
    for _ in range(6):
        if wanted.is_visible() and page.evaluate(
            "(e) => { const y = e.getBoundingClientRect().y; return y > 100 && y < 300 }", wanted.element_handle()
        ):
            break
        page.keyboard.press("n")
    expect(wanted).to_be_in_viewport()
    before = page.evaluate("scrollY")
    page.keyboard.press("n")
    assert page.evaluate("scrollY") > before
    page.keyboard.press("b")
    assert page.evaluate("scrollY") == before


def test_the_comparison_is_copied_as_markdown(served: Served, study: Study, open_page: OpenPage) -> None:
    page = open_page(served, f"/compare/{study.id(0)}...{study.id(2)}")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=served.origin)
    expect(page.locator("#code ins").first).to_be_visible()
    page.get_by_role("button", name="Copy as Markdown").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    text = page.evaluate("navigator.clipboard.readText()")
    assert "| lr | 0.1 | 0.3 |" in text
    assert "| code/train.py |  | changed |" in text
    assert "<script>" not in text.replace("\\<", "").replace("\\>", "")


def test_one_side_asks_for_another(served: Served, study: Study, open_page: OpenPage) -> None:
    page = open_page(served, f"/compare/{study.id(0)}")
    expect(page.get_by_role("heading", name="Two are needed to compare.")).to_be_visible()
    page.get_by_label("Another experiment or checkpoint").fill(study.id(1))
    page.get_by_role("button", name="Add").click()
    expect(page.locator(".side")).to_have_count(2)


def test_an_id_that_is_not_there_says_so(served: Served, study: Study, open_page: OpenPage, watch: Watch) -> None:
    watch.expected.append("404")
    page = open_page(served, f"/compare/{study.id(0)}...000000000000")
    expect(page.get_by_role("alert")).to_contain_text("000000000000")


def test_an_experiment_is_the_same_as_itself(served: Served, study: Study, open_page: OpenPage) -> None:
    page = open_page(served, f"/compare/{study.id(0)}...{study.id(0)}@best")
    expect(page.locator("#summary")).to_contain_text("Nothing differs")


def test_axe_finds_nothing_serious(served: Served, study: Study, open_page: OpenPage) -> None:
    page = open_page(served, f"/compare/{study.id(0)}...{study.id(2)}?layout=split")
    expect(page.locator("#code .tok-keyword").first).to_be_visible()
    expect(page.locator("#curves").get_by_role("region", name="train_loss")).to_be_visible()
    assert axe_findings_in_both_themes(page) == []


@pytest.mark.parametrize("width", [400, 1280])
def test_long_names_stay_within_the_page_and_beside_each_other(
    serve: Callable[[Path], Served], project: keepsake.Project, open_page: OpenPage, width: int
) -> None:
    assert project.repository is not None
    assert project.directory is not None
    ids = []
    for number in range(3):
        path = Path(project.directory) / "sample.png"
        path.write_bytes(png(40 * number))
        (Path(project.directory) / "train.py").write_text(f"x = {number}\n")
        experiment = project.experiments.create(path=".", name=f"{number}" + "a_long_name" * 30, quiet=True)
        experiment.checkpoint(step=number, loss=number)
        experiment.stop()
        ids.append(experiment.id[:8])
    page = open_page(serve(Path(project.repository)), f"/compare/{'...'.join(ids)}", width=width)
    expect(page.locator("#curves").get_by_role("region", name="loss")).to_be_attached()
    expect(page.locator("#images figure")).to_have_count(3)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    inside = "(figures) => figures.every((one) => one.querySelector('figcaption').scrollWidth <= one.clientWidth)"
    assert page.locator("#images figure").evaluate_all(inside)


def test_nothing_sticks_out_of_a_narrow_window(served: Served, study: Study, open_page: OpenPage) -> None:
    page = open_page(served, f"/compare/{study.id(0)}...{study.id(1)}...{study.id(2)}", width=400)
    expect(page.locator("#code .tok-keyword").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
