"""Packs of journals: what is packed, what replaces what, and what a reader gets from them."""

from __future__ import annotations

import random
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.histories import encode_history
from keepsake._catalog.catalog import Catalog, CatalogListing
from keepsake._catalog.packed import read_packed
from keepsake._model.keys import JOURNALS, PACKS, SegmentName, pack_key
from keepsake._model.lines import encode_line
from keepsake._repository import packs
from keepsake._repository.check import check_repository
from keepsake._repository.journal import list_segments
from keepsake._repository.packs import LEAST_SEGMENTS, list_packs, load_pack, pack_journals, plan_packs
from keepsake._repository.repair import repair
from keepsake._repository.repository import Repository
from keepsake.errors import CorruptionError, FormatError, NotFoundError
from keepsake.stores.base import Store
from keepsake.stores.memory import MemoryStore
from keepsake.testing import FaultyStore, RecordingStore

TIME = "2026-11-27T08:00:00.000000Z"


@pytest.fixture(autouse=True)
def small_packs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packs, "MOST_SEGMENTS", 100)


def make() -> tuple[RecordingStore, Repository]:
    store = RecordingStore(MemoryStore())
    return store, Repository.open_or_create(store)[0]


def add(store: Store, numbers: range) -> set[str]:
    """Write experiments with one segment each; return their ids."""
    ids = set()
    for number in numbers:
        name, data = encode_history(random.Random(number), number, checkpoints=0)
        store.put(name.key, data)
        ids.add(name.experiment_id)
    return ids


def listed(store: Store) -> CatalogListing:
    return Catalog(Repository.open(store), None).list_experiments()


def ids_of(listing: CatalogListing) -> set[str]:
    assert listing.problems == []
    return {state.id for state in listing.experiments}


def packed_ids(store: Store) -> list[str]:
    """Return the experiment ids of all that is in packs."""
    return [key[len(JOURNALS) + 3 :].partition(".")[0] for pack in list_packs(store) for key in load_pack(store, pack)]


def test_a_first_listing_asks_for_packs_instead_of_journals() -> None:
    store, repository = make()
    ids = add(store, range(250))
    before = listed(store)
    assert pack_journals(repository) == 250
    assert len(list_packs(store)) == 3
    store.clear()
    after = listed(store)
    assert ids_of(after) == ids
    assert (store.count("get", PACKS), store.count("get", JOURNALS)) == (3, 0)
    assert [state.created for state in after.experiments] == [state.created for state in before.experiments]


def test_what_is_in_no_pack_is_fetched_beside_them() -> None:
    store, repository = make()
    ids = add(store, range(250))
    pack_journals(repository)
    ids |= add(store, range(250, 280))
    store.clear()
    assert ids_of(listed(store)) == ids
    assert (store.count("get", PACKS), store.count("get", JOURNALS)) == (3, 30)


def test_who_lacks_little_does_not_look_at_packs(tmp_path: Path) -> None:
    store, repository = make()
    ids = add(store, range(250))
    pack_journals(repository)
    catalog = Catalog(repository, tmp_path)
    assert ids_of(catalog.list_experiments()) == ids
    ids |= add(store, range(250, 250 + LEAST_SEGMENTS - 1))
    store.clear()
    assert ids_of(catalog.list_experiments()) == ids
    assert store.count(prefix=PACKS) == 0


def test_who_lacks_the_newest_stops_at_the_first_pack_that_is_known(tmp_path: Path) -> None:
    store, repository = make()
    add(store, range(1_000))
    pack_journals(repository)
    catalog = Catalog(repository, tmp_path)
    catalog.list_experiments()
    ids = add(store, range(1_000, 1_100))
    assert pack_journals(repository) == 100
    store.clear()
    assert ids < ids_of(catalog.list_experiments())
    assert store.count("get", JOURNALS) == 0
    assert store.count("get", PACKS) == 3, "the new one, one that is known, and the one after it; of eleven"


