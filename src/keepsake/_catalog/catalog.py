"""The catalog of a repository: listings answered from a local mirror of the journals, brought up to date first.

It says what listing the repository itself would say, damage included. It may be deleted at any time, also while it is
used; where it cannot be read or written, the same is done in memory.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
import zlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from keepsake._catalog.columns import BLOCK, CHECKPOINT_IDS, decode_run, make_beginnings_test
from keepsake._catalog.database import SCHEMA_VERSION, connect, drop_database, open_database
from keepsake._catalog.encoding import CatalogDamagedError
from keepsake._catalog.fields import RUNNING, Column
from keepsake._catalog.forks import gate
from keepsake._catalog.history import HistoryReader
from keepsake._catalog.sealed import SealedSegments
from keepsake._catalog.state import ListedState
from keepsake._catalog.survey import survey_changes
from keepsake._model.values import Value
from keepsake._repository.repository import VERSION, Repository
from keepsake.errors import CorruptionError, KeepsakeError, NotFoundError
from keepsake.machine import host_name

if TYPE_CHECKING:
    from keepsake._catalog.query import Query

Result = TypeVar("Result")

FindRunning = Callable[[Mapping[str, Sequence[str]]], Collection[str]]
"""Given the sessions that have not said that they ended, by experiment, returns the experiments that run."""


@dataclass(slots=True)
class CatalogListing:
    """What a listing found."""

    experiments: list[ListedState] = field(default_factory=list)
    problems: list[tuple[str, KeepsakeError]] = field(default_factory=list)
    """Keys of objects that are damaged, and why; of the whole repository, whatever was asked for."""
    unknown: list[tuple[str, list[str]]] = field(default_factory=list)
    """Names in the filters under which no experiment has anything, each with the names that look most like it."""


class Catalog:
    """The catalog of one repository.

    Args:
        repository: whose journals it mirrors.
        directory: where its file is, which must exist; None to work in memory.
        clock: returns the present time in nanoseconds since the epoch.
    """

    def __init__(
        self, repository: Repository, directory: Path | None, *, clock: Callable[[], int] = time.time_ns
    ) -> None:
        self._repository = repository
        self._identity = f"{repository.id} {repository.store.url}"
        self._clock = clock
        self.is_legacy = repository.version != VERSION
        self._sealed = SealedSegments()
        self.path = None if directory is None else directory / _file_name(repository.id, repository.store.url)

    def list_experiments(
        self,
        query: Query | None = None,
        *,
        limit: int | None = None,
        find_running: FindRunning = lambda sessions: (),  # noqa: ARG005 (nothing runs)
    ) -> CatalogListing:
        """List experiments as they are now, oldest first unless the query says otherwise.

        Args:
            query: which ones, and in which order; all when None.
            limit: at most so many: the newest, or of a sorted listing the first.
            find_running: says which of the unfinished experiments run; called at most once.

        Raises:
            InvalidInputError: no experiment has anything under the name of a sort key.
            StoreError: the repository cannot be read.
        """
        return self._with_database(lambda connection, path: self._list(connection, path, query, limit, find_running))

    def find_checkpoints(self, prefixes: Sequence[str]) -> list[ListedState]:
        """Return the experiments with a checkpoint whose id begins with one of the prefixes, and perhaps a few others.

        Of what they logged between checkpoints, not all is there.

        Raises:
            StoreError: the repository cannot be read.
        """
        return self._with_database(lambda connection, path: self._find_checkpoints(connection, path, prefixes))

    def load_kept(self, experiment_ids: Sequence[str]) -> list[ListedState]:
        """Return experiments as the catalog has them, without a look at the repository; only those that it has."""
        read = "SELECT number FROM experiments WHERE id = ? AND created NOT NULL"

        def act(connection: sqlite3.Connection) -> list[ListedState]:
            found = [row for one in experiment_ids for row in connection.execute(read, (one,))]
            return self._load_states(connection, self.path, [number for (number,) in found])

        return self.read_kept(act) or []

    def read(self, act: Callable[[sqlite3.Connection], Result]) -> Result:
        """Bring the catalog up to date, and return what `act` reads of it; called again when the catalog was damaged.

        Raises:
            StoreError: the repository cannot be read.
        """
        return self._with_database(lambda connection, _: act(connection))

    def read_kept(self, act: Callable[[sqlite3.Connection], Result]) -> Result | None:
        """Return what `act` reads of the catalog as it was left, without a look at the repository; None without one."""
        if self.path is None or not self.path.exists():
            return None
        try:
            with gate.inside(), contextlib.closing(open_database(self.path, self._identity)) as connection:
                connection.execute("BEGIN")
                return act(connection)
        except (sqlite3.Error, CatalogDamagedError):
            return None  # who looks at the repository makes it anew

    def _with_database(self, act: Callable[[sqlite3.Connection, Path | None], Result]) -> Result:
        """Bring the catalog up to date and read it: the file, else one made anew, else one in memory."""
        if self.path is not None:
            for _ in range(2):
                try:
                    return self._act(self.path, act)
                except (sqlite3.Error, CatalogDamagedError) as error:
                    if _is_in_use(error):
                        break
                    drop_database(self.path)
        return self._act(None, act)

    def _act(self, path: Path | None, act: Callable[[sqlite3.Connection, Path | None], Result]) -> Result:
        with gate.inside(), contextlib.closing(open_database(path, self._identity)) as connection:
            self._update(connection)
            connection.execute("BEGIN")  # so that all that is read is of one moment
            return act(connection, path)

    def _update(self, connection: sqlite3.Connection) -> None:
        store, now_ns = self._repository.store, self._clock()
        survey = survey_changes(connection, store, now_ns)
        if survey:
            from keepsake._catalog.mirror import write_changes

            write_changes(connection, store, survey, now_ns, self._sealed)

    def _list(
        self,
        connection: sqlite3.Connection,
        path: Path | None,
        query: Query | None,
        limit: int | None,
        find_running: FindRunning,
    ) -> CatalogListing:
        listing = CatalogListing(problems=load_problems(connection))
        if query is None:
            numbers = _newest(connection, limit)
        else:
            numbers = self._select(connection, query, find_running, listing)
            if limit is not None:
                numbers = numbers[:limit] if query.sort else numbers[-limit:]
        listing.experiments = self._load_states(connection, path, numbers)
        return listing

    def _select(
        self, connection: sqlite3.Connection, query: Query, find_running: FindRunning, listing: CatalogListing
    ) -> list[int]:
        from keepsake._catalog.query import is_known, name_nearest, select
        from keepsake._catalog.syntax import format_name

        columns = StoredColumns(connection, find_running)
        order = _newest(connection, None)
        if order:
            unknown = [name for name in query.names() if not is_known(name, columns)]
            listing.unknown = [(format_name(name), name_nearest(name, columns)) for name in unknown]
        return select(query, columns, order, datetime.fromtimestamp(self._clock() / 1e9, timezone.utc))

    def _find_checkpoints(
        self, connection: sqlite3.Connection, path: Path | None, prefixes: Sequence[str]
    ) -> list[ListedState]:
        columns = StoredColumns(connection, lambda sessions: ())  # noqa: ARG005 (status is not asked for)
        if CHECKPOINT_IDS.key not in columns.keys(CHECKPOINT_IDS.group):
            return []
        has_one = make_beginnings_test(prefixes)
        numbers = [number for number, ids in enumerate(columns.values(CHECKPOINT_IDS)) if has_one(ids)]
        return self._load_states(connection, path, numbers, with_logs=False)

    def _load_states(
        self, connection: sqlite3.Connection, path: Path | None, numbers: Sequence[int], *, with_logs: bool = True
    ) -> list[ListedState]:
        reader = HistoryReader(self._repository, path, with_logs=with_logs)
        states: list[ListedState] = []
        read = "SELECT id, stamp, head FROM experiments JOIN heads USING (number) WHERE number = ?"
        for number in numbers:
            row = connection.execute(read, (number,)).fetchone()
            if row is None:
                raise CatalogDamagedError(f"there is nothing under {number}")
            experiment_id, stamp, head = row
            states.append(ListedState(experiment_id, head, reader.add(experiment_id, number, stamp)))
        return states


class StoredColumns:
    """The columns of a catalog, each read when it is asked for; see `query.Columns`.

    Args:
        connection: the catalog.
        find_running: see `Catalog.list_experiments`.
    """

    def __init__(self, connection: sqlite3.Connection, find_running: FindRunning) -> None:
        self._connection = connection
        self._find_running = find_running
        (last,) = connection.execute("SELECT coalesce(max(number), -1) FROM experiments").fetchone()
        self.size: int = (last // BLOCK + 1) * BLOCK
        self._names: dict[str, dict[str, int]] = {}
        for name, group, key in connection.execute("SELECT name, key_group, key FROM names"):
            self._names.setdefault(group, {})[key.decode("utf-8", "surrogatepass")] = name
        self._read: dict[Column, Sequence[Value]] = {}

    def keys(self, group: str) -> Collection[str]:
        """Return the keys of the columns of a group."""
        return self._names.get(group, {})

    def values(self, column: Column) -> Sequence[Value]:
        """Return the values of a column, by the experiments' numbers."""
        if column not in self._read:
            values = self._read_column(self._names[column.group][column.key])
            if column == ("experiment", "status"):
                self._mark_running(values)
            self._read[column] = values
        return self._read[column]

    def _read_column(self, name: int) -> list[Value]:
        values: list[Value] = []
        for block, data in self._connection.execute(
            "SELECT block, data FROM runs WHERE name = ? ORDER BY block", (name,)
        ):
            values += [None] * (block * BLOCK - len(values))
            values += decode_run(data)
        return values + [None] * (self.size - len(values))

    def _mark_running(self, values: list[Value]) -> None:
        rows = self._connection.execute(
            "SELECT id, number, open_sessions FROM experiments WHERE open_sessions NOT NULL"
        ).fetchall()
        if rows:
            running = set(
                self._find_running({experiment_id: json.loads(sessions) for experiment_id, _, sessions in rows})
            )
            for experiment_id, number, _ in rows:
                if experiment_id in running:
                    values[number] = RUNNING


