"""All experiments of a repository as columns in memory, brought up to date from the catalog.

For who looks again and again, as a page that is open does. A state never changes once it is there, so any number of
threads can read it; `refresh` puts a new one in its place, which shares with the old one all blocks that are the same.
"""

from __future__ import annotations

import functools
import json
import secrets
import sqlite3
import threading
from bisect import bisect_left
from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import NamedTuple

from keepsake._catalog.catalog import Catalog, FindRunning, load_problems
from keepsake._catalog.columns import BLOCK, Run, decode_run
from keepsake._catalog.fields import RUNNING, Column
from keepsake._catalog.flat import flatten_runs, order_columns
from keepsake._catalog.query import Query, is_known, name_nearest, select
from keepsake._catalog.syntax import format_name
from keepsake._model.ids import check_prefix, resolve_prefix
from keepsake._model.values import Value
from keepsake.errors import KeepsakeError

CHANGES_KEPT = 1_000
"""Who has missed more changes than this reads everything anew."""
SHOWN_ID_DIGITS = 12
_STATUS = Column("experiment", "status")


class Row(NamedTuple):
    """An experiment as the catalog numbers it."""

    created: bytes
    id: str
    number: int


@dataclass(frozen=True)
class Block:
    """Runs of columns of `BLOCK` numbers in a row."""

    raw: Mapping[Column, Run]
    """As filters read them."""
    flat: Mapping[Column, Run]
    """As a table shows them."""


@dataclass(frozen=True)
class Mark:
    """What is different when the catalog is."""

    made: str = ""
    change: int = 0


