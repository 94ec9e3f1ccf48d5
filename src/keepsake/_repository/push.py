"""Push: copy to one repository what it lacks of another one, in an order that can be broken off anywhere.

Chunks go first, then the manifests that point to them, then the journal segments that point to those; so whatever has
arrived is whole, and pushing again carries on. Of what was deleted at either side only the deletion is copied: the rest
may have been collected.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from keepsake._chunks.codec import encode_chunk
from keepsake._chunks.workers import run_workers
from keepsake._model.events import Event, reached_manifests, references
from keepsake._model.keys import SegmentName, chunk_key, manifest_key
from keepsake._model.manifest import Manifest
from keepsake._repository.intent import drop_intent, save_with_intent
from keepsake._repository.journal import Journal, get_segment, list_segments, load_journal, read_events
from keepsake._repository.repository import VERSION, Repository
from keepsake.errors import FormatError, KeepsakeError, NotFoundError


@dataclass(slots=True)
class PushResult:
    """What a push copied."""

    segments: int = 0
    chunks: int = 0
    chunk_bytes: int = 0
    """Length of the copied chunks as they were captured, before encoding."""


def push(
    source: Repository,
    target: Repository,
    *,
    experiment_ids: Iterable[str] | None = None,
    threads: int = 2,
    on_progress: Callable[[int], None] | None = None,
) -> PushResult:
    """Copy what `target` lacks, of the given experiments or of all.

    Args:
        source: where the data is; it is only read.
        target: where it goes; chunks arrive encoded and synced.
        experiment_ids: the experiments to copy; all of them when None.
        threads: how many chunks are copied at once.
        on_progress: called with the bytes of each chunk as it is done.

    Raises:
        StoreError: one of the two stores failed; what has arrived stays.
        UnsupportedVersionError: the source has format 1, which `migrate` copies.
        FormatError, NotFoundError: something at the source is damaged or missing; the segments that refer to it are not
            copied, all others are.
    """
    if source.version != VERSION:
        source.check_writable()  # whose error says how to copy it
    copier = _Copier(source, PushResult(), threads, on_progress)
    damage: list[KeepsakeError] = []
    available = list_segments(source.store)
    wanted = sorted(available) if experiment_ids is None else sorted(set(experiment_ids) & available.keys())
    for experiment_id in wanted:
        damage += _push_experiment(experiment_id, available[experiment_id], target, copier)
    if damage:
        raise damage[0]
    return copier.result


def _push_experiment(
    experiment_id: str, names: list[SegmentName], target: Repository, copier: _Copier
) -> list[KeepsakeError]:
    """Copy what `target` lacks of one experiment; return what could not be read of it."""
    names_there = list_segments(target.store, experiment_id).get(experiment_id, [])
    there = load_journal(target.store, experiment_id, names_there).events
    if _is_deleted(there):
        return []
    segments: list[_Segment] = []
    damage: list[KeepsakeError] = []
    for name in sorted(names, key=lambda name: (name.session_id, name.number)):
        try:
            segments.append(_Segment.read(copier.source, name))
        except (FormatError, NotFoundError) as error:
            damage.append(error)
    events = [*there, *(event for segment in segments for event in segment.events)]
    # Deletions go first, so that nothing is ever listed of which the files were not copied; then the beginning, without
    # which the rest would look damaged. So what a push that was broken off leaves can be told from damage.
    segments.sort(key=lambda segment: (not segment.has_deletion, not segment.has_beginning))
    if _is_deleted(events):
        segments = [segment for segment in segments if segment.has_deletion]
    reached = reached_manifests(events)
    for segment in segments:
        try:
            _push_segment(segment, reached, target, names_there, copier)
        except (FormatError, NotFoundError) as error:
            damage.append(error)
    return damage


def _is_deleted(events: Iterable[Event]) -> bool:
    return any(event.body.get("type") == "delete" and event.body.get("checkpoints") is None for event in events)


@dataclass(frozen=True, slots=True)
class _Segment:
    """A journal segment as it is to be published."""

    name: SegmentName
    data: bytes
    events: list[Event]

    @classmethod
    def read(cls, source: Repository, name: SegmentName) -> _Segment:
        """Read the whole lines of a segment. Raises `FormatError` when one is damaged."""
        data = get_segment(source.store, name)
        data = data[: data.rfind(b"\n") + 1]
        published = replace(name, size_bytes=len(data))
        journal = Journal(name.experiment_id)
        read_events(published, data, journal)
        if journal.problems:
            raise journal.problems[0][1]
        return cls(published, data, journal.events)

    @property
    def has_deletion(self) -> bool:
        """Whether something was deleted in it."""
        return self._has("delete")

    @property
    def has_beginning(self) -> bool:
        """Whether it says with what the experiment began."""
        return self._has("experiment")

    def _has(self, event_type: str) -> bool:
        return any(event.body.get("type") == event_type for event in self.events)


def _push_segment(
    segment: _Segment, reached: set[str], target: Repository, there: list[SegmentName], copier: _Copier
) -> None:
    name, data = segment.name, segment.data
    same_place = [other for other in there if (other.session_id, other.number) == (name.session_id, name.number)]
    if any(other.size_bytes is None or other.size_bytes >= len(data) for other in same_place):
        return
    digests = sorted(reached.intersection(digest for event in segment.events for digest in references(event.body)))
    intents: list[str] = []
    try:
        for digest in digests:
            manifest = copier.source.load_manifest(digest)
            intents.append(save_with_intent(target, name.session_id, partial(copier.copy_chunks, manifest))[1])
        target.store.sync(manifest_key(digest) for digest in digests)
        target.store.put(name.key, data, durable=True)
    finally:
        for intent in intents:
            drop_intent(target.store, intent)
    for shorter in same_place:
        target.store.delete(shorter.key)
    copier.result.segments += 1


@dataclass(frozen=True, slots=True)
class _Copier:
    """Copies chunks from a source and counts them."""

    source: Repository
    result: PushResult
    threads: int
    on_progress: Callable[[int], None] | None

    def copy_chunks(self, manifest: Manifest, target: Repository) -> Manifest:
        """Copy what `target` lacks of the chunks of a manifest; return the manifest."""
        lock = threading.Lock()

        def work(shared: Iterator[str]) -> None:
            for digest in shared:
                size_bytes = _push_chunk(self.source, target, digest)
                with lock:
                    self.result.chunks += size_bytes > 0
                    self.result.chunk_bytes += size_bytes
                    if self.on_progress is not None:
                        self.on_progress(size_bytes)

        run_workers(work, sorted(manifest.digests()), threads=self.threads)
        return manifest


def _push_chunk(source: Repository, target: Repository, digest: str) -> int:
    if target.chunks.contains(digest):
        return 0
    content = source.chunks.get(digest)
    target.store.put(chunk_key(digest), encode_chunk(content), durable=True)
    return len(content)
