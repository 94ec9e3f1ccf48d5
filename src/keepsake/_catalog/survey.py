"""What has changed in a repository's journals since the catalog last looked.

- **A store with directories.** One that has not changed since is not listed again: a new segment, a sealed one and a
  deleted one all change it. An append does not, so segments that are open are looked at one by one. A directory that
  changed less than two seconds before it was listed is not relied on, since the next change may carry the same time.
- **Any other store.** Everything is listed, and compared by key and tag.

A sealed segment never changes, so one that is damaged later, in place, goes on being listed as it was when it was read;
`keepsake check` reads everything.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from keepsake._model.keys import JOURNALS, SegmentName, parse_segment_key
from keepsake._repository.journal import longest_segments
from keepsake.stores.base import DirectoryStore, ObjectInfo, Store

SETTLING_NS = 2_000_000_000
"""The coarsest times that a file system keeps: https://learn.microsoft.com/windows/win32/sysinfo/file-times (FAT)."""

Segments = list[tuple[SegmentName, ObjectInfo]]


@dataclass(slots=True)
class Known:
    """What the catalog has of one experiment."""

    number: int
    stamp: str
    """Keys and tags of its segments when they were read; empty when not all of them could be."""


@dataclass(slots=True)
class Survey:
    """What has changed."""

    stale: dict[str, Segments] = field(default_factory=dict)
    """Experiments to read again, by id, with all of their segments."""
    known: dict[str, Known] = field(default_factory=dict)
    """What the catalog has of them, and of those that are gone."""
    gone: list[str] = field(default_factory=list)
    """Experiments of which there is nothing any more."""
    directories: dict[str, str] = field(default_factory=dict)
    """Tags of directories that were listed, to remember; empty for those that are not to be relied on."""
    gone_directories: list[str] = field(default_factory=list)
    data_version: int = 0
    """Of the catalog that was compared with."""

    def __bool__(self) -> bool:
        return bool(self.stale or self.gone or self.directories or self.gone_directories)


def survey_changes(connection: sqlite3.Connection, store: Store, now_ns: int) -> Survey:
    """Compare the journals in `store` with what the catalog knows of them.

    Args:
        connection: the catalog.
        store: of the repository.
        now_ns: the present time, in nanoseconds since the epoch.

    Raises:
        StoreError: the store cannot be listed.
    """
    seen = data_version(connection)
    survey = _survey_directories(connection, store, now_ns) if isinstance(store, DirectoryStore) else None
    if survey is None:
        survey = _survey_all(connection, store)
    survey.data_version = seen
    return survey


def data_version(connection: sqlite3.Connection) -> int:
    """Return a number that changes when another process has changed the catalog."""
    (version,) = connection.execute("PRAGMA data_version").fetchone()
    return int(version)


def stamp_of(segments: Segments) -> str:
    """Return what changes with the segments: a line of key and tag for each."""
    return "\n".join(sorted([f"{info.key}\t{info.tag}" for _, info in segments]))


def segments_of_stamp(stamp: str) -> list[SegmentName]:
    """Return the segments that a stamp was made of."""
    names = (parse_segment_key(line.partition("\t")[0]) for line in stamp.split("\n"))
    return [name for name in names if name is not None]


def directory_of(name: SegmentName) -> str:
    """Return what the key of a segment begins with, up to its last `/`."""
    return name.key[: name.key.rindex("/") + 1]


def _survey_all(connection: sqlite3.Connection, store: Store) -> Survey:
    infos = list(store.list(JOURNALS))
    listed: set[str] = set()
    if isinstance(store, DirectoryStore):
        # Where the segments belong, so that they are missed there once they are gone from where they lie.
        names = filter(None, (parse_segment_key(info.key) for info in infos))
        listed = {directory_of(name) for name in names}
    known = dict(connection.execute("SELECT prefix, tag FROM directories").fetchall())
    survey = Survey(
        directories={prefix: "" for prefix in sorted(listed) if known.get(prefix) != ""},
        gone_directories=sorted(known.keys() - listed),
    )
    _compare(survey, infos, connection.execute("SELECT id, number, stamp FROM experiments"))
    return survey


def _survey_directories(connection: sqlite3.Connection, store: DirectoryStore, now_ns: int) -> Survey | None:
    """Look only where something may have changed; None when something lies where no segment belongs."""
    known = dict(connection.execute("SELECT prefix, tag FROM directories").fetchall())
    level = store.list_level(JOURNALS)
    if any(parse_segment_key(info.key) is not None for info in level.objects):
        return None
    survey = Survey(gone_directories=sorted(known.keys() - {one.prefix for one in level.directories}))
    for directory in level.directories:
        if known.get(directory.prefix) == directory.tag:
            continue
        infos = list(store.list(directory.prefix))
        if not all(map(_is_at_its_place, infos)):
            return None
        tag = directory.tag if now_ns - directory.changed_ns >= SETTLING_NS else ""
        if tag or known.get(directory.prefix) != "":
            survey.directories[directory.prefix] = tag
        _compare(survey, infos, _known_in(connection, directory.prefix))
    for prefix in survey.gone_directories:
        _compare(survey, (), _known_in(connection, prefix))
    _look_at_open(survey, connection, store)
    return survey


def _known_in(connection: sqlite3.Connection, prefix: str) -> Iterable[tuple[str, int, str]]:
    return connection.execute("SELECT id, number, stamp FROM experiments WHERE directory = ?", (prefix,))


def _is_at_its_place(info: ObjectInfo) -> bool:
    name = parse_segment_key(info.key)
    return name is None or name.key == info.key


def _compare(survey: Survey, infos: Iterable[ObjectInfo], rows: Iterable[tuple[str, int, str]]) -> None:
    known: Mapping[str, Known] = {experiment_id: Known(number, stamp) for experiment_id, number, stamp in rows}
    found = longest_segments(infos)
    for experiment_id, segments in found.items():
        before = known.get(experiment_id)
        if before is not None and before.stamp == stamp_of(segments):
            continue
        survey.stale[experiment_id] = segments
        if before is not None:
            survey.known[experiment_id] = before
    for experiment_id in known.keys() - found.keys():
        survey.gone.append(experiment_id)
        survey.known[experiment_id] = known[experiment_id]


def _look_at_open(survey: Survey, connection: sqlite3.Connection, store: Store) -> None:
    """See whether open segments have grown in directories that have not changed."""
    for experiment_id, number, stamp in connection.execute("SELECT id, number, stamp FROM experiments WHERE is_open"):
        if experiment_id in survey.stale or experiment_id in survey.known:
            continue
        segments: Segments = []
        for line in stamp.split("\n"):
            key, tag = line.split("\t")
            name = parse_segment_key(key)
            if name is not None:
                info = ObjectInfo(key, 0, 0, tag)
                segments.append((name, (store.head(key) or info) if name.size_bytes is None else info))
        if stamp_of(segments) != stamp:
            survey.stale[experiment_id] = segments
            survey.known[experiment_id] = Known(number, stamp)
