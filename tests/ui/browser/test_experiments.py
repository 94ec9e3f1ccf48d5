"""The landing page, as somebody uses it: with the mouse, with the keyboard, with an address, on a narrow page."""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

import keepsake
from benchmarks.histories import write_histories
from tests.ui.browser.conftest import OpenPage, Served, Watch, axe_findings_in_both_themes
from tests.ui.browser.study import making, serving_kept, serving_made

Serve = Callable[[Path | str], Served]

HOSTILE = ["<script>document.title = 'hacked'</script>", "<img src=x onerror=alert(1)>", "‮right to left", "x" * 5_000]


def repository_of(project: keepsake.Project) -> str:
    assert project.repository is not None
    return project.repository


def make_sweep(project: keepsake.Project) -> list[keepsake.Experiment]:
    """Make twelve experiments with two models, of which one failed and one is better than all others."""
    made = []
    for number in range(12):
        params = {"lr": 0.1 / 2**number, "model": "cnn" if number % 3 else "vit", "seed": number, "epochs": 3}
        name = HOSTILE[number] if number < len(HOSTILE) else None
        experiment = project.experiments.create(params=params, name=name, quiet=True)
        for step in range(3):
            accuracy = 0.9 if number == 5 and step == 1 else 0.5 + number / 100 + step / 1000
            experiment.checkpoint(step=step, accuracy=accuracy, primary_metric=("accuracy", "maximize"))
        with contextlib.suppress(RuntimeError), experiment:
            if number == 7:
                raise RuntimeError("out of memory")
        made.append(experiment)
    return made


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, list[keepsake.Experiment]]]:
    with serving_made(tmp_path_factory.mktemp("sweep"), make_sweep) as site:
        yield site


@pytest.fixture
def served(site: tuple[Served, list[keepsake.Experiment]]) -> Served:
    return site[0]


@pytest.fixture
def sweep(site: tuple[Served, list[keepsake.Experiment]]) -> list[keepsake.Experiment]:
    return site[1]


@pytest.fixture
def table(open_page: OpenPage, served: Served) -> Page:
    page = open_page(served)
    expect(rows(page)).to_have_count(12)
    return page


def rows(page: Page):  # type: ignore[no-untyped-def]
    return page.locator("[role=row][aria-selected]")


def shown(page: Page, column: str) -> list[str]:
    """What stands in a column, from above."""
    return page.locator(f"[role=gridcell][data-column='{column}']").all_inner_texts()


def header(page: Page, column: str):  # type: ignore[no-untyped-def]
    return page.locator(f"[role=columnheader][data-column='{column}']")


def test_the_newest_come_first_with_what_went_in_and_how_good_it_became(table: Page) -> None:
    grid = table.get_by_role("grid", name="Experiments")
    expect(grid).to_have_attribute("aria-rowcount", "13")
    assert shown(table, "params.seed") == [str(number) for number in range(11, -1, -1)]
    expect(header(table, "created")).to_have_attribute("aria-sort", "descending")
    # Of all that are shown, the best one has a star and says so.
    (best,) = [text for text in shown(table, "best.accuracy") if "best" in text]
    assert best.endswith("0.9")
    expect(table.locator(".spark").first).to_be_visible()
    # What is the same everywhere and nobody asked for is not there.
    expect(header(table, "host")).to_have_count(0)


def test_a_click_on_a_header_sorts_shift_adds_and_the_address_brings_it_back(table: Page) -> None:
    header(table, "params.model").locator(".sort").click()
    header(table, "best.accuracy").locator(".sort").click(modifiers=["Shift"])
    expect(table).to_have_url(re.compile(r"sort=params\.model,-best\.accuracy"))
    assert shown(table, "params.seed")[0] == "5"
    table.reload()
    expect(rows(table)).to_have_count(12)
    assert shown(table, "params.model") == ["cnn"] * 8 + ["vit"] * 4
    assert shown(table, "params.seed")[0] == "5"
    header(table, "params.lr").locator(".sort").click()
    expect(header(table, "params.lr")).to_have_attribute("aria-sort", "ascending")
    expect(header(table, "params.model")).not_to_have_attribute("aria-sort", re.compile("."))


