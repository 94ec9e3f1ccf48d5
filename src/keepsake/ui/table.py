"""The table of all experiments as JSON: encoded a column at a time, and kept as long as nothing changes."""

from __future__ import annotations

import json
import shlex
import threading
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from keepsake._analysis.strict_json import json_text
from keepsake._catalog.columns import Run
from keepsake._catalog.fields import Column
from keepsake._catalog.flat import column_name
from keepsake._catalog.snapshot import Changes, State
from keepsake._model.values import Value
from keepsake._tracking.secrets import mask_command, mask_text
from keepsake.ui import kept
from keepsake.ui.answers import GZIP_LEVEL

COMMAND = Column("environment", "command")


@dataclass(frozen=True)
class EncodedTable:
    """The table at one moment."""

    cursor: str
    body: bytes
    """The JSON document, compressed by gzip."""


@dataclass(frozen=True)
class _EncodedColumn:
    runs: Sequence[Run | None]
    text: str


class Table:
    """Encodes states of a snapshot."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._state = State()
        self._encoded: EncodedTable | None = None
        self._columns: dict[Column, _EncodedColumn] = {}

    def encode(self, state: State, catalog: Path | None = None) -> EncodedTable:
        """Return the table in this state.

        Args:
            state: the experiments.
            catalog: the file beside which the table of a large repository is kept.
        """
        with self._lock:
            if self._encoded is None or self._encoded.cursor != state.cursor:
                keeps = catalog is not None and len(state.rows) >= kept.MIN_EXPERIMENTS
                body = kept.load_table(catalog, state.cursor) if keeps and catalog is not None else None
                if body is None:
                    body = _compress(self._parts(state))
                    if keeps and catalog is not None:
                        kept.keep_table(catalog, state.cursor, body)
                self._encoded = EncodedTable(state.cursor, body)
            return self._encoded

    def changes(self, state: State, changes: Changes) -> dict[str, Any]:
        """Return a document of what has changed."""
        columns = [] if changes.reload else state.columns
        return {
            "cursor": state.cursor,
            "reload": changes.reload,
            "ids": [state.shown_id(row) for row in changes.rows],
            "columns": [
                _head(column, state) | {"values": _masked(state, column, state.shown_in(changes.rows, column))}
                for column in columns
            ],
            "removed": list(changes.removed),
        }

    def _parts(self, state: State) -> Iterable[str]:
        """Yield the document in parts."""
        ids = [state.shown_id(row) for row in state.rows]
        yield f'{{"cursor":{json_text(state.cursor)},"ids":{_dump(ids)},"columns":['
        has_same_rows = state.rows is self._state.rows and state.running == self._state.running
        before, self._columns, self._state = self._columns, {}, state
        for place, column in enumerate(state.columns):
            runs = state.runs(column)
            known = before.get(column)
            if not has_same_rows or known is None or not _are_same(known.runs, runs):
                values = _masked(state, column, state.shown(column))
                known = _EncodedColumn(runs, _encode_column(_head(column, state), values))
            self._columns[column] = known
            yield f",{known.text}" if place else known.text
        yield "]}"


def _head(column: Column, state: State) -> dict[str, Any]:
    return {"name": column_name(column, state.known_columns), "group": column.group, "key": column.key}


def _encode_column(head: dict[str, Any], values: list[Value]) -> str:
    distinct = _distinct(values)
    text = json_text(head)[:-1]
    if distinct is None:
        return f'{text},"values":{_dump(values)}}}'
    found, codes = distinct
    return f'{text},"values":{_dump(found)},"codes":{_dump(codes)}}}'


def _distinct(values: list[Value]) -> tuple[list[Value], list[int]] | None:
    """Return the distinct values and which of them each is, -1 for none; None when that would gain nothing."""
    kinds = set(map(type, values))
    if not kinds & {str, list, bool}:
        return None
    # What is equal need not be the same: True is 1. And lists of a block are one object when they are equal.
    keys: list[Any] = values if kinds <= {str, type(None)} or kinds <= {bool, type(None)} else list(map(id, values))
    by_key = dict(zip(keys, values, strict=True))
    if len(by_key) > len(values) // 2:
        return None
    places: dict[Any, int] = {}
    codes: dict[Any, int] = {}
    found: list[Value] = []
    for key, value in by_key.items():
        what = None if value is None else value if isinstance(value, str) else (type(value), repr(value))
        if what is not None and what not in places:
            places[what] = len(found)
            found.append(value)
        codes[key] = -1 if what is None else places[what]
    return found, list(map(codes.__getitem__, keys))


def _dump(values: Sequence[Value]) -> str:
    try:
        text = json.dumps(values, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        text.encode()
        return text
    except ValueError:
        return json_text(values)  # something in it is NaN, or no text


def _compress(parts: Iterable[str]) -> bytes:
    compressor = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, 16 + zlib.MAX_WBITS)  # 16: a gzip header
    return b"".join([*(compressor.compress(part.encode()) for part in parts), compressor.flush()])


def _are_same(one: Sequence[Run | None], other: Sequence[Run | None]) -> bool:
    return len(one) == len(other) and all(a is b for a, b in zip(one, other, strict=True))


def _masked(state: State, column: Column, values: list[Value]) -> list[Value]:
    # Keepsake 0.x recorded commands as they were.
    return list(map(_mask, values)) if state.is_legacy and column == COMMAND else values


def _mask(command: Value) -> Value:
    if not isinstance(command, str):
        return command
    try:
        return mask_command(shlex.split(command))
    except ValueError:
        return mask_text(command)
