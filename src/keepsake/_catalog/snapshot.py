"""All experiments of a repository as columns in memory, brought up to date from the catalog.

For who looks again and again, as a page that is open does. A state never changes once it is there, so any number of
threads can read it; `refresh` puts a new one in its place, which shares with the old one what is the same.

A state has a cursor, and what has changed since another cursor can be said as long as it is one of the same catalog,
also by another process.
"""

from __future__ import annotations

import functools
import json
import sqlite3
import threading
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

from keepsake._catalog.blocks import NOTHING, STATUS, Block, RawColumns
from keepsake._catalog.catalog import Catalog, FindRunning, load_problems
from keepsake._catalog.columns import BLOCK, CHECKPOINT_IDS, Run, begins_id
from keepsake._catalog.cursor import Cursor, format_running, parse_cursor, parse_running
from keepsake._catalog.encoding import check_kept
from keepsake._catalog.fields import RUNNING, Column
from keepsake._catalog.flat import SHOWN_ID_DIGITS, order_columns
from keepsake._catalog.query import Query, is_known, name_nearest, select
from keepsake._catalog.state import ListedState
from keepsake._catalog.syntax import format_name
from keepsake._model.ids import check_prefix, resolve_prefix
from keepsake._model.values import Value
from keepsake.errors import KeepsakeError


class Row(NamedTuple):
    """An experiment as the catalog has it."""

    created: bytes
    id: str
    number: int
    changed: int
    """Number of the change of the catalog after which it was last different."""
    appeared: int
    """Number of the one with which it appeared."""


class Mark(NamedTuple):
    """What is different when the catalog is."""

    made: str = ""
    """Names the file, which may be made anew at any time."""
    change: int = 0
    gone: int = 0
    """Number of the last change with which rows vanished."""


@dataclass(frozen=True)
class Changes:
    """What has changed between two states."""

    reload: bool = False
    """Whether all has to be read again: rows have moved, or nobody knows what has changed."""
    rows: Sequence[Row] = ()
    """The experiments that are new or different, in order."""
    removed: Sequence[str] = ()
    """Ids, as they were shown, of those that are gone."""


