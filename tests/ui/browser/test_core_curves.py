"""What charts work out: decoded curves, smoothing, bands, the traced line, ranges, settings in the address."""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np
import pytest

from keepsake._analysis.curves import Series
from keepsake.ui.api.curves import encode_curves
from tests.ui.browser.conftest import RunModule

CURVE = "const c = (xs, ys, points) => ({ xs: Float64Array.from(xs), ys: Float64Array.from(ys), points });"


def test_the_binary_answer_of_the_server_is_decoded(run_module: RunModule) -> None:
    series = [Series(np.array([0.0, 2.0]), np.array([1.0, np.nan])), Series(np.array([5.0]), np.array([-1e300]))]
    head = {"metric": "löss", "x": "step", "series": [{"id": "a", "count": 2, "points": 9}, {"id": "b", "count": 1}]}
    found = run_module(
        "core/curves.js",
        """(m, bytes) => {
            const { metric, curves } = m.decodeCurves(Uint8Array.from(bytes).buffer);
            const plain = ({ id, xs, ys, points }) => [id, [...xs], [...ys].map(String), points];
            return { metric, curves: curves.map(plain) };
        }""",
        list(encode_curves(head, series)),
    )
    assert found == {"metric": "löss", "curves": [["a", [0, 2], ["1", "NaN"], 9], ["b", [5], ["-1e+300"], 1]]}


def test_an_empty_answer_has_no_curves(run_module: RunModule) -> None:
    head = json.dumps({"metric": "m", "x": "step", "series": []}).encode()
    data = list(struct.pack("<I", len(head)) + head + bytes(-(4 + len(head)) % 8))
    assert run_module("core/curves.js", "(m, b) => m.decodeCurves(Uint8Array.from(b).buffer).curves", data) == []


@pytest.mark.parametrize(
    ("x", "xs", "ys"),
    [
        ("step", [0, 1, 2], [3, None, 1]),
        ("time", [0.5, 1, 2], [3, None, 1]),
        ("wall", [100.5, 101, 102], [3, None, 1]),
        ("metric:speed", [7, 9], [3, 1]),
    ],
)
def test_an_export_has_the_same_curves_as_json(run_module: RunModule, x: str, xs: Any, ys: Any) -> None:
    answer = {
        "metrics": {
            "loss": {"step": [None, 1, 2], "time": [0.5, 1, 2], "value": [3, "NaN", 1]},
            "speed": {"step": [0, 1, 2], "time": [0.1, 1, 1.5], "value": [7, "NaN", 9]},
        }
    }
    found = run_module(
        "core/curves.js",
        """(m, answer, x) => {
            const { xs, ys } = m.curveFromFrozen("a", answer, "loss", x, 100);
            return [[...xs], [...ys].map((y) => (Number.isNaN(y) ? null : y))];
        }""",
        answer,
        x,
    )
    assert found == [xs, ys]


def test_the_nearest_point_is_one_that_has_a_value(run_module: RunModule) -> None:
    code = f"(m, x) => {{ {CURVE} return m.nearestPlace(c([0, 1, 2, 5], [1, NaN, 3, NaN]), x); }}"
    assert [run_module("core/curves.js", code, x) for x in (-9, 0.9, 1.1, 99)] == [0, 0, 2, 2]
    assert run_module("core/curves.js", f"(m) => {{ {CURVE} return m.nearestPlace(c([1], [NaN]), 0); }}") == -1


def test_the_range_of_y_is_that_of_what_is_seen(run_module: RunModule) -> None:
    code = f"(m, o) => {{ {CURVE} return m.extentOfY([c([0, 1, 2, 3], [9, 1, 0, -5])], 1, 2, o); }}"
    assert run_module("core/curves.js", code, {}) == [0, 1]
    assert run_module("core/curves.js", code, {"isLog": True}) == [1, 1]


def test_without_outliers_the_outer_percents_do_not_count(run_module: RunModule) -> None:
    code = f"""(m) => {{ {CURVE} const ys = Array.from({{ length: 1001 }}, (_, i) => i); ys[500] = 1e9;
        return m.extentOfY([c(ys.keys(), ys)], 0, 1000, {{ isTrimmed: true }}); }}"""
    low, high = run_module("core/curves.js", code)
    assert (low, high) == (10, pytest.approx(991, abs=1))