def test_few_segments_are_not_worth_a_pack() -> None:
    store, repository = make()
    add(store, range(LEAST_SEGMENTS - 1))
    assert pack_journals(repository) == 0
    add(store, range(LEAST_SEGMENTS - 1, LEAST_SEGMENTS))
    assert pack_journals(repository) == LEAST_SEGMENTS
    store.clear()
    assert pack_journals(repository) == 0
    assert store.bytes_written() == 0


def test_packs_that_hold_little_are_replaced_and_full_ones_stay() -> None:
    store, repository = make()
    ids = add(store, range(170))
    pack_journals(repository)
    full, fuller = sorted(list_packs(store))
    ids |= add(store, range(170, 250))
    assert pack_journals(repository) == 80, "70 are more than half of a pack"
    ids |= add(store, range(250, 330))
    pack_journals(repository)
    assert {full, fuller} < set(list_packs(store))
    assert sorted(packed_ids(store)) == sorted(ids)

    other, again = make()
    some = add(other, range(110))
    pack_journals(again)
    some |= add(other, range(110, 180))
    assert pack_journals(again) == 80, "10 of a pack that held no more, and 70 new ones"
    assert len(list_packs(other)) == 2
    assert sorted(packed_ids(other)) == sorted(some)


def test_packs_that_two_made_at_once_are_put_right_by_the_next() -> None:
    store, repository = make()
    ids = add(store, range(100))
    first = {info.key: store.get(info.key) for info in store.list()}
    other = MemoryStore()
    for key, data in first.items():
        other.put(key, data)
    pack_journals(repository)
    pack_journals(Repository.open(other))
    (twin,) = list_packs(other)
    store.put(twin, other.get(twin))
    assert ids_of(listed(store)) == ids
    ids |= add(store, range(100, 200))
    pack_journals(repository)
    assert sorted(packed_ids(store)) == sorted(ids)


def test_open_empty_and_long_segments_stay_out() -> None:
    store, repository = make()
    add(store, range(100))
    name = SegmentName("ab" * 32, "cd" * 16, 0, None)
    long = encode_line({"type": "log", "time": TIME, "metrics": {"text": "x" * packs.LONGEST_BYTES}}, place=name.place)
    store.put(name.key, long)
    store.put(SegmentName("ab" * 32, "cd" * 16, 1, len(long)).key, long)
    store.put(SegmentName("ab" * 32, "cd" * 16, 2, 0).key, b"")
    assert pack_journals(repository) == 100
    assert "ab" * 32 not in packed_ids(store)


def test_an_experiment_that_went_on_is_read_from_its_journals() -> None:
    store, repository = make()
    ids = add(store, range(100))
    pack_journals(repository)
    names = [name for segments in list_segments(store).values() for name in segments]
    second = SegmentName(names[0].experiment_id, "ef" * 16, 0, None)
    line = encode_line({"type": "annotate", "time": TIME, "name": "renamed"}, place=second.place)
    store.put(SegmentName(second.experiment_id, second.session_id, 0, len(line)).key, line)
    longer = store.get(names[1].key) + encode_line({"type": "annotate", "time": TIME}, place=names[1].place)
    store.put(SegmentName(names[1].experiment_id, names[1].session_id, 0, len(longer)).key, longer)
    store.delete(names[1].key)
    store.clear()
    listing = listed(store)
    assert ids_of(listing) == ids
    assert [state.name for state in listing.experiments if state.id == names[0].experiment_id] == ["renamed"]
    assert store.count("get", JOURNALS) == 3


def test_a_segment_that_is_damaged_or_gone_is_left_out() -> None:
    store, repository = make()
    add(store, range(100))
    keys = sorted(info.key for info in store.list(JOURNALS))
    store.put(keys[0], store.get(keys[0])[:-10])
    faulty = FaultyStore(store)
    faulty.fail("get", prefix=keys[1], error=NotFoundError("it has gone"), times=None)
    assert pack_journals(Repository(faulty, repository.id)) == 98
    assert len(listed(store).problems) == 1


