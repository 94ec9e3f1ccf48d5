"""Packs in a bucket: who makes them, and that a machine that has nothing yet reads them instead of journals."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

import keepsake
from keepsake._model.keys import JOURNALS, PACKS, SegmentName
from keepsake._model.lines import encode_line
from keepsake._repository.collect import collect
from keepsake._repository.packs import LEAST_SEGMENTS, list_packs
from keepsake._repository.push import push
from keepsake._repository.repository import Repository
from keepsake._repository.usage import measure_usage
from keepsake._tracking.attempts import Attempts
from keepsake._tracking.errands import Errands, Request
from keepsake._tracking.instructions import Instructions
from keepsake.stores.base import Store
from keepsake.stores.memory import MemoryStore
from keepsake.stores.url import open_store
from keepsake.testing import RecordingStore
from tests.bucket.places import bucket, move_to_another_machine
from tests.cli.subjects import RunCli
from tests.servers.seaweedfs import S3Server


def add(store: Store, numbers: range) -> set[str]:
    """Write experiments without files; return their ids."""
    ids = set()
    for number in numbers:
        name = SegmentName(f"{number:064x}", f"{number:032x}", 0, None)
        body = {"type": "experiment", "time": "2026-11-27T08:00:00.000000Z", "id": name.experiment_id, "params": {}}
        line = encode_line(body, place=name.place)
        store.put(SegmentName(name.experiment_id, name.session_id, 0, len(line)).key, line)
        ids.add(name.experiment_id)
    return ids


@pytest.fixture
def far(s3_server: S3Server, s3_url: str) -> Repository:
    """A new repository in a bucket."""
    return Repository.open_or_create(open_store(s3_url, s3_server.options))[0]


def test_after_collecting_another_machine_lists_with_few_requests(
    project: Path, cli: RunCli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = keepsake.init(params={"lr": 1})
    mine.checkpoint(step=1, metrics={"loss": 0.5})
    mine.stop()
    others = add(bucket().store, range(LEAST_SEGMENTS))
    assert f"packed {LEAST_SEGMENTS + 1} segments of journals" in cli("collect").err
    assert cli("check").code == 0

    stores: list[RecordingStore] = []

    def record(url: str, options: Mapping[str, object]) -> RecordingStore:
        stores.append(RecordingStore(open_store(url, options)))
        return stores[-1]

    move_to_another_machine(tmp_path / "other", monkeypatch)
    monkeypatch.setattr("keepsake.project.open_store", record)
    listed = {one.id: one for one in keepsake.experiments.list()}
    assert listed.keys() == {mine.id, *others}
    assert [one.metrics for one in listed[mine.id].checkpoints] == [{"loss": 0.5}]
    assert sum(store.count("get", PACKS) for store in stores) == 1
    assert sum(store.count("get", JOURNALS) for store in stores) == 0


def test_collecting_and_pushing_everything_pack_beyond_a_network(far: Repository) -> None:
    near = Repository.open_or_create(MemoryStore())[0]
    add(near.store, range(100))
    assert collect(near).packed == 0
    assert list_packs(near.store) == []
    done: list[int] = []
    expected: list[int] = []
    push(near, far, on_progress=done.append, on_total=expected.append)
    assert len(list_packs(far.store)) == 1
    journals = sum(info.size_bytes for info in far.store.list(JOURNALS))
    assert expected == [journals, journals], "copied, and packed"
    assert sum(done) == sum(expected)
    add(far.store, range(100, 200))
    assert collect(far, dry_run=True).packed == 0
    assert collect(far).packed == 200, "with those of the first pack, which held little"
    stored = measure_usage(far).stored_bytes
    assert stored == sum(info.size_bytes for prefix in (JOURNALS, PACKS) for info in far.store.list(prefix))
    another = Repository.open_or_create(MemoryStore())[0]
    push(far, another)
    assert list_packs(another.store) == [], "they are made where they are of use"


@pytest.mark.parametrize(("chance", "count"), [(1.0, 1), (0.0, 0)])
def test_a_courier_packs_as_it_is_drawn(far: Repository, tmp_path: Path, chance: float, count: int) -> None:
    add(far.store, range(100))
    url = far.store.url
    instructions = Instructions(url, url, tmp_path, tmp_path, pack_chance=chance)
    errands = Errands(far, instructions, Attempts(lambda _: None), lambda _: None)
    for _ in range(2):
        assert not errands.perform(Request()).is_busy
    packs = list_packs(far.store)
    assert len(packs) == count
    add(far.store, range(100, 200))
    errands.perform(Request())
    assert list_packs(far.store) == packs, "once is enough"
