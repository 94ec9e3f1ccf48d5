from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepsake.stores.base import AppendStore
from keepsake.stores.memory import MemoryStore
from keepsake.stores.throttle import ThrottleStore
from keepsake.testing import AppendStoreTests


class Clock:
    """Time that passes when somebody sleeps."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s

    def sleep(self, duration_s: float) -> None:
        self.now_s += duration_s


class TestThrottled(AppendStoreTests):
    @pytest.fixture
    def append_store(self) -> AppendStore:
        store = ThrottleStore(MemoryStore(), bytes_per_s=1e12)
        assert isinstance(store, AppendStore)
        return store


@given(st.lists(st.integers(0, 5000), min_size=1, max_size=30), st.integers(1, 10_000))
def test_on_average_the_limit_is_kept_and_nothing_waits_longer(sizes: list[int], rate: int) -> None:
    clock = Clock()
    store = ThrottleStore(MemoryStore(), bytes_per_s=rate, sleep=clock.sleep, clock=clock)
    for number, size_bytes in enumerate(sizes):
        store.put(f"a/{number}", bytes(size_bytes))
    assert clock.now_s - 100.0 == pytest.approx(sum(sizes[:-1]) / rate)


def test_reading_and_listing_do_not_wait() -> None:
    clock = Clock()
    store = ThrottleStore(MemoryStore(), bytes_per_s=1, sleep=clock.sleep, clock=clock)
    store.put("a/1", b"content")
    assert (store.get("a/1"), len(list(store.list()))) == (b"content", 1)
    assert clock.now_s == 100.0
