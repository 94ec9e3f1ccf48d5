"""How journals are listed and fetched from a store beyond a network: in one listing, and many at once."""

from __future__ import annotations

import random
import threading
import time
from unittest.mock import patch

import pytest

from benchmarks.histories import encode_history
from keepsake._catalog import fetch
from keepsake._catalog.catalog import Catalog
from keepsake._catalog.fetch import SegmentFetcher, choose_threads
from keepsake._model.keys import JOURNALS, SegmentName
from keepsake._repository.repository import Repository
from keepsake.errors import StoreError
from keepsake.stores.memory import MemoryStore
from keepsake.testing import RecordingStore


class FarStore(MemoryStore):
    """A store in memory that says that it is beyond a network, and knows how many reads it had to serve at once."""

    latency_s = 0.0

    def __init__(self) -> None:
        super().__init__()
        self.most_at_once = 0
        self.served = 0
        self.fails_after: int | None = None
        self._now = 0
        self._counting = threading.Lock()

    def choose_concurrency(self) -> int:
        return 2

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


def wanted(experiments: int, segments: int) -> tuple[FarStore, dict[str, list[SegmentName]]]:
    """A store with so many experiments of so many segments of 100 bytes each."""
    store, names = FarStore(), {}
    for number in range(experiments):
        experiment_id = f"{number:032x}"
        names[experiment_id] = [SegmentName(experiment_id, "5" * 32, part, 100) for part in range(segments)]
        for name in names[experiment_id]:
            store.put(name.key, bytes(100))
    return store, names


@pytest.mark.parametrize("segments", [1, 5, 50])
def test_no_more_comes_than_there_is_room_for_and_all_of_it_in_the_end(
    monkeypatch: pytest.MonkeyPatch, segments: int
) -> None:
    # With 50 segments, an experiment by itself is longer than the room for all.
    monkeypatch.setattr(fetch, "AHEAD_BYTES", 2_000)
    store, names = wanted(60, segments)
    with SegmentFetcher(store) as fetcher:
        fetcher.want(names, {one: {} for one in names})
        for taken, experiment_id in enumerate(names):
            time.sleep(0.001)
            most_ahead = 20 + max(segments, fetch.MOST_READS * store.choose_concurrency())
            assert store.served <= taken * segments + most_ahead
            assert fetcher.take(experiment_id).keys() == {name.key for name in names[experiment_id]}
    assert store.served == 60 * segments


def test_what_is_wanted_later_comes_after_what_was_wanted_before_and_by_the_same_threads() -> None:
    store, names = wanted(200, 1)
    ids = list(names)
    with SegmentFetcher(store) as fetcher:
        for start in range(0, 200, 50):
            some = ids[start : start + 50]
            fetcher.want({one: names[one] for one in some}, {one: {} for one in some})
        for experiment_id in ids:
            assert len(fetcher.take(experiment_id)) == 1
        assert sum(thread.name.startswith("keepsake-fetch") for thread in threading.enumerate()) <= 2 * 8
    assert not any(thread.name.startswith("keepsake-fetch") for thread in threading.enumerate())


def test_what_is_at_hand_is_not_fetched_and_what_is_gone_is_left_out() -> None:
    store, names = wanted(3, 2)
    first, second, third = names
    at_hand = {names[first][0].key: b"kept"}
    store.delete(names[second][1].key)
    with SegmentFetcher(store) as fetcher:
        fetcher.want(names, {first: at_hand, second: {}, third: {}})
        assert fetcher.take(first) == {names[first][0].key: b"kept", names[first][1].key: bytes(100)}
        assert fetcher.take(second).keys() == {names[second][0].key}
        assert len(fetcher.take(third)) == 2


def test_where_no_thread_can_be_started_everything_is_fetched_all_the_same() -> None:
    store, names = wanted(40, 2)
    with (
        patch.object(threading.Thread, "start", side_effect=RuntimeError("can't start new thread")),
        SegmentFetcher(store) as fetcher,
    ):
        fetcher.want(names, {one: {} for one in names})
        assert all(len(fetcher.take(one)) == 2 for one in names)
