"""Settling: raw chunks become small and durable, verified before and after, whatever happens meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

import numpy as np
import pytest

from keepsake._chunks import settling
from keepsake._chunks.chunkstore import ChunkStore
from keepsake._chunks.codec import encode_chunk, encode_raw_header
from keepsake._chunks.digest import digest_of
from keepsake._model.keys import chunk_key
from keepsake.errors import CorruptionError, InternalError, WriteError
from keepsake.stores.around import Operation, Result
from keepsake.stores.base import Data
from keepsake.stores.memory import MemoryStore
from keepsake.testing import FaultyStore, RecordingStore


class DurabilityStore(RecordingStore):
    """A store that notes which keys were promised to survive a power loss."""

    def __init__(self) -> None:
        super().__init__(MemoryStore())
        self.durable: set[str] = set()
        self.after_get: Callable[[str], None] = lambda key: None

    def put(self, key: str, data: Data, *, durable: bool = False) -> None:
        super().put(key, data, durable=durable)
        self.durable.discard(key)
        if durable:
            self.durable.add(key)

    def sync(self, keys: Iterable[str]) -> None:
        wanted = [*keys]
        super().sync(wanted)
        self.durable.update(wanted)

    def perform(self, operation: Operation, act: Callable[[], Result]) -> Result:
        result = super().perform(operation, act)
        if operation.name == "get":
            self.after_get(operation.key)
        return result


@pytest.fixture
def store() -> DurabilityStore:
    return DurabilityStore()


def some_chunks(count: int) -> list[bytes]:
    rng = np.random.default_rng(0)
    return [(rng.standard_normal(4000) * 0.02).astype("f4").tobytes() for _ in range(count)]


def test_all_chunks_become_encoded_and_durable(store: DurabilityStore) -> None:
    chunks = ChunkStore(store)
    contents = [*some_chunks(30), np.random.default_rng(1).bytes(5000)]
    digests = [chunks.put(data) for data in contents]
    chunks.settle(iter(digests))
    assert store.durable == {chunk_key(digest) for digest in digests}
    for digest, data in zip(digests, contents, strict=True):
        assert store.get(chunk_key(digest)) == encode_chunk(data)
        assert bytes(chunks.get(digest)) == data


def test_settled_chunks_are_only_looked_at_and_synced(store: DurabilityStore) -> None:
    chunks = ChunkStore(store)
    digests = [chunks.put(data) for data in some_chunks(5)]
    chunks.settle(digests)
    store.clear()
    chunks.settle(digests)
    assert {operation.name for operation in store.select()} == {"get_range", "sync"}


def test_progress_counts_raw_bytes_of_every_chunk_once(store: DurabilityStore) -> None:
    chunks = ChunkStore(store)
    digests = [chunks.put(data) for data in some_chunks(9)]
    chunks.settle(digests[:4])
    done: list[int] = []
    chunks.settle([*digests, *digests], on_progress=done.append)
    assert done == [16_000] * 9


def test_absent_chunks_are_passed_over(store: DurabilityStore) -> None:
    chunks = ChunkStore(store)
    digest = chunks.put(b"here" * 100)
    done: list[int] = []
    chunks.settle([digest_of(b"gone"), digest], on_progress=done.append)
    assert sorted(done) == [0, 400]
    assert not chunks.is_raw(digest)
    chunks.recode(digest_of(b"gone"))


def test_a_chunk_deleted_while_it_is_encoded_does_not_come_back(store: DurabilityStore) -> None:
    chunks = ChunkStore(store)
    digest = chunks.put(b"data" * 100)
    store.after_get = store.delete
    chunks.recode(digest)
    assert not chunks.is_known(digest)


def test_further_copies_are_settled_where_the_plain_one_is_absent(store: DurabilityStore) -> None:
    data = b"data" * 100
    key = chunk_key(digest_of(data)) + ".0123"
    store.put(key, encode_raw_header(len(data)) + data)
    ChunkStore(store).settle([digest_of(data)])
    assert store.get(key) == encode_chunk(data)
    assert store.durable == {key}


def test_a_damaged_raw_chunk_is_reported_and_the_others_are_settled(store: DurabilityStore) -> None:
    chunks = ChunkStore(store)
    digests = [chunks.put(data) for data in some_chunks(6)]
    key = chunk_key(digests[2])
    damaged = store.get(key)[:-1] + b"!"
    store.put(key, damaged)
    with pytest.raises(CorruptionError, match=digests[2]):
        chunks.settle(digests)
    assert store.get(key) == damaged
    assert [chunks.is_raw(digest) for digest in digests] == [number == 2 for number in range(6)]
    with pytest.raises(CorruptionError):
        chunks.recode(digests[2])


def test_a_chunk_of_an_unknown_codec_is_left_as_it_is(store: DurabilityStore) -> None:
    digest = digest_of(b"from the future")
    obj = b"KSC2\x2a" + encode_raw_header(15)[5:] + b"whatever"
    store.put(chunk_key(digest), obj)
    done: list[int] = []
    ChunkStore(store).settle([digest], on_progress=done.append)
    assert store.get(chunk_key(digest)) == obj
    assert store.durable == {chunk_key(digest)}
    assert done == [15]


def test_an_encoding_that_does_not_decode_never_replaces_the_chunk(
    store: DurabilityStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    chunks = ChunkStore(store)
    digest = chunks.put(b"data" * 100)
    # As if a bit of memory had flipped after the chunk was verified.
    monkeypatch.setattr(settling, "encode_chunk", lambda data: encode_chunk(bytes(data[:-1]) + b"b"))
    with pytest.raises(InternalError):
        chunks.recode(digest)
    assert bytes(chunks.get(digest)) == b"data" * 100


def test_a_failing_store_stops_settling_and_a_second_call_ends_it() -> None:
    faulty = FaultyStore(MemoryStore())
    chunks = ChunkStore(faulty)
    digests = [chunks.put(data) for data in some_chunks(20)]
    faulty.fail("put", at=5, error=WriteError("disk full"))
    with pytest.raises(WriteError, match="disk full"):
        chunks.settle(digests)
    assert any(chunks.is_raw(digest) for digest in digests)
    chunks.settle(digests)
    assert not any(chunks.is_raw(digest) for digest in digests)


def test_an_interruption_leaves_every_chunk_whole(store: DurabilityStore) -> None:
    chunks = ChunkStore(store)
    contents = some_chunks(40)
    digests = [chunks.put(data) for data in contents]

    def interrupt(_: int) -> None:
        if threading.current_thread() is threading.main_thread():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        chunks.settle(digests, threads=2, on_progress=interrupt)
    assert [bytes(chunks.get(digest)) for digest in digests] == contents