def test_the_slash_goes_to_the_filter_and_a_mistake_is_shown_at_its_place(table: Page) -> None:
    table.keyboard.press("/")
    table.keyboard.type("params.model = vit")
    expect(rows(table)).to_have_count(4)
    expect(table.locator(".count")).to_have_text("4 of 12")
    expect(table).to_have_url(re.compile("q=params.model"))
    box = table.get_by_role("combobox", name="Filter experiments")
    box.fill("params.lr < 0.1 seed = 3")
    expect(box).to_have_attribute("aria-invalid", "true")
    expect(table.locator(".filter-error .place")).to_have_text("=")
    table.keyboard.press("Escape")
    table.keyboard.press("Escape")
    expect(box).to_have_value("")
    expect(rows(table)).to_have_count(12)


def test_names_complete_in_the_filter_with_the_arrows_and_enter(table: Page) -> None:
    box = table.get_by_role("combobox", name="Filter experiments")
    box.press_sequentially("mod")
    options = table.get_by_role("option")
    expect(options.first).to_contain_text("params.model")
    box.press("ArrowDown")
    expect(options.first).to_have_attribute("aria-selected", "true")
    expect(box).to_have_attribute("aria-activedescendant", "proposal-0")
    box.press("Enter")
    expect(box).to_have_value("params.model ")
    box.press_sequentially("= v")
    options.filter(has_text="vit").click()
    expect(box).to_have_value("params.model = vit ")
    expect(rows(table)).to_have_count(4)
    box.press("Escape")
    box.press("Enter")  # done: the focus goes to what was found
    expect(table.locator("[role=gridcell]:focus")).to_have_count(1)


def test_who_leaves_while_typing_comes_back_to_what_was_typed(table: Page) -> None:
    table.evaluate(
        """() => {
          const box = document.querySelector('[role=search] input');
          box.value = 'params.model = vit';
          box.dispatchEvent(new Event('input', { bubbles: true }));
          document.querySelector('nav a[href^="/storage"]').click();
        }"""
    )
    expect(table).to_have_url(re.compile("/storage"))
    table.go_back()
    expect(table).to_have_url(re.compile("q=params.model"))
    expect(table.locator(".count")).to_have_text("4 of 12")


@pytest.mark.parametrize("address", ["/", "/charts", "/parallel", "/scatter"])
def test_of_a_filter_in_the_address_nothing_is_said_before_it_is_known(
    served: Served, open_page: OpenPage, watch: Watch, address: str
) -> None:
    watch.expected.append("ERR_FAILED")
    page = open_page(served, "/about")
    held: list[Route] = []
    page.route("**/api/v1/select*", lambda route: held.append(route))
    page.goto(f"{served.origin}{address}?q=model+=+vit")
    expect(page.locator("main")).to_have_text("Loading experiments…")
    expect(page.locator(".count")).to_have_text("… of 12")
    held.pop().abort()
    expect(page.get_by_role("alert")).to_contain_text("The server does not answer.")
    page.unroute_all()
    page.locator("main").focus()
    page.keyboard.press("r")
    expect(page.locator(".count")).to_have_text("4 of 12")
    expect(page.get_by_role("heading", level=1)).to_be_attached()


@pytest.mark.parametrize("address", ["/", "/charts", "/parallel"])
def test_a_filter_in_the_address_that_cannot_be_read_says_so(served: Served, open_page: OpenPage, address: str) -> None:
    page = open_page(served, f"{address}?q=lr+<")
    expect(page.get_by_role("heading", name="This filter cannot be read.")).to_be_visible()
    expect(page.locator("main .filter-error .place")).to_be_visible()
    page.get_by_role("button", name="Clear the filter").click()
    expect(page.locator(".count")).to_have_text("12")
    expect(page.get_by_role("heading", level=1)).to_be_attached()


