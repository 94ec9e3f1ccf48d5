"""Session locks: held while the process lives, free at once when it is dead, and claimed by one process at a time."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from keepsake._model.ids import new_session_id
from keepsake._repository.repository import Repository
from keepsake._tracking.lock import (
    LockedSession,
    SessionLock,
    claim_dead_sessions,
    forget_session,
    session_lock_state,
)
from keepsake._tracking.presence import Presence
from keepsake.stores.memory import MemoryStore

URL = "file:///repository"


def acquire(directory: Path, url: str = URL) -> tuple[str, SessionLock]:
    session_id = new_session_id()
    return session_id, SessionLock.acquire(directory, session_id, experiment_id="e" * 64, repository_url=url)


def test_a_lock_is_held_then_free_then_unknown(tmp_path: Path) -> None:
    session_id, lock = acquire(tmp_path)
    assert session_lock_state(tmp_path, session_id) == "held"
    lock.abandon()
    assert session_lock_state(tmp_path, session_id) == "free"
    forget_session(tmp_path, session_id)
    assert session_lock_state(tmp_path, session_id) == "unknown"
    assert session_lock_state(tmp_path / "absent", session_id) == "unknown"


def test_a_look_keeps_the_lock_file_from_growing_old(tmp_path: Path) -> None:
    repository, _ = Repository.open_or_create(MemoryStore())
    presence = Presence(
        repository, "e" * 64, new_session_id(), locks=tmp_path, dispatcher=None, heartbeat=False, look=lambda: None
    )
    presence.begin()
    (path,) = tmp_path.glob("*.lock")
    os.utime(path, (0, 0))
    presence._next_look_s = 0.0
    presence.look()
    assert time.time() - path.stat().st_mtime < 3600
    presence.end()


def test_a_released_lock_leaves_no_file(tmp_path: Path) -> None:
    session_id, lock = acquire(tmp_path)
    lock.release()
    lock.release()
    assert session_lock_state(tmp_path, session_id) == "unknown"
    assert list(tmp_path.iterdir()) == []


def test_the_death_of_the_process_frees_the_lock(tmp_path: Path) -> None:
    session_id = new_session_id()
    script = (
        "import pathlib, sys, time; from keepsake._tracking.lock import SessionLock\n"
        "lock = SessionLock.acquire(pathlib.Path(sys.argv[1]), sys.argv[2], experiment_id='e', repository_url='u')\n"
        "print('locked', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script, tmp_path, session_id], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert session_lock_state(tmp_path, session_id) == "held"
        process.kill()
        process.wait()
        assert session_lock_state(tmp_path, session_id) == "free"


def test_only_the_dead_sessions_of_the_repository_are_claimed(tmp_path: Path) -> None:
    alive, _lock = acquire(tmp_path)
    dead, dead_lock = acquire(tmp_path)
    _, other_lock = acquire(tmp_path, "file:///other")
    dead_lock.abandon()
    other_lock.abandon()
    with claim_dead_sessions(tmp_path, URL) as claimed:
        assert claimed == [LockedSession(dead, "e" * 64, URL)]
        # Claimed by one at a time; and meanwhile nobody takes it for alive.
        with claim_dead_sessions(tmp_path, URL) as second:
            assert second == []
        assert session_lock_state(tmp_path, dead) == "free"
        forget_session(tmp_path, dead)
    with claim_dead_sessions(tmp_path, URL) as claimed:
        assert claimed == []
    assert session_lock_state(tmp_path, alive) == "held"


def test_a_file_from_before_a_reboot_proves_death_and_one_of_another_host_nothing(tmp_path: Path) -> None:
    ids = [new_session_id() for _ in range(2)]
    for session_id in ids:
        lock = SessionLock.acquire(tmp_path, session_id, experiment_id="e" * 64, repository_url=URL)
        lock.abandon()
    for session_id, host, boot in ((ids[0], None, "0" * 32), (ids[1], "elsewhere", None)):
        (path,) = tmp_path.glob(f"*{session_id}*")
        parts = path.name.split(".")
        path.rename(tmp_path / ".".join([host or parts[0], boot or parts[1], *parts[2:]]))
    with claim_dead_sessions(tmp_path, URL) as claimed:
        assert [one.session_id for one in claimed] == [ids[0]]
    forget_session(tmp_path, ids[0])
    assert session_lock_state(tmp_path, ids[1]) == "unknown"


def test_what_a_process_left_that_died_while_it_made_a_lock_is_cleared_away(tmp_path: Path) -> None:
    session_id, lock = acquire(tmp_path)
    lock.abandon()
    (path,) = tmp_path.iterdir()
    path.write_bytes(b'{"exper')
    with claim_dead_sessions(tmp_path, URL) as claimed:
        assert claimed == []
    assert not path.exists()
    assert session_lock_state(tmp_path, session_id) == "unknown"


def test_without_a_directory_to_write_nothing_is_claimed(tmp_path: Path) -> None:
    with claim_dead_sessions(tmp_path / "absent", URL) as claimed:
        assert claimed == []
    with pytest.raises(OSError, match="absent"):
        acquire(tmp_path / "absent")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_child_that_closes_its_copy_does_not_free_the_parents_lock(tmp_path: Path) -> None:
    session_id, lock = acquire(tmp_path)
    child = os.fork()
    if child == 0:
        lock.abandon()
        os._exit(0)
    os.waitpid(child, 0)
    assert session_lock_state(tmp_path, session_id) == "held"
    lock.release()
