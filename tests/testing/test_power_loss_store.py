"""What a `PowerLossStore` keeps and what it loses when the power is cut."""

from __future__ import annotations

import doctest
from random import Random

import pytest

from keepsake.errors import WriteError
from keepsake.stores.base import AppendStore
from keepsake.stores.memory import MemoryStore
from keepsake.testing import AppendStoreTests, PowerLossStore, power_loss

SEEDS = range(50)


class TestPowerLossStore(AppendStoreTests):
    """While the power is on, it is a store like any other."""

    @pytest.fixture
    def append_store(self) -> AppendStore:
        store = PowerLossStore(MemoryStore())
        assert isinstance(store, AppendStore)
        return store


def keys(store: PowerLossStore) -> set[str]:
    return {info.key for info in store.list()}


@pytest.mark.parametrize("seed", SEEDS)
def test_what_was_synced_is_kept(seed: int) -> None:
    inner = MemoryStore()
    inner.put("a/before", b"1")
    store = PowerLossStore(inner)
    store.put("a/durable", b"22", durable=True)
    assert store.create("a/created", b"333", durable=True)
    store.put("a/synced", b"4444")
    appender = store.open_append("a/journal.open")
    appender.append(b"55555")
    store.rename("a/journal.open", "a/journal.5")
    store.sync(["a/synced", "a/journal.5", "a/absent"])
    assert store.cut_power(Random(seed), survival=0.3) == frozenset()
    assert {key: len(store.get(key)) for key in keys(store)} == {
        "a/before": 1,
        "a/durable": 2,
        "a/created": 3,
        "a/synced": 4,
        "a/journal.5": 5,
    }


def test_what_was_not_synced_may_be_there_gone_empty_short_or_have_holes() -> None:
    content = bytes(range(1, 251)) * 10
    seen: set[str] = set()
    for seed in SEEDS:
        store = PowerLossStore(MemoryStore())
        store.put("a/object", content)
        changed = store.cut_power(Random(seed))
        found = store.get("a/object") if keys(store) else None
        assert changed == (frozenset() if found == content else {"a/object"})
        if found is None:
            seen.add("gone")
        elif len(found) < len(content):
            assert content.startswith(found)
            seen.add("short" if found else "empty")
        else:
            assert all(byte in (0, whole) for byte, whole in zip(found, content, strict=True))
            seen.add("whole" if found == content else "holes")
    assert seen == {"gone", "empty", "short", "holes", "whole"}


def test_synced_bytes_stay_when_more_were_appended() -> None:
    for seed in SEEDS:
        store = PowerLossStore(MemoryStore())
        appender = store.open_append("a/journal")
        appender.append(b"synced\n")
        store.sync(["a/journal"])
        appender.append(b"not synced\n")
        store.cut_power(Random(seed))
        assert store.get("a/journal").startswith(b"synced\n")
        with pytest.raises(WriteError, match="before the power was cut"):
            appender.append(b"more\n")


def test_the_object_that_was_to_be_replaced_may_be_back_or_damaged() -> None:
    seen = set()
    for seed in SEEDS:
        store = PowerLossStore(MemoryStore())
        store.put("a/object", b"old", durable=True)
        store.put("a/object", b"new")
        store.cut_power(Random(seed))
        seen.add(store.get("a/object"))
    assert {b"old", b"new", b""} <= seen


def test_a_deletion_or_a_renaming_may_not_have_happened() -> None:
    deleted, renamed = set(), set()
    for seed in SEEDS:
        store = PowerLossStore(MemoryStore())
        store.put("a/deleted", b"", durable=True)
        store.put("a/old", b"", durable=True)
        store.delete("a/deleted")
        store.rename("a/old", "a/new")
        store.cut_power(Random(seed))
        deleted.add("a/deleted" in keys(store))
        renamed.add(frozenset(keys(store) - {"a/deleted"}))
    assert deleted == {False, True}
    assert renamed == {frozenset({"a/old"}), frozenset({"a/new"})}


def test_nothing_unsynced_survives_where_nothing_shall() -> None:
    store = PowerLossStore(MemoryStore())
    store.put("a/object", b"content")
    store.put("a/synced", b"content", durable=True)
    store.delete("a/synced")
    store.open_append("a/journal").append(b"line\n")
    store.cut_power(Random(0), survival=0)
    assert keys(store) == {"a/synced"}


def test_the_examples_in_the_documentation_hold() -> None:
    results = doctest.testmod(power_loss)
    assert results.attempted > 0
    assert results.failed == 0
