"""The recording, faulty and slow stores do what their tests rely on."""

from __future__ import annotations

import doctest
from types import ModuleType

import pytest

from keepsake.errors import InvalidInputError, NotFoundError, ReadError, StoreError, WriteError
from keepsake.stores.memory import MemoryStore
from keepsake.testing import FaultyStore, Operation, RecordingStore, SlowStore, faulty, recording


def test_a_recording_store_writes_down_every_operation_with_its_bytes() -> None:
    store = RecordingStore(MemoryStore())
    store.put("a/object", [b"123", b"45"])
    store.create("a/object", b"123")
    store.get("a/object")
    store.get_range("a/object", 1, 3)
    store.head("a/object")
    list(store.list("a/"))
    appender = store.open_append("j/1")
    appender.append(b"1234")
    store.rename("j/1", "j/2")
    store.sync(["a/object", "j/2"])
    store.delete("a/object")
    assert store.operations == [
        Operation("put", "a/object", 5),
        Operation("create", "a/object", 3),
        Operation("get", "a/object", 5),
        Operation("get_range", "a/object", 2),
        Operation("head", "a/object"),
        Operation("list", "a/"),
        Operation("open_append", "j/1"),
        Operation("append", "j/1", 4),
        Operation("rename", "j/1", keys=("j/2",)),
        Operation("sync", keys=("a/object", "j/2")),
        Operation("delete", "a/object"),
    ]
    assert (store.bytes_written(), store.bytes_written("j/"), store.bytes_read("a/")) == (12, 4, 7)
    assert (store.count(), store.count("put"), store.count(prefix="j/")) == (11, 1, 3)
    store.clear()
    assert store.count() == 0


def test_a_recording_store_writes_down_what_failed() -> None:
    store = RecordingStore(MemoryStore())
    with pytest.raises(NotFoundError):
        store.get("a/absent")
    assert store.operations == [Operation("get", "a/absent")]


def test_a_faulty_store_fails_at_the_nth_operation_and_goes_on() -> None:
    store = FaultyStore(MemoryStore())
    store.fail(at=3)
    store.put("a/1", b"")
    store.put("a/2", b"")
    with pytest.raises(StoreError, match="put a/3 failed as planned"):
        store.put("a/3", b"")
    store.put("a/4", b"")
    assert sorted(info.key for info in store.list()) == ["a/1", "a/2", "a/4"]
    assert store.failed == [Operation("put", "a/3")]


def test_a_faulty_store_fails_what_is_chosen_as_often_as_told() -> None:
    store = FaultyStore(MemoryStore())
    store.fail("put", prefix="chunks/", when=lambda operation: operation.size_bytes > 3, times=2, error=ReadError("no"))
    store.put("chunks/a", b"123")
    store.put("journals/a", b"12345")
    for _ in range(2):
        with pytest.raises(ReadError, match="no"):
            store.put("chunks/b", b"12345")
    store.put("chunks/b", b"12345")
    store.fail("get", times=None)
    for _ in range(5):
        with pytest.raises(StoreError):
            store.get("chunks/b")
    store.heal()
    assert store.get("chunks/b") == b"12345"


def test_a_faulty_store_may_fail_after_the_effect() -> None:
    store = FaultyStore(MemoryStore())
    store.fail("put", effect="whole")
    with pytest.raises(StoreError):
        store.put("a/object", b"content")
    assert store.get("a/object") == b"content"


@pytest.mark.parametrize(("effect", "left"), [("none", b""), ("part", b"1234"), ("whole", b"12345678")])
def test_a_faulty_append_leaves_nothing_a_part_or_all(effect: str, left: bytes) -> None:
    store = FaultyStore(MemoryStore())
    appender = store.open_append("j/1")
    store.fail("append", effect=effect, error=WriteError("torn"))  # type: ignore[arg-type]
    with pytest.raises(WriteError, match="torn"):
        appender.append(b"12345678")
    assert store.get("j/1") == left
    appender.append(b"!")
    assert store.get("j/1") == left + b"!"


def test_a_plan_that_makes_no_sense_is_refused() -> None:
    store = FaultyStore(MemoryStore())
    with pytest.raises(InvalidInputError, match="append"):
        store.fail("put", effect="part")
    with pytest.raises(InvalidInputError, match="counted from 1"):
        store.fail(at=0)


def test_a_slow_store_waits_for_each_operation_and_its_bytes() -> None:
    waits: list[float] = []
    store = SlowStore(MemoryStore(), latency_s=0.5, bytes_per_s=100, sleep=waits.append)
    store.put("a/object", b"x" * 50)
    store.get("a/object")
    store.head("a/object")
    assert waits == [0.5, 0.5, 0.5, 0.5, 0.5]


@pytest.mark.parametrize("module", [faulty, recording])
def test_the_examples_in_the_documentation_hold(module: ModuleType) -> None:
    results = doctest.testmod(module)
    assert results.attempted > 0
    assert results.failed == 0
