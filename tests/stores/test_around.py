"""Every wrapper, around a memory store: it is still a store, and an `AppendStore` exactly when it holds one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from keepsake.stores.around import StoreAround
from keepsake.stores.base import AppendStore, Data, ObjectInfo, Store
from keepsake.stores.cache import CacheStore
from keepsake.stores.memory import MemoryStore
from keepsake.stores.retry import RetryStore
from keepsake.testing import AppendStoreTests, FaultyStore, RecordingStore, SlowStore, StoreTests


class Bucket:
    """A store that is no `AppendStore`, as buckets are."""

    def __init__(self) -> None:
        self._store = MemoryStore()
        self.url = "bucket://test"

    def get(self, key: str) -> bytes:
        return self._store.get(key)

    def get_range(self, key: str, start: int, stop: int) -> bytes:
        return self._store.get_range(key, start, stop)

    def put(self, key: str, data: Data, *, durable: bool = False) -> None:
        self._store.put(key, data, durable=durable)

    def create(self, key: str, data: Data, *, durable: bool = False) -> bool:
        return self._store.create(key, data, durable=durable)

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        return self._store.list(prefix)

    def head(self, key: str) -> ObjectInfo | None:
        return self._store.head(key)

    def delete(self, key: str) -> None:
        self._store.delete(key)

    def sync(self, keys: Iterable[str]) -> None:
        self._store.sync(keys)


def _wrap_in_all(store: Store, directory: Path) -> StoreAround:
    slow = SlowStore(RecordingStore(store), latency_s=0)
    return CacheStore(RetryStore(FaultyStore(slow)), directory, 1 << 20, prefixes=("a/", "top"))


WRAPPERS: dict[str, Callable[[Store, Path], StoreAround]] = {
    "nothing else": lambda store, _: StoreAround(store),
    "retry": lambda store, _: RetryStore(store),
    "cache": lambda store, directory: CacheStore(store, directory, 10 << 20, prefixes=("a/", "top")),
    "tiny cache": lambda store, directory: CacheStore(store, directory, 1000, prefixes=("",)),
    "recording": lambda store, _: RecordingStore(store),
    "faulty": lambda store, _: FaultyStore(store),
    "slow": lambda store, _: SlowStore(store, latency_s=0, bytes_per_s=1e12),
    "all of them": _wrap_in_all,
}


class TestWrappersOfAnAppendStore(AppendStoreTests):
    @pytest.fixture(params=WRAPPERS)
    def append_store(self, request: pytest.FixtureRequest, tmp_path: Path) -> AppendStore:
        return WRAPPERS[request.param](MemoryStore(), tmp_path)


class TestWrappersOfABucket(StoreTests):
    @pytest.fixture(params=["all of them"])
    def store(self, request: pytest.FixtureRequest, tmp_path: Path) -> Store:
        return WRAPPERS[request.param](Bucket(), tmp_path)


@pytest.mark.parametrize("name", WRAPPERS)
def test_a_wrapper_of_a_bucket_does_not_claim_to_append(name: str, tmp_path: Path) -> None:
    assert not isinstance(WRAPPERS[name](Bucket(), tmp_path), AppendStore)
    assert isinstance(WRAPPERS[name](Bucket(), tmp_path), Store)
    assert isinstance(WRAPPERS[name](MemoryStore(), tmp_path), AppendStore)


def test_a_wrapper_says_where_the_wrapped_store_is() -> None:
    assert StoreAround(Bucket()).url == "bucket://test"
