"""Settling: raw chunks are encoded and synced, so that they are small and survive a power loss.

A chunk is verified before it is encoded, and its encoding is decoded and verified again before it replaces the raw
one: a fault of memory or of this program does not spread. The replacement is durable and atomic, under the same key,
and given up when the key has gone meanwhile.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from keepsake._chunks.codec import HEADER_BYTES, MAX_CHUNK_BYTES, decode_chunk, encode_chunk, is_raw, raw_length_of
from keepsake._chunks.digest import digest_of
from keepsake._chunks.workers import run_workers
from keepsake._model.keys import chunk_key
from keepsake.errors import CorruptionError, InternalError, NotFoundError

if TYPE_CHECKING:
    from keepsake._chunks.chunkstore import ChunkStore


def recode(chunks: ChunkStore, digest: str) -> None:
    """Encode one chunk if it is raw, and have it survive a power loss either way."""
    unsynced: list[str] = []
    _settle_chunk(chunks, digest, unsynced)
    chunks.store.sync(unsynced)


def settle(
    chunks: ChunkStore, digests: Iterable[str], *, threads: int, on_progress: Callable[[int], None] | None
) -> None:
    """Encode those of the chunks that are raw and sync the others; see `ChunkStore.settle`."""
    lock = threading.Lock()
    damage: list[CorruptionError] = []

    def work(shared: Iterator[str]) -> None:
        unsynced: list[str] = []
        for digest in shared:
            try:
                length = _settle_chunk(chunks, digest, unsynced)
            except CorruptionError as error:
                damage.append(error)
                continue
            if on_progress is not None:
                with lock:
                    on_progress(length)
        chunks.store.sync(unsynced)

    run_workers(work, dict.fromkeys(digests), threads=threads)
    if damage:
        raise damage[0]


def _settle_chunk(chunks: ChunkStore, digest: str, unsynced: list[str]) -> int:
    """Settle one chunk under its plain key, or else its further copies; return its raw length, 0 when it has gone.

    Keys of chunks that only need syncing are added to `unsynced`.
    """
    try:
        return _settle_copy(chunks, chunk_key(digest), digest, unsynced)
    except NotFoundError:
        lengths = [_settle_copy(chunks, key, digest, unsynced) for key in chunks.other_keys(digest)]
        return max(lengths, default=0)


def _settle_copy(chunks: ChunkStore, key: str, digest: str, unsynced: list[str]) -> int:
    header = chunks.store.get_range(key, 0, HEADER_BYTES)
    if not is_raw(header):
        unsynced.append(key)
        return raw_length_of(header)
    data = chunks.read_copy(key, digest)
    encoded = encode_chunk(data)
    if digest_of(decode_chunk(encoded, max_bytes=MAX_CHUNK_BYTES)) != digest:
        raise InternalError(
            f"the encoding of {key} does not decode to what was encoded; the chunk was left as it is",
            hint="this points to faulty memory, or to a mistake in Keepsake: please report it",
        )
    if chunks.store.head(key) is not None:
        chunks.store.put(key, encoded, durable=True)
    return len(data)
