"""Curves that are made small for a screen: of every stretch as wide as a pixel, the smallest and the largest value.

- The range is cut into equal buckets, the same for every series of a chart, so that lines stay where they are while
  others are added, and a drawing of what is left is the drawing of all.
- What is left are points of the series, at their own x: extremes are exact.
- NaN is a gap. It stays where a bucket holds nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

POINTS_AT_ONCE = 200_000
"""So many points are reduced together, in arrays of a few MB."""


@dataclass(frozen=True, slots=True)
class Series:
    """The points of one curve, in the order of x."""

    xs: NDArray[np.float64]
    ys: NDArray[np.float64]
    """NaN where the curve has a gap."""

    def __len__(self) -> int:
        return len(self.xs)


def make_series(xs: NDArray[np.float64], ys: NDArray[np.float64]) -> Series:
    """Put points in the order of x, those of equal x in the order given; what has no finite x is left out.

    A y that is not finite becomes NaN, as in `plot()`.
    """
    import numpy as np

    is_placed = np.isfinite(xs)
    if not is_placed.all():
        xs, ys = xs[is_placed], ys[is_placed]
    if (xs[1:] < xs[:-1]).any():
        order = np.argsort(xs, kind="stable")
        xs, ys = xs[order], ys[order]
    is_number = np.isfinite(ys)
    return Series(xs, ys if is_number.all() else np.where(is_number, ys, np.nan))


def range_of(series: Iterable[Series]) -> tuple[float, float] | None:
    """Return the smallest and the largest x of all series, None when there is no point."""
    ends = [(float(one.xs[0]), float(one.xs[-1])) for one in series if len(one)]
    return (min(first for first, _ in ends), max(last for _, last in ends)) if ends else None


def reduce_series(series: Series, first: float, last: float, width: int) -> Series:
    """Return what has to be drawn of a series in a range: its points there, and the one before and the one after.

    Of more than `2 * width` points in the range, those with the smallest and the largest value of each bucket are left.

    Args:
        series: the points.
        first: where the range begins.
        last: where it ends; a point that is there belongs to it.
        width: how many buckets to cut the range into.
    """
    (reduced,) = reduce_all([series], first, last, width)
    return reduced


def reduce_all(series: Iterable[Series], first: float, last: float, width: int) -> list[Series]:
    """Return each series reduced as by `reduce_series`; many short ones in half the time."""
    import numpy as np

    edges = first + (last - first) * (np.arange(1, width) / width)
    stretches: list[_Stretch] = []
    for one in series:
        # Experiments of a sweep measure at the same steps.
        has_same_xs = bool(stretches) and np.array_equal(one.xs, stretches[-1].series.xs)
        stretches.append(replace(stretches[-1], series=one) if has_same_xs else _Stretch.find(one, first, last, edges))
    reduced: list[Series] = []
    for group in _groups_of(stretches):
        reduced += _reduce_together(group)
    return reduced


@dataclass(frozen=True, slots=True)
class _Stretch:
    """The points of a series that lie in a range: places `start` to `stop`, exclusive."""

    series: Series
    start: int
    stop: int
    begins: NDArray[Any]
    """Where the buckets that hold any of them begin, counted from `start`; empty where all of so few points stay."""

    @classmethod
    def find(cls, series: Series, first: float, last: float, edges: NDArray[np.float64]) -> _Stretch:
        import numpy as np

        start = int(np.searchsorted(series.xs, first, "left"))
        stop = max(int(np.searchsorted(series.xs, last, "right")), start)
        if stop - start <= 2 * (len(edges) + 1):
            return cls(series, start, stop, np.empty(0, np.intp))
        begins = np.concatenate([np.zeros(1, np.intp), np.searchsorted(series.xs[start:stop], edges, "left")])
        return cls(series, start, stop, _without_repetitions(begins[begins < stop - start]))

    def take(self, kept: NDArray[Any]) -> Series:
        """Return these points, counted from `start`, with the one before all and the one after all of them."""
        import numpy as np

        before = np.arange(max(self.start - 1, 0), self.start)
        after = np.arange(self.stop, min(self.stop + 1, len(self.series)))
        places = np.concatenate([before, self.start + kept, after])
        return Series(self.series.xs[places], self.series.ys[places])

    def take_all(self) -> Series:
        low, high = max(self.start - 1, 0), self.stop + 1
        return Series(self.series.xs[low:high], self.series.ys[low:high])


def _groups_of(stretches: Iterable[_Stretch]) -> Iterator[list[_Stretch]]:
    """Yield stretches in groups of some points: many at once take less time, and all at once might take much memory."""
    group: list[_Stretch] = []
    points = 0
    for one in stretches:
        if group and points + one.stop - one.start > POINTS_AT_ONCE:
            yield group
            group, points = [], 0
        group.append(one)
        points += one.stop - one.start
    if group:
        yield group


def _reduce_together(group: Sequence[_Stretch]) -> Iterator[Series]:
    kept = iter(_extremes_of_all([one for one in group if len(one.begins)]))
    for one in group:
        yield one.take(next(kept)) if len(one.begins) else one.take_all()


def _extremes_of_all(stretches: Sequence[_Stretch]) -> list[NDArray[Any]]:
    """Return what `_extremes` finds in each stretch; they are laid one behind the other, as if they were one series."""
    import numpy as np

    if not stretches:
        return []
    ends = np.cumsum([one.stop - one.start for one in stretches])
    offsets = [0, *ends[:-1].tolist()]
    ys = np.concatenate([one.series.ys[one.start : one.stop] for one in stretches])
    begins = np.concatenate([one.begins + offset for one, offset in zip(stretches, offsets, strict=True)])
    kept = _extremes(ys, begins)
    pieces = np.split(kept, np.searchsorted(kept, ends[:-1]))
    return [piece - offset for piece, offset in zip(pieces, offsets, strict=True)]


def _extremes(ys: NDArray[np.float64], begins: NDArray[Any]) -> NDArray[Any]:
    """Return the places of the first smallest and the first largest value of each stretch, in order.

    Args:
        ys: the values.
        begins: where the stretches begin, the first at 0; none is empty.
    """
    import numpy as np

    lengths = np.empty_like(begins)
    np.subtract(begins[1:], begins[:-1], out=lengths[:-1])
    lengths[-1] = len(ys) - begins[-1]
    found = []
    for ufunc in (np.fmin, np.fmax):
        extremes = np.repeat(ufunc.reduceat(ys, begins), lengths)
        # A stretch of gaps has NaN for an extreme, and keeps its first.
        found.append(_first_of_each(np.flatnonzero((ys == extremes) | np.isnan(extremes)), begins))
    return _without_repetitions(np.sort(np.concatenate(found)))


def _without_repetitions(places: NDArray[Any]) -> NDArray[Any]:
    """Return ascending places, each once; `unique` would sort them again."""
    import numpy as np

    is_first = np.ones(len(places), bool)
    np.not_equal(places[1:], places[:-1], out=is_first[1:])
    return places[is_first]


def _first_of_each(places: NDArray[Any], begins: NDArray[Any]) -> NDArray[Any]:
    """Return the first of the places in each stretch; each has one."""
    import numpy as np

    first: NDArray[Any] = places[np.searchsorted(places, begins, "left")]
    return first
