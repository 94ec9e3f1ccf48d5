"""Releasing: what was delivered leaves staging, and nothing before. Between disks; `tests/bucket` has the whole way."""

from __future__ import annotations

import os
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from keepsake._model.ids import new_id, new_session_id
from keepsake._model.times import Clock
from keepsake._repository.collect import collect
from keepsake._repository.journal import Journal, JournalWriter, list_segments, load_journal
from keepsake._repository.push import push
from keepsake._repository.repository import Repository
from keepsake._tracking import delivery as delivery_module
from keepsake._tracking import release as release_module
from keepsake._tracking.delivery import RELEASE_INTERVAL_S, Delivery
from keepsake._tracking.ending import untrack
from keepsake._tracking.release import release_delivered
from keepsake._tracking.session import Session
from keepsake.stores.local import LocalStore


def test_a_log_that_was_not_delivered_stays_and_so_does_what_stands_before_it(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "staging")
    staging, _ = Repository.open_or_create(store)
    home, _ = Repository.open_or_create(LocalStore(tmp_path / "home"))
    experiment_id, clock = new_id(), Clock()
    journal = JournalWriter(store, experiment_id, new_session_id())
    journal.append({"type": "experiment", "id": experiment_id, "time": clock.now()})
    for step in range(4):
        journal.append({"type": "log", "metrics": {"a": 1}, "step": step, "time": clock.now()})
    push(staging, home)
    for step in range(4, 7):
        journal.append({"type": "log", "metrics": {"a": 1}, "step": step, "time": clock.now()})
    journal.append({"type": "stop", "status": "finished", "events": 9, "time": clock.now()})
    journal.seal()
    release_delivered(staging, home, tmp_path / "locks")
    assert list_segments(staging.store)
    push(staging, home)
    release_delivered(staging, home, tmp_path / "locks")
    assert not list_segments(staging.store)
    # Those that collecting passes over count as well: none of the nine events is missed.
    collect(home, young_s=0)
    assert [log["step"] for log in home.load_experiment(experiment_id).logs] == list(range(7))


def test_a_session_that_another_machine_took_for_dead_loses_nothing(tmp_path: Path) -> None:
    staging, _ = Repository.open_or_create(LocalStore(tmp_path / "staging"))
    home, _ = Repository.open_or_create(LocalStore(tmp_path / "home"))
    job, login_node = tmp_path / "job", tmp_path / "login"
    job.mkdir()
    experiment_id = new_id()
    session = Session(staging, experiment_id, locks=job, open_staging=lambda home: home, heartbeat=False)
    session.write_first({"type": "experiment", "id": experiment_id}, None)
    session.write({"type": "log", "metrics": {}, "step": 0})
    session._look_around()
    # The job is suspended over the weekend, and somebody pushes what it has saved.
    for path in (tmp_path / "staging" / "journals").rglob("*.jsonl"):
        os.utime(path, (time.time() - 25 * 3600,) * 2)
    push(staging, home)
    release_delivered(staging, home, login_node)
    assert not list_segments(staging.store)
    session._look_around()
    session.write({"type": "log", "metrics": {}, "step": 1})
    session.stop("finished")
    push(staging, home)
    state = home.load_experiment(experiment_id)
    assert [log["step"] for log in state.logs] == [0, 1]
    assert [one.stop["status"] for one in state.sessions.values() if one.stop is not None] == ["finished"]
    collect(home, young_s=0)


def test_what_a_session_writes_last_before_it_is_killed_is_not_released_unseen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    staging, _ = Repository.open_or_create(LocalStore(tmp_path / "staging"))
    home, _ = Repository.open_or_create(LocalStore(tmp_path / "home"))
    experiment_id = new_id()
    session = Session(staging, experiment_id, locks=tmp_path, open_staging=lambda home: home, heartbeat=False)
    session.write_first({"type": "experiment", "id": experiment_id}, None)
    push(staging, home)

    def read_and_be_overtaken(*arguments: Any, **options: Any) -> Journal:
        journal = load_journal(*arguments, **options)
        if session.is_open:
            session.write({"type": "log", "metrics": {"loss": 0.5}})
            session.after_fork_in_child()  # as a killed process leaves it
            untrack(session)
        return journal

    monkeypatch.setattr(release_module, "load_journal", read_and_be_overtaken)
    release_delivered(staging, home, tmp_path)
    assert not session.is_open
    push(staging, home)
    assert len(home.load_experiment(experiment_id).logs) == 1
    release_delivered(staging, home, tmp_path)
    assert not list_segments(staging.store)


@pytest.mark.parametrize(("took_s", "pause_s"), [(1.0, RELEASE_INTERVAL_S), (40.0, 400.0)])
def test_releasing_takes_a_tenth_of_the_time_at_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, took_s: float, pause_s: float
) -> None:
    home, _ = Repository.open_or_create(LocalStore(tmp_path / "home"))
    place = tmp_path / "staging"
    staging, _ = Repository.open_or_create(LocalStore(place / home.id))
    experiment_id = new_id()
    session = Session(staging, experiment_id, locks=tmp_path, open_staging=lambda home: home, heartbeat=False)
    session.write_first({"type": "experiment", "id": experiment_id}, None)
    now = [1000.0]
    began: list[float] = []

    def take_long(*_: object) -> None:
        began.append(now[0])
        now[0] += took_s

    monkeypatch.setattr(delivery_module, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(delivery_module, "release_delivered", take_long)
    delivery = Delivery(home, place, tmp_path)
    for step in range(100):
        session.write({"type": "log", "metrics": {}, "step": step})
        delivery.deliver()
        now[0] += 10
    assert pause_s <= began[1] - began[0] <= pause_s + 10
    session.stop("finished")
