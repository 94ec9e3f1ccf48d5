"""Push: copy to one repository what it lacks of another one, in an order that can be broken off anywhere.

Chunks go first, then the manifests that point to them, then the journal segments that point to those; so whatever has
arrived is whole, and pushing again carries on. Nothing is copied of an experiment that was deleted at the target.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from keepsake._chunks.codec import encode_chunk
from keepsake._chunks.workers import run_workers
from keepsake._model.events import references
from keepsake._model.keys import SegmentName, chunk_key, manifest_key
from keepsake._model.manifest import Manifest
from keepsake._repository.intent import drop_intent, save_with_intent
from keepsake._repository.journal import Journal, get_segment, list_segments, read_events
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
    result = PushResult()
    damage: list[KeepsakeError] = []
    available = list_segments(source.store)
    wanted = sorted(available) if experiment_ids is None else sorted(set(experiment_ids) & available.keys())
    for experiment_id in wanted:
        if _is_deleted(target, experiment_id):
            continue
        there = list_segments(target.store, experiment_id).get(experiment_id, [])
        for name in sorted(available[experiment_id], key=lambda name: (name.session_id, name.number)):
            try:
                _push_segment(source, target, name, there, result, threads, on_progress)
            except (FormatError, NotFoundError) as error:
                damage.append(error)
    if damage:
        raise damage[0]
    return result


def _is_deleted(repository: Repository, experiment_id: str) -> bool:
    events = repository.load_journal(experiment_id).events
    return any(event.body.get("type") == "delete" and event.body.get("checkpoints") is None for event in events)


def _push_segment(
    source: Repository,
    target: Repository,
    name: SegmentName,
    there: list[SegmentName],
    result: PushResult,
    threads: int,
    on_progress: Callable[[int], None] | None,
) -> None:
    data = get_segment(source.store, name)
    data = data[: data.rfind(b"\n") + 1]
    published = replace(name, size_bytes=len(data))
    same_place = [other for other in there if (other.session_id, other.number) == (name.session_id, name.number)]
    if any(other.size_bytes is None or other.size_bytes >= len(data) for other in same_place):
        return
    journal = Journal(name.experiment_id)
    read_events(published, data, journal)
    if journal.problems:
        raise journal.problems[0][1]
    digests = sorted({digest for event in journal.events for digest in references(event.body)})
    copier = _Copier(source, result, threads, on_progress)
    intents: list[str] = []
    try:
        for digest in digests:
            manifest = source.load_manifest(digest)
            intents.append(save_with_intent(target, name.session_id, partial(copier.copy_chunks, manifest))[1])
        target.store.sync(manifest_key(digest) for digest in digests)
        target.store.put(published.key, data, durable=True)
    finally:
        for intent in intents:
            drop_intent(target.store, intent)
    for shorter in same_place:
        target.store.delete(shorter.key)
    result.segments += 1


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
