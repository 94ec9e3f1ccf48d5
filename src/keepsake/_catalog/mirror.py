"""Brings a catalog up to date: reads what has changed, folds it, and writes down what listings are answered from.

One process does this at a time, and as one change of the database, so that no two of them mix what they saw at
different times. From a store that is not a disk, segments are kept as they were read, so that an experiment with a new
one needs no other to be read again, and its whole history can be had without a request.
"""

from __future__ import annotations

import contextlib
import gc
import json
import sqlite3
from collections import defaultdict
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

from keepsake._catalog.columns import BLOCK, Groups, change_block, decode_run, encode_run, values_of
from keepsake._catalog.database import writing
from keepsake._catalog.encoding import encode_kept
from keepsake._catalog.fetch import SegmentFetcher, one_ahead
from keepsake._catalog.fields import Column
from keepsake._catalog.sealed import Remembered, SealedSegments, remember
from keepsake._catalog.state import head_of
from keepsake._catalog.stored import decode_segments, encode_segments
from keepsake._catalog.survey import Known, Segments, Survey, data_version, directory_of, stamp_of, survey_changes
from keepsake._model.events import ExperimentState, fold_events, open_sessions
from keepsake._repository.journal import Journal, get_segment, lost_beginning, read_events
from keepsake.errors import CorruptionError, KeepsakeError, NotFoundError
from keepsake.stores.base import DirectoryStore, Store

BATCH = 4 * BLOCK
"""Experiments that are written at once."""

Item = TypeVar("Item")


def write_changes(
    connection: sqlite3.Connection, store: Store, survey: Survey, now_ns: int, sealed: SealedSegments
) -> None:
    """Read what has changed and write it down.

    Args:
        connection: the catalog.
        store: of the repository.
        survey: what has changed. When another process has brought the catalog up to date since, it is made once more.
        now_ns: see `survey_changes`.
        sealed: what is remembered of segments that cannot have changed.

    Raises:
        StoreError: the store cannot be listed or read.
        UnsupportedVersionError: a newer Keepsake wrote something that cannot be read.
        sqlite3.Error, CatalogDamagedError: the catalog cannot be written, or is damaged.
    """
    with writing(connection):
        if data_version(connection) != survey.data_version:
            survey = survey_changes(connection, store, now_ns)
        with _without_cycle_collection():
            _apply(connection, store, survey, sealed)