def test_a_selection_is_shown_in_charts_whatever_the_filter(
    served: Served, sweep: list[keepsake.Experiment], open_page: OpenPage
) -> None:
    page = open_page(served, f"/charts?q=lr+<&sel={sweep[0].id[:8]}")
    expect(page.get_by_role("img", name=re.compile("^accuracy by step, 1 experiment"))).to_be_visible()


def test_links_have_the_filter_and_the_order_as_they_are_when_they_are_used(
    table: Page, sweep: list[keepsake.Experiment]
) -> None:
    box = table.get_by_role("combobox", name="Filter experiments")
    tab, row = table.get_by_role("link", name="Charts"), table.locator("[role=gridcell] a")
    box.fill("model = vit")
    expect(rows(table)).to_have_count(4)
    header(table, "params.lr").click()
    expect(tab).to_have_attribute("href", "/charts?q=model+=+vit&sort=params.lr")
    expect(row.first).to_have_attribute("href", f"/e/{sweep[9].id[:12]}?q=model+=+vit&sort=params.lr")
    box.fill("model = cnn")
    expect(rows(table)).to_have_count(8)
    row.first.click()
    expect(table).to_have_url(re.compile(r"/e/\w+\?q=model\+=\+cnn&sort=params.lr$"))
    box.fill("model = vit or seed = 1")
    table.get_by_role("link", name="Experiments", exact=True).click()
    expect(rows(table)).to_have_count(5)
    expect(table).to_have_url(re.compile(r"/\?q=model\+=\+vit\+or\+seed\+=\+1&sort=params.lr$"))


def test_comparisons_with_numbers_are_shown_before_the_server_has_answered(table: Page) -> None:
    box = table.get_by_role("combobox", name="Filter experiments")
    table.route("**/api/v1/select*", lambda route: None)  # it takes long
    box.fill("params.seed >= 3 and params.lr > 1e-3")
    expect(rows(table)).to_have_count(4)
    assert shown(table, "params.seed") == ["6", "5", "4", "3"]
    box.fill("params.seed > 100")
    expect(table.get_by_role("heading", name="No experiment matches the filter")).to_be_visible()
    expect(rows(table).first).to_be_hidden()
    table.keyboard.press("Tab")
    expect(table.locator("[role=gridcell]:focus")).to_have_count(0)
    box.fill("params.seed > 9 and best.accuracy < 0.612")
    expect(rows(table)).to_have_count(1)
    expect(rows(table).first).to_be_visible()
    assert shown(table, "params.seed") == ["10"]


def test_what_the_server_says_of_a_filter_holds(table: Page) -> None:
    def answer(route: Route) -> None:
        document = route.fetch().json()
        route.fulfill(json=document | {"places": document["places"][:1]})

    table.route("**/api/v1/select*", answer)
    table.get_by_role("combobox", name="Filter experiments").fill("params.seed >= 3")
    expect(rows(table)).to_have_count(1)


AT_ONCE = """async (filters) => {
  const { keptAtOnce } = await import('/static/core/atonce.js');
  const { Table } = await import('/static/core/table.js');
  const ask = async (path) => (await fetch(`/api/v1/${path}`)).json();
  const table = Table.fromAnswer(await ask('experiments'));
  return Promise.all(filters.map(async (filter) => {
    const { places, mistake } = await ask(`select?filter=${encodeURIComponent(filter)}`);
    return [filter, keptAtOnce(table, filter), mistake ? 'mistake' : places];
  }));
}"""


