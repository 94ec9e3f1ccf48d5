"""The cache: it saves requests, stays within its limit, and never hands out what is damaged."""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from keepsake.errors import NotFoundError
from keepsake.stores import _diskroom, cache
from keepsake.stores._temporary import temporary_name
from keepsake.stores.cache import CacheStore
from keepsake.stores.memory import MemoryStore
from keepsake.testing import RecordingStore
from tests.smalldisk import mounted_disk

DAY_S = 24 * 3600


@pytest.fixture
def remote() -> RecordingStore:
    return RecordingStore(MemoryStore())


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def store(remote: RecordingStore, directory: Path) -> CacheStore:
    return CacheStore(remote, directory, 1 << 20, prefixes=("chunks/", "manifests/"))


def _copies(directory: Path) -> list[Path]:
    return sorted(path for path in directory.rglob("*") if path.is_file())


def test_an_immutable_object_is_fetched_once(store: CacheStore, remote: RecordingStore) -> None:
    remote.put("chunks/ab/abcd", b"content")
    assert [store.get("chunks/ab/abcd") for _ in range(3)] == [b"content"] * 3
    assert remote.count("get") == 1


def test_another_process_uses_the_same_copies(store: CacheStore, remote: RecordingStore, directory: Path) -> None:
    remote.put("manifests/ab/abcd", b"content")
    store.get("manifests/ab/abcd")
    other = CacheStore(remote, directory, 1 << 20, prefixes=("manifests/",))
    assert other.get("manifests/ab/abcd") == b"content"
    assert remote.count("get") == 1


def test_what_may_change_is_always_fetched(store: CacheStore, remote: RecordingStore, directory: Path) -> None:
    remote.put("journals/a", b"one\n")
    assert store.get("journals/a") == b"one\n"
    remote.put("journals/a", b"one\ntwo\n")
    assert store.get("journals/a") == b"one\ntwo\n"
    assert not directory.exists()


def test_what_is_absent_is_not_remembered(store: CacheStore, remote: RecordingStore) -> None:
    with pytest.raises(NotFoundError):
        store.get("chunks/ab/abcd")
    remote.put("chunks/ab/abcd", b"content")
    assert store.get("chunks/ab/abcd") == b"content"


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:20],
        lambda data: data[:-1],
        lambda data: data + b"x",
        lambda data: bytes([data[0] ^ 1]) + data[1:],
        lambda data: data[:-1] + bytes([data[-1] ^ 1]),
    ],
    ids=["empty", "header cut", "end cut", "too long", "flipped in header", "flipped in content"],
)
def test_a_damaged_copy_is_fetched_again(
    store: CacheStore, remote: RecordingStore, directory: Path, damage: type[bytes]
) -> None:
    remote.put("chunks/ab/abcd", b"content")
    store.get("chunks/ab/abcd")
    (copy,) = _copies(directory)
    copy.write_bytes(damage(copy.read_bytes()))
    assert store.get("chunks/ab/abcd") == b"content"
    assert remote.count("get") == 2
    assert store.get("chunks/ab/abcd") == b"content"
    assert remote.count("get") == 2


def test_a_copy_under_a_wrong_key_is_not_taken(store: CacheStore, remote: RecordingStore, directory: Path) -> None:
    for name in ("aa", "bb"):
        remote.put(f"chunks/{name}", name.encode())
        store.get(f"chunks/{name}")
    os.replace(directory / "chunks" / "aa", directory / "chunks" / "bb")
    assert store.get("chunks/bb") == b"bb"


def test_forgetting_lets_the_next_read_ask_the_store(store: CacheStore, remote: RecordingStore) -> None:
    remote.put("chunks/ab/abcd", b"damaged on the way")
    store.get("chunks/ab/abcd")
    remote.put("chunks/ab/abcd", b"content")
    store.forget("chunks/ab/abcd")
    store.forget("chunks/ab/never read")
    assert store.get("chunks/ab/abcd") == b"content"


def test_what_is_written_or_deleted_through_it_is_not_read_from_a_copy(store: CacheStore) -> None:
    store.put("chunks/aa", b"first")
    assert store.get("chunks/aa") == b"first"
    store.put("chunks/aa", b"second")
    assert store.get("chunks/aa") == b"second"
    store.rename("chunks/aa", "chunks/bb")
    assert store.get("chunks/bb") == b"second"
    store.delete("chunks/bb")
    for key in ("chunks/aa", "chunks/bb"):
        with pytest.raises(NotFoundError):
            store.get(key)


def test_the_copies_stay_within_the_limit_and_the_least_recently_used_go(
    remote: RecordingStore, directory: Path
) -> None:
    store = CacheStore(remote, directory, 100_000, prefixes=("chunks/",))
    keys = [f"chunks/{number:02}" for number in range(60)]
    for key in keys:
        remote.put(key, b"x" * 5_000)
    for number, key in enumerate(keys[:15]):
        store.get(key)
        _age(directory / key, seconds=1000 - number)
    store.get(keys[0])  # used again: now the youngest
    for key in keys[15:22]:
        store.get(key)
    kept = {f"chunks/{path.name}" for path in _copies(directory)}
    assert keys[0] in kept
    assert keys[1] not in kept
    assert set(keys[15:22]) <= kept
    for key in keys[22:]:
        store.get(key)
        assert sum(path.stat().st_size for path in _copies(directory)) <= 100_000 * 17 / 16
    assert len(_copies(directory)) >= 15


