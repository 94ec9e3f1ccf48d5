"""Reads what experiments have measured, as arrays, and each line of a journal once.

- What was read stays in memory, up to a limit, and in files under the user's cache directory, which may be deleted at
  any time; one that is damaged is made anew.
- Segments only grow, so of one that was read before, only what follows is read.
- Which segments there are is what the catalog says, as it was brought up to date last, else the store.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from keepsake._catalog.database import connect
from keepsake._catalog.encoding import CatalogDamagedError
from keepsake._catalog.growth import Growth
from keepsake._catalog.measurementcache import KeptMeasurements, MeasurementCache
from keepsake._catalog.measurements import Measurements, no_measurements
from keepsake._catalog.stored import decode_segments
from keepsake._catalog.survey import Segments, segments_of_stamp, stamp_of
from keepsake._model.keys import SegmentName, journals_prefix
from keepsake._repository.journal import list_segments, longest_segments
from keepsake._repository.repository import Repository
from keepsake.errors import CorruptionError, KeepsakeError, NotFoundError
from keepsake.stores.base import DirectoryStore

MEMORY_BYTES = 64 * 1024 * 1024
"""Two million points of one metric, or a hundred thousand rows of fifty."""
SAVE_BYTES = 32 * 1024
"""A journal that is shorter is read as quickly as a file of arrays."""
_WHOLE = 1 << 62

SegmentPlace = tuple[str, int]
"""Session and number: what names a segment while it grows."""


class _Listed(NamedTuple):
    """What the catalog says of an experiment."""

    number: int | None
    """Under which it keeps the segments; None when it keeps none."""
    stamp: str
    """Names the segments, and differs when they do."""


@dataclass
class _Entry:
    """What is in memory of one experiment."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    stamp: str | None = None
    """Of the segments that were read; None when not all could be."""
    measurements: Measurements = field(default_factory=no_measurements)
    consumed: dict[SegmentPlace, int] = field(default_factory=dict)
    """How much of each segment was read."""
    kept: KeptMeasurements | None = None
    """Has the columns that are not loaded."""
    saved_bytes: int = 0
    """How much had been read when the file was written."""
    memory_bytes: int | None = None
    """What the measurements take; None when that is to be counted anew."""