@dataclass(frozen=True)
class State:
    """The experiments at one moment."""

    mark: Mark = field(default_factory=Mark)
    rows: Sequence[Row] = ()
    """Oldest first."""
    vanished: Mapping[str, int] = field(default_factory=dict)
    """Ids of experiments that were there and are deleted, with the number of the change."""
    blocks: Mapping[int, Block] = field(default_factory=dict)
    running: frozenset[int] = frozenset()
    """Numbers of the experiments that run."""
    problems: Sequence[tuple[str, KeepsakeError]] = ()
    """Keys of damaged objects, and why."""
    is_legacy: bool = False
    """Whether Keepsake 0.x wrote them."""

    @functools.cached_property
    def cursor(self) -> str:
        """Names this state among all of the repository, for this Keepsake."""
        return str(Cursor(self.mark.made, self.mark.change, format_running(self.running), self.digits))

    @functools.cached_property
    def digits(self) -> int:
        """How many digits of the ids tell all experiments apart."""
        digits = SHOWN_ID_DIGITS
        while len({row.id[:digits] for row in self.rows}) < len(self.rows):
            digits += 1
        return digits

    @functools.cached_property
    def _sorted_ids(self) -> list[str]:
        return sorted(row.id for row in self.rows)

    def has_id(self, experiment_id: str) -> bool:
        """Say whether there is an experiment of this id."""
        place = bisect_left(self._sorted_ids, experiment_id)
        return self._sorted_ids[place : place + 1] == [experiment_id]

    def find_id(self, prefix: str) -> str:
        """Return the one id that begins so; errors as of `resolve_prefix`."""
        wanted = check_prefix(prefix, noun="experiment")
        return resolve_prefix(wanted, self.find_ids(wanted), noun="experiment")

    def find_ids(self, digits: str) -> list[str]:
        """Return the ids of the experiments that begin so."""
        start = bisect_left(self._sorted_ids, digits)
        # Behind all that begin so, since every digit sorts before `g`.
        return self._sorted_ids[start : bisect_left(self._sorted_ids, digits + "g", start)]

    def find_with_checkpoint(self, digits: str) -> list[str]:
        """Return the ids of the experiments with a checkpoint whose id begins so, and perhaps of a few others."""
        if CHECKPOINT_IDS.key not in self._raw.keys(CHECKPOINT_IDS.group):
            return []
        joined = self._raw.values(CHECKPOINT_IDS)
        return [row.id for row in self.rows if begins_id(joined[row.number], digits)]

    @functools.cached_property
    def known_columns(self) -> Collection[Column]:
        """The columns in which any experiment has a value."""
        return {column for block in self.blocks.values() for column in block.flat}

    @functools.cached_property
    def columns(self) -> list[Column]:
        """The same, in the order in which they are shown."""
        return order_columns(self.known_columns)

    def shown_id(self, row: Row) -> str:
        """Return the beginning of an id that is shown."""
        return row.id[: self.digits]

    def shown(self, column: Column) -> list[Value]:
        """Return the values of a column as it is shown, in the order of the rows."""
        if not self.rows:
            return []
        values: list[Value] = []
        for run in self.runs(column):
            values += NOTHING if run is None else run
        self._mark_running(column, values)
        return list(self._pick(values))

    def runs(self, column: Column) -> list[Run | None]:
        """Return the runs that a column is made of; those that are the same in two states are the same objects."""
        blocks = map(self.blocks.get, range(max(self.blocks, default=-1) + 1))
        return [None if block is None else block.flat.get(column) for block in blocks]

    def shown_in(self, rows: Iterable[Row], column: Column) -> list[Value]:
        """Return the values of a column in some of the rows."""
        if column == STATUS:
            return [RUNNING if row.number in self.running else self._value(row, column) for row in rows]
        return [self._value(row, column) for row in rows]

    def select(self, query: Query, now: datetime) -> list[int]:
        """Return the places among the rows of those that the query keeps, in its order.

        Raises:
            InvalidInputError: no experiment has anything under the name of a sort key.
        """
        return list(map(self.places.__getitem__, select(query, self._raw, self._numbers, now)))

    def find_unknown(self, query: Query) -> list[tuple[str, list[str]]]:
        """Return the names in the filters under which nobody has anything, each with those that look most like it."""
        unknown = [name for name in query.names() if self.rows and not is_known(name, self._raw)]
        return [(format_name(name), name_nearest(name, self._raw)) for name in unknown]

    def changes_since(self, cursor: str) -> Changes | None:
        """Return what has changed since the state with another cursor; None when nothing has."""
        if cursor == self.cursor:
            return None
        since = parse_cursor(cursor)
        if since is None or not self._follows(since):
            return Changes(reload=True)
        running = parse_running(since.running)
        if running is None and since.running != format_running(self.running):
            return Changes(reload=True)
        turned = self.running ^ (self.running if running is None else running)
        rows = [row for row in self.rows if row.changed > since.change or row.number in turned]
        present = {row.id for row in rows}
        gone = [one for one, change in self.vanished.items() if change > since.change and one not in present]
        return Changes(rows=rows, removed=[one[: self.digits] for one in gone])

    def _follows(self, since: Cursor) -> bool:
        """Say whether all that differs from an earlier state are rows: changed, gone, or added after all others."""
        if (since.made, since.digits) != (self.mark.made, self.digits):
            return False
        if not self.mark.gone <= since.change <= self.mark.change:
            return False
        new = sum(row.appeared > since.change for row in self.rows)
        return all(row.appeared > since.change for row in self.rows[len(self.rows) - new :])

    @functools.cached_property
    def places(self) -> Mapping[int, int]:
        """The places among the rows by number."""
        return {row.number: place for place, row in enumerate(self.rows)}

    def _value(self, row: Row, column: Column) -> Value:
        return self.blocks[row.number // BLOCK].flat.get(column, NOTHING)[row.number % BLOCK]

    def _mark_running(self, column: Column, values: list[Value]) -> None:
        if column == STATUS:
            for number in self.running:
                values[number] = RUNNING

    @functools.cached_property
    def _numbers(self) -> Sequence[int]:
        return [row.number for row in self.rows]

    @functools.cached_property
    def _pick(self) -> Callable[[Sequence[Value]], Iterable[Value]]:
        numbers = self._numbers
        return itemgetter(*numbers) if len(numbers) > 1 else lambda values: [values[number] for number in numbers]

    @functools.cached_property
    def _raw(self) -> RawColumns:
        return RawColumns(self.blocks, self.running)


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
        self.state = State()

    @property
    def path(self) -> Path | None:
        """The file of the catalog, beside which more may be kept that belongs to it; None when nothing is kept."""
        return self._catalog.path

    def load(self, experiment_ids: Sequence[str]) -> list[ListedState]:
        """Return experiments as they were when it was last brought up to date; only those that are still there."""
        return self._catalog.load_kept(experiment_ids)

    def refresh(self) -> State:
        """Bring it up to date, and return the state.

        Raises:
            StoreError: the repository cannot be read.
        """
        with self._lock:
            self.state = self._catalog.read(self._read)
            return self.state

    def load_kept(self) -> State:
        """Return what the catalog has, without a look at the repository; nothing is said to run then."""
        with self._lock:
            self.state = self._catalog.read_kept(lambda connection: _read_state(connection, self.state)) or self.state
            return self.state

    def _read(self, connection: sqlite3.Connection) -> State:
        state = _read_state(connection, self.state)
        found = connection.execute(
            "SELECT id, number, open_sessions FROM experiments WHERE open_sessions NOT NULL"
        ).fetchall()
        running: frozenset[int] = frozenset()
        if found:
            ids = set(self._find_running({one: json.loads(sessions) for one, _, sessions in found}))
            running = frozenset(number for one, number, _ in found if one in ids)
        if state is self.state and running == state.running:
            return state
        return replace(state, running=running, is_legacy=self._catalog.is_legacy)


def parse_query(filters: Iterable[str]) -> tuple[Query, datetime]:
    """Read filters, and return with them the moment that relative times in them count from.

    Raises:
        UnreadableTextError: one cannot be read.
    """
    now = datetime.now(timezone.utc)
    return Query.parse(filters, None, now), now


def _read_state(connection: sqlite3.Connection, before: State) -> State:
    """Read what is different from the state before."""
    mark = Mark(*connection.execute("SELECT made, change, gone FROM identity").fetchone())
    if mark == before.mark:
        return before
    if mark.made != before.mark.made or mark.gone != before.mark.gone:
        before = State()
    since = before.mark.change
    vanished = connection.execute(
        "SELECT id, changed FROM experiments WHERE created IS NULL AND appeared NOT NULL AND changed > ?", (since,)
    )
    return State(
        mark,
        _read_rows(connection, before),
        {**before.vanished, **dict(vanished.fetchall())},
        {**before.blocks, **_read_blocks(connection, before)},
        before.running,
        load_problems(connection),
    )


def _read_rows(connection: sqlite3.Connection, before: State) -> list[Row]:
    changed = connection.execute(
        "SELECT created, id, number, changed, appeared FROM experiments WHERE changed > ? ORDER BY created, id",
        (before.mark.change,),
    )
    rows = list(before.rows)
    new: list[Row] = []
    for row in map(Row._make, changed):
        place = before.places.get(row.number)
        if place is not None:
            rows[place] = row
        elif row.created is not None:
            new.append(row)
    rows = [row for row in rows if row.created is not None]
    is_append = not rows or not new or rows[-1] < new[0]
    rows += new
    return rows if is_append else sorted(rows)


def _read_blocks(connection: sqlite3.Connection, before: State) -> dict[int, Block]:
    """Read the blocks in which something has changed, and see that they are whole, since they are decoded later."""
    changed = connection.execute(
        "SELECT DISTINCT number / ? FROM experiments WHERE changed > ?", (BLOCK, before.mark.change)
    ).fetchall()
    stored = "SELECT key_group, key, data FROM runs JOIN names USING (name) WHERE block = ?"
    blocks = {}
    for (number,) in changed:
        runs = connection.execute(stored, (number,)).fetchall()
        for *_, data in runs:
            check_kept(data)
        encoded = {Column(group, key.decode("utf-8", "surrogatepass")): data for group, key, data in runs}
        blocks[number] = Block(encoded, before.blocks.get(number))
    return blocks
