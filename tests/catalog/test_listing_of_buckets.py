"""How journals are listed and fetched from a store beyond a network: in one listing, and many at once."""

from __future__ import annotations

import random
import threading
import time

import pytest

from benchmarks.histories import encode_history
from keepsake._catalog.catalog import Catalog
from keepsake._catalog.fetch import choose_threads
from keepsake._model.keys import JOURNALS
from keepsake._repository.repository import Repository
from keepsake.errors import StoreError
from keepsake.stores.memory import MemoryStore
from keepsake.testing import RecordingStore


class FarStore(MemoryStore):
    """A store in memory that says that it is beyond a network, and knows how many reads it had to serve at once."""

    concurrency = 2
    latency_s = 0.0

    def __init__(self) -> None:
        super().__init__()
        self.most_at_once = 0
        self.served = 0
        self.fails_after: int | None = None
        self._now = 0
        self._counting = threading.Lock()

    def get(self, key: str) -> bytes:
        if not key.startswith(JOURNALS):
            return super().get(key)
        with self._counting:
            self.served += 1
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
        try:
            time.sleep(self.latency_s)
            if self.fails_after is not None and self.served > self.fails_after:
                raise StoreError("the line is down", hint="wait", transient=True)
            return super().get(key)
        finally:
            with self._counting:
                self._now -= 1


def write(experiments: int) -> tuple[RecordingStore, FarStore, set[str]]:
    far = FarStore()
    store = RecordingStore(far)
    Repository.open_or_create(store)
    draw = random.Random(experiments)
    ids = set()
    for number in range(experiments):
        name, data = encode_history(draw, number, checkpoints=0)
        store.put(name.key, data)
        ids.add(name.experiment_id)
    store.clear()
    return store, far, ids


def listed(store: RecordingStore) -> set[str]:
    return {state.id for state in Catalog(Repository.open(store), None).list_experiments().experiments}


@pytest.mark.parametrize("experiments", [1, 2, 3, 20, 1_200])
def test_journals_are_listed_once_and_each_is_fetched_once(experiments: int) -> None:
    store, _, ids = write(experiments)
    assert listed(store) == ids
    assert store.count("list", JOURNALS) == 1
    assert sorted(one.key for one in store.select("get", JOURNALS)) == sorted(
        {one.key for one in store.select("get", JOURNALS)}
    )
    assert store.count("get", JOURNALS) == experiments


def test_the_slower_the_line_the_more_are_fetched_at_once() -> None:
    assert [choose_threads(read_s, 16) for read_s in (0.001, 0.01, 0.05, 1.0)] == [16, 25, 125, 128]
    store, far, ids = write(100)
    far.latency_s = 0.02
    assert listed(store) == ids
    assert far.most_at_once == 8 * 2


def test_a_line_that_breaks_in_the_middle_is_an_error_and_ends_what_is_under_way() -> None:
    store, far, _ = write(200)
    far.fails_after = 50
    with pytest.raises(StoreError, match="line is down"):
        listed(store)
    assert far.served < 200
    served = far.served
    time.sleep(0.05)
    assert far.served == served
    far.fails_after = None
    assert len(listed(store)) == 200
