"""Packs in a bucket: collecting makes them, and a machine that has nothing yet reads them instead of journals."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

import keepsake
from keepsake._model.keys import JOURNALS, PACKS, SegmentName
from keepsake._model.lines import encode_line
from keepsake._repository.packs import LEAST_SEGMENTS
from keepsake.stores.url import open_store
from keepsake.testing import RecordingStore
from tests.bucket.places import bucket, move_to_another_machine
from tests.cli.subjects import RunCli


def test_after_collecting_another_machine_lists_with_few_requests(
    project: Path, cli: RunCli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = keepsake.init(params={"lr": 1})
    mine.checkpoint(step=1, metrics={"loss": 0.5})
    mine.stop()
    others = [_write_experiment(number) for number in range(LEAST_SEGMENTS)]
    result = cli("collect")
    assert f"packed {LEAST_SEGMENTS + 1} segments of journals" in result.err
    assert cli("check").code == 0

    stores: list[RecordingStore] = []

    def record(url: str, options: Mapping[str, object]) -> RecordingStore:
        stores.append(RecordingStore(open_store(url, options)))
        return stores[-1]

    move_to_another_machine(tmp_path / "other", monkeypatch)
    monkeypatch.setattr("keepsake.project.open_store", record)
    listed = keepsake.experiments.list()
    assert {one.id for one in listed} == {mine.id, *others}
    assert next(one for one in listed if one.id == mine.id).latest().metrics == {"loss": 0.5}  # type: ignore[union-attr]
    assert sum(store.count("get", PACKS) for store in stores) == 1
    assert sum(store.count("get", JOURNALS) for store in stores) == 0


def _write_experiment(number: int) -> str:
    name = SegmentName(f"{number:064x}", f"{number:032x}", 0, None)
    body = {"type": "experiment", "time": "2026-11-27T08:00:00.000000Z", "id": name.experiment_id, "params": {}}
    line = encode_line(body, place=name.place)
    bucket().store.put(SegmentName(name.experiment_id, name.session_id, 0, len(line)).key, line)
    return name.experiment_id