@contextlib.contextmanager
def _without_cycle_collection() -> Iterator[None]:
    """Nothing that is read here is part of a cycle, and looking for some among it takes a twentieth of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@dataclass(slots=True)
class _Reading:
    """One experiment as it was just read."""

    number: int
    experiment_id: str
    stamp: str
    segments: Segments
    contents: dict[str, bytes]
    problems: list[tuple[str, KeepsakeError]]
    state: ExperimentState | None

    def row(self) -> tuple[Any, ...]:
        """Return the row of the table `experiments`, without what says when it changed."""
        state = self.state
        sessions = open_sessions(state) if state is not None else []
        problems = [[key, error.kind, error.message, error.hint] for key, error in self.problems]
        return (
            self.number,
            self.experiment_id,
            directory_of(self.segments[0][0]),
            self.stamp,
            any(name.size_bytes is None for name, _ in self.segments),
            None if state is None else str(state.created["time"]).encode("utf-8", "surrogatepass"),
            json.dumps(sessions) if sessions else None,
            json.dumps(problems) if problems else None,
        )


def _apply(connection: sqlite3.Connection, store: Store, survey: Survey, sealed: SealedSegments) -> None:
    changes = _Changes(connection, is_gone=bool(survey.gone))
    gone = [survey.known[experiment_id].number for experiment_id in survey.gone]
    for number in gone:
        connection.execute("DELETE FROM experiments WHERE number = ?", (number,))
        _forget(connection, number)
    _write_columns(connection, dict.fromkeys(gone))
    keep_segments = not isinstance(store, DirectoryStore)
    (last,) = connection.execute("SELECT coalesce(max(number), -1) FROM experiments").fetchone()
    rows = _Rows(changes, keep_segments=keep_segments)
    with contextlib.closing(_fetch(connection, store, survey)) as stale:
        for experiment_id, segments, contents in stale:
            known = survey.known.get(experiment_id)
            last += known is None
            number = last if known is None else known.number
            known_sealed = {} if keep_segments else sealed.of(experiment_id, segments)
            reading = _read(store, number, experiment_id, segments, contents, known_sealed)
            rows.add(reading, is_known=known is not None)
            if known is not None:
                _forget(connection, number)
            if len(rows.values) == BATCH:
                rows.write(connection)
                rows = _Rows(changes, keep_segments=keep_segments)
    rows.write(connection)
    changes.write()
    connection.executemany("DELETE FROM directories WHERE prefix = ?", ((one,) for one in survey.gone_directories))
    connection.executemany("INSERT OR REPLACE INTO directories VALUES (?, ?)", survey.directories.items())


def _fetch(
    connection: sqlite3.Connection, store: Store, survey: Survey
) -> Generator[tuple[str, Segments, Mapping[str, bytes]], None, None]:
    """Yield what is stale: its id, its segments, and the contents of those that are at hand or could be fetched."""
    stale = dict(survey.stale)
    if not isinstance(store, DirectoryStore):
        from keepsake._catalog.packed import read_packed

        unknown = {one: segments for one, segments in stale.items() if one not in survey.known}
        for experiment_id, contents in read_packed(store, unknown):
            yield experiment_id, stale.pop(experiment_id), contents
    with SegmentFetcher(store) as fetcher:

        def ask(batch: Sequence[tuple[str, Segments]]) -> Sequence[tuple[str, Segments]]:
            kept = {one: _load_kept(connection, survey, one, segments) for one, segments in batch}
            fetcher.want({one: [name for name, _ in segments] for one, segments in batch}, kept)
            return batch

        for batch in one_ahead(map(ask, _batches(stale.items(), BATCH))):
            for experiment_id, segments in batch:
                yield experiment_id, segments, fetcher.take(experiment_id)


def _load_kept(
    connection: sqlite3.Connection, survey: Survey, experiment_id: str, segments: Segments
) -> dict[str, bytes]:
    known = survey.known.get(experiment_id)
    return _load_unchanged(connection, known, segments) if known is not None else {}


def _read(
    store: Store,
    number: int,
    experiment_id: str,
    segments: Segments,
    kept: Mapping[str, bytes],
    sealed: Remembered,
) -> _Reading:
    """Read and fold one experiment, of which some segments are at hand, or were read before."""
    journal = Journal(experiment_id)
    contents: dict[str, bytes] = {}
    is_complete = True
    for name, info in segments:
        held = sealed.get((info.key, info.tag))
        if held is None:
            content = kept.get(name.key)
            if content is None:
                try:
                    content = get_segment(store, name)
                except (
                    NotFoundError,
                    CorruptionError,
                ) as error:  # damage is found so early in a repository of format 1
                    journal.problems.append((name.key, error))
                    is_complete = False
                    continue
            contents[name.key] = content
            held = Journal(experiment_id)
            read_events(name, content, held, with_logs=False)
            if name.size_bytes is not None:
                remember(sealed, info, held)
        journal.events += held.events
        journal.problems += held.problems
    state = fold_events(experiment_id, journal.events)
    problems = journal.problems + (lost_beginning(journal) if state is None else [])
    # What was not there a moment ago may be there the next time, so the stamp is one that nothing has.
    stamp = stamp_of(segments) if is_complete else ""
    return _Reading(number, experiment_id, stamp, segments, contents, problems, state)


def _load_unchanged(connection: sqlite3.Connection, known: Known, segments: Segments) -> dict[str, bytes]:
    """Return the contents of the segments that were read before and have not changed, by key."""
    row = connection.execute("SELECT lengths, data FROM journals WHERE number = ?", (known.number,)).fetchone()
    if row is None or len(segments) == 1:
        return {}
    unchanged = {*known.stamp.split("\n")} & {*stamp_of(segments).split("\n")}
    keys = {line.partition("\t")[0] for line in unchanged}
    return {key: content for key, content in decode_segments(*row).items() if key in keys}


class _Changes:
    """Numbers the change that is being made, and says of each experiment when it last changed.

    Args:
        connection: the catalog.
        is_gone: whether rows vanish with this change.
    """

    def __init__(self, connection: sqlite3.Connection, *, is_gone: bool) -> None:
        self._connection = connection
        (last,) = connection.execute("SELECT change FROM identity").fetchone()
        self._number: int = last + 1
        self._is_gone = is_gone
        self._is_made = is_gone

    def find_marks(self, row: tuple[Any, ...], head: bytes | None, *, is_known: bool) -> tuple[int, int | None]:
        """Return when an experiment last changed, and when it appeared in listings, given what is written of it."""
        changed, appeared, before = None, None, [None]
        if is_known:
            changed, appeared, *before = self._connection.execute(
                "SELECT changed, appeared, created, open_sessions, problems, head"
                " FROM experiments LEFT JOIN heads USING (number) WHERE number = ?",
                (row[0],),
            ).fetchone()
            if before == [*row[5:], head]:
                return changed, appeared  # read again, as a part of it cannot be had, and the same as before
        self._is_made = True
        appears = before[0] is None and row[5] is not None
        return self._number, self._number if appears else appeared

    def write(self) -> None:
        """Write the number down, if there was a change."""
        if self._is_made:
            self._connection.execute("UPDATE identity SET change = ?", (self._number,))
        if self._is_gone:
            self._connection.execute("UPDATE identity SET gone = ?", (self._number,))


class _Rows:
    """What is to be written of several experiments, in few statements; the experiments themselves are not held."""

    def __init__(self, changes: _Changes, *, keep_segments: bool) -> None:
        self.values: dict[int, Groups | None] = {}
        """By number, what they can be filtered and sorted by; None for what is gone."""
        self._changes = changes
        self._keep_segments = keep_segments
        self._experiments: list[tuple[Any, ...]] = []
        self._heads: list[tuple[int, bytes]] = []
        self._journals: list[tuple[Any, ...]] = []

    def add(self, reading: _Reading, *, is_known: bool) -> None:
        """Add one experiment; `is_known` says whether there is something of it, which is to be deleted after this."""
        encoded = None
        self.values[reading.number] = None
        if reading.state is not None:
            head = head_of(reading.state)
            encoded = encode_kept(head)
            self._heads.append((reading.number, encoded))
            self.values[reading.number] = values_of(reading.state, head)
        row = reading.row()
        self._experiments.append(row + self._changes.find_marks(row, encoded, is_known=is_known))
        if self._keep_segments and reading.stamp:
            self._journals.append((reading.number, *encode_segments(reading.contents)))

    def write(self, connection: sqlite3.Connection) -> None:
        """Write everything."""
        connection.executemany(
            "INSERT OR REPLACE INTO experiments VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", self._experiments
        )
        connection.executemany("INSERT INTO heads VALUES (?, ?)", self._heads)
        connection.executemany("INSERT INTO journals VALUES (?, ?, ?)", self._journals)
        _write_columns(connection, self.values)


def _forget(connection: sqlite3.Connection, number: int) -> None:
    connection.execute("DELETE FROM heads WHERE number = ?", (number,))
    connection.execute("DELETE FROM journals WHERE number = ?", (number,))


def _write_columns(connection: sqlite3.Connection, changes: Mapping[int, Groups | None]) -> None:
    """Write the columns anew of all blocks in which experiments have changed."""
    by_block: defaultdict[int, dict[int, Groups | None]] = defaultdict(dict)
    for number, groups in changes.items():
        by_block[number // BLOCK][number % BLOCK] = groups
    for block, changed in by_block.items():
        stored = connection.execute(
            "SELECT key_group, key, data FROM runs JOIN names USING (name) WHERE block = ?", (block,)
        )
        runs = {Column(group, key.decode("utf-8", "surrogatepass")): decode_run(data) for group, key, data in stored}
        change_block(runs, changed)
        connection.execute("DELETE FROM runs WHERE block = ?", (block,))
        rows = [(block, data, *_encode_name(column)) for column, run in runs.items() if (data := encode_run(run))]
        connection.executemany("INSERT OR IGNORE INTO names (key_group, key) VALUES (?, ?)", (row[2:] for row in rows))
        connection.executemany("INSERT INTO runs SELECT ?, name, ? FROM names WHERE key_group = ? AND key = ?", rows)


def _encode_name(column: Column) -> tuple[str, bytes]:
    # Names come from JSON, where text may hold what UTF-8 does not allow.
    return column.group, column.key.encode("utf-8", "surrogatepass")


def _batches(items: Iterable[Item], size: int) -> Iterator[Sequence[Item]]:
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch
