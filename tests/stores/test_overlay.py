from __future__ import annotations

import pytest

from keepsake.errors import NotFoundError
from keepsake.stores.base import Store
from keepsake.stores.memory import MemoryStore
from keepsake.stores.overlay import OverlayStore
from keepsake.testing import StoreTests


class TestOverNothing(StoreTests):
    @pytest.fixture
    def store(self) -> Store:
        return OverlayStore(MemoryStore(), lambda: None, prefixes=("a/",))


class TestOverAnEmptyStore(StoreTests):
    @pytest.fixture
    def store(self) -> Store:
        over = MemoryStore()
        return OverlayStore(MemoryStore(), lambda: over, prefixes=("",))


def test_what_is_in_either_is_there_once() -> None:
    below, over = MemoryStore(), MemoryStore()
    store = OverlayStore(below, lambda: over, prefixes=("a/", "b/"))
    below.put("a/both", b"below")
    over.put("a/both", b"over")
    below.put("a/below", b"below")
    over.put("b/over", b"over")
    over.put("c/hidden", b"over")
    assert sorted(info.key for info in store.list()) == ["a/below", "a/both", "b/over"]
    assert sorted(info.key for info in store.list("a/b")) == ["a/below", "a/both"]
    assert [store.get(key) for key in ("a/both", "a/below", "b/over")] == [b"over", b"below", b"over"]
    assert store.get_range("a/below", 1, 3) == b"el"
    assert store.head("b/over") is not None
    assert store.head("c/hidden") is None
    with pytest.raises(NotFoundError):
        store.get("c/hidden")


def test_everything_is_written_below() -> None:
    below, over = MemoryStore(), MemoryStore()
    OverlayStore(below, lambda: over, prefixes=("a/",)).put("a/one", b"1")
    assert (below.get("a/one"), over.head("a/one")) == (b"1", None)
