from __future__ import annotations

import math
import re

from hypothesis import given
from hypothesis import strategies as st

from keepsake._analysis.sparkline import HEIGHT, MOST_POINTS, WIDTH, sparkline_html
from tests.analysis.page import KEPT_STYLES, Page, picture


def points(html: str) -> list[tuple[float, float]]:
    """Return the places that the curve passes."""
    path = re.search(r" d='([^']*)'", picture(html))
    assert path is not None
    return [(float(x), float(y)) for x, y in re.findall(r"[ML]([\d.]+),([\d.]+)", path[1])]


def test_it_runs_from_left_to_right_and_up_for_larger_values() -> None:
    (x1, y1), (x2, y2) = points(sparkline_html([1, 2], label="x"))
    assert x1 < x2
    assert y1 > y2  # SVG counts downwards


def test_it_breaks_at_gaps_and_a_point_between_two_of_them_is_a_dot() -> None:
    svg = picture(sparkline_html([1.0, None, 2.0, math.nan, 3, 4], label="x"))
    assert svg.count("M") == svg.count("h0") == 3
    assert svg.count("L") == 1


def test_it_is_left_out_for_a_single_value() -> None:
    assert sparkline_html([1.0, "a", None], label="x") == ""
    assert sparkline_html([], label="x") == ""


def test_values_that_are_all_the_same_are_a_line_in_the_middle() -> None:
    assert {y for _, y in points(sparkline_html([5, 5, 5], label="x"))} == {HEIGHT / 2}


def test_the_best_value_has_a_dot_where_the_curve_has_it() -> None:
    html = sparkline_html([3, 1, 2], label="x", best=1)
    x, y = points(html)[1]
    assert f"<circle cx='{x:.1f}' cy='{y:.1f}'" in picture(html)
    assert "<circle" not in picture(sparkline_html([3, math.nan, 2], label="x", best=1))


def test_of_a_long_curve_a_lone_peak_and_a_lone_dip_stay() -> None:
    values = [0.0] * 100_000
    values[12_345], values[67_891] = 1.0, -1.0
    drawn = points(sparkline_html(values, label="x"))
    assert len(drawn) <= MOST_POINTS
    assert min(y for _, y in drawn) == 3
    assert max(y for _, y in drawn) == HEIGHT - 3


@given(st.lists(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), max_size=600), st.integers(0, 600))
def test_it_stays_inside_its_picture_whatever_the_values(values: list[int | float | str | None], best: int) -> None:
    html = sparkline_html(values, label="x", best=best if best < len(values) else None)
    if html:
        assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in points(html))


def test_what_a_user_wrote_is_only_its_label() -> None:
    nasty = "<script>alert(1)</script>\"'&"
    html = sparkline_html([1, 2], label=nasty)
    page = Page(html)
    assert page.labels == [nasty]
    assert page.tags == ["img"]
    assert page.styles <= KEPT_STYLES
    assert "script" not in picture(html)
