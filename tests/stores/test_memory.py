"""The memory store: the suites, and what it does not keep."""

from __future__ import annotations

import pytest

from keepsake.stores.base import AppendStore
from keepsake.stores.memory import MemoryStore
from keepsake.testing import AppendStoreTests


class TestMemoryStore(AppendStoreTests):
    @pytest.fixture
    def append_store(self) -> AppendStore:
        return MemoryStore()


def test_two_memory_stores_share_nothing() -> None:
    first, second = MemoryStore(), MemoryStore()
    first.put("a/object", b"content")
    assert list(second.list()) == []


def test_an_appender_whose_object_was_deleted_does_not_bring_it_back() -> None:
    store = MemoryStore()
    appender = store.open_append("a/journal")
    store.delete("a/journal")
    appender.append(b"line\n")
    assert store.head("a/journal") is None
