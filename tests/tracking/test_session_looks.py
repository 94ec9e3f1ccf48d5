"""A session looks whether its experiment was deleted, and that stays cheap however long it has logged."""

from __future__ import annotations

from pathlib import Path

import pytest

from keepsake._model.ids import new_id, new_session_id
from keepsake._model.keys import SegmentName
from keepsake._model.manifest import Manifest
from keepsake._repository.repository import Repository
from keepsake._tracking import session as session_module
from keepsake._tracking.session import Session
from keepsake.stores.local import LocalStore
from keepsake.testing import RecordingStore


@pytest.mark.parametrize(("segments", "looks"), [(1, 5), (9, 1)])
def test_many_segments_are_not_listed_before_every_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, segments: int, looks: int
) -> None:
    monkeypatch.setattr(session_module, "FEW_SEGMENTS", 8)
    # However slow this machine is.
    monkeypatch.setattr(session_module, "LOOK_INTERVAL_S", 3600.0)
    store = RecordingStore(LocalStore(tmp_path / "repository"))
    repository, _ = Repository.open_or_create(store)
    experiment_id, other = new_id(), new_session_id()
    session = Session(
        repository, experiment_id, locks=tmp_path, open_staging=lambda home: home, heartbeat=False, dispatcher=None
    )
    session.write_first({"type": "experiment", "id": experiment_id}, None)
    for number in range(segments - 1):
        store.put(SegmentName(experiment_id, other, number, 0).key, b"")
    store.clear()
    for _ in range(5):
        session.save_checkpoint({}, None, lambda _: Manifest(()))
    assert store.count("list", "journals/") == looks
    session.stop("finished")