@dataclass(frozen=True)
class State:
    """The experiments at one moment."""

    cursor: str = ""
    mark: Mark = Mark()
    rows: Sequence[Row] = ()
    """Oldest first."""
    blocks: Mapping[int, Block] = field(default_factory=dict)
    running: frozenset[int] = frozenset()
    """Numbers of the experiments that run."""
    problems: Sequence[tuple[str, KeepsakeError]] = ()
    """Keys of damaged objects, and why."""

    @functools.cached_property
    def shown_ids(self) -> list[str]:
        """The ids, in the order of the rows, with as many digits as tell them apart."""
        digits = SHOWN_ID_DIGITS
        while len({row.id[:digits] for row in self.rows}) < len(self.rows):
            digits += 1
        return [row.id[:digits] for row in self.rows]

    @functools.cached_property
    def _sorted_ids(self) -> list[str]:
        return sorted(row.id for row in self.rows)

    def find_id(self, prefix: str) -> str:
        """Return the one id that begins so; errors as of `resolve_prefix`."""
        ids = self._sorted_ids
        wanted = check_prefix(prefix, noun="experiment")
        start = bisect_left(ids, wanted)
        # Behind all that begin so, since every digit sorts before `g`.
        return resolve_prefix(wanted, ids[start : bisect_left(ids, wanted + "g", start)], noun="experiment")

    @functools.cached_property
    def columns(self) -> list[Column]:
        """The columns in which any experiment has a value, in the order in which they are shown."""
        return order_columns({column for block in self.blocks.values() for column in block.flat})

    @functools.cached_property
    def size(self) -> int:
        """How many places raw columns have."""
        return (max(self.blocks, default=-1) + 1) * BLOCK

    @functools.cached_property
    def groups(self) -> Mapping[str, Mapping[str, Column]]:
        """Raw columns by group and key."""
        groups: dict[str, dict[str, Column]] = {}
        for column in {column for block in self.blocks.values() for column in block.raw}:
            groups.setdefault(column.group, {})[column.key] = column
        return groups

    def shown(self, column: Column, rows: Iterable[Row] | None = None) -> list[Value]:
        """Return the values of a column as it is shown: of all rows in order, or of some."""
        nothing = [None] * BLOCK
        runs = {number: block.flat.get(column, nothing) for number, block in self.blocks.items()}
        values = [runs[row.number // BLOCK][row.number % BLOCK] for row in (self.rows if rows is None else rows)]
        if column == _STATUS and self.running:
            chosen = self.rows if rows is None else rows
            values = [
                RUNNING if row.number in self.running else value for row, value in zip(chosen, values, strict=True)
            ]
        return values

    def keys(self, group: str) -> Collection[str]:
        """Return the keys of the raw columns of a group; with `values` and `size`, this is `query.Columns`."""
        return self.groups.get(group, {})

    def values(self, column: Column) -> Sequence[Value]:
        """Return the values of a raw column, by number."""
        values = self._values.get(column)
        if values is None:
            values = []
            for number in range(self.size // BLOCK):
                block = self.blocks.get(number)
                values += [None] * BLOCK if block is None else block.raw.get(column) or [None] * BLOCK
            if column == _STATUS:
                for number in self.running:
                    values[number] = RUNNING
            self._values[column] = values
        return values

    @functools.cached_property
    def _values(self) -> dict[Column, list[Value]]:
        return {}

    @functools.cached_property
    def _places(self) -> dict[int, int]:
        return {row.number: place for place, row in enumerate(self.rows)}

    def select(self, query: Query, now: datetime) -> list[int]:
        """Return the places among the rows of those that the query keeps, in its order.

        Raises:
            InvalidInputError: no experiment has anything under the name of a sort key.
        """
        numbers = select(query, self, [row.number for row in self.rows], now)
        return [self._places[number] for number in numbers]

    def find_unknown(self, query: Query) -> list[tuple[str, list[str]]]:
        """Return the names in the filters under which nobody has anything, each with those that look most like it."""
        unknown = [name for name in query.names() if self.rows and not is_known(name, self)]
        return [(format_name(name), name_nearest(name, self)) for name in unknown]


@dataclass(frozen=True)
class Changes:
    """What has changed between two states."""

    reload: bool = False
    """Whether all has to be read again: rows have moved, or nobody knows any more what it was."""
    changed: frozenset[int] = frozenset()
    """Numbers of the experiments that are new or different."""
    removed: frozenset[str] = frozenset()
    """Ids, as they were shown, of those that are gone."""


class Snapshot:
    """The experiments of one repository, in memory.

    Args:
        catalog: of the repository.
        find_running: see `Catalog.list_experiments`.
    """

    def __init__(self, catalog: Catalog, find_running: FindRunning) -> None:
        self._catalog = catalog
        self._find_running = find_running
        self._lock = threading.Lock()
        self._name = secrets.token_hex(4)
        self._count = 0
        self._changes: deque[tuple[int, Changes]] = deque(maxlen=CHANGES_KEPT)
        self.state = State(cursor=f"{self._name}-0")

    def refresh(self) -> State:
        """Bring it up to date, and return the state.

        Raises:
            StoreError: the repository cannot be read.
        """
        with self._lock:
            state = self._catalog.read(self._read)
            if state is not self.state:
                self._count += 1
                self._changes.append((self._count, compare_states(self.state, state)))
                self.state = state
            return self.state

    def changes_since(self, cursor: str) -> tuple[State, Changes | None]:
        """Return the state, and what has changed since another one; None when nothing has."""
        with self._lock:
            state, count = self.state, self._count
            kept = list(self._changes)
        if cursor == state.cursor:
            return state, None
        name, _, number = cursor.rpartition("-")
        first = kept[0][0] if kept else count + 1
        if name != self._name or not number.isdecimal() or not first - 1 <= int(number) <= count:
            return state, Changes(reload=True)
        later = [change for number_of, change in kept if number_of > int(number)]
        removed = frozenset().union(*(change.removed for change in later))
        changed = frozenset().union(*(change.changed for change in later))
        return state, Changes(any(change.reload for change in later), changed, removed)

    def _read(self, connection: sqlite3.Connection) -> State:
        before = self.state
        mark = _read_mark(connection)
        running = self._read_running(connection)
        if mark == before.mark and running == before.running:
            return before
        if mark.made != before.mark.made:
            before = State()
        rows, blocks, problems = before.rows, before.blocks, before.problems
        if mark != before.mark:
            rows = _read_rows(connection)
            blocks = {**blocks, **_read_blocks(connection, before.mark.change)}
            problems = load_problems(connection)
        return State(f"{self._name}-{self._count + 1}", mark, rows, blocks, running, problems)

    def _read_running(self, connection: sqlite3.Connection) -> frozenset[int]:
        found = connection.execute(
            "SELECT id, number, open_sessions FROM experiments WHERE open_sessions NOT NULL"
        ).fetchall()
        if not found:
            return frozenset()
        running = set(self._find_running({one: json.loads(sessions) for one, _, sessions in found}))
        return frozenset(number for one, number, _ in found if one in running)


def compare_states(before: State, after: State) -> Changes:
    """Return what has changed."""
    known = {row.number: row for row in before.rows}
    kept = {row.number for row in after.rows}
    removed = frozenset(
        shown for row, shown in zip(before.rows, before.shown_ids, strict=True) if row.number not in kept
    )
    stayed = [row for row in before.rows if row.number in kept]
    if list(after.rows[: len(stayed)]) != stayed or not before.cursor:
        return Changes(reload=True)
    if before.rows and after.rows and len(before.shown_ids[0]) != len(after.shown_ids[0]):
        return Changes(reload=True)
    changed = {row.number for row in after.rows if row.number not in known}
    changed |= before.running ^ after.running
    for number, block in after.blocks.items():
        old = before.blocks.get(number)
        if old is not block:
            changed |= _compare_blocks(number, old, block)
    return Changes(changed=frozenset(changed & kept), removed=removed)


def _compare_blocks(number: int, before: Block | None, after: Block) -> set[int]:
    changed: set[int] = set()
    old = before.flat if before is not None else {}
    nothing: Run = [None] * BLOCK
    for column in {*old, *after.flat}:
        one, other = old.get(column, nothing), after.flat.get(column, nothing)
        if one != other:
            changed |= {number * BLOCK + place for place in range(BLOCK) if one[place] != other[place]}
    return changed


def _read_mark(connection: sqlite3.Connection) -> Mark:
    made, change = connection.execute("SELECT made, change FROM identity").fetchone()
    return Mark(made, change)


def _read_rows(connection: sqlite3.Connection) -> list[Row]:
    found = connection.execute(
        "SELECT created, id, number FROM experiments WHERE created NOT NULL ORDER BY created, id"
    )
    return [Row(*row) for row in found]


def _read_blocks(connection: sqlite3.Connection, change: int) -> dict[int, Block]:
    """Read the blocks in which something has changed since."""
    changed = connection.execute("SELECT DISTINCT number / ? FROM experiments WHERE changed > ?", (BLOCK, change))
    return {number: _read_block(connection, number) for (number,) in changed}


def _read_block(connection: sqlite3.Connection, number: int) -> Block:
    stored = connection.execute(
        "SELECT key_group, key, data FROM runs JOIN names USING (name) WHERE block = ?", (number,)
    )
    raw = {Column(group, key.decode("utf-8", "surrogatepass")): decode_run(data) for group, key, data in stored}
    return Block(raw, flatten_runs(raw))


def parse_query(filters: Iterable[str]) -> tuple[Query, datetime]:
    """Read filters, and return with them the moment that relative times in them count from."""
    now = datetime.now(timezone.utc)
    return Query.parse(filters, None, now), now
