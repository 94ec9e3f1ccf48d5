from __future__ import annotations

import math
import re
from html import unescape
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepsake._analysis.html import (
    MOST_ROWS,
    Html,
    checkpoint_html,
    checkpoints_html,
    experiment_html,
    experiments_html,
    sparkline_html,
    table_html,
)
from tests.analysis.subjects import Point, Run, hex_id, losses


class Page(HTMLParser):
    """Collects text and tags, and checks that every tag is closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: dict[str, str | None] = {}
        self.text = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == [], f"never closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.update(attrs)
        self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.update(attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += f"|{data}"


NASTY = "<script>alert(1)</script>\"'&"


def nasty_run() -> Run:
    point = Point({NASTY: NASTY, "loss": 1.0}, path=NASTY, step=3, primary_metric=("loss", NASTY))
    return Run(
        hex_id(1), {NASTY: NASTY, "b": {NASTY: 1}}, [point, point], best_index=0,
        name=NASTY, user=NASTY, host=NASTY, command=NASTY, path=NASTY, status=NASTY,
    )  # fmt: skip


@pytest.mark.parametrize(
    "html",
    [
        experiments_html([nasty_run(), Run(hex_id(2), {NASTY: 2})]),
        experiment_html(nasty_run()),
        checkpoints_html(nasty_run().checkpoints),
        checkpoint_html(nasty_run().checkpoints[0]),
        sparkline_html([1, 2], label=NASTY),
    ],
    ids=["experiments", "experiment", "checkpoints", "checkpoint", "sparkline"],
)
def test_nothing_that_a_user_wrote_becomes_html(html: str) -> None:
    page = Page(html)
    assert set(page.tags) <= {"div", "table", "caption", "thead", "tbody", "tr", "th", "td", "svg", "path"}
    assert "<script" not in html
    assert set(page.attributes) <= {
        "style", "colspan", "role", "aria-label", "width", "height", "viewbox",
        "d", "fill", "stroke", "stroke-width", "stroke-linejoin", "stroke-linecap",
    }  # fmt: skip


@given(st.lists(st.lists(st.text(), min_size=2, max_size=2), max_size=5), st.text())
def test_every_cell_of_a_table_reads_back_as_it_was(rows: list[list[str]], caption: str) -> None:
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", table_html(("a", "b"), rows, caption=caption))
    assert [unescape(cell) for cell in cells] == [cell for row in rows for cell in row]


def test_a_long_table_loses_its_middle_but_not_the_rows_in_bold() -> None:
    rows = [[str(number)] for number in range(MOST_ROWS * 3)]
    html = table_html(("n",), rows, strong={300})
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", html)
    assert cells[:100] == [str(number) for number in range(100)]
    assert cells[100:103] == ["… 200 more rows …", "300", "… 199 more rows …"]
    assert cells[103:] == [str(number) for number in range(500, 600)]
    assert html.count("font-weight:600") == 2  # the heading and the row


def test_text_that_is_html_already_is_not_escaped_again() -> None:
    assert "<td" in table_html((), [[Html("<b>x</b>")]])
    assert "<b>x</b>" in table_html((), [[Html("<b>x</b>")]])
    assert "&lt;b&gt;" in table_html((), [["<b>"]])


def test_a_sparkline_runs_from_left_to_right_and_up_for_larger_values() -> None:
    path = re.search(r' d="M([\d.]+) ([\d.]+)L([\d.]+) ([\d.]+)"', sparkline_html([1, 2], label="x"))
    assert path is not None
    x1, y1, x2, y2 = map(float, path.groups())
    assert x1 < x2
    assert y1 > y2  # SVG counts downwards


def test_a_sparkline_breaks_at_gaps_and_is_left_out_for_a_single_value() -> None:
    assert sparkline_html([1.0, None, 2.0, math.nan, 3], label="x").count("M") == 3
    assert sparkline_html([1.0, "a", None], label="x") == ""
    assert sparkline_html([], label="x") == ""


@given(st.lists(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), max_size=600))
def test_a_sparkline_stays_inside_its_picture_whatever_the_values(values: list[int | float | str | None]) -> None:
    html = sparkline_html(values, label="x")
    for x, y in re.findall(r"[ML](\S+) ([^\sML\"]+)", html):
        assert 0 <= float(x) <= 120
        assert 0 <= float(y) <= 24


def test_a_list_of_experiments_shows_only_the_params_that_differ() -> None:
    runs = [Run(hex_id(1), {"lr": 0.1, "seed": 1}, losses(0.5, 0.4)), Run(hex_id(2), {"lr": 0.2, "seed": 1})]
    page = Page(experiments_html(runs))
    assert "|lr|" in page.text
    assert "seed" not in page.text
    assert "2 experiments" in page.text


def test_an_only_experiment_shows_all_its_params() -> None:
    assert "|seed|" in Page(experiments_html([Run(hex_id(1), {"seed": 1})])).text


def test_true_and_1_are_different_params() -> None:
    runs = [Run(hex_id(1), {"p": True}), Run(hex_id(2), {"p": 1})]
    assert "|p|" in Page(experiments_html(runs)).text


def test_an_experiment_marks_its_best_checkpoint() -> None:
    points = losses(0.5, 0.25, 0.4)
    html = experiment_html(Run(hex_id(1), {"lr": 0.1}, points, best_index=1))
    assert f"{points[1].id[:7]} (best)" in html
    assert html.count("(best)") == 1
    row = next(row for row in html.split("<tr>") if "(best)" in row)
    assert "font-weight:600" in row
    assert "0.25" in row


def test_metrics_have_a_curve_each_and_empty_columns_are_left_out() -> None:
    html = checkpoints_html([Point({"a": 1, "b": 5}, step=None), Point({"a": 2, "b": 4}, step=None)])
    assert html.count("<svg") == 2
    assert "|step|" not in Page(html).text
    assert "|path|" not in Page(html).text


def test_empty_lists_say_so() -> None:
    assert experiments_html([]) == "<p>no experiments</p>"
    assert checkpoints_html([]) == "<p>no checkpoints</p>"
