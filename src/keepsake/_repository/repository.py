"""A repository of format 2: its objects by name, for everything above that reads or writes them.

What another process wrote since is seen by the next call: nothing is kept here but the specification, and the last
manifests that files were opened from, which never change.
"""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from itertools import islice
from typing import Any

from keepsake._chunks.chunkstore import WHERE_IT_WENT, ChunkStore
from keepsake._chunks.codec import decode_chunk, encode_chunk
from keepsake._chunks.digest import digest_of
from keepsake._chunks.workers import run_workers
from keepsake._model.events import ExperimentState, fold_events
from keepsake._model.ids import new_session_id, short_id
from keepsake._model.keys import REPOSITORY, SegmentName, manifest_key
from keepsake._model.lines import decode_line, encode_line
from keepsake._model.manifest import Manifest, decode_manifest, encode_manifest
from keepsake._model.times import format_time
from keepsake._repository.journal import Journal, list_segments, load_journal, lost_beginning
from keepsake._repository.legacy.layout import METADATA
from keepsake.errors import (
    CorruptionError,
    FileNotSavedError,
    FormatError,
    InvalidInputError,
    KeepsakeError,
    NotFoundError,
    UnsupportedVersionError,
)
from keepsake.machine import boot_time_ns
from keepsake.notices import first_time, warn
from keepsake.stores.base import AppendStore, CachingStore, Store, concurrency_of

VERSION = 2
KNOWN_REQUIREMENTS: frozenset[str] = frozenset()
"""Entries of `requires` that this Keepsake understands."""
_JOURNALS_AT_ONCE = 8
"""So many are held for each request that is under way at once."""
RECENT_ENTRIES = 20_000
"""Manifests of so many entries in all are kept, some 10 MB, and at least the last one."""
MAX_MANIFEST_BYTES = 1 << 30
"""More than a snapshot of ten million extents needs; a damaged header cannot claim more memory."""


@dataclass(slots=True)
class Listing:
    """The experiments of a repository, and what could not be read of it."""

    experiments: list[ExperimentState] = field(default_factory=list)
    problems: list[tuple[str, KeepsakeError]] = field(default_factory=list)
    """Keys of objects that are damaged, and why."""


