"""Recovery: what dead sessions left behind is finished by the next process, once, and whenever it is interrupted."""

from __future__ import annotations

from pathlib import Path

import pytest

from keepsake._model.ids import new_id
from keepsake._repository.check import check_repository
from keepsake._repository.heartbeat import list_heartbeats
from keepsake._repository.repository import Repository
from keepsake._snapshots.ignore import IgnoreRules
from keepsake._snapshots.save import save_snapshot
from keepsake._snapshots.scan import scan_path
from keepsake._tracking.ending import untrack
from keepsake._tracking.recovery import mark_lost_sessions, settle_dead_sessions
from keepsake._tracking.session import Session
from keepsake.errors import StoreError
from keepsake.stores.local import LocalStore
from keepsake.testing import FaultyStore


class Left:
    """A repository in which a session died."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.locks = root / "locks"
        self.locks.mkdir()
        self.faulty = FaultyStore(LocalStore(root / "repository"))
        self.repository = Repository.open_or_create(self.faulty)[0]
        self.experiment_id = new_id()
        session = Session(
            self.repository, self.experiment_id, locks=self.locks, open_staging=lambda home: home, heartbeat=True
        )
        session.write_first({"type": "experiment", "id": self.experiment_id}, None)
        for step in range(3):
            session.write({"type": "log", "metrics": {"loss": 0.5}, "step": step})
        (root / "weights").write_bytes(b"weights" * 10_000)
        found = scan_path(root, "weights", IgnoreRules.load(root))
        body = {"path": "weights"}
        event = session.save_checkpoint(body, None, lambda target: save_snapshot(root, found, target.chunks))
        (self.chunk,) = self.repository.load_manifest(event["manifests"][0]).digests()
        # As a killed process leaves it: its thread is gone, its descriptors are closed, and nothing else.
        session._presence.stop_beating()
        session.after_fork_in_child()
        untrack(session)

    def is_finished(self) -> bool:
        state = self.repository.load_experiment(self.experiment_id)
        stops = [(one.stop["status"], one.stop["events"]) for one in state.sessions.values() if one.stop is not None]
        assert check_repository(self.repository).problems == []
        return (
            stops == [("lost", 5)]
            and list_heartbeats(self.faulty) == {}
            and not self.repository.chunks.is_raw(self.chunk)
            and list(self.locks.glob("*.lock")) == []
        )


@pytest.fixture
def left(tmp_path: Path) -> Left:
    return Left(tmp_path)


def test_a_dead_session_is_marked_then_settled_and_forgotten(left: Left) -> None:
    mark_lost_sessions(left.repository, left.locks)
    assert list_heartbeats(left.faulty) == {}
    assert left.repository.chunks.is_raw(left.chunk)
    assert not left.is_finished()
    settle_dead_sessions(left.repository, left.locks)
    assert left.is_finished()


def test_one_that_died_since_is_marked_when_it_is_settled(left: Left) -> None:
    settle_dead_sessions(left.repository, left.locks)
    assert left.is_finished()


def test_recovery_that_is_broken_off_anywhere_is_finished_by_the_next(tmp_path: Path) -> None:
    for at in range(1, 60):
        root = tmp_path / str(at)
        root.mkdir()
        left = Left(root)
        left.faulty.fail(at=at)
        try:
            mark_lost_sessions(left.repository, left.locks)
            settle_dead_sessions(left.repository, left.locks, threads=1)
        except StoreError:
            mark_lost_sessions(left.repository, left.locks)
            settle_dead_sessions(left.repository, left.locks)
        failed = bool(left.faulty.failed)
        left.faulty.heal()
        assert left.is_finished(), at
        if not failed:
            break
    else:
        raise AssertionError("recovery needs fewer operations than that")
    assert at > 10


def test_a_damaged_session_is_forgotten_and_reported_by_check(left: Left) -> None:
    path = left.root / "repository" / f"chunks/{left.chunk[:2]}/{left.chunk}"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    mark_lost_sessions(left.repository, left.locks)
    settle_dead_sessions(left.repository, left.locks)
    assert list(left.locks.glob("*.lock")) == []
    (problem,) = check_repository(left.repository).problems
    assert left.chunk in problem.key


def test_sessions_of_another_repository_are_left_alone(left: Left, tmp_path: Path) -> None:
    other = Repository.open_or_create(LocalStore(tmp_path / "other"))[0]
    settle_dead_sessions(other, left.locks)
    assert len(list(left.locks.glob("*.lock"))) == 1
    assert not left.is_finished()
