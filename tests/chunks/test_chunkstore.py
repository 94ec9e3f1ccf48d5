"""The chunk store: put once, verified always, raw chunks of before a power loss not trusted unseen."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepsake._chunks.chunkstore import ChunkStore
from keepsake._chunks.codec import HEADER_BYTES, MAX_CHUNK_BYTES, decode_chunk, encode_chunk, encode_raw_header
from keepsake._chunks.digest import digest_of
from keepsake._model.keys import chunk_key
from keepsake.errors import CorruptionError, InternalError, NotFoundError, StoreError, UnsupportedVersionError
from keepsake.stores.base import Store
from keepsake.stores.local import LocalStore
from keepsake.stores.memory import MemoryStore
from keepsake.testing import FaultyStore, RecordingStore

DATA = b"weights of some model " * 100
DIGEST = digest_of(DATA)
KEY = chunk_key(DIGEST)
LONG_AGO = 1_000_000_000


class FlippingStore(RecordingStore):
    """A store whose next reads come back damaged, as from a bad cable; what it holds is sound."""

    damaged_reads = 0

    def get(self, key: str) -> bytes:
        data = super().get(key)
        if self.damaged_reads:
            self.damaged_reads -= 1
            data = data[:-1] + bytes([data[-1] ^ 1])
        return data


@pytest.fixture
def store() -> RecordingStore:
    return RecordingStore(MemoryStore())


def raw(data: bytes) -> bytes:
    return encode_raw_header(len(data)) + data


def flipped(obj: bytes, place: int) -> bytes:
    return obj[:place] + bytes([obj[place] ^ 0x10]) + obj[place + 1 :]


def age(root: Path, digest: str) -> None:
    """Make a chunk as old as one from before this boot."""
    os.utime(root / chunk_key(digest), ns=(LONG_AGO, LONG_AGO))


def test_a_chunk_is_stored_raw_under_its_digest(store: RecordingStore) -> None:
    assert ChunkStore(store).put(DATA) == DIGEST
    assert store.get(KEY) == raw(DATA)


def test_a_known_chunk_costs_one_look_up_and_no_write(store: RecordingStore) -> None:
    chunks = ChunkStore(store)
    chunks.put(DATA)
    store.clear()
    assert chunks.put(bytearray(DATA)) == DIGEST
    assert [(operation.name, operation.key) for operation in store.select()] == [("head", KEY)]


def test_a_chunk_deleted_meanwhile_is_written_again(store: RecordingStore) -> None:
    chunks = ChunkStore(store)
    chunks.put(DATA)
    store.delete(KEY)
    assert not chunks.is_known(DIGEST)
    chunks.put(DATA)
    assert chunks.is_known(DIGEST)


@given(st.binary(max_size=2000), st.booleans())
def test_what_was_put_comes_back(data: bytes, settled: bool) -> None:
    chunks = ChunkStore(MemoryStore())
    digest = chunks.put(data)
    if settled:
        chunks.settle([digest])
    assert bytes(chunks.get(digest)) == data
    assert chunks.is_raw(digest) != settled


def test_an_absent_chunk_is_named(store: RecordingStore) -> None:
    with pytest.raises(NotFoundError, match=DIGEST):
        ChunkStore(store).get(DIGEST)


def test_a_chunk_too_long_to_be_read_is_refused(store: RecordingStore) -> None:
    with pytest.raises(InternalError):
        ChunkStore(store).put(bytes(MAX_CHUNK_BYTES + 1))
    assert store.count("put") == 0


def test_a_failing_store_is_raised(store: RecordingStore) -> None:
    faulty = FaultyStore(store)
    faulty.fail("put")
    with pytest.raises(StoreError):
        ChunkStore(faulty).put(DATA)


@pytest.mark.parametrize("obj", [raw(DATA), encode_chunk(DATA)], ids=["raw", "encoded"])
@pytest.mark.parametrize("place", [0, 5, 6, 9, 15, HEADER_BYTES, -1])
def test_every_flipped_byte_is_damage_that_names_the_chunk(store: RecordingStore, obj: bytes, place: int) -> None:
    store.put(KEY, flipped(obj, place % len(obj)))
    with pytest.raises(CorruptionError, match=KEY):
        ChunkStore(store).get(DIGEST)
    assert store.count("get", KEY) == 2, "damage is read once more before it counts"


@pytest.mark.parametrize("length", [0, 7, HEADER_BYTES, HEADER_BYTES + 5])
def test_a_truncated_chunk_is_damage(store: RecordingStore, length: int) -> None:
    store.put(KEY, raw(DATA)[:length])
    with pytest.raises(CorruptionError, match=KEY):
        ChunkStore(store).get(DIGEST)


def test_a_read_that_was_damaged_on_the_way_is_repeated() -> None:
    store = FlippingStore(MemoryStore())
    chunks = ChunkStore(store)
    chunks.put(DATA)
    store.damaged_reads = 1
    assert bytes(chunks.get(DIGEST)) == DATA


def test_an_unknown_codec_is_a_newer_version(store: RecordingStore) -> None:
    store.put(KEY, b"KSC2\x2a" + raw(DATA)[5:])
    with pytest.raises(UnsupportedVersionError):
        ChunkStore(store).get(DIGEST)


@pytest.mark.parametrize("plain", [None, raw(b"something else"), b"garbage"], ids=["absent", "other", "garbage"])
def test_a_further_copy_stands_in_for_the_plain_one(store: RecordingStore, plain: bytes | None) -> None:
    if plain is not None:
        store.put(KEY, plain)
    store.put(KEY + ".0123abcd", b"garbage as well")
    store.put(KEY + ".4567abcd", raw(DATA))
    chunks = ChunkStore(store)
    assert bytes(chunks.get(DIGEST)) == DATA
    encoded, length = chunks.get_encoded(DIGEST)
    assert (decode_chunk(encoded, max_bytes=len(DATA)), length) == (DATA, len(DATA))


def test_damage_says_more_than_absence(store: RecordingStore) -> None:
    store.put(KEY + ".0123abcd", b"garbage")
    with pytest.raises(CorruptionError, match="0123abcd"):
        ChunkStore(store).get(DIGEST)


def test_a_raw_chunk_from_before_this_boot_is_verified_once(tmp_path: Path) -> None:
    store = RecordingStore(LocalStore(tmp_path))
    ChunkStore(store).put(DATA)
    age(tmp_path, DIGEST)
    store.clear()
    chunks = ChunkStore(store, booted_ns=LONG_AGO + 1)
    chunks.put(DATA)
    assert (store.count("get"), store.count("put")) == (1, 0)
    chunks.put(DATA)
    assert (store.count("get"), store.count("put")) == (1, 0)


@pytest.mark.parametrize("length", [0, 10, 300], ids=["empty", "headless", "cut"])
def test_a_raw_chunk_damaged_by_a_power_loss_is_written_again(tmp_path: Path, length: int) -> None:
    ChunkStore(LocalStore(tmp_path)).put(DATA)
    os.truncate(tmp_path / KEY, length)
    age(tmp_path, DIGEST)
    chunks = ChunkStore(LocalStore(tmp_path), booted_ns=LONG_AGO + 1)
    assert not chunks.is_known(DIGEST)
    chunks.put(DATA)
    assert bytes(chunks.get(DIGEST)) == DATA


def test_an_encoded_chunk_from_before_this_boot_is_trusted(tmp_path: Path) -> None:
    store = RecordingStore(LocalStore(tmp_path))
    ChunkStore(store).put(DATA)
    ChunkStore(store).settle([DIGEST])
    age(tmp_path, DIGEST)
    store.clear()
    ChunkStore(store, booted_ns=LONG_AGO + 1).put(DATA)
    assert (store.count("get"), store.count("put")) == (0, 0)


def test_a_chunk_store_works_on_any_store(tmp_path: Path) -> None:
    stores: list[Store] = [MemoryStore(), LocalStore(tmp_path)]
    assert {ChunkStore(store).put(DATA) for store in stores} == {DIGEST}
