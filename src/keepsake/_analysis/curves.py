"""Curves that are made small for a screen: of every stretch as wide as a pixel, the smallest and the largest value.

- The range is cut into equal buckets, the same for every series of a chart, so that lines stay where they are while
  others are added, and a drawing of what is left is the drawing of all.
- What is left are points of the series, at their own x: extremes are exact.
- NaN is a gap. It stays where a bucket holds nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


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
    import numpy as np

    start = int(np.searchsorted(series.xs, first, "left"))
    stop = max(int(np.searchsorted(series.xs, last, "right")), start)
    low, high = max(start - 1, 0), min(stop + 1, len(series))
    if stop - start <= 2 * width:
        return Series(series.xs[low:high], series.ys[low:high])
    edges = first + (last - first) * (np.arange(1, width) / width)
    begins = np.concatenate([np.zeros(1, np.intp), np.searchsorted(series.xs[start:stop], edges, "left")])
    kept = start + _extremes(series.ys[start:stop], _without_repetitions(begins[begins < stop - start]))
    places = np.concatenate([np.arange(low, start), kept, np.arange(stop, high)])
    return Series(series.xs[places], series.ys[places])


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
