"""The page of an experiment: its tabs, its files, and what it does while the experiment runs."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

import keepsake
from tests.ui.browser.conftest import OpenPage, Served, Watch, axe_findings_in_both_themes
from tests.ui.browser.study import HOSTILE, Study


@pytest.fixture
def served(served_study: tuple[Served, Study]) -> Served:
    return served_study[0]


@pytest.fixture
def study(served_study: tuple[Served, Study]) -> Study:
    return served_study[1]


def show_file(page: Page, served: Served, study: Study, path: str) -> None:
    page.goto(f"{served.origin}/e/{study.id(0)}/files/{path}")
    expect(page.locator(".preview h2")).to_have_text(path)


def test_the_overview_says_what_an_experiment_was_and_how_it_ended(
    served: Served, study: Study, open_page: OpenPage
) -> None:
    page = open_page(served, f"/e/{study.id(2)}")
    expect(page.locator("h1")).to_contain_text(HOSTILE)
    expect(page.locator("h1")).to_contain_text("\ufffdabc")  # what turns the writing direction is seen, and does not
    expect(page.locator(".ended")).to_have_text(f"ValueError: no luck {HOSTILE}")
    expect(page.get_by_role("row", name="optim.name adam")).to_be_visible()
    best = page.locator("section", has=page.get_by_role("heading", name="Best checkpoint"))
    expect(best.get_by_role("row", name="loss")).to_contain_text("0.06")
    expect(page.get_by_role("img", name="train_loss: from")).to_be_visible()
    expect(page.get_by_role("link", name="Compare with previous")).to_have_attribute(
        "href", f"/compare/{study.id(1)}...{study.id(2)}"
    )


def test_an_address_that_is_the_beginning_of_an_id_becomes_the_usual_one(
    served: Served, study: Study, open_page: OpenPage
) -> None:
    page = open_page(served, f"/e/{study.id(0)[:6]}/packages?q=status+%3D+finished")
    expect(page.get_by_role("heading", name="Python packages")).to_be_visible()
    expect(page).to_have_url(f"{served.origin}/e/{study.id(0)}/packages?q=status+=+finished")


def test_every_tab_has_an_address_that_comes_back(served: Served, study: Study, open_page: OpenPage) -> None:
    page = open_page(served, f"/e/{study.id(0)}")
    for name, proof in (
        ("Checkpoints", page.get_by_role("table", name="Checkpoints")),
        ("Charts", page.get_by_role("link", name="Open in Charts")),
        ("Files", page.get_by_role("tree")),
        ("Code", page.get_by_role("tree")),
        ("Packages", page.get_by_text("pytest-timeout")),
        ("System", page.get_by_role("rowheader", name="python_version")),
    ):
        page.get_by_role("navigation", name="Parts of the experiment").get_by_role("link", name=name).click()
        expect(proof).to_be_visible()
        page.reload()
        expect(proof).to_be_visible()
    page.go_back()
    expect(page.get_by_text("pytest-timeout")).to_be_visible()


def test_a_link_to_a_file_shows_where_it_lies(served: Served, study: Study, open_page: OpenPage) -> None:
    page = open_page(served, f"/e/{study.id(0)}/files")
    page.set_viewport_size({"width": 1280, "height": 200})
    last = page.get_by_role("treeitem").last
    page.goto(f"{served.origin}{last.get_attribute('href')}")
    expect(last).to_have_attribute("aria-selected", "true")
    inside = """row => {
      const [panel, self] = [row.closest(".files-tree"), row].map((one) => one.getBoundingClientRect());
      return self.top >= panel.top && self.bottom <= panel.bottom;
    }"""
    assert last.evaluate(inside)


def test_two_chosen_checkpoints_are_compared(served: Served, study: Study, open_page: OpenPage) -> None:
    page = open_page(served, f"/e/{study.id(0)}/checkpoints")
    table = page.get_by_role("table", name="Checkpoints")
    expect(table.get_by_role("row")).to_have_count(4)
    table.get_by_role("button", name="loss", exact=True).click()
    expect(page).to_have_url(f"{served.origin}/e/{study.id(0)}/checkpoints?by=-loss")
    expect(table.get_by_role("columnheader", name="loss")).to_have_attribute("aria-sort", "descending")
    expect(table.get_by_role("row").nth(1)).to_contain_text("0.05")
    expect(table.get_by_role("row").nth(1)).to_contain_text("kB")  # its files
    for checkbox in table.get_by_role("checkbox").all()[:2]:
        checkbox.check()
    page.get_by_role("link", name="Compare 2").click()
    expect(page.get_by_role("heading", name="Metrics", exact=True)).to_be_visible()


def test_files_are_shown_as_what_they_are(served: Served, study: Study, open_page: OpenPage) -> None:
    page = open_page(served, f"/e/{study.id(0)}/files")
    expect(page.locator(".preview h2")).to_have_text("code/train.py")  # what one looks for first
    expect(page.locator(".tok-keyword").first).to_have_text("def")
    expect(page.get_by_role("treeitem", name="model.npz")).to_contain_text("ckpt")
    show_file(page, served, study, "code/config.json")
    expect(page.locator(".json-tree")).to_contain_text(HOSTILE)
    show_file(page, served, study, "code/labels.csv")
    expect(page.get_by_role("cell", name="<b>one</b>")).to_be_visible()
    show_file(page, served, study, "code/look.ipynb")
    expect(page.locator(".notebook-cell")).to_contain_text("import keepsake")
    show_file(page, served, study, "code/page.html")
    expect(page.locator(".code")).to_contain_text("<html><body onload='alert(1)'>")
    show_file(page, served, study, "weights/raw.bin")
    expect(page.locator(".hex")).to_contain_text("000020  20 21 22")
    show_file(page, served, study, "weights/sample.png")
    image = page.get_by_role("img", name="sample.png, 6 × 4")
    expect(image).to_have_js_property("naturalWidth", 6)


def test_a_tensor_shows_its_histogram_when_asked(served: Served, study: Study, open_page: OpenPage) -> None:
    page = open_page(served, f"/e/{study.id(0)}/files/weights/model.npz")
    row = page.get_by_role("table", name="Tensors").get_by_role("row", name="weight")
    expect(row).to_contain_text("[6, 10]")
    row.get_by_role("button", name="Histogram of weight").click()
    expect(page.get_by_role("img", name="Histogram of weight")).to_be_visible()
    expect(page.locator(".histogram")).to_contain_text("min-1")


def test_a_file_is_downloaded_as_it_was(served: Served, study: Study, open_page: OpenPage) -> None:
    page = open_page(served, f"/e/{study.id(0)}/files/weights/raw.bin")
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download").click()
    assert waiting.value.suggested_filename == "raw.bin"
    assert Path(waiting.value.path()).read_bytes() == bytes(range(200)) * 3


def test_a_line_of_a_file_has_an_address(served: Served, study: Study, open_page: OpenPage) -> None:
    page = open_page(served, f"/e/{study.id(0)}/files/code/train.py#L100")
    chosen = page.locator(".code-line.chosen")
    expect(chosen).to_be_in_viewport()
    expect(chosen).to_contain_text("def step_33")
    page.get_by_role("link", name="Line 97", exact=True).click()
    expect(page).to_have_url(f"{served.origin}/e/{study.id(0)}/files/code/train.py#L97")
    expect(chosen).to_contain_text("def step_32")


def test_the_tree_of_files_is_used_with_the_keyboard(served: Served, study: Study, open_page: OpenPage) -> None:
    page = open_page(served, f"/e/{study.id(0)}/files")
    tree = page.get_by_role("tree")
    code = tree.get_by_role("treeitem", name="code/")
    expect(code).to_have_attribute("aria-expanded", "true")
    expect(page.locator(".preview h2")).to_have_text("code/train.py")
    code.focus()
    page.keyboard.press("ArrowLeft")
    expect(code).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(tree.get_by_role("treeitem", name="src/")).to_be_focused()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{served.origin}/e/{study.id(0)}/files/code/config.json")
    expect(tree.locator('[tabindex="0"]')).to_have_count(1)


def test_other_checkpoints_have_other_files(served: Served, study: Study, open_page: OpenPage) -> None:
    page = open_page(served, f"/e/{study.id(0)}/files")
    page.get_by_label("Files of").select_option(label="the experiment itself")
    expect(page).to_have_url(f"{served.origin}/e/{study.id(0)}/files?at=none")
    expect(page.get_by_role("treeitem", name="train.py")).to_be_visible()
    expect(page.get_by_role("treeitem", name="model.npz")).to_have_count(0)


def test_the_tab_of_code_shows_what_people_write(served: Served, study: Study, open_page: OpenPage) -> None:
    page = open_page(served, f"/e/{study.id(0)}/code")
    expect(page.get_by_role("treeitem", name="train.py")).to_be_visible()
    expect(page.get_by_role("treeitem", name="model.npz")).to_have_count(0)


def test_an_experiment_that_runs_grows_while_one_looks(
    serve: Callable[[Path], Served], project: keepsake.Project, open_page: OpenPage, watch: Watch
) -> None:
    watch.expected.append("404")  # what it was is asked for once more, after it was deleted
    assert project.repository is not None
    experiment = project.experiments.create(params={"lr": 1}, quiet=True)
    served = serve(Path(project.repository))
    page = open_page(served, "/about")
    page.clock.install()
    page.goto(served.at(f"/e/{experiment.id[:8]}/checkpoints"))
    expect(page.get_by_text("No checkpoints yet.")).to_be_visible()
    experiment.checkpoint(step=7, metrics={"loss": 0.5})
    expect(page.get_by_role("row", name="0.5")).to_contain_text("7")
    experiment.stop()
    expect(page.locator(".experiment-head")).to_contain_text("finished")
    experiment.delete()
    page.clock.run_for(10_000)  # where nothing runs, it asks seldom
    expect(page.get_by_role("heading", name="This experiment was deleted.")).to_be_visible()


def test_what_runs_says_how_far_it_came_that_it_has_no_number_and_shows_files_of_windows(
    serve: Callable[[Path], Served], project: keepsake.Project, open_page: OpenPage
) -> None:
    assert project.repository is not None
    assert project.directory is not None
    (Path(project.directory) / "train.py").write_bytes(b"import os\r\nlone = 1\rtwo\r\n\r\nend = 3\r\n")
    experiment = project.experiments.create(path="train.py", quiet=True)
    for step, loss in enumerate((3.0, 2.0, math.nan, math.nan)):
        experiment.log(step=step, loss=loss)
    experiment.checkpoint(step=4, loss=math.nan)
    served = serve(Path(project.repository))
    page = open_page(served, f"/e/{experiment.id[:8]}")
    expect(page.locator(".experiment-facts")).to_contain_text(re.compile(r"latest checkpoint after \d"))
    curve = page.locator("figure.mini")
    expect(curve.get_by_role("img")).to_have_accessible_name("loss: from 2 to 3, last nan")
    expect(curve.locator("figcaption .number")).to_have_text("nan")
    expect(curve.locator(".mini-steps span").last).to_have_text("4")
    page.goto(served.at(f"/e/{experiment.id[:8]}/files/train.py"))
    expect(page.locator(".code-line code")).to_have_text(["import os", "lone = 1\ufffdtwo", "", "end = 3"])
    experiment.stop()


def test_an_id_that_is_not_there_says_so(served: Served, open_page: OpenPage, watch: Watch) -> None:
    watch.expected.append("404")
    page = open_page(served, "/e/000000000000")
    expect(page.get_by_role("alert")).to_contain_text("000000000000")
    expect(page.get_by_role("link", name="All experiments")).to_be_visible()


def test_axe_finds_nothing_serious(served: Served, study: Study, open_page: OpenPage) -> None:
    proofs = {
        "": ".mini svg",
        "/checkpoints": ".long-table",
        "/files/code/train.py": ".tok-keyword",
        "/files/weights/model.npz": ".long-table",
        "/system": "table",
    }
    page = open_page(served, "/about")
    for path, proof in proofs.items():
        page.emulate_media(color_scheme="light")
        page.goto(f"{served.origin}/e/{study.id(2)}{path}")
        expect(page.locator(proof).first).to_be_visible()
        assert axe_findings_in_both_themes(page) == []


@pytest.mark.parametrize("path", ["", "/checkpoints", "/files/code/train.py"])
def test_nothing_sticks_out_of_a_narrow_window(served: Served, study: Study, open_page: OpenPage, path: str) -> None:
    page = open_page(served, f"/e/{study.id(2)}{path}", width=400)
    expect(page.locator(".tabs")).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
