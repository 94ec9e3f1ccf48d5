"""Curves: what is shown, how it is zoomed and looked at, and that the address brings it back."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Locator, Page, Route, expect

import keepsake
from tests.ui.browser.conftest import OpenPage, Served, Watch, axe_findings_in_both_themes
from tests.ui.browser.study import serving_made

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = '<script>alert(1)</script>‮" onload=x'


def train(project: keepsake.Project) -> list[keepsake.Experiment]:
    """Make three experiments, the second the best, with losses at twenty steps and what was only logged."""
    made = []
    for number, name in enumerate(("slow", "quick", HOSTILE)):
        params = {"lr": 10.0**-number, "model": "large" if number else "small"}
        experiment = project.experiments.create(params=params, name=name, quiet=True)
        for step in range(20):
            loss = abs(1 - number) + 2 * math.exp(-step / 5) + 0.1
            metrics = {"val/loss": loss, "val/acc": 1 / (1 + loss)}
            experiment.checkpoint(step=step, metrics=metrics, primary_metric=("val/loss", "minimize"))
            experiment.log(step=step, speed=step * 10)
        experiment.stop()
        made.append(experiment)
    return made


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, list[keepsake.Experiment]]]:
    with serving_made(tmp_path_factory.mktemp("charts"), train) as site:
        yield site


@pytest.fixture
def served(site: tuple[Served, list[keepsake.Experiment]]) -> Served:
    return site[0]


@pytest.fixture
def trained(site: tuple[Served, list[keepsake.Experiment]]) -> list[keepsake.Experiment]:
    return site[1]


def chart(page: Page, metric: str) -> Locator:
    return page.get_by_role("img", name=re.compile(f"^{metric.replace('/', '.')} by"))


def query(page: Page) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def painted(page: Page, metric: str) -> int:
    """Return how many pixels of the chart have a colour that is no grey."""
    return int(
        page.locator(f"section.chart-card[aria-label='{metric}'] .uplot canvas").first.evaluate(
            """(canvas) => {
                const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
                let count = 0;
                for (let at = 0; at < data.length; at += 4) {
                    const rgb = [...data.subarray(at, at + 3)];
                    if (data[at + 3] > 200 && Math.max(...rgb) - Math.min(...rgb) > 40) count++;
                }
                return count;
            }"""
        )
    )


def test_a_chart_is_drawn_for_each_metric_also_for_those_that_were_only_logged(
    served: Served, open_page: OpenPage
) -> None:
    page = open_page(served, "/charts")
    for metric in ("val/loss", "val/acc", "speed"):
        expect(chart(page, metric)).to_be_visible()
        assert painted(page, metric) > 200
    expect(chart(page, "val/loss")).to_have_accessible_name(
        re.compile(r"val.loss by step, 3 experiments, best 0\.1\d+ at 19 in \w{7} quick")
    )
    expect(page.get_by_text(HOSTILE[:25])).to_be_visible()


@pytest.mark.parametrize(
    ("address", "width"),
    [
        ("/charts", 1280),
        ("/charts", 400),
        ("/charts", 2200),
        ("/charts?across=1", 1280),
        ("/charts?across=4", 1280),
        ("/charts?x=time&hide={slow}", 1000),
        ("/charts?q=name%3Dslow", 1280),
        ("/charts?full=val/acc", 1280),
        ("/e/{slow}/charts", 1280),
    ],
)
def test_curves_are_asked_for_once_a_chart_whatever_the_number_of_experiments_and_the_width(
    served: Served, trained: list[keepsake.Experiment], open_page: OpenPage, watch: Watch, address: str, width: int
) -> None:
    page = open_page(served, address.format(slow=trained[0].id[:8]), width=width, height=2000)
    expected = 1 if "full" in address else 3
    expect(page.locator(".chart-area canvas.chart-overlay")).to_have_count(expected)
    page.wait_for_load_state("networkidle")
    asked = [parse_qs(urlsplit(url).query)["metric"][0] for url in watch.requests if "/api/v1/curves" in url]
    assert sorted(asked) == (["val/acc"] if "full" in address else ["speed", "val/acc", "val/loss"])


@pytest.mark.parametrize("address", ["/charts", "/charts?q=name+=+slow"])
def test_curves_are_asked_for_before_there_is_a_chart_to_draw_them_in(
    served: Served, open_page: OpenPage, address: str
) -> None:
    page = open_page(served, "/about")
    page.add_init_script(
        """window.hadCard = {};
        const { fetch } = window;
        window.fetch = (address, ...rest) => {
          const metric = new URL(address, location).searchParams.get("metric");
          if (metric) hadCard[metric] = document.querySelector(`.chart-card[aria-label="${metric}"]`) !== null;
          return fetch(address, ...rest);
        };"""
    )
    page.goto(f"{served.origin}{address}")
    expect(chart(page, "speed")).to_be_visible()
    assert page.evaluate("() => window.hadCard") == {"val/loss": False, "val/acc": False, "speed": False}


def test_what_is_set_for_all_charts_comes_back_on_reload(served: Served, open_page: OpenPage) -> None:
    page = open_page(served, "/charts")
    page.get_by_role("checkbox", name="log y").check()
    page.get_by_label(re.compile("^x")).select_option("time")
    page.get_by_label("Pin to the top: val/acc").click()
    page.get_by_label("Show as table: speed").click()
    page.get_by_role("searchbox", name="Find metrics").fill("a")
    page.get_by_role("slider").fill("0.5")
    page.get_by_role("button", name=re.compile("^Show .* slow")).click()
    page.reload()
    expect(page.get_by_role("checkbox", name="log y")).to_be_checked()
    expect(page.get_by_label(re.compile("^x"))).to_have_value("time")
    expect(page.locator(".chart-section").first).to_contain_text("pinned")
    expect(page.get_by_role("button", name=re.compile("^Show .* slow"))).to_have_attribute("aria-pressed", "false")
    expect(chart(page, "val/acc")).to_have_accessible_name(re.compile("by time, 2 experiments"))
    assert query(page)["smooth"] == "0.875"
    page.get_by_role("searchbox", name="Find metrics").fill("nothing is called this")
    page.get_by_role("button", name="Show all 3 metrics").click()
    expect(page.get_by_role("table")).to_contain_text("190 at")


def test_the_keyboard_zooms_pans_and_reads_the_series(served: Served, open_page: OpenPage) -> None:
    page = open_page(served, "/charts")
    chart(page, "val/loss").focus()
    page.keyboard.press("+")
    page.wait_for_url("**range=*")
    low, high = map(float, query(page)["range"].split(","))
    assert [low, high] == pytest.approx([2.85, 16.15])
    page.keyboard.press("ArrowRight")
    page.wait_for_url(lambda url: not url.endswith(f"range={low},{high}"))
    assert float(query(page)["range"].split(",")[0]) == pytest.approx(low + 1.33)
    page.reload()
    expect(page.get_by_title("Show everything (0)")).to_be_visible()
    chart(page, "val/loss").focus()
    page.keyboard.press("]")
    spoken = page.get_by_role("status").filter(has_text="val/loss")
    expect(spoken).to_contain_text(re.compile("script|slow"))
    page.keyboard.press("[")
    expect(spoken).to_contain_text("quick: val/loss")
    page.keyboard.press("y")
    expect(page.get_by_label("log y axis: val/loss")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("0")
    expect(page.get_by_title("Show everything (0)")).to_have_count(0)
    page.keyboard.press("f")
    expect(chart(page, "speed")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(chart(page, "speed")).to_be_visible()


def test_the_pointer_shows_values_zooms_all_charts_and_opens_an_experiment(
    served: Served, open_page: OpenPage, trained: list[keepsake.Experiment]
) -> None:
    page = open_page(served, "/charts")
    over = page.locator("section.chart-card[aria-label='val/loss'] .u-over")
    box = over.bounding_box()
    assert box is not None
    at = (box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.9)
    page.mouse.move(at[0] - 5, at[1])
    page.mouse.move(*at)
    expect(page.locator(".chart-tip-row")).to_have_count(3)
    expect(page.locator(".chart-tip-row.near")).to_contain_text("quick")
    expect(page.locator("section.chart-card[aria-label='speed'] output")).to_contain_text(re.compile(r"\d"))
    page.mouse.wheel(0, -400)
    page.wait_for_url("**range=*")
    before = query(page)["range"]
    page.keyboard.down("Shift")
    page.mouse.down()
    page.mouse.move(at[0] + 80, at[1] - 40, steps=3)
    page.mouse.up()
    page.keyboard.up("Shift")
    page.wait_for_url(lambda url: before not in url)
    page.mouse.dblclick(*at)
    page.wait_for_url(lambda url: "range" not in url)
    page.mouse.click(at[0], box["y"] + box["height"] - 12)
    page.wait_for_url(f"**/e/{trained[1].id[:7]}*")


def test_selected_experiments_are_shown_alone_and_by_group(
    served: Served, open_page: OpenPage, trained: list[keepsake.Experiment]
) -> None:
    ids = ",".join(experiment.id[:8] for experiment in trained[:2])
    page = open_page(served, f"/charts?sel={ids}&mean=1&group=params.model")
    expect(chart(page, "val/loss")).to_have_accessible_name(re.compile("2 experiments"))
    expect(page.get_by_role("list", name="Groups")).to_contain_text("small")
    page.get_by_role("button", name="Show all").click()
    expect(chart(page, "val/loss")).to_have_accessible_name(re.compile("3 experiments"))


def test_a_download_has_every_point(served: Served, open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page(served, "/charts")
    page.get_by_label("Download speed").click()
    with page.expect_download() as download:
        page.locator("section.chart-card[aria-label='speed']").get_by_text("Points (CSV)").click()
    download.value.save_as(tmp_path / "speed.csv")
    rows = (tmp_path / "speed.csv").read_text().splitlines()
    assert rows[0] == '"id","name","step","speed"'
    assert len(rows) == 1 + 3 * 20
    page.get_by_label("Download speed").click()
    with page.expect_download() as download:
        page.locator("section.chart-card[aria-label='speed']").get_by_text("Picture (PNG)").click()
    assert download.value.suggested_filename == "speed.png"
    assert download.value.path().read_bytes().startswith(b"\x89PNG")


def test_a_drawing_for_a_paper_has_title_axes_and_every_curve(served: Served, open_page: OpenPage) -> None:
    page = open_page(served, "/charts")
    expect(chart(page, "val/loss")).to_have_accessible_name(re.compile("3 experiments"))
    page.get_by_label("Download val/loss").click()
    with page.expect_download() as download:
        page.locator("section.chart-card[aria-label='val/loss']").get_by_text("Drawing (SVG)").click()
    assert download.value.suggested_filename == "val_loss.svg"
    drawing = ElementTree.parse(download.value.path()).getroot()
    texts = [one.text for one in drawing.iter(f"{SVG}text")]
    assert texts[0] == "val/loss by step"
    assert {"0", "10"} <= set(texts)  # along the x axis
    curves = [one for one in drawing.find(f"{SVG}g") or () if one.get("d", "").count("L") >= 19]
    assert len(curves) == 3
    assert len({one.get("stroke") for one in curves}) == 3


def test_points_that_are_logged_appear_without_all_being_asked_for_again(
    serve: Callable[[str], Served], open_page: OpenPage, watch: Watch, project: keepsake.Project
) -> None:
    train(project)
    running = project.experiments.create(quiet=True, name="live")
    running.log(step=0, speed=1)
    served = serve(str(project.repository))
    page = open_page(served, "/about")
    page.clock.install()
    page.goto(served.at("/charts"))
    expect(chart(page, "speed")).to_have_accessible_name(re.compile("4 experiments, lowest 0 at 0"))
    watch.requests.clear()
    running.log(step=1, speed=-77)
    expect(chart(page, "speed")).to_have_accessible_name(re.compile(r"lowest -77 at 1 in \w+ live"))
    asked = [url for url in watch.requests if "/api/v1/curves" in url]
    assert asked
    assert all(parse_qs(urlsplit(url).query)["ids"][0].startswith(running.id[:7]) for url in asked)
    # Nothing is asked while the tab is hidden; what was missed is there when it is seen again.
    hide = "(hidden) => { Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });"
    hide += " document.dispatchEvent(new Event('visibilitychange')); }"
    page.evaluate(hide, True)
    page.wait_for_timeout(100)  # what was on its way arrives
    watch.requests.clear()
    running.log(step=2, speed=-88)
    page.clock.run_for(60_000)
    page.wait_for_timeout(100)  # what would have been asked for is under way
    assert not [url for url in watch.requests if "/api/" in url]
    page.evaluate(hide, False)
    expect(chart(page, "speed")).to_have_accessible_name(re.compile("lowest -88 at 2"))
    running.stop()


def test_how_many_are_shown_is_typed_and_in_the_address(served: Served, open_page: OpenPage) -> None:
    page = open_page(served, "/charts")
    box = page.get_by_role("spinbutton", name="How many experiments are shown")
    expect(box).to_have_value("3")
    box.fill("2")
    box.press("Enter")
    expect(chart(page, "val/loss")).to_have_accessible_name(re.compile("2 experiments"))
    assert query(page)["n"] == "2"
    page.reload()
    expect(box).to_have_value("2")


def test_a_failure_says_what_to_do(served: Served, open_page: OpenPage, watch: Watch) -> None:
    watch.expected.append("500")
    page = open_page(served, "/about")
    page.route("**/api/v1/curves*", lambda route: route.fulfill(status=500, body="oops"))
    page.get_by_role("link", name="Charts").click()
    expect(page.get_by_role("alert").first).to_contain_text("500")


def test_charts_come_back_with_the_server_and_never_lie_on_another_axis(
    served: Served, open_page: OpenPage, watch: Watch
) -> None:
    watch.expected.append("ERR_FAILED")
    page = open_page(served, "/charts")
    expect(chart(page, "speed")).to_be_visible()
    page.route("**/api/v1/**", lambda route: route.abort())
    page.get_by_label(re.compile("^x")).select_option("time")
    card = page.locator("section.chart-card[aria-label='speed']")
    expect(card.get_by_role("alert")).to_contain_text("The server does not answer.")
    expect(card.get_by_role("img", name="speed: no points")).to_be_attached()
    expect(card.locator(".uplot:visible")).to_have_count(0)
    expect(card.get_by_text("None of these experiments")).to_have_count(0)
    page.unroute_all()
    page.keyboard.press("r")
    expect(chart(page, "speed")).to_have_accessible_name(re.compile("by time, 3 experiments"))
    expect(page.get_by_role("alert")).to_have_count(0)


def test_metrics_that_could_not_be_asked_for_are_no_metrics_that_are_missing(
    served: Served, open_page: OpenPage, watch: Watch
) -> None:
    watch.expected.append("ERR_FAILED")
    page = open_page(served, "/about")
    page.route("**/api/v1/metrics*", lambda route: route.abort())
    page.get_by_role("link", name="Charts").click()
    expect(page.get_by_role("alert")).to_contain_text("The server does not answer.")
    expect(chart(page, "speed")).to_have_count(0)
    page.unroute_all()
    page.keyboard.press("r")
    expect(chart(page, "speed")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_curves_are_asked_for_ahead_only_of_what_is_still_shown(
    served: Served, trained: list[keepsake.Experiment], open_page: OpenPage, watch: Watch
) -> None:
    page = open_page(served, "/about")
    held: list[Route] = []
    page.route("**/api/v1/metrics*", lambda route: held.append(route))
    page.get_by_role("link", name="Charts").click()
    expect(chart(page, "val/loss")).to_have_accessible_name(re.compile("3 experiments"))
    page.get_by_role("button", name=re.compile("^Show .* slow")).click()
    expect(chart(page, "val/loss")).to_have_accessible_name(re.compile("2 experiments"))
    for route in held:
        route.continue_()
    expect(chart(page, "speed")).to_have_accessible_name(re.compile("2 experiments"))
    queries = [parse_qs(urlsplit(url).query) for url in watch.requests if "/api/v1/curves" in url]
    asked = [query["ids"][0] for query in queries if query["metric"] == ["speed"]]
    assert len(asked) == 1
    assert trained[0].id[:7] not in asked[0]


def test_live_is_one_state_for_the_key_the_box_and_the_head(served: Served, open_page: OpenPage) -> None:
    page = open_page(served, "/charts")
    box, head = page.get_by_role("checkbox", name="live"), page.locator(".liveness")
    expect(head).to_have_text("idle")
    box.uncheck()
    expect(head).to_have_text("paused")
    page.keyboard.press("l")
    expect(box).to_be_checked()
    expect(head).to_have_text("idle")
    page.keyboard.press("l")
    expect(box).not_to_be_checked()


def test_the_focus_goes_along_to_full_size_and_back(served: Served, open_page: OpenPage) -> None:
    page = open_page(served, "/charts")
    chart(page, "speed").focus()
    for key, full in (("f", 1), ("Escape", 0), ("f", 1), ("f", 0)):
        page.keyboard.press(key)
        expect(page.locator(".chart-full")).to_have_count(full)
        expect(chart(page, "speed")).to_be_focused()


def test_nothing_serious_is_wrong_for_people_with_disabilities(served: Served, open_page: OpenPage) -> None:
    page = open_page(served, "/charts?table=val/acc&mean=1&across=4")
    expect(chart(page, "val/loss")).to_be_visible()
    assert not axe_findings_in_both_themes(page)
    page.set_viewport_size({"width": 400, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