def test_what_is_told_at_once_is_what_the_server_says(
    serve: Serve, open_page: OpenPage, project: keepsake.Project
) -> None:
    for number, value in enumerate([0, 1, -2.5, 0.1, 1e300, math.inf, -math.inf, math.nan, None, 7]):
        given: dict[str, Any] = {
            "x": value,
            "mixed": [1, "1", True, None, "NaN"][number % 5],
            "a and b": number,
            "with space": 3,
        }
        experiment = project.experiments.create(params=given, quiet=True)
        experiment.checkpoint(
            step=1, metrics={"loss": value if isinstance(value, float) else number}, primary_metric=("loss", "minimize")
        )
        experiment.stop()
    names = ["params.x", "params.mixed", "params.`a and b`", "params.with space", "params.none"]
    names += ["best.loss", "latest.loss", "x", "loss", "duration", "step"]
    bounds = ["0", "0.", ".1", "-2.5", "+1", "1e300", "1e400", "2e0", "1_0", "NaN", "inf"]
    bounds += ["'1'", "5m", "true", "null", "", "1 or x > 0"]
    signs = ["<", "<=", ">", ">=", "=", "!="]
    filters = [f"{name} {sign} {bound}" for name in names for sign in signs for bound in bounds]
    filters += ["params.x > 0 AND best.loss < 5", "params.x>0 and latest.loss<=3", "params.x > 0 and params.mixed = 1"]
    filters += ["not params.x > 0", "(params.x > 0)"]
    page = open_page(serve(repository_of(project)))
    expect(rows(page)).to_have_count(10)
    told = [one for one in page.evaluate(AT_ONCE, filters) if one[1] is not None]
    assert [one for one in told if one[1] != one[2]] == []
    assert {one[0] for one in told} >= {
        "params.x < 0.",
        "best.loss >= .1",
        "params.x > 0 AND best.loss < 5",
        "latest.loss > +1",
    }


def test_a_filter_that_finds_nothing_says_how_to_go_on(table: Page) -> None:
    table.get_by_role("combobox", name="Filter experiments").fill("params.lr > 100")
    expect(table.get_by_role("heading", name="No experiment matches the filter")).to_be_visible()
    table.get_by_role("button", name="Show all").click()
    expect(rows(table)).to_have_count(12)


def test_the_keyboard_moves_selects_and_compares(table: Page) -> None:
    table.keyboard.press("j")
    table.keyboard.press("j")
    focused = table.locator("[role=gridcell]:focus")
    expect(focused.locator("xpath=..")).to_have_attribute("aria-rowindex", "3")
    expect(table.locator(".grid [tabindex='0']")).to_have_count(1)
    table.keyboard.press("x")
    expect(table.locator("[aria-selected=true]")).to_have_count(1)
    table.keyboard.press("ArrowDown")
    table.keyboard.press("ArrowDown")
    table.keyboard.press("Shift+X")
    expect(table.locator("[aria-selected=true]")).to_have_count(3)
    table.keyboard.press("Shift+ArrowDown")
    expect(table.locator("[aria-selected=true]")).to_have_count(4)
    table.keyboard.press("End")
    expect(focused.locator("xpath=..")).to_have_attribute("aria-rowindex", "13")
    table.keyboard.press("Home")
    table.keyboard.press("k")
    expect(table.locator("[role=columnheader]:focus")).to_have_count(1)
    table.keyboard.press("c")
    expect(table).to_have_url(re.compile(r"/compare/[0-9a-f]{8}(\.\.\.[0-9a-f]{8}){3}"))


def test_the_list_of_keys_opens_at_its_beginning(table: Page) -> None:
    table.set_viewport_size({"width": 1000, "height": 500})
    table.keyboard.press("?")
    expect(table.get_by_role("button", name="Close")).to_be_focused()
    expect(table.get_by_role("heading", name="Keys")).to_be_in_viewport()


def test_enter_opens_an_experiment_and_back_leads_to_where_one_was(
    table: Page, sweep: list[keepsake.Experiment]
) -> None:
    table.keyboard.press("j")
    table.keyboard.press("j")
    table.keyboard.press("Enter")
    expect(table).to_have_url(re.compile(rf"/e/{sweep[10].id[:12]}"))
    table.go_back()
    expect(rows(table)).to_have_count(12)
    table.keyboard.press("j")
    expect(table.locator("[role=gridcell]:focus").locator("xpath=..")).to_have_attribute("aria-rowindex", "4")


