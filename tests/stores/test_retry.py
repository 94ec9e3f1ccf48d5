"""Retrying: what passes is tried again, for so long and no longer, and what took effect unseen is recognised."""

from __future__ import annotations

import pytest

from keepsake.errors import NotFoundError, StoreError, WriteError
from keepsake.stores.memory import MemoryStore
from keepsake.stores.retry import RetryStore
from keepsake.testing import FaultyStore
from keepsake.testing.faulty import Effect

PASSING = WriteError("the connection was lost", transient=True)
LASTING = WriteError("the bucket is gone")


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now_s += seconds


@pytest.fixture
def faulty() -> FaultyStore:
    return FaultyStore(MemoryStore())


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(faulty: FaultyStore, clock: Clock) -> RetryStore:
    return RetryStore(
        faulty,
        attempts=5,
        base_delay_s=1,
        max_delay_s=4,
        total_s=100,
        sleep=clock.sleep,
        clock=lambda: clock.now_s,
        draw=lambda: 1.0,
    )


def test_what_passes_is_tried_again_after_growing_delays(store: RetryStore, faulty: FaultyStore, clock: Clock) -> None:
    faulty.fail("put", times=4, error=PASSING)
    store.put("a/object", b"content")
    assert clock.slept == [1, 2, 4, 4]
    assert faulty.store.get("a/object") == b"content"


def test_the_last_error_is_raised_when_the_attempts_are_used_up(
    store: RetryStore, faulty: FaultyStore, clock: Clock
) -> None:
    faulty.fail("get", times=None, error=PASSING)
    with pytest.raises(WriteError, match="connection was lost"):
        store.get("a/object")
    assert len(faulty.failed) == 5
    assert len(clock.slept) == 4


def test_no_attempt_starts_after_the_total_time(faulty: FaultyStore, clock: Clock) -> None:
    store = RetryStore(
        faulty,
        attempts=100,
        base_delay_s=1,
        max_delay_s=4,
        total_s=10,
        sleep=clock.sleep,
        clock=lambda: clock.now_s,
        draw=lambda: 1.0,
    )
    faulty.fail(times=None, error=PASSING)
    with pytest.raises(StoreError):
        store.delete("a/object")
    assert clock.slept == [1, 2, 4]


def test_what_lasts_is_raised_at_once(store: RetryStore, faulty: FaultyStore, clock: Clock) -> None:
    faulty.fail("put", error=LASTING)
    with pytest.raises(WriteError, match="bucket is gone"):
        store.put("a/object", b"content")
    with pytest.raises(NotFoundError):
        store.get("a/object")
    assert clock.slept == []


def test_delays_are_drawn_at_random(faulty: FaultyStore, clock: Clock) -> None:
    store = RetryStore(faulty, attempts=8, base_delay_s=1, max_delay_s=100, total_s=1000, sleep=clock.sleep)
    faulty.fail(times=7, error=PASSING)
    assert store.head("a/object") is None
    assert all(0 <= delay <= 2**attempt for attempt, delay in enumerate(clock.slept))
    assert len(set(clock.slept)) == 7


def test_a_listing_that_breaks_off_is_started_again(store: RetryStore, faulty: FaultyStore) -> None:
    for number in range(10):
        store.put(f"a/{number}", b"")
    faulty.fail("list", times=2, error=PASSING, effect="whole")
    assert sorted(info.key for info in store.list()) == [f"a/{number}" for number in range(10)]


@pytest.mark.parametrize("effect", ["none", "whole"])
def test_a_repeated_create_knows_its_own_object(store: RetryStore, faulty: FaultyStore, effect: Effect) -> None:
    faulty.fail("create", times=2, error=PASSING, effect=effect)
    assert store.create("a/object", [b"con", b"tent"]) is True
    assert store.get("a/object") == b"content"


def test_a_repeated_create_knows_an_object_of_somebody_else(store: RetryStore, faulty: FaultyStore) -> None:
    faulty.store.put("a/object", b"of somebody else")
    faulty.fail("create", error=PASSING)
    assert store.create("a/object", b"content") is False


def test_a_first_create_that_finds_the_same_bytes_did_not_write_them(store: RetryStore) -> None:
    store.put("a/object", b"content")
    assert store.create("a/object", b"content") is False


@pytest.mark.parametrize("effect", ["none", "whole"])
def test_a_repeated_rename_knows_that_it_happened(store: RetryStore, faulty: FaultyStore, effect: Effect) -> None:
    store.put("a/old", b"content")
    faulty.fail("rename", error=PASSING, effect=effect)
    store.rename("a/old", "a/new")
    assert [info.key for info in store.list()] == ["a/new"]


def test_a_first_rename_of_what_is_absent_is_not_found_whatever_stands_there(store: RetryStore) -> None:
    store.put("a/new", b"content")
    with pytest.raises(NotFoundError):
        store.rename("a/old", "a/new")


def test_appends_are_never_repeated(store: RetryStore, faulty: FaultyStore) -> None:
    appender = store.open_append("a/journal")
    faulty.fail("append", error=PASSING, effect="part")
    with pytest.raises(WriteError):
        appender.append(b"12345678")
    assert store.get("a/journal") == b"1234"