def test_a_text_in_csv_is_no_formula(run_module: RunModule) -> None:
    code = f"""(m) => {{ {CURVE}
        return m.formatCsv("loss", "step", [{{ id: "a1", ...c([0, 1], [0.5, NaN]) }}], () => '=HYPERLINK("x")'); }}"""
    assert run_module("core/curves.js", code).splitlines() == [
        '"id","name","step","loss"',
        '"a1","\'=HYPERLINK(""x"")",0,0.5',
        '"a1","\'=HYPERLINK(""x"")",1,',
    ]


class TestSmoothing:
    def smoothed(self, run_module: RunModule, xs: list[float], ys: list[Any], weight: float, spacing: float) -> Any:
        code = f"(m, xs, ys, w, s) => {{ {CURVE} return [...m.smooth(c(xs, ys.map(Number)), w, s)].map(String); }}"
        return [float(value) for value in run_module("core/smooth.js", code, xs, ys, weight, spacing)]

    def test_at_even_distances_it_is_the_debiased_average_of_tensorboard(self, run_module: RunModule) -> None:
        ys = [3.0, 1.0, 4.0, 1.0, 5.0]
        last, expected = 0.0, []
        for count, y in enumerate(ys, 1):
            last = last * 0.9 + 0.1 * y
            expected.append(last / (1 - 0.9**count))
        assert self.smoothed(run_module, [0, 10, 20, 30, 40], ys, 0.9, 10) == pytest.approx(expected)

    def test_a_gap_stays_a_gap_and_what_follows_goes_on(self, run_module: RunModule) -> None:
        first, gap, last = self.smoothed(run_module, [0, 1, 2], [1, "NaN", 1], 0.5, 1)
        assert (first, last) == (1, 1)
        assert gap != gap

    def test_a_curve_cut_out_for_zooming_goes_on_from_what_came_before(self, run_module: RunModule) -> None:
        code = f"""(m) => {{ {CURVE} const whole = c([0, 1, 2, 3], [4, 2, 8, 6]);
            return [[...m.smooth(whole, 0.8, 1)].slice(2), [...m.smooth(c([2, 3], [8, 6]), 0.8, 1, whole)]]; }}"""
        whole, cut = run_module("core/smooth.js", code)
        assert cut == pytest.approx(whole)


def test_a_band_lies_between_the_smallest_and_the_largest_curve(run_module: RunModule) -> None:
    code = f"""(m) => {{ {CURVE}
        const band = m.bandOf([c([0, 4], [0, 4]), c([0, 2, 4], [2, 2, 2]), c([3, 4], [9, 9])], 0, 4, 5);
        return [band.mean, band.low, band.high].map((values) => [...values]); }}"""
    mean, low, high = run_module("core/bands.js", code)
    assert low == [0, 1, 2, 2, 2]
    assert high == [2, 2, 2, 9, 9]
    assert mean == pytest.approx([1, 1.5, 2, 14 / 3, 5])


def test_where_no_curve_is_the_band_has_a_gap(run_module: RunModule) -> None:
    code = f"(m) => {{ {CURVE} return [...m.bandOf([c([1, 2], [5, 5])], 0, 3, 4).mean].map(String); }}"
    assert run_module("core/bands.js", code) == ["NaN", "5", "5", "NaN"]