def test_the_header_is_reached_with_the_arrows_and_sorts_with_enter(table: Page) -> None:
    for key in ("j", "k", "ArrowRight"):
        table.keyboard.press(key)
    expect(table.locator("[role=columnheader]:focus")).to_have_attribute("data-column", "status")
    table.keyboard.press("Enter")
    expect(header(table, "status")).to_have_attribute("aria-sort", "ascending")
    table.keyboard.press("m")
    menu = table.get_by_role("dialog", name="Column status")
    menu.get_by_role("button", name="failed").click()
    expect(table.get_by_role("combobox", name="Filter experiments")).to_have_value("status = failed")
    expect(rows(table)).to_have_count(1)


def test_a_selection_is_in_the_address_and_comes_back(table: Page, sweep: list[keepsake.Experiment]) -> None:
    cells = table.locator("[role=gridcell][data-column=select]")
    cells.nth(0).click()
    cells.nth(3).click(modifiers=["Shift"])
    bar = table.get_by_role("region", name="Selection")
    expect(bar).to_contain_text("4 selected")
    table.reload()
    expect(table.locator("[aria-selected=true]")).to_have_count(4)
    assert sweep[11].id[:8] in table.url
    expect(bar.get_by_role("link", name="Compare")).to_have_attribute("href", re.compile("/compare/"))
    table.keyboard.press("Escape")
    expect(bar).to_have_count(0)
    expect(table).not_to_have_url(re.compile("sel="))
    table.get_by_role("button", name="Select all that are shown").click()
    expect(table.locator("[aria-selected=true]")).to_have_count(12)


def test_columns_are_hidden_moved_pinned_and_kept(table: Page) -> None:
    header(table, "params.seed").hover()
    header(table, "params.seed").get_by_role("button", name="Menu of param seed").click()
    table.get_by_role("button", name="Pin to the left").click()
    order = "[...document.querySelectorAll('[role=columnheader]')].map((cell) => cell.dataset.column)"
    assert table.evaluate(order)[:3] == ["select", "id", "params.seed"]
    header(table, "status").hover()
    header(table, "status").get_by_role("button", name="Menu of status").click()
    table.get_by_role("button", name="Hide", exact=True).click()
    expect(header(table, "status")).to_have_count(0)
    header(table, "created").hover()
    header(table, "created").get_by_role("button", name="Menu of created").click()
    table.get_by_role("button", name="Move right").click()
    before = table.evaluate(order)
    assert "created" in before
    table.goto(table.url.split("?")[0])  # kept for this repository, not only in the address
    expect(rows(table)).to_have_count(12)
    assert table.evaluate(order) == before
    table.keyboard.press("o")
    chooser = table.get_by_role("dialog", name="Columns")
    chooser.get_by_role("searchbox").fill("stat")
    chooser.get_by_role("checkbox", name="status").check()
    expect(header(table, "status")).to_have_count(1)
    table.keyboard.press("Escape")
    expect(chooser).to_have_count(0)


