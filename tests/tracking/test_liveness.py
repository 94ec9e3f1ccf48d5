"""Status: what is said of an experiment whose sessions ended, live, died here, or cannot be seen from here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from keepsake._model.events import Event, ExperimentState, fold_events
from keepsake._model.ids import new_session_id
from keepsake._repository.heartbeat import HEARTBEAT_TIMEOUT_S, Heartbeat
from keepsake._tracking.liveness import experiment_error, experiment_status, is_alive
from keepsake._tracking.lock import SessionLock

EXPERIMENT = "e" * 64
SESSION = new_session_id()


def beat(age_s: float) -> dict[str, Heartbeat]:
    return {SESSION: Heartbeat(EXPERIMENT, SESSION, age_s)}


def state(stop: dict[str, Any] | None = None) -> ExperimentState:
    bodies: list[dict[str, Any]] = [{"type": "experiment"}]
    if stop is not None:
        bodies.append({"type": "stop", **stop})
    times = [f"2026-01-01T00:00:0{number}.000000Z" for number in range(2)]
    events = [
        Event(time, SESSION, (0, number), body | {"time": time})
        for number, (time, body) in enumerate(zip(times, bodies, strict=False))
    ]
    folded = fold_events(EXPERIMENT, events)
    assert folded is not None
    return folded


@pytest.mark.parametrize(
    ("age_s", "alive"), [(0.0, True), (HEARTBEAT_TIMEOUT_S - 1, True), (HEARTBEAT_TIMEOUT_S, False), (1e9, False)]
)
def test_from_elsewhere_a_session_lives_while_its_heartbeat_is_fresh(tmp_path: Path, age_s: float, alive: bool) -> None:
    assert is_alive(SESSION, beat(age_s), tmp_path) is alive
    assert experiment_status(state(), beat(age_s), tmp_path) == ("running" if alive else "lost")


def test_here_the_lock_knows_however_old_the_heartbeat_is(tmp_path: Path) -> None:
    lock = SessionLock.acquire(tmp_path, SESSION, experiment_id=EXPERIMENT, repository_url="file:///r")
    assert experiment_status(state(), beat(1e9), tmp_path) == "running"
    lock.abandon()
    assert experiment_status(state(), beat(0.0), tmp_path) == "lost"


def test_a_session_without_a_heartbeat_is_not_taken_for_running(tmp_path: Path) -> None:
    lock = SessionLock.acquire(tmp_path, SESSION, experiment_id=EXPERIMENT, repository_url="file:///r")
    assert experiment_status(state(), {}, tmp_path) == "lost"
    lock.release()


@pytest.mark.parametrize("status", ["finished", "failed", "interrupted", "lost"])
def test_an_ended_session_is_what_it_said_whatever_its_heartbeat_says(tmp_path: Path, status: str) -> None:
    error = {"type": "ValueError", "message": "m"} if status == "failed" else None
    ended = state({"status": status, "error": error})
    assert experiment_status(ended, beat(0.0), tmp_path) == status
    assert experiment_error(ended) == error


def test_a_status_of_a_newer_keepsake_counts_as_finished(tmp_path: Path) -> None:
    assert experiment_status(state({"status": "paused"}), {}, tmp_path) == "finished"