class CurveReader:
    """The measurements of the experiments of one repository. All methods may be called by several threads at once.

    Args:
        repository: of the experiments.
        catalog: file of its catalog; None when there is none.
        cache: the files of arrays; None to keep none.
        memory_bytes: how much is kept in memory.
    """

    def __init__(
        self,
        repository: Repository,
        catalog: Path | None = None,
        cache: MeasurementCache | None = None,
        *,
        memory_bytes: int = MEMORY_BYTES,
    ) -> None:
        self._repository = repository
        self._catalog = catalog
        self._cache = cache
        self._memory_bytes = memory_bytes
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._sizes: dict[str, int] = {}
        self._total_bytes = 0
        self._lock = threading.Lock()

    def load(self, experiment_ids: Sequence[str], metrics: Iterable[str] | None = None) -> dict[str, Measurements]:
        """Return the measurements of experiments by id, without those that were deleted.

        Args:
            experiment_ids: which ones; whole ids.
            metrics: whose columns are to be loaded; all when None.

        Raises:
            StoreError: the repository cannot be read.
        """
        wanted = None if metrics is None else list(metrics)
        found: dict[str, Measurements] = {}
        for experiment_id, listed in self._list(experiment_ids).items():
            entry = self._entry(experiment_id)
            with entry.lock:
                self._update(experiment_id, entry, listed)
                if not _load_columns(entry, wanted):
                    is_complete = self._read_again(experiment_id, entry, listed)
                    entry.stamp = listed.stamp if is_complete else None
                measurements = entry.measurements
                if entry.kept is not None:
                    entry.kept.forget_first()
            self._remember(experiment_id, entry)
            if not measurements.is_deleted and measurements.began_us is not None:
                found[experiment_id] = measurements
        return found

    def _list(self, experiment_ids: Sequence[str]) -> dict[str, _Listed]:
        """Return the segments of those experiments that are there."""
        listed = self._list_from_catalog(experiment_ids)
        # Of one that could not be read whole, the catalog does not say what there is.
        rest = experiment_ids if listed is None else [one for one, said in listed.items() if not said.stamp]
        infos = {one: self._find_segments(one) for one in rest}
        found = {one: _Listed(None, stamp_of(segments)) for one, segments in infos.items() if segments}
        return {one: said for one, said in (listed or {}).items() if said.stamp} | found

    def _find_segments(self, experiment_id: str) -> Segments:
        return longest_segments(self._repository.store.list(journals_prefix(experiment_id))).get(experiment_id, [])

    def _list_from_catalog(self, experiment_ids: Sequence[str]) -> dict[str, _Listed] | None:
        """Return what the catalog says; None when it cannot be read."""
        if self._catalog is None or not self._catalog.exists():
            return None
        keeps_segments = not isinstance(self._repository.store, DirectoryStore)
        read = "SELECT number, stamp FROM experiments WHERE id = ? AND created NOT NULL"
        with contextlib.suppress(sqlite3.Error), connect(self._catalog) as connection:
            rows = [(one, connection.execute(read, (one,)).fetchone()) for one in experiment_ids]
            return {one: _Listed(row[0] if keeps_segments else None, row[1]) for one, row in rows if row is not None}
        return None

    def _entry(self, experiment_id: str) -> _Entry:
        with self._lock:
            entry = self._entries.get(experiment_id)
            if entry is None:
                entry = self._entries[experiment_id] = _Entry()
            return entry

    def _remember(self, experiment_id: str, entry: _Entry) -> None:
        """Count what is in memory, and let go of what was not asked for the longest."""
        with self._lock:
            if self._entries.get(experiment_id) is not entry:
                return
            self._entries.move_to_end(experiment_id)
            if entry.memory_bytes is None:
                entry.memory_bytes = entry.measurements.size_bytes
                self._total_bytes += entry.memory_bytes - self._sizes.get(experiment_id, 0)
                self._sizes[experiment_id] = entry.memory_bytes
            while self._total_bytes > self._memory_bytes and len(self._entries) > 1:
                oldest, _ = self._entries.popitem(last=False)
                self._total_bytes -= self._sizes.pop(oldest, 0)

    def _update(self, experiment_id: str, entry: _Entry, listed: _Listed) -> None:
        """Read what was written since."""
        if entry.stamp == listed.stamp:
            return
        if not entry.consumed:
            self._open_kept(experiment_id, entry)
        segments = {_place_of(name): name for name in segments_of_stamp(listed.stamp)}
        if any(_is_other(segments.get(place), size_bytes) for place, size_bytes in entry.consumed.items()):
            _forget(entry)
        changed = [one for place, one in segments.items() if one.size_bytes != entry.consumed.get(place, -1)]
        entry.stamp = listed.stamp if self._read(experiment_id, entry, listed, changed) else None
        total_bytes = sum(entry.consumed.values())
        if self._cache is not None and total_bytes - entry.saved_bytes >= max(SAVE_BYTES, entry.saved_bytes // 8):
            self._cache.save(experiment_id, entry.measurements, entry.consumed)
            entry.saved_bytes = total_bytes

    def _open_kept(self, experiment_id: str, entry: _Entry) -> None:
        """Begin with what a file has, if there is one."""
        kept = self._cache.find(experiment_id) if self._cache is not None else None
        if kept is None:
            return
        with contextlib.suppress(CatalogDamagedError, KeepsakeError):
            entry.measurements = kept.load_bases()
            entry.consumed = dict(kept.consumed)
            entry.kept = kept
            entry.saved_bytes = sum(entry.consumed.values())
            entry.memory_bytes = None

    def _read_again(self, experiment_id: str, entry: _Entry, listed: _Listed) -> bool:
        """Read all that there is, and say whether all of it was there."""
        _forget(entry)
        return self._read(experiment_id, entry, listed, segments_of_stamp(listed.stamp))

    def _read(self, experiment_id: str, entry: _Entry, listed: _Listed, names: Sequence[SegmentName]) -> bool:
        """Read what follows in these segments, one after the other, and say whether all of them were there."""
        growth: Growth | None = None
        is_complete = True
        consumed = dict(entry.consumed)
        contents = self._load_segments(experiment_id, listed) if names else {}
        for name in sorted(names, key=_place_of):
            start = consumed.get(_place_of(name), 0)
            try:
                data = contents[name.key][start:] if name.key in contents else self._load_rest(name, start)
            except (NotFoundError, CorruptionError):
                is_complete = False
                continue
            whole = data[: data.rfind(b"\n") + 1]
            if whole:
                if growth is None:
                    if not _load_columns(entry, None):
                        return self._read_again(experiment_id, entry, listed)
                    growth = Growth(entry.measurements)
                growth.add_lines(name, whole)
                consumed[_place_of(name)] = start + len(whole)
        if growth is not None:
            entry.measurements, entry.consumed = growth.result(), consumed
            entry.kept = None
            entry.memory_bytes = None
        return is_complete

    def _load_rest(self, name: SegmentName, start: int) -> bytes:
        """Read a segment from `start`; it may be sealed, or published longer, between the listing and now."""
        store = self._repository.store
        try:
            return store.get_range(name.key, start, _WHOLE)
        except NotFoundError:
            found = list_segments(store, name.experiment_id).get(name.experiment_id, [])
            for other in found:
                if _place_of(other) == _place_of(name):
                    return store.get_range(other.key, start, _WHOLE)
            raise

    def _load_segments(self, experiment_id: str, listed: _Listed) -> Mapping[str, bytes]:
        """Return the segments that the catalog keeps, by key."""
        if listed.number is None or self._catalog is None:
            return {}
        read = (
            "SELECT lengths, data FROM experiments JOIN journals USING (number)"
            " WHERE number = ? AND id = ? AND stamp = ?"
        )
        with (
            contextlib.suppress(sqlite3.Error, CatalogDamagedError),
            connect(self._catalog) as connection,
        ):
            row = connection.execute(read, (listed.number, experiment_id, listed.stamp)).fetchone()
            return decode_segments(*row) if row is not None else {}
        return {}


def _place_of(name: SegmentName) -> SegmentPlace:
    return name.session_id, name.number


def _load_columns(entry: _Entry, metrics: Sequence[str] | None) -> bool:
    """Load columns that were left in the file, all when `metrics` is None; say whether that was possible."""
    columns = entry.measurements.columns
    names = columns if metrics is None else columns.keys() & metrics
    missing = [name for name in names if columns[name] is None]
    if not missing or entry.kept is None:
        return True
    try:
        for name in missing:
            columns[name] = entry.kept.load_column(name)
    except (CatalogDamagedError, KeepsakeError):
        return False
    finally:
        entry.memory_bytes = None
    return True


def _is_other(name: SegmentName | None, size_bytes: int) -> bool:
    """Say whether a segment of which so much was read is gone, or has become shorter."""
    return name is None or (name.size_bytes is not None and name.size_bytes < size_bytes)


def _forget(entry: _Entry) -> None:
    entry.stamp = None
    entry.measurements = no_measurements()
    entry.consumed = {}
    entry.kept = None
    entry.saved_bytes = 0
    entry.memory_bytes = None
