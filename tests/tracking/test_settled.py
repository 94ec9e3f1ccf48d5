"""Notes of what is settled: they add up, tell of whole digests only, and go with the lock file."""

from __future__ import annotations

from pathlib import Path

from keepsake._model.ids import new_session_id
from keepsake._tracking.lock import SessionLock, forget_session, notes_path, remove_stray_notes
from keepsake._tracking.settled import load_settled, note_settled

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
