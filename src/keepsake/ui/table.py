"""The table of all experiments as JSON: encoded a column at a time, and kept as long as nothing changes.

It has two parts, each a document with some of the columns: what a page shows first, and the rest, which is more than
half of it.
"""

from __future__ import annotations

import gzip
import json
import shlex
import threading
import zlib
from collections.abc import Container, Iterable, Sequence
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
FIRST_GROUPS = ("experiment", "params", "primary")
FIRST_COLUMNS = (Column("environment", "user"), Column("environment", "host"), Column("best", "step"))
"""Beside the first groups, and the metrics that are primary."""
PRIMARY_NAME = Column("primary", "name")
MOST_NUMBERS = 64
"""A column with at most so many different numbers is sent as these and which of them each is: what somebody has chosen,
like a batch size, by which a page groups. So a page need not look for them."""
_NUMBERS = {int, float}
_COLUMNS = b'"columns":['


@dataclass(frozen=True)
class EncodedTable:
    """The table at one moment."""

    cursor: str
    first: bytes
    """The JSON document with the columns that are shown first, compressed by gzip."""
    rest: bytes
    """The same for the other columns."""

    def join(self) -> bytes:
        """Return the document with all columns, not compressed."""
        first, rest = gzip.decompress(self.first), gzip.decompress(self.rest)
        columns = rest[rest.index(_COLUMNS) + len(_COLUMNS) :]
        return first.removesuffix(b"]}") + (b"," if columns != b"]}" else b"") + columns


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
                parts = kept.load_table(catalog, state.cursor) if keeps and catalog is not None else None
                if parts is None:
                    parts = self._encode(state)
                    if keeps and catalog is not None:
                        kept.keep_table(catalog, state.cursor, parts)
                self._encoded = EncodedTable(state.cursor, *parts)
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

    def _encode(self, state: State) -> tuple[bytes, bytes]:
        """Return both parts, compressed."""
        self._encode_columns(state)
        primary = {value for value in state.shown(PRIMARY_NAME) if isinstance(value, str)}
        first = [column for column in state.columns if _comes_first(column, primary)]
        rest = [column for column in state.columns if column not in first]
        ids = f'"ids":{_dump([state.shown_id(row) for row in state.rows])},'
        return self._document(state, ids, first), self._document(state, "", rest)

    def _document(self, state: State, ids: str, columns: Iterable[Column]) -> bytes:
        head = f'{{"cursor":{json_text(state.cursor)},{ids}'.encode() + _COLUMNS
        compressor = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, 16 + zlib.MAX_WBITS)  # 16: a gzip header
        parts = [compressor.compress(head)]
        for place, column in enumerate(columns):
            text = self._columns[column].text
            parts.append(compressor.compress((f",{text}" if place else text).encode()))
        return b"".join([*parts, compressor.compress(b"]}"), compressor.flush()])

    def _encode_columns(self, state: State) -> None:
        has_same_rows = state.rows is self._state.rows and state.running == self._state.running
        before, self._columns, self._state = self._columns, {}, state
        for column in state.columns:
            runs = state.runs(column)
            known = before.get(column)
            if not has_same_rows or known is None or not _are_same(known.runs, runs):
                values = _masked(state, column, state.shown(column))
                known = _EncodedColumn(runs, _encode_column(_head(column, state), values))
            self._columns[column] = known


def _comes_first(column: Column, primary_metrics: Container[str]) -> bool:
    is_primary = column.group == "best.metrics" and column.key in primary_metrics
    return column.group in FIRST_GROUPS or column in FIRST_COLUMNS or is_primary


def _head(column: Column, state: State) -> dict[str, Any]:
    return {"name": column_name(column, state.known_columns), "group": column.group, "key": column.key}


def _encode_column(head: dict[str, Any], values: list[Value]) -> str:
    kinds = set(map(type, values)) - {type(None)}
    distinct = _distinct(values, kinds)
    text = json_text(head | {"is_number": bool(kinds) and kinds <= _NUMBERS})[:-1]
    if distinct is None:
        return f'{text},"values":{_dump(values)}}}'
    found, codes = distinct
    return f'{text},"values":{_dump(found)},"codes":{_dump(codes)}}}'


def _distinct(values: list[Value], kinds: set[type]) -> tuple[list[Value], list[int]] | None:
    """Return the distinct values and which of them each is, -1 for none; None when that would gain nothing."""
    if kinds and kinds <= _NUMBERS:
        if len(set(values[:1000])) > MOST_NUMBERS or len(set(values)) > MOST_NUMBERS:
            return None
        keys: list[Any] = list(map(repr, values))  # what is equal need not be the same: 1 is 1.0, and 0.0 is -0.0
    elif not kinds & {str, list, bool}:
        return None
    else:
        # True is 1, too. And lists of a block are one object when they are equal.
        keys = values if kinds <= {str} or kinds <= {bool} else list(map(id, values))
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
