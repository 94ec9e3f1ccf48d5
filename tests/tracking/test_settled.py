"""Notes of what is settled: they add up, tell of whole digests only, and go with the lock file."""

from __future__ import annotations

from pathlib import Path

import pytest

from keepsake._model.ids import new_id, new_session_id
from keepsake._model.manifest import Manifest
from keepsake._repository.collect import collect
from keepsake._repository.repository import Repository
from keepsake._snapshots.ignore import IgnoreRules
from keepsake._snapshots.save import save_snapshot
from keepsake._snapshots.scan import scan_path
from keepsake._tracking.ending import untrack
from keepsake._tracking.lock import SessionLock, forget_session, notes_path, remove_stray_notes
from keepsake._tracking.progress import Waiting
from keepsake._tracking.recovery import append_event, settle_dead_sessions
from keepsake._tracking.session import Session
from keepsake._tracking.settled import load_settled, note_settled
from keepsake.stores.local import LocalStore

A, B, C = (letter * 64 for letter in "abc")


def acquire(locks: Path) -> tuple[str, SessionLock]:
    session_id = new_session_id()
    return session_id, SessionLock.acquire(locks, session_id, experiment_id="e", repository_url="u")


def test_notes_add_up_and_go_with_the_lock_file(tmp_path: Path) -> None:
    session_id, lock = acquire(tmp_path)
    other, dead = acquire(tmp_path)
    assert load_settled(tmp_path, session_id) == set()
    note_settled(tmp_path, session_id, [A, B])
    note_settled(tmp_path, session_id, [C])
    note_settled(tmp_path, other, [A])
    assert load_settled(tmp_path, session_id) == {A, B, C}
    lock.release()
    dead.abandon()
    assert load_settled(tmp_path, session_id) == set()
    assert load_settled(tmp_path, other) == {A}
    forget_session(tmp_path, other)
    assert list(tmp_path.iterdir()) == []


def test_half_a_note_is_none(tmp_path: Path) -> None:
    session_id, lock = acquire(tmp_path)
    note_settled(tmp_path, session_id, [A, B])
    path = notes_path(tmp_path, session_id)
    path.write_bytes(path.read_bytes()[:-1])
    assert load_settled(tmp_path, session_id) == {A}
    lock.release()


def test_notes_that_cannot_be_kept_are_no_error(tmp_path: Path) -> None:
    note_settled(tmp_path / "absent", new_session_id(), [A])
    assert load_settled(tmp_path / "absent", new_session_id()) == set()


def test_stray_notes_are_removed_and_others_stay(tmp_path: Path) -> None:
    session_id, lock = acquire(tmp_path)
    stray = new_session_id()
    for each in (session_id, stray):
        note_settled(tmp_path, each, [A])
    remove_stray_notes(tmp_path)
    assert (load_settled(tmp_path, session_id), load_settled(tmp_path, stray)) == ({A}, set())
    lock.release()


@pytest.mark.parametrize("is_killed", [False, True])
def test_what_was_settled_then_deleted_and_collected_is_settled_when_it_is_saved_again(
    tmp_path: Path, is_killed: bool
) -> None:
    locks = tmp_path / "locks"
    locks.mkdir()
    repository, _ = Repository.open_or_create(LocalStore(tmp_path / "repository"))
    experiment_id = new_id()
    session = Session(repository, experiment_id, locks=locks, open_staging=lambda home: home, heartbeat=False)
    session.write_first({"type": "experiment", "id": experiment_id}, None)
    (tmp_path / "weights").write_bytes(b"weights" * 10_000)
    found = scan_path(tmp_path, "weights", IgnoreRules.load(tmp_path))

    def save(target: Repository) -> Manifest:
        return save_snapshot(tmp_path, found, target.chunks)

    first = session.save_checkpoint({}, None, save)
    (chunk,) = repository.load_manifest(first["manifests"][0]).digests()
    with Waiting("making it compact") as waiting:
        session.settle(waiting)
    assert not repository.chunks.is_raw(chunk)
    deletion: dict[str, object] = {"type": "delete", "checkpoints": [first["id"]]}
    append_event(repository.store, experiment_id, deletion, after=first["time"])
    assert collect(repository, young_s=0).objects == 2
    session.save_checkpoint({}, None, save)
    assert repository.chunks.is_raw(chunk)
    if is_killed:
        session.after_fork_in_child()
        untrack(session)
        settle_dead_sessions(repository, locks)
    else:
        session.stop("finished")
    assert not repository.chunks.is_raw(chunk)
