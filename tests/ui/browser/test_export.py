"""The exported page, opened from a folder: the same views, without a server."""

from __future__ import annotations

import json
import re
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from keepsake import Project
from keepsake.errors import ConflictError, InvalidInputError
from keepsake.ui.export import ExportResult, export_page
from keepsake.ui.frozen import frozen_name
from keepsake.ui.report import make_report
from tests.ui.browser.conftest import PATIENCE_MS, Watch
from tests.ui.browser.study import making

HOSTILE = "<img src=x onerror=document.title='taken'> ~*'\"%&+ä.txt"


def png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 2, 2, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"\0" + b"\xff\0\0" * 2 + b"\0" + b"\0\0\xff" * 2)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def make_project(root: Path) -> Project:
    """Make two experiments with code, curves and files, one of a name that looks like markup."""
    directory = root / "project"
    directory.mkdir()
    (directory / "train.py").write_text("print('hello')\n")
    (directory / HOSTILE).write_text("hostile\n")
    (directory / "picture.png").write_bytes(png())
    project = Project(repository=str(root / "repository"), directory=directory)
    for number in range(2):
        experiment = project.experiments.create(
            path=".", params={"lr": 0.1 * (number + 1)}, name=f"run-{number}", quiet=True
        )
        for step in range(3):
            (directory / "model.json").write_text(json.dumps({"step": step}))
            experiment.checkpoint(
                "model.json", step=step, loss=1 / (step + 1 + number), primary_metric=("loss", "minimize")
            )
        experiment.stop()
    return project


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The project for all tests of this module that do not change it."""
    root = tmp_path_factory.mktemp("export")
    with making(root):
        yield make_project(root)


@pytest.fixture(scope="module")
def site(project: Project, tmp_path_factory: pytest.TempPathFactory) -> ExportResult:
    """The project, exported once."""
    return export_page(project, tmp_path_factory.mktemp("exported") / "site")


@pytest.fixture
def page(browser: Browser, watch: Watch) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, offline=True)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    watch.follow(page)
    yield page
    context.close()


def test_every_view_opens_from_a_folder(project: Project, site: ExportResult, page: Page) -> None:
    assert (site.experiments, site.problems) == (2, ())
    page.goto(site.index.as_uri())
    expect(page.get_by_role("grid")).to_contain_text("run-0")
    first, second = project.experiments.list()
    for address, shows in (
        (f"e/{first.id[:8]}", "run-0"),
        (f"e/{first.id[:8]}/checkpoints", "0.333333"),
        (f"e/{first.id[:8]}/files/train.py", "print('hello')"),
        (f"e/{first.id[:8]}/files/model.json", "step"),
        ("charts", "loss"),
        ("scatter", "loss"),
        ("parallel", "lr"),
        (f"compare/{first.id[:8]}...{second.id[:8]}", "0.2"),
        ("storage", "run-1"),
        ("about", "1.0.0"),
    ):
        page.goto(f"{site.index.as_uri()}#/{address}")
        expect(page.locator("main")).to_contain_text(shows)


def test_an_image_is_part_of_the_export(project: Project, site: ExportResult, page: Page) -> None:
    first = project.experiments.list()[0]
    page.goto(f"{site.index.as_uri()}#/e/{first.id[:8]}/files/picture.png")
    expect(page.locator("main img")).to_have_js_property("naturalWidth", 2)


def test_a_file_of_any_name_is_only_text(project: Project, site: ExportResult, page: Page) -> None:
    page.goto(f"{site.index.as_uri()}#/e/{project.experiments.list()[0].id[:8]}/files")
    page.get_by_role("treeitem").filter(has_text="onerror").click()
    expect(page.locator(".files-preview")).to_contain_text("hostile")
    assert "taken" not in page.title()


def test_the_filter_looks_for_words(site: ExportResult, page: Page) -> None:
    page.goto(site.index.as_uri())
    page.get_by_role("search").locator("input").fill("run-1")
    expect(page.locator(".count")).to_have_text("1 of 2")
    expect(page).to_have_url(re.compile("q=run-1"))  # which is told once nothing has been typed for a moment
    expect(page.get_by_role("link", name="Charts")).to_have_attribute("href", "#/charts?q=run-1")
    page.reload()
    expect(page.locator(".count")).to_have_text("1 of 2")


def test_the_least_and_greatest_values_are_part_of_it(site: ExportResult, page: Page) -> None:
    page.goto(f"{site.index.as_uri()}#/?at=max&sort=max.loss")
    expect(page.locator("[role=gridcell][data-column='max.loss']")).to_have_text(["0.5", "1"])


def test_a_view_can_be_kept_of_it(site: ExportResult, page: Page) -> None:
    page.goto(f"{site.index.as_uri()}#/?sort=params.lr")
    expect(page.locator("[role=gridcell][data-column='params.lr']")).to_have_text(["0.1", "0.2"])
    page.keyboard.press("v")
    page.get_by_role("textbox", name="Save this as").fill("by rate")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    page.goto(site.index.as_uri())
    expect(page.locator("[role=gridcell][data-column='params.lr']")).to_have_text(["0.2", "0.1"])
    page.keyboard.press("v")
    page.get_by_role("link", name="by rate").click()
    expect(page.locator("[role=gridcell][data-column='params.lr']")).to_have_text(["0.1", "0.2"])


def test_what_is_not_exported_is_said_to_be_missing(site: ExportResult, page: Page, watch: Watch) -> None:
    watch.expected.append("ERR_FILE_NOT_FOUND")
    page.goto(f"{site.index.as_uri()}#/e/0123456789abcdef")
    expect(page.locator("main")).to_contain_text("not part of the export")


def test_an_export_replaces_an_earlier_one_and_nothing_else(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    site = tmp_path / "site"
    export_page(project, site)
    gone = project.experiments.list()[0]
    gone.delete()
    assert export_page(project, site).experiments == 1
    assert not (site / "data" / f"{frozen_name(f'experiments/{gone.id[:12]}')}.js").exists()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("mine")
    with pytest.raises(ConflictError, match="is not empty"):
        export_page(project, tmp_path / "other")
    assert (tmp_path / "other" / "thesis.txt").read_text() == "mine"


def test_an_export_asks_nothing_of_the_network(site: ExportResult, page: Page, watch: Watch) -> None:
    page.goto(f"{site.index.as_uri()}#/charts")
    expect(page.locator("main")).to_contain_text("loss")
    assert all(url.startswith(("file:", "data:", "blob:")) for url in watch.requests)


# A report: an export of some experiments in one file


def open_report(page: Page, project: Project, target: Path, *ids: str) -> None:
    text, problems = make_report(project, [project.experiments.get(one) for one in ids])
    assert problems == []
    target.write_text(text, encoding="utf-8")
    page.goto(target.as_uri())


def test_a_report_of_one_begins_with_it_and_has_all_of_it(project: Project, page: Page, tmp_path: Path) -> None:
    first, second = project.experiments.list()
    open_report(page, project, tmp_path / "report.html", first.id)
    expect(page.get_by_role("heading", level=1)).to_contain_text("run-0")
    expect(page.locator(".count")).to_have_text("1")
    for address, shows in (("/checkpoints", "0.333333"), ("/files/train.py", "print('hello')"), ("/charts", "loss")):
        page.goto(f"{(tmp_path / 'report.html').as_uri()}#/e/{first.id[:8]}{address}")
        expect(page.locator("main")).to_contain_text(shows)
    page.goto(f"{(tmp_path / 'report.html').as_uri()}#/e/{first.id[:8]}/files/picture.png")
    expect(page.locator("main img")).to_have_js_property("naturalWidth", 2)
    assert second.id[:12] not in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_a_report_of_two_begins_with_their_comparison_files_included(
    project: Project, page: Page, tmp_path: Path, watch: Watch
) -> None:
    first, second = project.experiments.list()
    open_report(page, project, tmp_path / "report.html", second.id, first.id)
    expect(page.get_by_role("heading", name="Compare")).to_be_visible()
    expect(page.locator("main")).to_contain_text("run-1")
    expect(page.locator("main")).to_contain_text("4 unchanged")
    page.get_by_role("button", name="Swap").click()  # names and values of other comparisons are worked out in the page
    expect(page.locator("main")).to_contain_text("not part of the export", ignore_case=True)
    expect(page.locator("main")).to_contain_text("0.2")
    assert all(url.startswith(("file:", "data:", "blob:")) for url in watch.requests)


def test_nothing_that_an_experiment_holds_ends_the_data_or_runs(page: Page, tmp_path: Path) -> None:
    project = make_project(tmp_path)
    mean = "</script><script>document.title='taken'</script><!--<script>"
    project.experiments.create(params={mean: mean}, name=mean, quiet=True).stop()
    ids = [one.id for one in project.experiments.list()]
    open_report(page, project, tmp_path / "report.html", *ids)
    page.get_by_role("link", name="Experiments").click()
    expect(page.get_by_role("grid")).to_contain_text("</script>")
    page.get_by_role("combobox", name="Metrics").select_option("min")
    expect(page.locator("[role=gridcell][data-column='min.loss']")).to_contain_text(["0.25"])
    expect(page.locator(".count")).to_have_text("3")
    assert page.title() == "project · Keepsake"


MARKUP = """<html><head></head><body>x</body></html><!-- scripts -->
</body></script><h1 id=taken>INJECTED</h1><meta http-equiv=refresh content="0;url=data:text/plain,taken">
"""


def test_a_saved_page_is_shown_as_text_in_a_report_and_an_export(page: Page, tmp_path: Path) -> None:
    directory = tmp_path / "project"
    directory.mkdir()
    (directory / "report.html").write_text(MARKUP)
    project = Project(repository=str(tmp_path / "repository"), directory=directory)
    experiment = project.experiments.create(path=".", params={"body": MARKUP}, name="</body>", quiet=True)
    experiment.stop()
    text, problems = make_report(project, [experiment])
    (tmp_path / "report.html").write_text(text, encoding="utf-8")
    site = export_page(project, tmp_path / "site")
    assert (problems, site.problems) == ([], ())
    assert (text.count("</body>"), text.count("<meta http-equiv")) == (1, 1)
    visited: list[str] = []
    page.on("framenavigated", lambda frame: visited.append(frame.url))
    for index in (tmp_path / "report.html", site.index):
        page.goto(f"{index.as_uri()}#/e/{experiment.id[:8]}/files/report.html")
        expect(page.locator(".files-preview")).to_contain_text("INJECTED</h1>")
        expect(page.locator(".files-preview")).to_contain_text("http-equiv=refresh")
        expect(page.locator("#taken, body meta")).to_have_count(0)
        expect(page.locator("header.topbar")).to_have_count(1)
    assert all(url.startswith(tmp_path.as_uri()) for url in visited)


def test_a_report_of_nothing_is_refused(project: Project) -> None:
    with pytest.raises(InvalidInputError, match="no experiment"):
        make_report(project, [])