class Repository:
    """All that Keepsake keeps in one store."""

    version = VERSION
    """The format's."""

    def __init__(self, store: Store, repository_id: str) -> None:
        self.store = store
        self.id = repository_id
        self.chunks = ChunkStore(store, booted_ns=boot_time_ns())
        # Once: to look takes 40 µs, a quarter of a checkpoint without files.
        self.is_remote = not isinstance(store, AppendStore)
        """Whether it is where a session cannot append to a journal, as in a bucket; it then writes to staging."""
        self._recent: dict[str, Manifest] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Go to another process without manifests: it may never need them."""
        return self.__dict__ | {"_recent": {}}

    @classmethod
    def open(cls, store: Store) -> Repository:
        """Open the repository that lies in `store`; one of format 1 as a `LegacyRepository`.

        Raises:
            NotFoundError: there is none.
            UnsupportedVersionError: another version of Keepsake wrote it.
            CorruptionError: its specification is damaged.
        """
        try:
            data = store.get(REPOSITORY)
        except NotFoundError as error:
            if _is_format_1(store, {}):
                return _open_format_1(store)
            raise NotFoundError(
                f"there is no Keepsake repository at {store.url}",
                hint="keepsake.init() creates one; or point to an existing one with `repository:` in keepsake.yaml",
            ) from error
        document = _decode_object(data, store.url)
        if _is_format_1(store, document):
            return _open_format_1(store)
        specification = _check_specification(document, data, store.url)
        return cls(store, str(specification["id"]))

    @classmethod
    def open_or_create(cls, store: Store) -> tuple[Repository, bool]:
        """Open the repository in `store`, or make one there; say whether it was made."""
        try:
            return cls.open(store), False
        except NotFoundError:
            specification = {
                "version": VERSION,
                "id": new_session_id(),
                "created": format_time(datetime.now(timezone.utc)),
                "requires": [],
            }
            made = store.create(REPOSITORY, encode_line(specification), durable=True)
            return cls.open(store), made

    def check_writable(self) -> None:
        """Raise `UnsupportedVersionError` when this can only be read: when its format is 1."""

    def save_manifest(self, manifest: Manifest, *, durable: bool = False) -> str:
        """Write a manifest and return its digest.

        One that is there and whole stays: it may be synced already, and what replaced it would not be. One that is not
        whole, as a power loss leaves it, is replaced.
        """
        data = encode_manifest(manifest)
        digest = digest_of(data)
        key = manifest_key(digest)
        if not self._holds(key, data):
            self.store.put(key, encode_chunk(data), durable=durable)
        elif durable:
            self.store.sync([key])
        return digest

    def _holds(self, key: str, data: bytes) -> bool:
        """Say whether the object under `key` is there and decodes to `data`."""
        try:
            return decode_chunk(self.store.get(key), max_bytes=MAX_MANIFEST_BYTES) == data
        except (NotFoundError, FormatError):
            return False

    def load_manifest(self, digest: str) -> Manifest:
        """Read and verify a manifest, from whichever copy is whole.

        Raises:
            NotFoundError: there is none.
            CorruptionError: it is damaged, also on a second read.
            UnsupportedVersionError: a newer Keepsake wrote it.
        """
        key = manifest_key(digest)
        try:
            return self._read_manifest(key, digest)
        except (NotFoundError, CorruptionError) as error:
            for info in self.store.list(key + "."):
                with contextlib.suppress(NotFoundError, CorruptionError):
                    return self._read_manifest(info.key, digest)
            if isinstance(error, NotFoundError):
                raise NotFoundError(f"manifest {digest} is not in {self.store.url}", hint=WHERE_IT_WENT) from error
            # Once more: a mismatch counts as damage only when it stays.
            if isinstance(self.store, CachingStore):
                self.store.forget(key)
            return self._read_manifest(key, digest)

    def load_recent(self, digest: str) -> Manifest:
        """Return a manifest as `load_manifest` does, without a read when it was one of the last.

        So who opens the files of a checkpoint one after another does not decode all of their entries for each.
        """
        recent = self._recent
        manifest = recent.get(digest) or self.load_manifest(digest)
        kept, entries = {digest: manifest}, len(manifest.entries)
        for other, one in recent.items():  # the last one first
            if other != digest and entries + len(one.entries) <= RECENT_ENTRIES:
                kept[other] = one
                entries += len(one.entries)
        self._recent = kept  # never changed in place: other threads may be at this, too
        return manifest

    def _read_manifest(self, key: str, digest: str) -> Manifest:
        try:
            data = decode_chunk(self.store.get(key), max_bytes=MAX_MANIFEST_BYTES)
            if digest_of(data) != digest:
                raise CorruptionError("its content does not have its digest")
            return decode_manifest(bytes(data))
        except CorruptionError as error:
            raise CorruptionError(
                f"manifest {key} in {self.store.url} is damaged: {error.message}",
                hint="`keepsake check` says which checkpoints it belongs to",
            ) from error

    def load_manifests(self, digests: Iterable[str]) -> dict[str, Manifest]:
        """Read several manifests, many at once where that gains something; the first error is raised."""
        wanted = list(digests)
        found: dict[str, Manifest] = {}

        def work(shared: Iterator[str]) -> None:
            for digest in shared:
                found[digest] = self.load_manifest(digest)

        run_workers(work, wanted, threads=concurrency_of(self.store))
        return found

    def experiment_ids(self, prefix: str = "") -> list[str]:
        """Return the ids of the experiments that have a journal, deleted ones included."""
        return sorted(list_segments(self.store, prefix))

    def find_experiments(self, prefix: str) -> list[ExperimentState]:
        """Read the experiments whose ids begin so and that were not deleted, by their ids, after one listing.

        Raises:
            CorruptionError: one cannot be read.
        """
        found: list[ExperimentState] = []
        for experiment_id, segments in sorted(list_segments(self.store, prefix).items()):
            with contextlib.suppress(NotFoundError):
                found.append(_fold(load_journal(self.store, experiment_id, segments)))
        return found

    def load_journal(self, experiment_id: str, *, with_logs: bool = True) -> Journal:
        """Read every event of one experiment; `with_logs` is as in `read_events`."""
        segments = list_segments(self.store, experiment_id).get(experiment_id, [])
        return load_journal(self.store, experiment_id, segments, with_logs=with_logs)

    def load_experiment(self, experiment_id: str, *, with_logs: bool = True) -> ExperimentState:
        """Read one experiment. Raises `NotFoundError` when it was deleted, or none of it can be read."""
        return _fold(self.load_journal(experiment_id, with_logs=with_logs))

    def iterate_journals(self, *, with_logs: bool = True) -> Iterator[Journal]:
        """Read the journals of all experiments, one experiment at a time; `with_logs` is as in `read_events`."""
        rest = iter(sorted(list_segments(self.store).items()))
        threads = concurrency_of(self.store)
        while batch := list(islice(rest, _JOURNALS_AT_ONCE * threads)):
            loaded: dict[str, Journal] = {}

            def work(shared: Iterator[tuple[str, list[SegmentName]]], loaded: dict[str, Journal] = loaded) -> None:
                for experiment_id, segments in shared:
                    loaded[experiment_id] = load_journal(self.store, experiment_id, segments, with_logs=with_logs)

            run_workers(work, batch, threads=min(threads, len(batch)))
            yield from (loaded[experiment_id] for experiment_id, _ in batch)

    def list_experiments(self) -> Listing:
        """Read every experiment that was not deleted, oldest first."""
        listing = Listing()
        for journal in self.iterate_journals():
            listing.problems += journal.problems
            state = fold_events(journal.experiment_id, journal.events)
            if state is not None:
                listing.experiments.append(state)
            else:
                listing.problems += lost_beginning(journal)
        listing.experiments.sort(key=lambda state: (state.created["time"], state.id))
        return listing

    def open_file(self, digests: list[str], path: str) -> io.BufferedReader:
        """Open `path` from the first of the given manifests that has it.

        Raises:
            FileNotSavedError: none has it; the message names the nearest paths.
            InvalidInputError: it is a directory or a symbolic link.
        """
        from keepsake._snapshots.paths import name_nearest
        from keepsake._snapshots.read import open_entry

        manifests = [self.load_recent(digest) for digest in digests]
        for manifest in manifests:
            entry = manifest.find(path)
            if entry is not None:
                return open_entry(entry, self.chunks, threads=max(2, concurrency_of(self.store)))
        known = {entry.path for manifest in manifests for entry in manifest.entries}
        inside = {one for one in known if path == "." or one.startswith(f"{path}/")}
        if inside:
            raise InvalidInputError(f"{path!r} is a directory", hint=_name_some(inside))
        raise FileNotSavedError(f"no file {path!r} was saved", hint=name_nearest(path, known) or _name_some(known))


def _fold(journal: Journal) -> ExperimentState:
    """Return what the events of an experiment add up to, and say, once, what of them cannot be read.

    Raises `NotFoundError` when they add up to nothing.
    """
    state = fold_events(journal.experiment_id, journal.events)
    if state is not None:
        tell_of_damage(journal)
        return state
    if journal.problems:
        raise journal.problems[0][1]
    raise NotFoundError(f"there is no experiment {journal.experiment_id}; it may have been deleted")


def tell_of_damage(journal: Journal) -> None:
    """Say, once in this process, what of an experiment's events cannot be read."""
    for _, error in journal.problems:
        text = f"a part of experiment {short_id(journal.experiment_id)} cannot be read: {error}"
        if first_time(text):
            warn(f"{text}; `keepsake check` lists everything")


