"""How journals are listed in a store beyond a network: in one answer, or by their prefixes at once."""

from __future__ import annotations

import random

from benchmarks.histories import encode_history
from keepsake._catalog.catalog import Catalog
from keepsake._catalog.survey import PAGE_OBJECTS
from keepsake._repository.repository import Repository
from keepsake.stores.memory import MemoryStore
from keepsake.testing import RecordingStore


class FarStore(MemoryStore):
    """A store in memory that says that it is beyond a network."""

    concurrency = 2


def write(experiments: int) -> tuple[RecordingStore, set[str]]:
    store = RecordingStore(FarStore())
    Repository.open_or_create(store)
    draw = random.Random(experiments)
    ids = set()
    for number in range(experiments):
        name, data = encode_history(draw, number, checkpoints=0)
        store.put(name.key, data)
        ids.add(name.experiment_id)
    store.clear()
    return store, ids


def listed(store: RecordingStore) -> set[str]:
    return {state.id for state in Catalog(Repository.open(store), None).list_experiments().experiments}


def test_a_few_journals_are_listed_by_one_request() -> None:
    store, ids = write(20)
    assert listed(store) == ids
    assert store.count("list", "journals/") == 1


def test_more_journals_than_one_answer_has_are_listed_by_their_prefixes() -> None:
    store, ids = write(PAGE_OBJECTS + 200)
    assert listed(store) == ids
    assert store.count("list", "journals/") == 1 + 256
