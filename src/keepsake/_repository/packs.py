"""Packs: copies of many short journal segments in one object, so that who has none of them asks for few objects.

To list ten thousand experiments in a bucket for the first time is ten thousand requests without packs, and some dozens
with them. A pack says nothing that the segments do not say, and only what is among them counts: so packs may be
missing, damaged or out of date, may overlap, and may be deleted at any time. Whoever collects makes them.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from keepsake._chunks.digest import digest_of
from keepsake._chunks.workers import run_workers
from keepsake._chunks.zstd import TABLE_LEVEL, compress, decompress
from keepsake._model.keys import PACKS, SegmentName, pack_key, parse_segment_key
from keepsake._model.lines import decode_line, encode_line
from keepsake._model.times import now_text
from keepsake._repository.journal import get_segment, list_segments
from keepsake._repository.repository import Repository
from keepsake.errors import CorruptionError, FormatError, NotFoundError, UnsupportedVersionError
from keepsake.stores.base import Store, concurrency_of

LONGEST_BYTES = 64 * 1024
"""A segment that is longer stays out: its bytes take longer than the request for them."""
MOST_SEGMENTS = 1024
MOST_BYTES = 8 << 20
"""A pack holds no more than either says; this, and what it compresses to, is what a reader needs memory for."""
LEAST_SEGMENTS = 64
"""So many segments that are in no pack are worth a new one, and a look at those that there are."""

_VERSION = 1
_HEAD_BYTES = 192 * 1024
"""The heads of most packs are shorter."""


@dataclass(frozen=True, slots=True)
class PackHead:
    """What a pack says of itself."""

    segments: tuple[SegmentName, ...]
    """What it holds copies of, in their order."""
    digest: str
    """Of all copies, one after another."""

    @property
    def size_bytes(self) -> int:
        """Length of all copies."""
        return sum(name.size_bytes or 0 for name in self.segments)


def pack_journals(
    repository: Repository,
    *,
    on_progress: Callable[[int], None] | None = None,
    on_total: Callable[[int], None] | None = None,
) -> int:
    """Copy short segments that are in no pack into new ones, if there are enough of them; return how many are in those.

    Packs that hold little that counts are replaced. Two processes that do this at once make packs that overlap, which
    the next one puts right.

    Args:
        repository: whose journals are packed.
        on_progress: called with the bytes of the segments of each pack when it is done.
        on_total: called with how many bytes that will be, once it is known.

    Raises:
        StoreError: the store failed. What was done until then is of use.
    """
    store = repository.store
    short = {
        name.key: name
        for names in list_segments(store).values()
        for name in names
        if 0 < _length(name) <= LONGEST_BYTES
    }
    if len(short) < LEAST_SEGMENTS:
        return 0
    packs = _look_at_packs(store, short)
    if len(short.keys() - packs.kept - packs.replaced) < LEAST_SEGMENTS:
        return 0
    plans = list(plan_packs(name for key, name in short.items() if key not in packs.kept))
    if on_total is not None:
        on_total(sum(map(_length, itertools.chain.from_iterable(plans))))
    count = 0
    for names in plans:
        count += _save_pack(store, names)
        if on_progress is not None:
            on_progress(sum(map(_length, names)))
    for key in packs.scanty:
        store.delete(key)
    return count


def plan_packs(names: Iterable[SegmentName]) -> Iterator[list[SegmentName]]:
    """Share segments out to packs; those of one experiment stay together where they can."""
    planned: list[SegmentName] = []
    size_bytes = 0
    for name in sorted(names, key=lambda name: (name.experiment_id, name.session_id, name.number)):
        if planned and (len(planned) == MOST_SEGMENTS or size_bytes + _length(name) > MOST_BYTES):
            yield planned
            planned, size_bytes = [], 0
        planned.append(name)
        size_bytes += _length(name)
    if planned:
        yield planned


def list_packs(store: Store) -> list[str]:
    """Return the keys of all packs, the newest first."""
    return sorted((info.key for info in store.list(PACKS)), reverse=True)


def load_pack(store: Store, key: str) -> dict[str, bytes]:
    """Return the copies that a pack holds, by the keys of their segments.

    Raises:
        NotFoundError: it has gone.
        CorruptionError: it is damaged.
        UnsupportedVersionError: a newer Keepsake wrote it.
    """
    line, _, frame = store.get(key).partition(b"\n")
    head = _decode_head(key, line)
    copies = decompress(frame, size_bytes=head.size_bytes)
    if digest_of(copies) != head.digest:
        raise CorruptionError("its content does not have its digest")
    return split_contents(((name.key, _length(name)) for name in head.segments), copies)


def split_contents(sizes: Iterable[tuple[str, int]], joined: bytes) -> dict[str, bytes]:
    """Return segments that lie one after another, by key, given the length in bytes of each."""
    contents: dict[str, bytes] = {}
    start = 0
    for key, size_bytes in sizes:
        contents[key] = joined[start : start + size_bytes]
        start += size_bytes
    return contents


def encode_pack(key: str, contents: Sequence[tuple[SegmentName, bytes]]) -> bytes:
    """Return the pack that is to stand under `key`, of sealed segments and all of their bytes."""
    copies = b"".join(content for _, content in contents)
    names = [f"{name.place.decode()}.{name.size_bytes}" for name, _ in contents]
    head = {"version": _VERSION, "segments": names, "digest": digest_of(copies)}
    return encode_line(head, place=key.encode()) + compress(copies, level=TABLE_LEVEL)


@dataclass(slots=True)
class _Packs:
    """What there is already, by keys."""

    kept: set[str] = field(default_factory=set)
    """Segments in packs that hold enough."""
    replaced: set[str] = field(default_factory=set)
    """Segments in packs that hold too little."""
    scanty: list[str] = field(default_factory=list)
    """Those packs, and the ones that cannot be read."""


def _look_at_packs(store: Store, short: dict[str, SegmentName]) -> _Packs:
    packs = _Packs()
    for key in reversed(list_packs(store)):
        try:
            head = _load_head(store, key)
        except (NotFoundError, UnsupportedVersionError):
            continue  # another process replaced it; it is of use to those that know its version
        except FormatError:
            packs.scanty.append(key)
            continue
        segments = {name.key: _length(name) for name in head.segments}
        fresh = [size for one, size in segments.items() if one in short and one not in packs.kept]
        if 2 * len(fresh) >= MOST_SEGMENTS or 2 * sum(fresh) >= MOST_BYTES:
            packs.kept |= segments.keys()
        else:
            packs.replaced |= segments.keys()
            packs.scanty.append(key)
    return packs


def _load_head(store: Store, key: str) -> PackHead:
    beginning = store.get_range(key, 0, _HEAD_BYTES)
    data = beginning if b"\n" in beginning else store.get(key)
    return _decode_head(key, data.partition(b"\n")[0])


def _decode_head(key: str, line: bytes) -> PackHead:
    document = decode_line(line, place=key.encode())
    if document.get("version") != _VERSION:
        raise UnsupportedVersionError(f"{key} is a pack of version {document.get('version')!r}")
    try:
        names = [parse_segment_key(f"{name}.jsonl") for name in document["segments"]]
        digest = str(document["digest"])
    except (KeyError, TypeError) as error:
        raise CorruptionError(f"{key} does not say what it holds") from error
    sealed = tuple(name for name in names if name is not None and name.size_bytes is not None)
    if len(sealed) < len(names):
        raise CorruptionError(f"{key} names what is no sealed segment")
    return PackHead(sealed, digest)


def _save_pack(store: Store, names: Sequence[SegmentName]) -> int:
    """Save a pack of the given segments, without those that are damaged or have gone; return how many it holds."""
    contents: dict[str, bytes] = {}

    def work(shared: Iterator[SegmentName]) -> None:
        for name in shared:
            try:
                contents[name.key] = get_segment(store, name)
            except NotFoundError:
                continue

    run_workers(work, names, threads=concurrency_of(store))
    whole = [(name, contents[name.key]) for name in names if len(contents.get(name.key, b"")) == name.size_bytes]
    key = pack_key(now_text(), os.urandom(8).hex())
    if whole:
        store.put(key, encode_pack(key, whole), durable=True)
    return len(whole)


def _length(name: SegmentName) -> int:
    return name.size_bytes or 0