def test_metrics_are_shown_at_their_least_and_greatest_sorted_and_taken_along(table: Page) -> None:
    metrics = table.get_by_role("combobox", name="Metrics")
    metrics.select_option("max")
    expect(header(table, "best.accuracy")).to_have_count(0)
    cells = table.locator("[role=gridcell][data-column='max.accuracy']")
    expect(cells.filter(has_text="best: 0.9")).to_have_count(1)  # what is maximized has its best at this end
    metrics.select_option("min")
    cells = table.locator("[role=gridcell][data-column='min.accuracy']")
    expect(cells).to_contain_text(["0.61"])
    expect(cells.filter(has_text="best")).to_have_count(0)
    header(table, "min.accuracy").locator(".sort").click()
    header(table, "min.accuracy").locator(".sort").click()
    expect(table).to_have_url(re.compile(r"\?sort=min\.accuracy&at=min"))
    assert shown(table, "min.accuracy") == [f"{0.5 + number / 100:.4g}" for number in range(12)]
    table.reload()
    expect(cells.first).to_have_text("0.5")
    assert shown(table, "params.seed") == [str(number) for number in range(12)]
    # The filter language does not know them, and nothing offers them to it.
    header(table, "min.accuracy").hover()
    header(table, "min.accuracy").get_by_role("button", name="Menu of min accuracy").click()
    menu = table.get_by_role("dialog", name="Column min accuracy")
    expect(menu.get_by_role("img", name=re.compile("Histogram"))).to_be_visible()
    expect(menu.get_by_role("button", name="Filter")).to_have_count(0)
    table.keyboard.press("Escape")
    table.get_by_role("button", name="Take along").click()
    dialog = table.get_by_role("dialog", name="Take along what is shown")
    expect(dialog).to_contain_text("Only this page sorts by min and max")
    expect(dialog).to_contain_text("keepsake.experiments.list()")


def test_the_least_and_greatest_of_what_runs_follow(
    serve: Serve, open_page: OpenPage, project: keepsake.Project, watch: Watch
) -> None:
    running = project.experiments.create(quiet=True)
    running.checkpoint(step=0, loss=0.5)
    finished = project.experiments.create(quiet=True)
    finished.checkpoint(step=0, loss=0.7)
    finished.stop()
    page = open_page(serve(repository_of(project)), "/?at=min")
    expect(page.locator("[role=gridcell][data-column='min.loss']")).to_have_text(["0.7", "0.5"])
    watch.requests.clear()
    running.log(step=1, loss=0.25)
    expect(page.locator("[role=gridcell][data-column='min.loss']")).to_have_text(["0.7", "0.25"])
    asked = [url for url in watch.requests if "/extremes" in url]
    assert all(running.id[:12] in url and finished.id[:12] not in url for url in asked)
    running.stop()


def test_only_what_differs_leaves_out_what_is_the_same(table: Page) -> None:
    expect(header(table, "params.epochs")).to_have_count(1)
    table.get_by_role("button", name="Only what differs").click()
    expect(header(table, "params.epochs")).to_have_count(0)
    expect(header(table, "params.seed")).to_have_count(1)
    expect(table).to_have_url(re.compile("differ=1"))


def test_experiments_are_grouped_and_a_group_opens(table: Page) -> None:
    table.get_by_role("combobox", name="Group").select_option(label="model")
    groups = table.locator(".group")
    expect(groups).to_have_count(2)
    expect(groups.first).to_contain_text("model = cnn")
    expect(groups.first).to_contain_text("8 experiments")
    expect(groups.first).to_contain_text("best 0.9")
    groups.nth(1).get_by_role("button").click()
    expect(rows(table)).to_have_count(4)
    table.reload()
    expect(rows(table)).to_have_count(4)
    table.keyboard.press("j")
    table.keyboard.press("ArrowRight")
    expect(rows(table)).to_have_count(12)
    # Elements of groups become those of experiments, and back.
    table.get_by_role("combobox", name="Group").select_option(label="none")
    expect(groups).to_have_count(0)
    assert shown(table, "params.seed") == [str(seed) for seed in range(11, -1, -1)]
    table.get_by_role("combobox", name="Group").select_option(label="model")
    expect(groups).to_have_count(2)
    table.get_by_role("combobox", name="Group").select_option(label="none")
    expect(groups).to_have_count(0)
    assert shown(table, "params.seed") == [str(seed) for seed in range(11, -1, -1)]
    assert {len(row.locator("[role=gridcell]").all()) for row in rows(table).all()} == {
        table.locator("[role=columnheader]").count()
    }


def test_the_preview_follows_the_focus(table: Page) -> None:
    table.keyboard.press("p")
    preview = table.get_by_role("complementary", name="Preview")
    table.keyboard.press("j")
    expect(preview).to_contain_text("seed11")
    table.keyboard.press("j")
    expect(preview).to_contain_text("seed10")
    table.keyboard.press("Escape")
    expect(preview).to_have_count(0)


def test_what_is_shown_can_be_taken_along(table: Page) -> None:
    table.get_by_role("combobox", name="Filter experiments").fill("params.model = vit")
    expect(rows(table)).to_have_count(4)
    table.get_by_role("button", name="Take along").click()
    dialog = table.get_by_role("dialog", name="Take along what is shown")
    expect(dialog).to_contain_text('keepsake.experiments.list(filter="params.model = vit")')
    expect(dialog).to_contain_text("keepsake ls -f 'params.model = vit'")
    with table.expect_download() as download:
        dialog.get_by_role("button", name="CSV").click()
    lines = Path(download.value.path()).read_text().splitlines()
    assert len(lines) == 5
    assert "params.lr" in lines[0]


def test_an_experiment_that_begins_appears_by_itself_and_nothing_moves(
    serve: Serve, open_page: OpenPage, project: keepsake.Project
) -> None:
    sweep = make_sweep(project)
    table = open_page(serve(repository_of(project)))
    expect(rows(table)).to_have_count(12)
    running = project.experiments.create(params={"seed": 99}, quiet=True)
    running.checkpoint(step=0, accuracy=0.1, primary_metric=("accuracy", "maximize"))
    table.keyboard.press("j")
    table.keyboard.press("r")
    expect(rows(table)).to_have_count(13, timeout=60_000)
    # The focus stays with its experiment, which is now the second.
    expect(table.locator("[role=gridcell]:focus")).to_contain_text(sweep[11].id[:8])
    expect(rows(table).first.locator(".status.running").last).to_be_visible()
    running.checkpoint(step=1, accuracy=0.95, primary_metric=("accuracy", "maximize"))
    running.stop()
    # While something runs, the page asks by itself.
    expect(rows(table).first).to_contain_text("finished")
    expect(rows(table).first).to_contain_text("0.95")


def test_a_table_that_is_fetched_anew_and_shorter_shows_those_that_are_left_while_the_filter_is_asked(
    serve: Serve, open_page: OpenPage, project: keepsake.Project, user_directory: Path
) -> None:
    made = [project.experiments.create(params={"n": number}, quiet=True) for number in range(4)]
    for experiment in made:
        experiment.stop()
    page = open_page(serve(repository_of(project)), "/?q=params.n+!=+9")
    expect(rows(page)).to_have_count(4)
    page.route("**/api/v1/select*", lambda route: None)  # it takes long
    for experiment in made[1:]:
        experiment.delete()
    for path in (user_directory / "cache" / "keepsake" / "catalogs").iterdir():
        path.unlink()
    page.keyboard.press("r")
    expect(rows(page)).to_have_count(1)
    assert shown(page, "params.n") == ["0"]


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    root = tmp_path_factory.mktemp("many")
    write_histories(root / "repository", 10_000, checkpoints=1)
    with making(root), serving_kept(root / "repository") as served:
        yield served


@pytest.mark.timeout(300)
def test_ten_thousand_rows_are_as_few_in_the_page_as_are_in_view(
    many: Served, open_page: OpenPage, watch: Watch
) -> None:
    page = open_page(many)
    grid = page.get_by_role("grid")
    expect(grid).to_have_attribute("aria-rowcount", "10001")
    assert rows(page).count() < 60
    page.keyboard.press("End")
    expect(page.locator("[role=gridcell]:focus").locator("xpath=..")).to_have_attribute("aria-rowindex", "10001")
    assert rows(page).count() < 60
    # The focus stays with its row when that is scrolled out of view, and comes back with it.
    grid.evaluate("(grid) => grid.scrollTop = 0")
    expect(page.locator("[role=row][aria-rowindex='2']")).to_be_visible()
    expect(page.locator("[role=gridcell]:focus").locator("xpath=..")).to_have_attribute("aria-rowindex", "10001")
    grid.evaluate("(grid) => grid.scrollTop = grid.scrollHeight")
    expect(page.locator("[role=row][aria-rowindex='9990']")).to_be_visible()
    page.keyboard.press("k")
    expect(page.locator("[role=gridcell]:focus").locator("xpath=..")).to_have_attribute("aria-rowindex", "10000")
    page.get_by_role("combobox", name="Filter experiments").fill("dataset = cifar10 and lr < 0.5")
    expect(page.locator(".count")).to_contain_text("of 10,000")
    assert rows(page).first.get_attribute("aria-rowindex") == "2"
    asked = [url.rpartition("/")[2] for url in watch.requests if "/api/v1/experiments" in url and "curves" not in url]
    assert asked == ["experiments?part=first", "experiments?part=rest"]