def _is_format_1(store: Store, document: dict[str, Any]) -> bool:
    """Say whether Keepsake 0.x wrote this. Its first versions wrote no `repository.json`, or none with a version."""
    version = document.get("version", 0)
    return version == 1 or (version == 0 and any(True for _ in store.list(METADATA)))


def _open_format_1(store: Store) -> Repository:
    from keepsake._repository.legacy.repository import LegacyRepository

    return LegacyRepository(store)


def _decode_object(data: bytes, url: str) -> dict[str, Any]:
    try:
        document = json.loads(data)
    except ValueError as error:
        raise _damaged(url) from error
    if not isinstance(document, dict):
        raise _damaged(url)
    return document


def _check_specification(document: dict[str, Any], data: bytes, url: str) -> dict[str, Any]:
    version = document.get("version")
    if version is None:
        raise _damaged(url)
    if version != VERSION:
        raise UnsupportedVersionError(
            f"the repository at {url} has format {version!r}; this Keepsake reads format {VERSION}",
            hint="use a newer Keepsake",
        )
    try:
        specification = decode_line(data)
        requires = set(specification["requires"])
        str(specification["id"])
    except (FormatError, KeyError, TypeError) as error:
        raise CorruptionError(f"{REPOSITORY} in {url} is damaged: {error}", hint="restore it from a backup") from error
    unknown = requires - KNOWN_REQUIREMENTS
    if unknown:
        raise UnsupportedVersionError(
            f"the repository at {url} needs {', '.join(sorted(map(str, unknown)))}, unknown to this Keepsake",
            hint="use a newer Keepsake",
        )
    return specification


def _damaged(url: str) -> CorruptionError:
    return CorruptionError(
        f"{REPOSITORY} in {url} is damaged: it is not JSON with a version",
        hint="restore it from a backup; the rest of the repository is not affected",
    )


def _name_some(paths: Collection[str]) -> str | None:
    some = sorted(paths)[:5]
    return f"there are {', '.join(some)}{' …' if len(paths) > len(some) else ''}" if some else None
