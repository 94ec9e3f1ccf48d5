"""Push: copy to one repository what it lacks of another one, in an order that can be broken off anywhere.

Chunks go first, then the manifests that point to them, then the journal segments that point to those; so whatever has
arrived is whole, and pushing again carries on. Of what was deleted at either side only the deletion is copied: the rest
may have been collected.

What arrives is announced to collectors first (see `intent`), since here it is known from the beginning. So whether the
target has a chunk is asked once. Between stores that serve many requests at once, many are under way.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeAlias, TypeVar

from keepsake._chunks.workers import run_workers
from keepsake._model.events import Event, reached_manifests, references
from keepsake._model.keys import SegmentName, chunk_key, copy_key, manifest_key
from keepsake._model.manifest import Manifest
from keepsake._repository.intent import create_intent, drop_intent, list_condemned
from keepsake._repository.journal import (
    Journal,
    get_segment,
    list_every_segment,
    list_segments,
    load_journal,
    read_events,
)
from keepsake._repository.packs import LEAST_SEGMENTS, pack_journals
from keepsake._repository.repository import VERSION, Repository
from keepsake.errors import FormatError, KeepsakeError, NotFoundError
from keepsake.stores.base import Store, concurrency_of

Item = TypeVar("Item")
Remembered: TypeAlias = dict[str, list[Event]]
"""By the keys of sealed segments that the target has: the events in them that refer to something, or delete it."""

ANNOUNCED_DIGESTS = 20_000
"""About so many are announced in one intent: enough for 80 GB, and 1.3 MB long."""


@dataclass(slots=True)
class PushResult:
    """What a push copied."""

    segments: int = 0
    chunks: int = 0
    chunk_bytes: int = 0
    """Length of the copied chunks as they were captured, before encoding."""
    deleted: list[str] = field(default_factory=list)
    """Ids of experiments that were deleted at the target, of which nothing was copied."""


def push(
    source: Repository,
    target: Repository,
    *,
    experiment_ids: Iterable[str] | None = None,
    threads: int = 2,
    last_first: bool = False,
    remembered: Remembered | None = None,
    on_progress: Callable[[int], None] | None = None,
    on_total: Callable[[int], None] | None = None,
) -> PushResult:
    """Copy what `target` lacks, of the given experiments or of all.

    Args:
        source: where the data is; it is only read.
        target: where it goes; chunks arrive encoded and synced.
        experiment_ids: the experiments to copy; all of them when None.
        threads: how many chunks are copied at once, at least; a chunk takes about three times its length of memory.
        last_first: begin with the last chunks, beside somebody who begins with the first.
        remembered: for who pushes the same journals again and again as they grow: what has arrived is added to it, and
            not read another time.
        on_progress: called with the bytes of each chunk as it is done, sent or not, by one thread at a time; when all
            experiments are copied, also with those of each journal, and of each pack that is made of them.
        on_total: called with how many bytes of these there are to be done, whenever more of them are known.

    Raises:
        StoreError: one of the two stores failed; what has arrived stays.
        UnsupportedVersionError: the source has format 1, which `migrate` copies.
        FormatError, NotFoundError: something at the source is damaged or missing; the segments that refer to it are not
            copied, all others are.
    """
    if source.version != VERSION:
        source.check_writable()  # whose error says how to copy it
    remembered = {} if remembered is None else remembered
    copier = _Copier(source, target, threads, last_first, remembered, on_progress or _nothing, on_total or _nothing)
    here = _list_some(source, experiment_ids, list_segments)
    there = _list_some(target, experiment_ids, list_every_segment)
    damage: list[KeepsakeError] = []
    is_everything = experiment_ids is None  # then there may be many, of which most have nothing but a journal
    if is_everything:
        copier.expect(sum(map(_length, here.values())))

    def work(shared: Iterator[str]) -> None:
        for experiment_id in shared:
            names = here[experiment_id]
            damage.extend(_push_until_told(experiment_id, names, there.get(experiment_id, []), copier))
            if is_everything:
                copier.advance(_length(names))

    run_workers(work, sorted(here), threads=copier.concurrency)
    if damage:
        raise damage[0]
    if is_everything and target.is_remote and copier.result.segments >= LEAST_SEGMENTS:
        pack_journals(target, on_progress=copier.advance, on_total=copier.expect)
    return copier.result


def _length(names: Iterable[SegmentName]) -> int:
    """Return the length of segments; one that still grows has none yet."""
    return sum(name.size_bytes or 0 for name in names)


def _nothing(_: int) -> None:
    """Show nothing: nobody looks."""


def _list_some(
    repository: Repository,
    experiment_ids: Iterable[str] | None,
    list_them: Callable[[Store, str], dict[str, list[SegmentName]]],
) -> dict[str, list[SegmentName]]:
    """List the segments of the given experiments, or of all."""
    if experiment_ids is None:
        return list_them(repository.store, "")
    found: dict[str, list[SegmentName]] = {}
    for experiment_id in dict.fromkeys(experiment_ids):
        found |= list_them(repository.store, experiment_id)
    return found


def _push_until_told(
    experiment_id: str, names: list[SegmentName], names_there: list[SegmentName], copier: _Copier
) -> list[KeepsakeError]:
    """As `_push_experiment`; once more when something was missing and the target has more of it than it had.

    Somebody else may have pushed the same meanwhile, and then deleted at the source what the target has.
    """
    while damage := _push_experiment(experiment_id, names, names_there, copier):
        names = list_segments(copier.source.store, experiment_id).get(experiment_id, [])
        there_now = list_every_segment(copier.target.store, experiment_id)
        before, names_there = names_there, there_now.get(experiment_id, [])
        if set(names_there) == set(before):
            return damage
    return []


def _push_experiment(
    experiment_id: str, names: list[SegmentName], names_there: list[SegmentName], copier: _Copier
) -> list[KeepsakeError]:
    """Copy what the target lacks of one experiment; return what could not be read of it."""
    target = copier.target
    places_there: dict[tuple[str, int], list[SegmentName]] = {}
    for name in names_there:
        places_there.setdefault((name.session_id, name.number), []).append(name)
    lengths_there = {place: lengths[-1].size_bytes for place, lengths in places_there.items()}
    segments: list[_Segment] = []
    damage: list[KeepsakeError] = []
    for name in sorted(names, key=lambda name: (name.session_id, name.number)):
        try:
            length_there = lengths_there.get((name.session_id, name.number), 0)
            segments.append(_Segment.read(copier.source, name, length_there, copier.remembered))
        except (FormatError, NotFoundError) as error:
            damage.append(error)
    # What the target has of a segment need not be fetched from there: it is the beginning of what is here.
    known = {(one.name.session_id, one.name.number) for one in segments if one.is_whole_there or one.events_there}
    foreign = [lengths[-1] for place, lengths in places_there.items() if place not in known]
    there = load_journal(target.store, experiment_id, foreign, with_logs=False).events
    there += [event for segment in segments for event in segment.events_there]
    if _is_deleted(there):
        copier.result.deleted.append(experiment_id)
        return []
    events = [*there, *(event for segment in segments for event in segment.events)]
    # Deletions go first, so that nothing is ever listed of which the files were not copied; then the beginning, without
    # which the rest would look damaged. So what a push that was broken off leaves can be told from damage.
    segments.sort(key=lambda segment: (not segment.has_deletion, not segment.has_beginning))
    if _is_deleted(events):
        segments = [segment for segment in segments if segment.has_deletion]
    needed = reached_manifests(events) - {digest for event in there for digest in references(event.body)}
    for segment in segments:
        try:
            same_place = places_there.get((segment.name.session_id, segment.name.number), [])
            _push_segment(segment, needed, same_place, copier)
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
    """Its whole lines; nothing when the target has them, for a long run has a gigabyte of them."""
    events: list[Event]
    """Those in it, but for what was only logged: that refers to nothing."""
    events_there: list[Event]
    """Those of them that the target has."""
    is_whole_there: bool
    """Whether the target has all that is here, or more."""

    @classmethod
    def read(
        cls, source: Repository, name: SegmentName, size_bytes_there: int | None, remembered: Remembered
    ) -> _Segment:
        """Read the whole lines of a segment. Raises `FormatError` when one is damaged.

        Args:
            source: where it is.
            name: the segment.
            size_bytes_there: how much of it the target has; None for one that still grows there.
            remembered: see `push`.
        """
        if name.size_bytes is not None and name.size_bytes == size_bytes_there and name.key in remembered:
            return cls(name, b"", remembered[name.key], remembered[name.key], is_whole_there=True)
        data = get_segment(source.store, name)
        data = data[: data.rfind(b"\n") + 1]
        published = replace(name, size_bytes=len(data))
        journal = Journal(name.experiment_id)
        read_events(published, data, journal, with_logs=False)
        if journal.problems:
            raise journal.problems[0][1]
        if size_bytes_there is None or size_bytes_there > len(data):
            return cls(published, data, journal.events, [], is_whole_there=False)
        if size_bytes_there == len(data):
            if name == published:
                remembered[name.key] = [_remember(event) for event in journal.events if _matters(event)]
            return cls(published, b"", journal.events, journal.events, is_whole_there=True)
        lines_there = data.count(b"\n", 0, size_bytes_there)
        events_there = [event for event in journal.events if event.position[1] < lines_there]
        return cls(published, data, journal.events, events_there, is_whole_there=False)

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


def _matters(event: Event) -> bool:
    return bool(references(event.body)) or event.body.get("type") == "delete"


def _remember(event: Event) -> Event:
    """Return an event without what it measured: of a long run there are many."""
    fields = ("type", "id", "manifests", "checkpoints")
    return event._replace(body={field: event.body[field] for field in fields if field in event.body})


def _push_segment(segment: _Segment, needed: set[str], same_place: list[SegmentName], copier: _Copier) -> None:
    """Publish a segment unless the target has as much of it, and delete what it had before."""
    name, data, target = segment.name, segment.data, copier.target
    if segment.is_whole_there or any(other.size_bytes is None or other.size_bytes >= len(data) for other in same_place):
        _delete_all(same_place[:-1], target)  # whoever published the last one may have died before
        return
    digests = sorted(needed.intersection(digest for event in segment.events for digest in references(event.body)))
    intents: list[str] = []
    try:
        copier.copy_snapshots(digests, name.session_id, intents)
        target.store.put(name.key, data, durable=True)
    finally:
        for intent in intents:
            drop_intent(target.store, intent)
    _delete_all(same_place, target)
    copier.count_segment()


def _delete_all(names: Iterable[SegmentName], repository: Repository) -> None:
    for name in names:
        repository.store.delete(name.key)


class _Copier:
    """Copies snapshots from one repository to another and counts what it copied."""

    def __init__(
        self,
        source: Repository,
        target: Repository,
        threads: int,
        last_first: bool,
        remembered: Remembered,
        on_progress: Callable[[int], None],
        on_total: Callable[[int], None],
    ) -> None:
        self.source = source
        self.target = target
        self.result = PushResult()
        self.remembered = remembered
        self.concurrency = max(concurrency_of(source.store), concurrency_of(target.store))
        self._threads = max(threads, self.concurrency)
        self._last_first = last_first
        self._slots = threading.BoundedSemaphore(self._threads)
        self._on_progress = on_progress
        self._on_total = on_total
        self._lock = threading.Lock()

    def expect(self, size_bytes: int) -> None:
        """Say that so much more is to be done."""
        with self._lock:
            self._on_total(size_bytes)

    def advance(self, size_bytes: int) -> None:
        """Say that so much more is done."""
        with self._lock:
            self._on_progress(size_bytes)

    def count_segment(self) -> None:
        """Count one more segment."""
        with self._lock:
            self.result.segments += 1

    def copy_snapshots(self, digests: Iterable[str], session_id: str, intents: list[str]) -> None:
        """Copy what the target lacks of the named manifests and their chunks.

        Args:
            digests: of the manifests.
            session_id: the session whose event will refer to them.
            intents: the keys of intents are added to it; they must stand until the event is there.
        """
        for manifests in self._batches(digests):
            lengths: dict[str, int] = {}
            for manifest in manifests.values():
                lengths |= manifest.chunk_lengths()
            chunks = sorted(lengths)
            self.expect(sum(lengths.values()))
            intents.append(create_intent(self.target.store, session_id, [*manifests, *chunks]))
            condemned = list_condemned(self.target.store, intents[-1])
            self._each(chunks[::-1] if self._last_first else chunks, partial(self._copy_chunk, condemned, lengths))
            self._each(manifests.values(), partial(self._copy_manifest, condemned))

    def _batches(self, digests: Iterable[str]) -> Iterator[dict[str, Manifest]]:
        """Load manifests, as many at once as one intent shall announce."""
        batch: dict[str, Manifest] = {}
        count = 0
        for digest in digests:
            batch[digest] = self.source.load_manifest(digest)
            count += 1 + len(batch[digest].digests())
            if count >= ANNOUNCED_DIGESTS:
                yield batch
                batch, count = {}, 0
        if batch:
            yield batch

    def _each(self, items: Collection[Item], act: Callable[[Item], None]) -> None:
        def work(shared: Iterator[Item]) -> None:
            for item in shared:
                with self._slots:
                    act(item)

        run_workers(work, items, threads=min(self._threads, len(items)) or 1)

    def _copy_chunk(self, condemned: set[str], lengths: dict[str, int], digest: str) -> None:
        key = chunk_key(digest)
        size_bytes = 0
        if key in condemned:
            others = self.target.chunks.other_keys(digest)
            key = "" if any(other not in condemned for other in others) else copy_key(key, os.urandom(8).hex())
        elif self.target.chunks.is_known(digest):
            key = ""
        if key:
            encoded, size_bytes = self.source.chunks.get_encoded(digest)
            self.target.store.put(key, encoded, durable=True)
        with self._lock:
            self.result.chunks += size_bytes > 0
            self.result.chunk_bytes += size_bytes
        self.advance(lengths[digest])

    def _copy_manifest(self, condemned: set[str], manifest: Manifest) -> None:
        digest = self.target.save_manifest(manifest, durable=True)
        key = manifest_key(digest)
        if key in condemned:
            self.target.store.put(copy_key(key, os.urandom(8).hex()), self.target.store.get(key), durable=True)