def find_repository_id(url: str, directory: Path) -> str | None:
    """Return the id of the repository at a URL, as the catalog says that was used last; None when there is none."""
    names = directory.glob(f"*.{_file_name('', url).lstrip('.')}")
    for path in sorted(names, key=lambda one: one.stat().st_mtime, reverse=True):
        with contextlib.suppress(sqlite3.Error), connect(path) as connection:
            repository_id, _, its_url = (
                connection.execute("SELECT repository FROM identity").fetchone()[0].partition(" ")
            )
            if its_url == url:
                return str(repository_id)
    return None


def _newest(connection: sqlite3.Connection, limit: int | None) -> list[int]:
    """Return the numbers of the newest experiments, oldest first."""
    rows = connection.execute(
        "SELECT number FROM experiments WHERE created NOT NULL ORDER BY created DESC, id DESC LIMIT ?",
        (-1 if limit is None else limit,),
    ).fetchall()
    return [number for (number,) in reversed(rows)]


def load_problems(connection: sqlite3.Connection) -> list[tuple[str, KeepsakeError]]:
    rows = connection.execute("SELECT problems FROM experiments WHERE problems NOT NULL ORDER BY id")
    return [
        (key, (NotFoundError if kind == NotFoundError.kind else CorruptionError)(message, hint=hint))
        for (text,) in rows
        for key, kind, message, hint in json.loads(text)
    ]


def _is_in_use(error: Exception) -> bool:
    # What SQLite says of SQLITE_BUSY and SQLITE_LOCKED; Python 3.10 does not tell the code.
    return isinstance(error, sqlite3.OperationalError) and "locked" in str(error)


def _file_name(repository_id: str, url: str) -> str:
    # Copies of a repository have its id. Should two of their URLs have one checksum, they take turns with the file.
    checksum = zlib.crc32(url.encode("utf-8", "surrogateescape"))
    return f"{repository_id}.{checksum:08x}.{host_name()}.{SCHEMA_VERSION}.sqlite"
