"""Measurements that grow by the lines of journals, each of which is looked at once."""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Iterable

from keepsake._catalog.measurements import Column, Measurements, number_of
from keepsake._catalog.rows import ROW_TYPES, Lines, Rows, make_rows, microseconds_of, take_lines
from keepsake._model.events import Body
from keepsake._model.keys import SegmentName
from keepsake._repository.journal import Journal, read_events
from keepsake.errors import InternalError

BLOCK_BYTES = 512 * 1024
"""What is taken apart at once: most segments whole, and of a longer one no arrays that are several times as long."""


class Growth:
    """Measurements that grow by what sessions wrote next. All columns must be loaded.

    Args:
        before: what was read until now; it stays as it is.
    """

    def __init__(self, before: Measurements) -> None:
        self._before = before
        self._parts: list[tuple[str, Rows]] = []
        self._last: dict[str, Body] = {}
        self._deleted = set(before.deleted)
        self._is_deleted = before.is_deleted
        self._began_us = before.began_us

    def add_lines(self, name: SegmentName, data: bytes) -> None:
        """Add whole lines that follow in a segment. Those that are damaged are left out."""
        start = 0
        while start < len(data):
            stop = data.find(b"\n", min(start + BLOCK_BYTES, len(data)) - 1) + 1
            self._add_block(name, data[start:stop])
            start = stop

    def _add_block(self, name: SegmentName, data: bytes) -> None:
        lines = take_lines(data, name.place)
        if lines is None or self._begin_again(name.session_id, lines):
            journal = Journal(name.experiment_id)
            read_events(dataclasses.replace(name, size_bytes=None), data, journal)
            self.add(name.session_id, [event.body for event in journal.events])
            return
        for body in lines.others:
            self._add_other(body)
        if lines.last is not None:
            self._parts.append((name.session_id, lines.rows))
            self._last[name.session_id] = lines.last

    def add(self, session_id: str, bodies: Iterable[Body]) -> None:
        """Add events of one session, in the order of its journal."""
        kept: list[tuple[int, Body]] = []
        for body in bodies:
            time_us = microseconds_of(body.get("time"))
            if body.get("type") not in ROW_TYPES:
                self._add_other(body)
            elif time_us is not None and not self._is_repetition(session_id, body):
                kept.append((time_us, body))
                self._last[session_id] = body
        if kept:
            self._parts.append((session_id, make_rows(kept)))

    def _add_other(self, body: Body) -> None:
        kind = body.get("type")
        if kind == "experiment":
            began_us = microseconds_of(body.get("time"))
            if began_us is not None and (self._began_us is None or began_us < self._began_us):
                self._began_us = began_us
        elif kind == "delete":
            ids = body.get("checkpoints")
            self._is_deleted |= ids is None
            self._deleted.update(map(number_of, ids if isinstance(ids, list) else ()))

    def _begin_again(self, session_id: str, lines: Lines) -> bool:
        """Say whether lines may begin with what the session has written last."""
        last = self._last.get(session_id)
        time = last["time"] if last is not None else self._before.last_events.get(session_id, "").partition(" ")[2]
        return bool(len(lines.rows.times_us)) and lines.rows.times_us[0] == microseconds_of(time)

    def _is_repetition(self, session_id: str, body: Body) -> bool:
        """Say whether the session has just written this, since its store had failed after it had written."""
        last = self._last.get(session_id)
        if last is None:
            return _mark_of(body) == self._before.last_events.get(session_id)
        return body["time"] == last["time"] and body == last

    def result(self) -> Measurements:
        """Return the measurements with what was added."""
        import numpy as np

        before = dataclasses.replace(
            self._before,
            deleted=frozenset(self._deleted),
            is_deleted=self._is_deleted,
            began_us=self._began_us,
        )
        if not self._parts:
            return before
        sessions = tuple(dict.fromkeys([*before.sessions, *(session_id for session_id, _ in self._parts)]))
        numbers = {session_id: number for number, session_id in enumerate(sessions)}
        parts = [rows for _, rows in self._parts]
        writers = [np.full(len(rows.times_us), numbers[session_id], np.int32) for session_id, rows in self._parts]
        return dataclasses.replace(
            before,
            times_us=np.concatenate([before.times_us, *(rows.times_us for rows in parts)]),
            steps=np.concatenate([before.steps, *(rows.steps for rows in parts)]),
            writers=np.concatenate([before.writers, *writers]),
            checkpoints=np.concatenate([before.checkpoints, *(rows.checkpoints for rows in parts)]),
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
        for _, rows in self._parts:
            for name, column in rows.columns.items():
                shifted = column.rows + np.int32(first) if first else column.rows
                found.setdefault(name, []).append(Column(shifted, column.values))
            first += len(rows.times_us)
        return {
            name: columns[0]
            if len(columns) == 1
            else Column(
                np.concatenate([column.rows for column in columns]), np.concatenate([one.values for one in columns])
            )
            for name, columns in found.items()
        }


def _mark_of(body: Body) -> str:
    """Return what tells an event from others of its session."""
    return f"{zlib.crc32(repr(body).encode('utf-8', 'surrogatepass')):08x} {body.get('time')}"