@pytest.mark.parametrize("place", ["head", "copies", "end", "all but the head"])
def test_a_damaged_pack_is_passed_over_named_by_a_check_and_made_anew_by_repair(place: str) -> None:
    store, repository = make()
    ids = add(store, range(100))
    pack_journals(repository)
    (key,) = list_packs(store)
    data = bytearray(store.get(key))
    if place == "end":
        del data[-20:]
    elif place == "all but the head":
        del data[data.index(b"\n") :]
    else:
        data[40 if place == "head" else len(data) - 40] ^= 0x10
    store.put(key, bytes(data))
    with pytest.raises(CorruptionError):
        load_pack(store, key)
    assert ids_of(listed(store)) == ids
    report = check_repository(repository)
    assert [problem.key for problem in report.problems if problem.key.startswith(PACKS)] == [key]
    assert repair(repository, [key], []).restored == [key]
    assert key not in list_packs(store)
    assert sorted(packed_ids(store)) == sorted(ids)


def test_a_pack_with_a_damaged_head_is_replaced() -> None:
    store, repository = make()
    add(store, range(100))
    damaged = pack_key(TIME, "0" * 16)
    store.put(damaged, b"no pack\n")
    assert pack_journals(repository) == 100
    assert damaged not in list_packs(store)


def test_a_pack_of_a_newer_keepsake_is_passed_over_and_kept() -> None:
    store, repository = make()
    ids = add(store, range(100))
    newer = pack_key("2036-11-27T08:00:00.000000Z", "0" * 16)
    store.put(newer, encode_line({"version": 2}, place=newer.encode()))
    assert pack_journals(repository) == 100
    assert newer in list_packs(store)
    store.clear()
    assert ids_of(listed(store)) == ids
    assert store.count("get", JOURNALS) == 0


def test_a_pack_under_the_key_of_another_is_damaged() -> None:
    store, repository = make()
    add(store, range(100))
    pack_journals(repository)
    (key,) = list_packs(store)
    other = pack_key(TIME, "0" * 16)
    store.put(other, store.get(key))
    with pytest.raises(FormatError):
        load_pack(store, other)


def test_where_no_thread_can_be_started_packs_are_read_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    store, repository = make()
    ids = add(store, range(250))
    pack_journals(repository)

    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    store.clear()
    assert ids_of(listed(store)) == ids
    assert (store.count("get", PACKS), store.count("get", JOURNALS)) == (3, 0)


def test_when_packs_cannot_be_read_journals_are() -> None:
    store, repository = make()
    ids = add(store, range(100))
    pack_journals(repository)

    faulty = FaultyStore(store)
    faulty.fail(prefix=PACKS, times=None)
    assert ids_of(listed(faulty)) == ids


def test_packs_of_experiments_that_nobody_wants_give_nothing() -> None:
    store, repository = make()
    add(store, range(100))
    pack_journals(repository)
    segments = {
        f"{number:064x}": [(SegmentName(f"{number:064x}", "0" * 32, 0, 1), next(iter(store.list(JOURNALS))))]
        for number in range(LEAST_SEGMENTS)
    }
    assert list(read_packed(store, segments)) == []


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, packs.LONGEST_BYTES)), max_size=300))
def test_plans_hold_everything_once_within_the_limits(sizes: list[tuple[int, int]]) -> None:
    names = [SegmentName(f"{one:064x}", f"{at:032x}", 0, size) for at, (one, size) in enumerate(sizes)]
    plans = list(plan_packs(names))
    assert sorted(name.key for plan in plans for name in plan) == sorted(name.key for name in names)
    for plan in plans:
        assert 0 < len(plan) <= packs.MOST_SEGMENTS
        assert sum(name.size_bytes or 0 for name in plan) <= packs.MOST_BYTES