MISPLACED = """() => {
  const left = (element) => element.getBoundingClientRect().left;
  const shown = [...document.querySelectorAll('[role=columnheader]')];
  const heads = new Map(shown.map((head) => [head.dataset.column, head]));
  const cells = [...document.querySelectorAll('[role=row][aria-selected] > [role=gridcell]:not(.is-apart)')];
  const isMisplaced = (cell) => Math.abs(left(heads.get(cell.dataset.column)) - left(cell)) > 0.5;
  return [cells.length, cells.filter(isMisplaced).map((cell) => cell.dataset.column)];
}"""


@pytest.mark.timeout(300)
def test_cells_stand_below_their_headers_however_far_the_table_is_scrolled(many: Served, open_page: OpenPage) -> None:
    page = open_page(many)
    grid = page.get_by_role("grid")
    expect(rows(page).first).to_be_visible()
    page.keyboard.press("j")
    focused = page.locator("[role=gridcell]:focus")
    place = focused.get_attribute("data-column")
    seen = set()
    for left in (0, 700, 1_500, 1_000_000, 300, 0):
        grid.evaluate("(grid, left) => grid.scrollLeft = left", left)
        page.wait_for_function(
            "new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve(true))))"
        )
        count, misplaced = page.evaluate(MISPLACED)
        assert count > 100
        assert misplaced == []
        seen.update(
            page.evaluate("[...document.querySelectorAll('[role=columnheader]')].map((head) => head.dataset.column)")
        )
        expect(focused).to_have_attribute("data-column", place or "")
    assert len(seen) == int(grid.get_attribute("aria-colcount") or 0)


def test_without_an_experiment_the_page_says_how_to_log_one(
    serve: Serve, open_page: OpenPage, project: keepsake.Project
) -> None:
    project.experiments.create(quiet=True).delete()
    page = open_page(serve(repository_of(project)))
    expect(page.get_by_role("heading", name="No experiment yet")).to_be_visible()
    expect(page.locator("pre")).to_contain_text("keepsake.init(")


def test_nothing_serious_stands_in_the_way_of_anybody(
    served: Served, open_page: OpenPage, sweep: list[keepsake.Experiment]
) -> None:
    page = open_page(served, "/?preview=1&sel=" + sweep[3].id[:8])
    expect(rows(page)).to_have_count(12)
    page.keyboard.press("j")
    assert axe_findings_in_both_themes(page) == []
    page.emulate_media(color_scheme="light")
    page.goto(served.origin + "/?group=params.model&open==vit")
    expect(rows(page)).to_have_count(4)
    header(page, "params.lr").hover()
    header(page, "params.lr").get_by_role("button", name="Menu of param lr").click()
    assert axe_findings_in_both_themes(page) == []
    assert page.title() != "hacked"


def test_a_narrow_page_scrolls_the_table_and_keeps_the_ids_in_sight(
    served: Served, open_page: OpenPage, sweep: list[keepsake.Experiment]
) -> None:
    page = open_page(served, width=400)
    expect(rows(page)).to_have_count(12)
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    page.locator(".grid").evaluate("(grid) => grid.scrollLeft = 700")
    expect(page.locator(f"a[title='{sweep[11].id[:12]}']")).to_be_in_viewport()
