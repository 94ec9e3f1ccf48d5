"""What an experiment has measured, as arrays: its checkpoints and what was logged between them, a row an event.

The arrays say what `_analysis/history.py` says of the folded experiment, without an object for each event. They grow:
rows are added as they are read, and put in the order of time, without deleted checkpoints and repetitions, when asked
for. A metric's column holds the rows that have it, so that what is measured rarely takes little.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LOGGED = 0
"""What stands for the id of a checkpoint where something was only logged."""
METRIC_X = "metric:"
_ID_DIGITS = 16
"""Of the 64 digits of a checkpoint's id, as many as an integer holds."""


class Column(NamedTuple):
    """The values of one metric."""

    rows: NDArray[np.int32]
    """The rows that have it, ascending."""
    values: NDArray[np.float64]
    """NaN where it is no number."""


class Curve(NamedTuple):
    """The points of one metric in the order of time, as `plot()` joins them."""

    xs: NDArray[np.float64]
    ys: NDArray[np.float64]


@dataclass(frozen=True)
class Measurements:
    """The rows of one experiment, in the order in which they were read: each session's in the order of its journal.

    Attributes:
        times_us: when, in microseconds since 1970.
        steps: NaN where there is none.
        writers: place of the session in `sessions`.
        checkpoints: the beginning of the checkpoint's id as a number; `LOGGED` for what was only logged.
        columns: by dotted name; None where it is not loaded.
        sessions: ids of the sessions that wrote.
        last_events: what each of them wrote last, to know a repetition by.
        deleted: checkpoints that do not count.
        is_deleted: whether the experiment is.
        began_us: when the experiment began; None when that is not known.
    """

    times_us: NDArray[np.int64]
    steps: NDArray[np.float64]
    writers: NDArray[np.int32]
    checkpoints: NDArray[np.uint64]
    columns: dict[str, Column | None] = field(default_factory=dict)
    sessions: tuple[str, ...] = ()
    last_events: Mapping[str, str] = field(default_factory=dict)
    deleted: frozenset[int] = frozenset()
    is_deleted: bool = False
    began_us: int | None = None

    def __len__(self) -> int:
        return len(self.times_us)

    @property
    def size_bytes(self) -> int:
        """What the arrays take in memory."""
        bases = (self.times_us, self.steps, self.writers, self.checkpoints)
        columns = (array for column in self.columns.values() if column is not None for array in column)
        return sum(array.nbytes for array in (*bases, *columns))

    def has_deleted(self, checkpoint_id: str) -> bool:
        """Say whether a checkpoint does not count any more."""
        return number_of(checkpoint_id) in self.deleted

    def curve(self, metric: str, x: str = "step") -> Curve | None:
        """Return the curve of a metric; None when nothing has it.

        Its points are all checkpoints, or when it was logged too, all that has it. The columns it needs must be loaded.

        Args:
            metric: its dotted name.
            x: `step` (counted where one of the points has none), `time` (seconds since the experiment began), `wall`
                (seconds since 1970) or `metric:NAME` (its value in the same row, else the last one before).
        """
        import numpy as np

        column = self.columns.get(metric)
        if column is None:
            return None
        places, ys = self._ordered(column)
        if x == "step" and len(places) == len(self._in_order(self.steps)):
            return Curve(self._counted_steps, ys)
        is_checkpoint = self._in_order(self.checkpoints) != LOGGED
        if is_checkpoint[places].all():
            chosen = np.flatnonzero(is_checkpoint)
            gapped = np.full(len(is_checkpoint), np.nan)
            gapped[places] = ys
            places, ys = chosen, gapped[chosen]
        return Curve(self._xs(places, x), ys)

    def extremes(self, metric: str) -> tuple[float, float] | None:
        """Return the least and the greatest value of a metric; NaN where none is a number, None where there is none.

        Its column must be loaded.
        """
        import numpy as np

        column = self.columns.get(metric)
        if column is None:
            return None
        _, values = self._ordered(column)
        if not len(values):
            return None
        return float(np.fmin.reduce(values)), float(np.fmax.reduce(values))

    @functools.cached_property
    def _counted_steps(self) -> NDArray[np.float64]:
        """The steps of what every row has, as most metrics are."""
        return _counted(self._in_order(self.steps))

    def _xs(self, places: NDArray[Any], x: str) -> NDArray[np.float64]:
        import numpy as np

        if x == "step":
            return _counted(self._in_order(self.steps)[places])
        if x.startswith(METRIC_X):
            column = self.columns.get(x.removeprefix(METRIC_X))
            if column is None:
                return np.full(len(places), np.nan)
            known, values = self._ordered(column)
            before = np.searchsorted(known, places, "right") - 1
            found: NDArray[np.float64] = np.where(before >= 0, np.append(values, np.nan)[before], np.nan)
            return found
        times_us = self._in_order(self.times_us)[places]
        seconds: NDArray[np.float64] = (times_us - (self.began_us or 0 if x == "time" else 0)) / 1e6
        return seconds

    @functools.cached_property
    def _order(self) -> NDArray[np.intp] | None:
        """The rows that count, in the order of time; None when they are all, as they stand."""
        import numpy as np

        is_saved = self.checkpoints != LOGGED
        in_order = len(self.sessions) <= 1 and bool((self.times_us[1:] > self.times_us[:-1]).all())
        saved = self.checkpoints[is_saved]
        if in_order and not self.deleted and len(np.unique(saved)) == len(saved):
            return None
        ranks = np.argsort(np.argsort(np.array(self.sessions or [""])))
        order = np.lexsort((ranks[self.writers], ~is_saved, self.times_us))
        kept = self.checkpoints[order]
        # One row of each checkpoint: the first. Of what was only logged, every row.
        _, first = np.unique(kept, return_index=True)
        counts = kept == LOGGED
        counts[first] = True
        counts &= ~np.isin(kept, np.array(sorted(self.deleted), np.uint64))
        chosen: NDArray[np.intp] = order[counts]
        return chosen

    @functools.cached_property
    def _places(self) -> NDArray[np.intp] | None:
        """For each row its place in the order, -1 when it does not count."""
        import numpy as np

        if self._order is None:
            return None
        places = np.full(len(self), -1, np.intp)
        places[self._order] = np.arange(len(self._order))
        return places

    def _in_order(self, array: NDArray[Any]) -> NDArray[Any]:
        return array if self._order is None else array[self._order]

    def _ordered(self, column: Column) -> tuple[NDArray[Any], NDArray[np.float64]]:
        """Return the places of a column's values in the order of time, and the values."""
        import numpy as np

        if self._places is None:
            return column.rows, column.values
        places = self._places[column.rows]
        counts = places >= 0
        places, values = places[counts], column.values[counts]
        order = np.argsort(places, kind="stable")
        return places[order], values[order]


def _counted(steps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return these steps, or their places where one of them has none."""
    import numpy as np

    return np.arange(float(len(steps))) if np.isnan(steps).any() else steps


def no_measurements() -> Measurements:
    """Return those of an experiment of which nothing has been read."""
    import numpy as np

    return Measurements(np.empty(0, np.int64), np.empty(0, np.float64), np.empty(0, np.int32), np.empty(0, np.uint64))


def number_of(checkpoint_id: object) -> int:
    """Return what stands for a checkpoint's id; never `LOGGED`."""
    text = str(checkpoint_id)
    try:
        number = int(text[:_ID_DIGITS], 16)
    except ValueError:
        number = int.from_bytes(text.encode("utf-8", "surrogatepass")[:8].ljust(8, b"\0"), "big")
    return number or 1