class TestTracing:
    def traced(self, run_module: RunModule, xs: list[float], ys: list[Any]) -> Any:
        code = f"""(m, xs, ys) => {{ {CURVE}
            const drawn = []; const note = (name) => (...at) => drawn.push(`${{name}} ${{at.join(" ")}}`);
            const path = {{ moveTo: note("M"), lineTo: note("L"), rect: note("R") }};
            m.traceLine(path, c(xs, ys.map(Number)), [0, xs.length], (x) => x, (y) => y);
            return drawn; }}"""
        return run_module("core/lines.js", code, xs, ys)

    def test_points_in_columns_of_their_own_are_joined(self, run_module: RunModule) -> None:
        assert self.traced(run_module, [0, 1.4, 3], [5, 6, 7]) == ["M 0 5", "L 1.4 6", "L 3 7"]

    def test_of_a_crowded_column_the_extremes_are_drawn(self, run_module: RunModule) -> None:
        xs = [1, 1.1, 1.2, 1.3, 1.4, 5]
        assert self.traced(run_module, xs, [4, 9, 1, 3, 5, 5]) == ["M 1 4", "L 1 1", "L 1 9", "L 1 5", "L 5 5"]

    def test_a_gap_lifts_the_pen_and_a_lonely_point_is_a_dot(self, run_module: RunModule) -> None:
        drawn = self.traced(run_module, [0, 1, 2, 3, 4], [1, 1, "NaN", 8, "NaN"])
        assert drawn == ["M 0 1", "L 1 1", "M 3 8", "R 2 7 2 2"]


@pytest.mark.parametrize(
    ("text", "found"),
    [("100,900", [100, 900]), ("-1e-3,2", [-0.001, 2]), ("9,1", None), ("1", None), ("a,b", None), (",", None)],
)
def test_a_range_of_an_address_is_read_or_left_out(run_module: RunModule, text: str, found: Any) -> None:
    assert run_module("core/ranges.js", "(m, text) => m.parseRange(text)", text) == found


def test_a_narrow_range_far_from_zero_survives_the_address(run_module: RunModule) -> None:
    ends = [1_764_000_000.25, 1_764_000_000.75]
    low, high = run_module("core/ranges.js", "(m, ends) => m.parseRange(m.formatRange(ends))", ends)
    assert (low, high) == (pytest.approx(ends[0], abs=1e-4), pytest.approx(ends[1], abs=1e-4))


def test_zooming_keeps_what_is_under_the_pointer(run_module: RunModule) -> None:
    code = "(m, range, at, factor, isLog) => m.zoomRange(range, at, factor, isLog)"
    assert run_module("core/ranges.js", code, [0, 100], 20, 0.5, False) == [10, 60]
    assert run_module("core/ranges.js", code, [1, 100], 10, 0.5, True) == pytest.approx([10**0.5, 10**1.5])
    assert run_module("core/ranges.js", code, [1, 1 + 1e-15], 1, 0.5, False) is None


def test_panning_leaves_something_to_see(run_module: RunModule) -> None:
    code = "(m, range, part, all) => m.panRange(range, part, all)"
    assert run_module("core/ranges.js", code, [10, 20], 0.5, [0, 100]) == [15, 25]
    assert run_module("core/ranges.js", code, [10, 20], 50, [0, 100]) == [99, 109]


def test_names_with_commas_survive_a_list_in_the_address(run_module: RunModule) -> None:
    names = ["a,b", "50%2C", "val/loss"]
    assert run_module("core/chartsettings.js", "(m, names) => m.parseList(m.formatList(names))", names) == names


def test_settings_that_make_no_sense_are_the_usual_ones(run_module: RunModule) -> None:
    query = {"x": "nonsense", "smooth": "7", "n": "abc", "across": "99"}
    found = run_module("core/chartsettings.js", "(m, query) => m.readSettings(query)", query)
    assert (found["x"], found["weight"], found["count"], found["across"]) == ("step", 0.999, 50, 4)


def test_metrics_are_grouped_by_what_comes_before_the_slash(run_module: RunModule) -> None:
    found = run_module(
        "core/chartsettings.js",
        "(m, names, options) => m.groupMetrics(names, options).map(({ title, metrics }) => [title, metrics])",
        ["loss", "val/loss", "val/acc", "train/loss"],
        {"pins": ["val/acc", "gone"], "chosen": [], "find": "LOSS"},
    )
    assert found == [["metrics", ["loss"]], ["val", ["val/loss"]], ["train", ["train/loss"]]]
    pinned = run_module(
        "core/chartsettings.js",
        "(m, names, options) => m.groupMetrics(names, options).map(({ title, metrics }) => [title, metrics])",
        ["loss", "val/acc"],
        {"pins": ["val/acc"], "chosen": [], "find": ""},
    )
    assert pinned == [["pinned", ["val/acc"]], ["metrics", ["loss"]]]
