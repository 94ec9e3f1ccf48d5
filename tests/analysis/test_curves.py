"""Laws of the reduction of curves, against a plain reading of what it promises."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepsake._analysis.curves import Series, make_series, range_of, reduce_all, reduce_series

xs_values = st.one_of(st.integers(-50, 50).map(float), st.floats(-100, 100), st.floats(allow_nan=True))
ys_values = st.one_of(st.floats(-10, 10), st.just(math.nan), st.floats(allow_nan=True))
series = st.lists(st.tuples(xs_values, ys_values), max_size=120).map(
    lambda points: make_series(np.array([x for x, _ in points]), np.array([y for _, y in points]))
)
ranges = st.tuples(st.floats(-120, 120), st.floats(-120, 120)).map(sorted)
widths = st.integers(1, 12)


def points(one: Series) -> list[tuple[float, float]]:
    return list(zip(one.xs.tolist(), one.ys.tolist(), strict=True))


def bucket_of(x: float, first: float, last: float, width: int) -> int:
    edges = [first + (last - first) * (number / width) for number in range(1, width)]
    return sum(edge <= x for edge in edges)


def in_buckets(one: Series, first: float, last: float, width: int) -> dict[int, list[float]]:
    buckets: dict[int, list[float]] = {}
    for x, y in points(one):
        if first <= x <= last:
            buckets.setdefault(bucket_of(x, first, last, width), []).append(y)
    return buckets


def extremes(ys: list[float]) -> tuple[float, float] | None:
    numbers = [y for y in ys if not math.isnan(y)]
    return (min(numbers), max(numbers)) if numbers else None


@given(series, ranges, widths)
def test_every_bucket_keeps_its_extremes_and_no_more_than_two_points(
    one: Series, wanted: tuple[float, float], width: int
) -> None:
    first, last = wanted
    before, after = (in_buckets(each, first, last, width) for each in (one, reduce_series(one, first, last, width)))
    assert before.keys() == after.keys()
    assert {place: extremes(ys) for place, ys in before.items()} == {place: extremes(ys) for place, ys in after.items()}
    if sum(map(len, before.values())) > 2 * width:
        assert all(len(ys) <= 2 for ys in after.values())


@given(series, ranges, widths)
def test_what_is_left_are_points_of_the_series_in_their_order(
    one: Series, wanted: tuple[float, float], width: int
) -> None:
    rest = iter(map(repr, points(one)))
    assert all(repr(point) in rest for point in points(reduce_series(one, *wanted, width)))


@given(series, ranges, widths)
def test_the_point_before_a_range_and_the_one_after_it_are_kept(
    one: Series, wanted: tuple[float, float], width: int
) -> None:
    first, last = wanted
    kept = list(map(repr, points(reduce_series(one, first, last, width))))
    before = [repr(point) for point in points(one) if point[0] < first][-1:]
    after = [repr(point) for point in points(one) if point[0] > last][:1]
    assert kept[: len(before)] == before
    assert kept[len(kept) - len(after) :] == after
    assert len(kept) <= 2 * width + 2


@given(series, ranges, widths)
def test_reducing_again_changes_nothing(one: Series, wanted: tuple[float, float], width: int) -> None:
    once = reduce_series(one, *wanted, width)
    assert repr(points(reduce_series(once, *wanted, width))) == repr(points(once))


@given(st.lists(series, max_size=5), ranges, widths, st.integers(1, 40))
def test_series_that_are_reduced_together_become_what_each_does_alone(
    several: list[Series], wanted: tuple[float, float], width: int, points_at_once: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("keepsake._analysis.curves.POINTS_AT_ONCE", points_at_once)
        together = reduce_all(several, *wanted, width)
    assert repr(list(map(points, together))) == repr([points(reduce_series(one, *wanted, width)) for one in several])


@given(series, ranges)
def test_few_points_stay_as_they_are(one: Series, wanted: tuple[float, float]) -> None:
    first, last = wanted
    inside = [repr(point) for point in points(one) if first <= point[0] <= last]
    kept = list(map(repr, points(reduce_series(one, first, last, 60))))
    assert [point for point in kept if point in inside] == inside


@given(st.lists(st.tuples(xs_values, ys_values), max_size=60))
def test_points_are_put_in_the_order_of_x_and_what_is_not_finite_is_a_gap(
    given_points: list[tuple[float, float]],
) -> None:
    one = make_series(np.array([x for x, _ in given_points]), np.array([y for _, y in given_points]))
    placed = [(x, y if math.isfinite(y) else math.nan) for x, y in given_points if math.isfinite(x)]
    assert repr(points(one)) == repr(sorted(placed, key=lambda point: point[0]))


def test_a_stretch_of_nothing_but_gaps_stays_one() -> None:
    ys = np.array([1.0] * 10 + [math.nan] * 10 + [2.0] * 10)
    kept = reduce_series(make_series(np.arange(30.0), ys), 0, 29, 3)
    assert repr(points(kept)) == repr([(0.0, 1.0), (10.0, math.nan), (20.0, 2.0)])


def test_a_spike_of_one_point_among_a_million_is_drawn() -> None:
    ys = np.zeros(1_000_000)
    ys[654_321] = -7.0
    kept = reduce_series(make_series(np.arange(1_000_000.0), ys), 0, 999_999, 700)
    assert (654_321.0, -7.0) in points(kept)
    assert len(kept) <= 1400


@pytest.mark.parametrize("count", [0, 1])
def test_a_series_without_a_range_is_no_trouble(count: int) -> None:
    one = make_series(np.full(count, 3.0), np.full(count, 1.0))
    assert len(reduce_series(one, 3.0, 3.0, 5)) == count
    assert range_of([one]) == ((3.0, 3.0) if count else None)


def test_many_points_at_one_place_become_their_extremes() -> None:
    one = make_series(np.full(100, 3.0), np.arange(100.0))
    assert points(reduce_series(one, 3.0, 3.0, 5)) == [(3.0, 0.0), (3.0, 99.0)]


def test_the_range_of_several_series_is_that_of_all() -> None:
    one, two = (make_series(np.array(xs), np.array(xs)) for xs in ([2.0, 5.0], [3.0, 9.0]))
    assert range_of([one, make_series(np.array([]), np.array([])), two]) == (2.0, 9.0)
