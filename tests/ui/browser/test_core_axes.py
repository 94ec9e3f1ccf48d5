"""What scatter and parallel work out: scales and ticks, ranks and fronts, lassos, brushes and their filters."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from keepsake._catalog.snapshot import parse_query
from tests.ui.browser.conftest import RunModule


def spearman(xs: list[float], ys: list[float]) -> float:
    """Return the rank correlation of values that all differ."""
    first, second = (np.argsort(np.argsort(values)) for values in (xs, ys))
    return float(np.corrcoef(first, second)[0, 1])


@pytest.mark.parametrize(
    ("low", "high", "count", "ticks"),
    [
        (0, 1, 5, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (-3, 17, 4, [0, 5, 10, 15]),
        (0.1, 0.3, 2, [0.1, 0.2, 0.3]),
        (5, 5, 3, [5]),
    ],
)
def test_ticks_are_round_numbers(
    run_module: RunModule, low: float, high: float, count: int, ticks: list[float]
) -> None:
    assert run_module("core/axes.js", "(m, ...a) => m.linearTicks(...a)", low, high, count) == ticks


@pytest.mark.parametrize(
    ("low", "high", "count", "ticks"),
    [
        (1e-5, 0.1, 5, [1e-5, 1e-4, 1e-3, 1e-2, 1e-1]),
        (1, 200, 9, [1, 2, 5, 10, 20, 50, 100, 200]),
        (1e-9, 1, 3, [1e-9, 1e-6, 1e-3, 1]),
        (20, 60, 4, [20, 30, 40, 50, 60]),
    ],
)
def test_ticks_of_a_log_axis_are_powers_of_ten(
    run_module: RunModule, low: float, high: float, count: int, ticks: list[float]
) -> None:
    assert run_module("core/axes.js", "(m, ...a) => m.logTicks(...a)", low, high, count) == pytest.approx(ticks)


@pytest.mark.parametrize(
    ("value", "label"),
    [(0, "0"), (0.30000000000000004, "0.3"), (12500, "12.5k"), (-2e6, "-2M"), (5e-5, "5e-5"), (1e20, "1e+20")],
)
def test_labels_are_short(run_module: RunModule, value: float, label: str) -> None:
    assert run_module("core/axes.js", "(m, value) => m.formatTick(value)", value) == label


@pytest.mark.parametrize(
    ("seconds", "label"), [(0, "0s"), (0.25, "0.25s"), (90, "1m 30s"), (7200, "2h"), (100_000, "1d 4h")]
)
def test_lengths_of_time_have_units(run_module: RunModule, seconds: float, label: str) -> None:
    assert run_module("core/axes.js", "(m, value) => m.formatSeconds(value)", seconds) == label


def test_values_have_places_on_numbers_logarithms_and_choices(run_module: RunModule) -> None:
    code = """(m, values, options, asked) => {
        const scale = m.makeScale(values, options);
        return [scale.kind, ...asked.map((value) => String(scale.toPart(value)))];
    }"""
    assert run_module("core/axes.js", code, [0, 10, None, "NaN"], {}, [5, None, "NaN"]) == [
        "linear",
        "0.5",
        "NaN",
        "NaN",
    ]
    assert run_module("core/axes.js", code, [1, 100, -5], {"isLog": True}, [10, -5]) == ["log", "0.5", "NaN"]
    assert run_module("core/axes.js", code, ["b", "a", 1, None], {}, ["b", 1]) == ["choice", str(2.5 / 3), str(0.5 / 3)]
    assert run_module("core/axes.js", code, [7, 7], {}, [7]) == ["linear", "0.5"]


def test_the_rank_correlation_is_that_of_spearman(run_module: RunModule) -> None:
    draw = np.random.default_rng(1)
    xs = draw.normal(size=50).tolist()
    ys = [x**3 + float(draw.normal()) for x in xs]
    found = run_module("core/rank.js", "(m, xs, ys) => m.spearman(xs, ys)", xs, ys)
    assert found == {"rho": pytest.approx(spearman(xs, ys)), "count": 50}


def test_equals_share_their_rank_and_what_is_missing_does_not_count(run_module: RunModule) -> None:
    assert run_module("core/rank.js", "(m) => [...m.rankValues([5, 1, 5, 9])]") == [2.5, 1, 2.5, 4]
    assert run_module("core/rank.js", "(m) => m.spearman([1, 2, NaN, 3], [3, 2, 9, 1])") == {"rho": -1, "count": 3}
    assert run_module("core/rank.js", "(m) => String(m.spearman([1, 1, 1], [1, 2, 3]).rho)") == "NaN"


def test_choices_that_decide_everything_are_strong_and_chance_is_weak(run_module: RunModule) -> None:
    code = "(m, choices, ys) => m.choiceStrength(choices, ys).rho"
    ys = list(range(60))
    assert run_module("core/rank.js", code, [f"c{y // 20}" for y in ys], ys) > 0.9
    assert run_module("core/rank.js", code, [f"c{y % 3}" for y in ys], ys) < 0.2


def test_the_front_has_those_that_no_other_beats_in_both(run_module: RunModule) -> None:
    code = "(m, xs, ys, signs) => m.paretoFront(xs, ys, signs)"
    xs, ys = [1, 2, 2, 3, 4], [9, 5, 6, 5, 1]
    assert run_module("core/rank.js", code, xs, ys, [1, 1]) == [0, 1, 4]
    assert run_module("core/rank.js", code, xs, ys, [-1, -1]) == [4, 3, 2, 0]


def test_a_lasso_has_the_points_inside_of_it(run_module: RunModule) -> None:
    code = """(m, polygon) => m.pointsWithin(
        { xs: Float64Array.of(0.5, 0.9, 0.15, 0.5), ys: Float64Array.of(0.5, 0.9, 0.15, 0.2) }, polygon)"""
    assert run_module("core/points.js", code, [[0.1, 0.1], [0.1, 0.8], [0.8, 0.8], [0.5, 0.4]]) == [0, 2]


def test_points_of_one_choice_lie_side_by_side_and_stay_where_they_are(run_module: RunModule) -> None:
    code = """async (m, ids) => {
        const { makeScale } = await import("/static/core/axes.js");
        const values = ids.map(() => "a"); const ys = ids.map((_, index) => index);
        const points = m.makePoints([...ids.keys()], ids, values, ys, makeScale(["a", "b"]), makeScale(ys));
        return [...points.xs];
    }"""
    ids = ["72467c591448", "1f467c591441", "aa467c591440"]
    found = run_module("core/points.js", code, ids)
    assert len(set(found)) == 3
    assert all(0 < x < 0.5 for x in found)
    assert run_module("core/points.js", code, ids) == found


BRUSHES: list[tuple[dict[str, Any], str]] = [
    ({"params.lr": {"from": 0.001, "to": 0.1}}, "params.lr >= 0.001 and params.lr <= 0.1"),
    ({"params.model": {"from": 'b"c\\', "to": 'b"c\\'}}, 'params.model = "b\\"c\\\\"'),
    ({"params.model": {"from": "a", "to": 'b"c\\'}}, 'params.model in ("a", "b\\"c\\\\")'),
    ({"params.flag": {"from": False, "to": True}}, "params.flag in (false, true)"),
    (
        {"params.lr": {"from": -1e-7, "to": 2}, "params.flag": {"from": True, "to": True}},
        "params.lr >= -1e-7 and params.lr <= 2 and params.flag = true",
    ),
]


@pytest.mark.parametrize(("brushes", "expected"), BRUSHES)
def test_brushes_survive_the_address_and_are_filters_that_can_be_read(
    run_module: RunModule, brushes: dict[str, Any], expected: str
) -> None:
    code = """(m, brushes) => {
        const values = { lr: [-1, 0.5, 2], model: ["a", 'b"c\\\\', "d"], flag: [true, false, null] };
        const axes = Object.entries(values).map(([key, all]) =>
            m.makeAxis({ name: `params.${key}`, group: "params", key, values: all }, [0, 1, 2], {}));
        const text = m.formatBrushes(brushes);
        return [m.filterOf(axes, m.parseBrushes(text)), m.parseBrushes(new URLSearchParams({ text }).get("text"))];
    }"""
    filter_text, back = run_module("core/parallel.js", code, brushes)
    assert back == brushes
    assert filter_text == expected
    parse_query([filter_text])


def test_a_brush_keeps_what_lies_in_it_and_nothing_without_a_value(run_module: RunModule) -> None:
    code = """(m, brush, options) => {
        const values = [1, 2, 3, null, "NaN"];
        const axis = m.makeAxis({ name: "lr", group: "params", key: "lr", values }, [0, 1, 2, 3, 4], options);
        return [...m.maskOf([axis], { lr: brush }, 5)];
    }"""
    assert run_module("core/parallel.js", code, {"from": 2, "to": 3}, {}) == [0, 1, 1, 0, 0]
    assert run_module("core/parallel.js", code, {"from": 2, "to": 3}, {"isFlipped": True}) == [0, 1, 1, 0, 0]


def test_a_stretch_of_an_axis_becomes_round_numbers(run_module: RunModule) -> None:
    code = """(m, values, options, low, high) => {
        const column = { name: "lr", group: "params", key: "lr", values };
        return m.brushOf(m.makeAxis(column, [...values.keys()], options), low, high);
    }"""
    assert run_module("core/parallel.js", code, [0, 1], {}, 0.71234567, 0.2) == {"from": 0.2, "to": 0.7123}
    assert run_module("core/parallel.js", code, [1, 10000], {"isLog": True}, 0.25, 0.5) == {"from": 10, "to": 100}
    assert run_module("core/parallel.js", code, ["a", "b", "c"], {}, 0.4, 0.95) == {"from": "b", "to": "c"}


def test_a_trend_never_parts_equal_values(run_module: RunModule) -> None:
    code = "(m, xs, ys) => m.mediansOf({ xs, ys })"
    few = [16, 32, 64] * 8
    ys = [float(number) for number in range(24)]
    assert run_module("core/points.js", code, few, ys) == [{"x": 16, "y": 12}, {"x": 32, "y": 13}, {"x": 64, "y": 14}]
    many = [float(number // 2) for number in range(120)]
    trend = run_module("core/points.js", code, many, many)
    assert [point["x"] for point in trend] == sorted({point["x"] for point in trend})
    assert 10 <= len(trend) <= 13
