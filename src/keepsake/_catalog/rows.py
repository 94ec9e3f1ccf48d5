"""Rows of measurements out of events: those of one session that follow one another."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from keepsake._catalog.lineshapes import LineReader, Shaped
from keepsake._catalog.measurements import LOGGED, Column, number_of
from keepsake._model.events import Body
from keepsake._model.lines import decode_line, decode_lines
from keepsake._model.times import parse_time
from keepsake.errors import CorruptionError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ROW_TYPES = ("log", "checkpoint")
"""Types of the events that are a row."""
FEW_LINES = 60
"""So many are decoded one by one in less time than it takes to find their shapes: 12 lines in a third of it."""


class Rows(NamedTuple):
    """Rows that follow one another; see `Measurements`."""

    times_us: NDArray[np.int64]
    steps: NDArray[np.float64]
    checkpoints: NDArray[np.uint64]
    columns: Mapping[str, Column]
    """Their rows count from the first of these."""


@dataclass(frozen=True)
class Lines:
    """What lines of a journal say."""

    rows: Rows
    others: Sequence[Body]
    """Events that are no row."""
    last: Body | None
    """The event of the last row, None without a row."""


def make_rows(events: Sequence[tuple[int, Body]]) -> Rows:
    """Return a row for each event, with its time in microseconds since 1970."""
    import numpy as np

    ids = [number_of(body.get("id")) if body["type"] == "checkpoint" else LOGGED for _, body in events]
    return Rows(
        np.array([time_us for time_us, _ in events], np.int64),
        np.array([_number(body.get("step")) for _, body in events], np.float64),
        np.array(ids, np.uint64),
        _make_columns([body for _, body in events], range(len(events))),
    )


def _make_columns(bodies: Sequence[Body], places: Sequence[int]) -> dict[str, Column]:
    import numpy as np

    columns: dict[str, tuple[list[int], list[float]]] = {}
    for row, body in zip(places, bodies, strict=True):
        metrics = body.get("metrics")
        for name, value in _flatten(metrics) if isinstance(metrics, dict) else ():
            rows, values = columns.setdefault(name, ([], []))
            if rows and rows[-1] == row:  # two ways to write one name
                values[-1] = _number(value)
                continue
            rows.append(row)
            values.append(_number(value))
    return {
        name: Column(np.array(rows, np.int32), np.array(values, np.float64)) for name, (rows, values) in columns.items()
    }


def take_lines(data: bytes, place: bytes) -> Lines | None:
    """Read whole lines of a segment.

    Args:
        data: the lines.
        place: what their checksums begin with.

    Returns:
        What they say; None when one of them is damaged or a repetition of the one before, which takes a closer look.
    """
    import numpy as np

    reader = LineReader(data)
    if not reader.checksums_are_right(zlib.crc32(b"{", zlib.crc32(place))):
        return None
    taken = _TakenLines(reader)
    numbers = np.flatnonzero(~taken.is_taken).tolist()
    decoded = decode_lines(reader.lines(numbers), place=place)
    bodies = None if decoded is None else [*decoded.values()]
    if bodies is None or not all(isinstance(body.get("time"), str) for body in bodies):
        return None
    taken.add_bodies(numbers, bodies)
    rows = taken.rows()
    if (rows.times_us[1:] == rows.times_us[:-1]).any():
        return None
    last = np.flatnonzero(taken.is_row)[-1:].tolist()
    others = [body for body in bodies if body.get("type") not in ROW_TYPES]
    return Lines(rows, others, decode_line(reader.lines(last), place=place) if last else None)


class _TakenLines:
    """Rows by the numbers of their lines, put together from lines that share a shape and from single ones."""

    def __init__(self, reader: LineReader) -> None:
        import numpy as np

        count = len(reader.stops)
        self.is_taken = np.zeros(count, bool)
        self.is_row = np.zeros(count, bool)
        self._times_us = np.zeros(count, np.int64)
        self._steps = np.full(count, np.nan)
        self._checkpoints = np.full(count, LOGGED, np.uint64)
        self._columns: dict[str, list[Column]] = {}
        for kind in ROW_TYPES if count > FEW_LINES else ():
            for shaped in reader.find_shaped(reader.begin_with(b'"type":"%s",' % kind.encode())):
                if kind == "log" or shaped.ids is not None:
                    self._add_shaped(shaped, kind)

    def _add_shaped(self, shaped: Shaped, kind: str) -> None:
        import numpy as np

        lines = shaped.lines
        columns = {".".join(place[1:]): values for place, values in shaped.numbers.items() if place[0] == "metrics"}
        for place, constant in shaped.constants.items():
            if place[0] == "metrics" and len(place) > 1:
                columns.setdefault(".".join(place[1:]), np.full(len(lines), _number(constant)))
        named = sum(place[0] == "metrics" and len(place) > 1 for place in (*shaped.numbers, *shaped.constants))
        if named != len(columns):
            return  # two ways to write one name
        self.is_taken[lines] = self.is_row[lines] = True
        self._times_us[lines] = shaped.times_us
        self._steps[lines] = shaped.numbers.get(("step",), _number(shaped.constants.get(("step",))))
        if kind == "checkpoint" and shaped.ids is not None:
            self._checkpoints[lines] = np.maximum(shaped.ids, 1)
        for name, values in columns.items():
            self._columns.setdefault(name, []).append(Column(lines.astype(np.int32), values))

    def add_bodies(self, lines: Sequence[int], bodies: Sequence[Body]) -> None:
        """Add the events of single lines, as far as they are rows."""
        kept = [
            (line, time_us, body)
            for line, body in zip(lines, bodies, strict=True)
            if body.get("type") in ROW_TYPES and (time_us := microseconds_of(body.get("time"))) is not None
        ]
        for line, time_us, body in kept:
            self.is_row[line] = True
            self._times_us[line] = time_us
            self._steps[line] = _number(body.get("step"))
            if body["type"] == "checkpoint":
                self._checkpoints[line] = number_of(body.get("id"))
        for name, column in _make_columns([body for *_, body in kept], [line for line, *_ in kept]).items():
            self._columns.setdefault(name, []).append(column)

    def rows(self) -> Rows:
        """Return the rows, in the order of the lines."""
        import numpy as np

        places = np.cumsum(self.is_row, dtype=np.int32) - np.int32(1)
        is_row = self.is_row
        return Rows(
            self._times_us[is_row],
            self._steps[is_row],
            self._checkpoints[is_row],
            {name: _join(columns, places) for name, columns in self._columns.items()},
        )


def _join(columns: Sequence[Column], places: NDArray[np.int32]) -> Column:
    """Put the values of several sets of lines in the order of their rows."""
    import numpy as np

    if len(columns) == 1:
        return Column(places[columns[0].rows], np.ascontiguousarray(columns[0].values))
    rows = np.concatenate([column.rows for column in columns])
    order = np.argsort(rows)
    return Column(places[rows[order]], np.concatenate([column.values for column in columns])[order])


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


def microseconds_of(time: object) -> int | None:
    """Return a time of an event in microseconds since 1970; None when it is none."""
    try:
        moment = parse_time(time)  # type: ignore[arg-type]
    except CorruptionError:
        return None
    # Exact, unlike a product with the float of `timestamp()`.
    return int(moment.replace(microsecond=0).timestamp()) * 1_000_000 + moment.microsecond
