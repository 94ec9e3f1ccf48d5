"""Heartbeats: their age is judged against the newest of them and the local clock."""

from __future__ import annotations

import os
import time
from pathlib import Path

from keepsake._model.ids import new_id, new_session_id
from keepsake._model.keys import heartbeat_key
from keepsake._repository.heartbeat import HEARTBEAT_TIMEOUT_S, delete_heartbeat, list_heartbeats, save_heartbeat
from keepsake.stores.local import LocalStore


def save(store: LocalStore, experiment_id: str, *, age_s: float = 0.0) -> str:
    session_id = new_session_id()
    save_heartbeat(store, experiment_id, session_id, host="host", boot="boot", time_text="2026-01-01T00:00:00.000000Z")
    if age_s:
        moment = time.time() - age_s
        os.utime(store.root / heartbeat_key(experiment_id, session_id), (moment, moment))
    return session_id


def test_a_heartbeat_is_fresh_for_a_minute(tmp_path: Path) -> None:
    store, experiment_id = LocalStore(tmp_path), new_id()
    ages = (0.0, HEARTBEAT_TIMEOUT_S - 5, HEARTBEAT_TIMEOUT_S + 1, 1e6)
    sessions = [save(store, experiment_id, age_s=age) for age in ages]
    found = list_heartbeats(store)
    assert [found[session_id].is_fresh for session_id in sessions] == [True, True, False, False]
    assert all(found[session_id].experiment_id == experiment_id for session_id in sessions)


def test_age_counts_from_the_newest_when_the_local_clock_is_late(tmp_path: Path) -> None:
    store, experiment_id = LocalStore(tmp_path), new_id()
    old = save(store, experiment_id)
    new = save(store, experiment_id, age_s=-1000.0)
    found = list_heartbeats(store)
    assert found[new].is_fresh
    assert not found[old].is_fresh


def test_heartbeats_are_listed_by_experiment_and_deleted_one_by_one(tmp_path: Path) -> None:
    store, ids = LocalStore(tmp_path), [new_id(), new_id()]
    sessions = [save(store, experiment_id) for experiment_id in ids]
    assert list_heartbeats(store).keys() == set(sessions)
    assert list_heartbeats(store, ids[0]).keys() == {sessions[0]}
    delete_heartbeat(store, ids[0], sessions[0])
    delete_heartbeat(store, ids[0], sessions[0])
    assert list_heartbeats(store).keys() == {sessions[1]}


def test_other_names_are_passed_over(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    for name in ("README", "a.json", "a.b", ".json"):
        store.put(f"heartbeats/{name}", b"")
    assert list_heartbeats(store) == {}
