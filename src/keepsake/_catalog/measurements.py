"""What an experiment has measured, as arrays: its checkpoints and what was logged between them, a row an event.

The arrays say what `_analysis/history.py` says of the folded experiment, without an object for each event. They grow:
rows are added as they are read, and put in the order of time, without deleted checkpoints and repetitions, when asked
for. A metric's column holds the rows that have it, so that what is measured rarely takes little.
"""

from __future__ import annotations

import functools
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from keepsake._model.events import Body
from keepsake._model.times import parse_time
from keepsake.errors import CorruptionError, InternalError

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
        is_checkpoint = self._in_order(self.checkpoints) != LOGGED
        if is_checkpoint[places].all():
            chosen = np.flatnonzero(is_checkpoint)
            gapped = np.full(len(is_checkpoint), np.nan)
            gapped[places] = ys
            places, ys = chosen, gapped[chosen]
        return Curve(self._xs(places, x), ys)

    def _xs(self, places: NDArray[Any], x: str) -> NDArray[np.float64]:
        import numpy as np

        if x == "step":
            steps = self._in_order(self.steps)[places]
            return np.arange(float(len(places))) if np.isnan(steps).any() else steps
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


def no_measurements() -> Measurements:
    """Return those of an experiment of which nothing has been read."""
    import numpy as np

    return Measurements(np.empty(0, np.int64), np.empty(0, np.float64), np.empty(0, np.int32), np.empty(0, np.uint64))


class Rows(NamedTuple):
    """Rows that follow one another in the journal of one session."""

    session_id: str
    times_us: NDArray[np.int64]
    steps: NDArray[np.float64]
    checkpoints: NDArray[np.uint64]
    columns: Mapping[str, Column]
    """Their rows count from the first of these."""


class Growth:
    """Measurements that grow by what sessions wrote next. All columns must be loaded.

    Args:
        before: what was read until now; it stays as it is.
    """

    def __init__(self, before: Measurements) -> None:
        self._before = before
        self._parts: list[Rows] = []
        self._last: dict[str, Body] = {}
        self._deleted = set(before.deleted)
        self._is_deleted = before.is_deleted
        self._began_us = before.began_us

    def add(self, session_id: str, bodies: Iterable[Body]) -> None:
        """Add events of one session, in the order of its journal."""
        kept: list[tuple[int, Body]] = []
        for body in bodies:
            kind = body.get("type")
            if kind in ("log", "checkpoint"):
                time_us = _microseconds(body.get("time"))
                if time_us is not None and not self._is_repetition(session_id, body):
                    kept.append((time_us, body))
                    self._last[session_id] = body
            elif kind == "experiment":
                began_us = _microseconds(body.get("time"))
                if began_us is not None and (self._began_us is None or began_us < self._began_us):
                    self._began_us = began_us
            elif kind == "delete":
                self._delete(body.get("checkpoints"))
        if kept:
            self._parts.append(_make_rows(session_id, kept))

    def _delete(self, ids: object) -> None:
        self._is_deleted |= ids is None
        self._deleted.update(map(number_of, ids if isinstance(ids, list) else ()))

    def _is_repetition(self, session_id: str, body: Body) -> bool:
        """Say whether the session has just written this, since its store had failed after it had written."""
        last = self._last.get(session_id)
        if last is None:
            return _mark_of(body) == self._before.last_events.get(session_id)
        return body["time"] == last["time"] and body == last

    def result(self) -> Measurements:
        """Return the measurements with what was added."""
        import numpy as np

        before = replace(
            self._before,
            deleted=frozenset(self._deleted),
            is_deleted=self._is_deleted,
            began_us=self._began_us,
        )
        if not self._parts:
            return before
        sessions = tuple(dict.fromkeys([*before.sessions, *(part.session_id for part in self._parts)]))
        numbers = {session_id: number for number, session_id in enumerate(sessions)}
        writers = [np.full(len(part.times_us), numbers[part.session_id], np.int32) for part in self._parts]
        return replace(
            before,
            times_us=np.concatenate([before.times_us, *(part.times_us for part in self._parts)]),
            steps=np.concatenate([before.steps, *(part.steps for part in self._parts)]),
            writers=np.concatenate([before.writers, *writers]),
            checkpoints=np.concatenate([before.checkpoints, *(part.checkpoints for part in self._parts)]),
            columns=self._join_columns(),
            sessions=sessions,
            last_events={**before.last_events, **{one: _mark_of(body) for one, body in self._last.items()}},
        )

    def _join_columns(self) -> dict[str, Column | None]:
        import numpy as np

        found: dict[str, list[Column]] = {}
        for name, column in self._before.columns.items():
            if column is None:
                raise InternalError(f"the column {name!r} must be loaded")
            found[name] = [column]
        first = len(self._before)
        for part in self._parts:
            for name, column in part.columns.items():
                shifted = column.rows + np.int32(first) if first else column.rows
                found.setdefault(name, []).append(Column(shifted, column.values))
            first += len(part.times_us)
        return {
            name: columns[0]
            if len(columns) == 1
            else Column(
                np.concatenate([column.rows for column in columns]), np.concatenate([one.values for one in columns])
            )
            for name, columns in found.items()
        }


def _make_rows(session_id: str, events: Sequence[tuple[int, Body]]) -> Rows:
    import numpy as np

    columns: dict[str, tuple[list[int], list[float]]] = {}
    for row, (_, body) in enumerate(events):
        metrics = body.get("metrics")
        for name, value in _flatten(metrics) if isinstance(metrics, dict) else ():
            rows, values = columns.setdefault(name, ([], []))
            if rows and rows[-1] == row:  # two ways to write one name
                values[-1] = _number(value)
                continue
            rows.append(row)
            values.append(_number(value))
    ids = [number_of(body.get("id")) if body["type"] == "checkpoint" else LOGGED for _, body in events]
    return Rows(
        session_id,
        np.array([time_us for time_us, _ in events], np.int64),
        np.array([_number(body.get("step")) for _, body in events], np.float64),
        np.array(ids, np.uint64),
        {
            name: Column(np.array(rows, np.int32), np.array(values, np.float64))
            for name, (rows, values) in columns.items()
        },
    )


def number_of(checkpoint_id: object) -> int:
    """Return what stands for a checkpoint's id; never `LOGGED`."""
    text = str(checkpoint_id)
    try:
        number = int(text[:_ID_DIGITS], 16)
    except ValueError:
        number = int.from_bytes(text.encode("utf-8", "surrogatepass")[:8].ljust(8, b"\0"), "big")
    return number or 1


def _mark_of(body: Body) -> str:
    """Return what tells an event from others of its session."""
    return f"{zlib.crc32(repr(body).encode('utf-8', 'surrogatepass')):08x} {body.get('time')}"


def _flatten(values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the values by dotted name; of two of one name, the one that is written so comes last."""
    nested = [(name, value) for name, value in values.items() if isinstance(value, dict) and value]
    for name, value in nested:
        yield from ((f"{name}.{inner}", item) for inner, item in _flatten(value))
    for name, value in values.items():
        if not (isinstance(value, dict) and value):
            yield name, value


def _number(value: object) -> float:
    if type(value) is float:
        return value
    if not isinstance(value, (bool, int, float)):
        return float("nan")
    try:
        return float(value)
    except OverflowError:
        return float("nan")


def _microseconds(time: object) -> int | None:
    try:
        moment = parse_time(time)  # type: ignore[arg-type]
    except CorruptionError:
        return None
    # Exact, unlike a product with the float of `timestamp()`.
    return int(moment.replace(microsecond=0).timestamp()) * 1_000_000 + moment.microsecond