def test_copies_that_others_left_count_towards_the_limit(remote: RecordingStore, directory: Path) -> None:
    for number in range(20):
        remote.put(f"chunks/{number:02}", b"x" * 5_000)
        CacheStore(remote, directory, 50_000, prefixes=("chunks/",)).get(f"chunks/{number:02}")
    assert sum(path.stat().st_size for path in _copies(directory)) <= 50_000 * 17 / 16


def test_an_object_that_would_fill_the_cache_is_not_kept(remote: RecordingStore, directory: Path) -> None:
    store = CacheStore(remote, directory, 100_000, prefixes=("chunks/",))
    remote.put("chunks/large", b"x" * 50_000)
    assert store.get("chunks/large") == b"x" * 50_000
    assert not directory.exists()


def test_temporary_files_of_dead_processes_go_after_a_day(
    store: CacheStore, remote: RecordingStore, directory: Path
) -> None:
    directory.mkdir()
    old, young = directory / temporary_name(), directory / temporary_name()
    old.write_bytes(b"half")
    young.write_bytes(b"half")
    _age(old, seconds=DAY_S + 60)
    remote.put("chunks/aa", b"content")
    store.get("chunks/aa")
    assert not old.exists()
    assert young.exists()


def test_a_cache_that_cannot_be_written_or_read_is_done_without(remote: RecordingStore, directory: Path) -> None:
    directory.write_bytes(b"a file where the directory should be")
    store = CacheStore(remote, directory, 1 << 20, prefixes=("chunks/",))
    remote.put("chunks/aa", b"content")
    assert [store.get("chunks/aa"), store.get("chunks/aa")] == [b"content", b"content"]
    store.forget("chunks/aa")
    store.delete("chunks/aa")


def test_many_threads_and_processes_may_share_a_small_cache(remote: RecordingStore, directory: Path) -> None:
    for number in range(40):
        remote.put(f"chunks/{number}", b"%d" % number * 1000)
    stores = [CacheStore(remote, directory, 30_000, prefixes=("chunks/",)) for _ in range(2)]
    start = threading.Barrier(4)

    def read(reader: int) -> None:
        start.wait()
        for step in range(200):
            number = (step * 7 + reader * 13) % 40
            assert stores[reader % 2].get(f"chunks/{number}") == b"%d" % number * 1000

    with ThreadPoolExecutor(4) as pool:
        for reading in [pool.submit(read, reader) for reader in range(4)]:
            reading.result()
    assert sum(path.stat().st_size for path in _copies(directory)) <= 30_000 * 18 / 16


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MB of its own."""
    with mounted_disk(tmp_path / "disk", 4 << 20) as directory:
        yield directory


def _free_bytes(disk: Path) -> int:
    return shutil.disk_usage(disk).free


def test_a_fifth_of_a_small_disk_is_left_free_whatever_the_limit(remote: RecordingStore, small_disk: Path) -> None:
    store = CacheStore(remote, small_disk / "cache", 1 << 30, prefixes=("chunks/",))
    for number in range(60):
        remote.put(f"chunks/{number:02}", bytes([number]) * 100_000)
        store.get(f"chunks/{number:02}")
        assert _free_bytes(small_disk) >= 0.75 * 2**20
    assert len(_copies(small_disk)) >= 20
    assert store.get("chunks/59") == bytes([59]) * 100_000
    assert remote.count("get") == 60  # the last one was kept


def test_copies_give_way_to_what_others_write_on_their_disk(
    remote: RecordingStore, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_diskroom, "_ASK_S", 0.0)
    monkeypatch.setattr(cache, "_PAUSE_S", 0.0)
    store = CacheStore(remote, small_disk / "cache", 1 << 30, prefixes=("chunks/",))
    for number in range(25):
        remote.put(f"chunks/{number:02}", bytes([number]) * 100_000)
        store.get(f"chunks/{number:02}")
    for number in range(5):
        with contextlib.suppress(OSError), (small_disk / f"other-{number}").open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        remote.put(f"chunks/more-{number}", b"x")
        assert [store.get(f"chunks/more-{number}") for _ in range(2)] == [b"x"] * 2
        assert _free_bytes(small_disk) >= 0.75 * 2**20 or _copies(small_disk / "cache") == []
    assert _copies(small_disk / "cache") == []


def test_what_does_not_fit_on_the_disk_pushes_nothing_out(remote: RecordingStore, small_disk: Path) -> None:
    store = CacheStore(remote, small_disk / "cache", 1 << 30, prefixes=("chunks/",))
    for number in range(60):
        remote.put(f"chunks/{number:02}", bytes([number]) * 100_000)
    store.get("chunks/00")
    with store.reading_once(60 * 100_000):
        for number in range(60):
            store.get(f"chunks/{number:02}")
    assert [path.name for path in _copies(small_disk)] == ["00"]
    with store.reading_once(20 * 100_000):
        for number in range(20):
            store.get(f"chunks/{number:02}")
    assert len(_copies(small_disk)) == 20


def _age(path: Path, *, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))
