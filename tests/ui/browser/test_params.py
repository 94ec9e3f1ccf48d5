"""Params against metrics: the scatter plot and parallel coordinates, with pointer, keyboard and address."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

import keepsake
from tests.ui.browser.conftest import OpenPage, Served, axe_findings_in_both_themes
from tests.ui.browser.study import serving_made

HOSTILE = '<img src=x onerror="alert(1)">'


def train(project: keepsake.Project) -> list[keepsake.Experiment]:
    """Make twelve experiments: the loss falls with the size, the speed too, and the model decides nothing."""
    made = []
    for number in range(12):
        params = {"size": number + 1, "rate": 10.0 ** -(number % 5), "model": (HOSTILE, "small")[number % 2]}
        experiment = project.experiments.create(params=params, quiet=True, name=f"n{number}")
        metrics = {"loss": 1 / (number + 1), "speed": 12.0 - number}
        experiment.checkpoint(step=0, metrics=metrics, primary_metric=("loss", "minimize"))
        experiment.stop()
        made.append(experiment)
    return made


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, list[keepsake.Experiment]]]:
    with serving_made(tmp_path_factory.mktemp("params"), train) as site:
        yield site


@pytest.fixture
def served(site: tuple[Served, list[keepsake.Experiment]]) -> Served:
    return site[0]


@pytest.fixture
def trained(site: tuple[Served, list[keepsake.Experiment]]) -> list[keepsake.Experiment]:
    return site[1]


def query(page: Page) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


class TestScatter:
    def test_the_param_that_goes_best_with_the_primary_metric_is_shown_first(
        self, served: Served, open_page: OpenPage
    ) -> None:
        page = open_page(served, "/scatter")
        plot = page.get_by_role("img", name=re.compile("^loss against size, 12 experiments, rank correlation -1.00"))
        expect(plot).to_be_visible()
        expect(page.get_by_text("rank correlation −1.00")).to_be_visible()

    def test_axes_colours_and_the_front_come_back_on_reload(self, served: Served, open_page: OpenPage) -> None:
        page = open_page(served, "/scatter")
        page.get_by_label("colour").select_option(label="model")
        page.get_by_role("combobox", name="y", exact=True).select_option(label="rate")
        page.get_by_label("Pareto front").check()
        page.get_by_role("combobox", name="size").select_option("max")
        page.reload()
        expect(page.get_by_role("img", name=re.compile("^rate against size"))).to_be_visible()
        expect(page.get_by_role("list", name="Colours of model")).to_contain_text(HOSTILE)
        expect(page.get_by_text("2 on the front")).to_be_visible()
        expect(page.get_by_label("log rate")).to_be_checked()  # its values lie far apart
        page.get_by_role("button", name="As a table").click()
        expect(page.get_by_role("row")).to_have_count(13)

    def test_a_lasso_selects_and_a_click_opens(
        self, served: Served, open_page: OpenPage, trained: list[keepsake.Experiment]
    ) -> None:
        page = open_page(served, "/scatter?x=size&y=loss&log=none")
        plot = page.get_by_role("img", name=re.compile("^loss against size"))
        expect(plot).to_be_visible()
        box = plot.bounding_box()
        assert box is not None
        left, top, right, bottom = 0.7, 0.6, 0.985, 0.93
        page.mouse.move(box["x"] + box["width"] * left, box["y"] + box["height"] * top)
        page.mouse.down()
        for x, y in ((right, top), (right, bottom), (left, bottom)):
            page.mouse.move(box["x"] + box["width"] * x, box["y"] + box["height"] * y, steps=3)
        page.mouse.up()
        expect(page.get_by_role("status").filter(has_text="selected")).to_have_text("4 selected")
        assert set(query(page)["sel"].split(",")) == {experiment.id[:8] for experiment in trained[8:]}
        page.get_by_role("button", name="Clear selection").click()
        plot.focus()
        page.keyboard.press("ArrowRight")
        expect(page.get_by_role("status").filter(has_text="size")).to_contain_text("n0: size 1, loss 1")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("x")
        page.wait_for_url(f"**sel={trained[1].id[:8]}*")
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/e/{trained[1].id[:7]}*")


class TestParallel:
    def test_the_params_are_ranked_by_how_they_go_with_the_metric(self, served: Served, open_page: OpenPage) -> None:
        page = open_page(served, "/parallel")
        ranked = page.get_by_role("complementary").get_by_role("listitem")
        expect(ranked.first).to_contain_text(re.compile(r"size\s*−1.00\s*n 12"))
        expect(page.get_by_text("this is not causal")).to_be_visible()

    def test_a_brush_keeps_some_and_becomes_a_filter(self, served: Served, open_page: OpenPage) -> None:
        page = open_page(served, "/parallel?axes=size,model,loss")
        lines = page.get_by_role("img", name=re.compile("12 of 12 experiments are kept"))
        expect(lines).to_be_visible()
        box = lines.bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + 56, box["y"] + 5)
        page.mouse.down()
        page.mouse.move(box["x"] + 56, box["y"] + box["height"] * 0.5, steps=4)
        page.mouse.up()
        expect(page.get_by_text("6 of 12 kept")).to_be_visible()
        page.wait_for_url("**brush=*")
        page.reload()
        expect(page.get_by_text("6 of 12 kept")).to_be_visible()
        page.get_by_role("button", name="Select 6").click()
        page.wait_for_url("**sel=*")
        page.get_by_role("button", name="Use as filter").click()
        expect(page.get_by_text("6 of 6 kept")).to_be_visible()
        assert query(page)["q"].startswith("params.size >= ")
        assert "brush" not in query(page)

    def test_axes_are_moved_turned_removed_and_brushed_by_their_menus(
        self, served: Served, open_page: OpenPage
    ) -> None:
        page = open_page(served, "/parallel?axes=size,model,loss")
        heads = page.locator(".axis-head")

        def choose(axis: str, button: str) -> None:
            page.locator(".axis-head summary", has_text=axis).click()
            page.locator(".axis-head details[open]").get_by_role("button", name=button).click()

        choose("loss", "Move left")
        expect(heads).to_contain_text(["size", "loss", "model"])
        choose("model", "Remove")
        expect(heads).to_have_count(2)
        choose("size", "Upside down")
        choose("size", "Logarithmic")
        page.get_by_label("Add an axis").select_option(label="rate")
        page.locator(".axis-head summary", has_text="size").click()
        page.get_by_label("Keep size from").fill("3")
        page.get_by_label("Keep size from").press("Enter")
        expect(page.get_by_text("10 of 12 kept")).to_be_visible()
        page.reload()
        expect(heads).to_contain_text(["size ↓ log", "loss", "rate"])
        expect(page.get_by_text("params.size >= 3 and params.size <= 12")).to_be_visible()


def test_a_number_that_is_being_typed_stays_when_the_page_is_drawn_again(served: Served, open_page: OpenPage) -> None:
    page = open_page(served, "/parallel?axes=size,loss")
    page.locator(".axis-head summary", has_text="size").click()
    box = page.get_by_label("Keep size from")
    box.fill("3")
    before = page.evaluate("document.querySelector('.parallel-lines').clientWidth")
    page.set_viewport_size({"width": 1000, "height": 700})
    page.wait_for_function(
        "(before) => document.querySelector('.parallel-lines').clientWidth < before - 100", arg=before
    )
    expect(box).to_have_value("3")
    box.press("Enter")
    expect(page.get_by_text("10 of 12 kept")).to_be_visible()
    expect(box).to_have_value("3")


def test_nothing_serious_is_wrong_for_people_with_disabilities(served: Served, open_page: OpenPage) -> None:
    page = open_page(served, "/scatter?c=model&front=1")
    for path in ("/scatter?c=model&front=1", "/parallel?brush=loss:0.1..0.5"):
        page.emulate_media(color_scheme="light")
        page.goto(served.origin + path)
        expect(page.get_by_role("img").first).to_be_visible()
        assert not axe_findings_in_both_themes(page)
        page.set_viewport_size({"width": 400, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= 400
