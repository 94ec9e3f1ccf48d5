"""Session locks: how processes on one machine tell a live session from a dead one, at once and without a clock.

Each session holds a lock on a file of its own in a directory of the user's. The system frees it when the process dies,
whatever kills it. The file's name says host, boot and session, so that a file from another machine (a shared home
directory) proves nothing and one from before a reboot proves death. It says in its text what the session works on,
for the courier that serves it while it lives and the process that finishes its work when it has died.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import sys
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from keepsake.machine import boot_id, host_name

LockState: TypeAlias = Literal["held", "free", "unknown"]

TURN_PATIENCE_S = 300.0
"""So long may somebody else take for what is done one after another."""

_TURN_POLL_S = 0.05
_SUFFIX = ".lock"
_NOTES_SUFFIX = ".settled"
_WITH_HEARTBEAT, _WITHOUT_HEARTBEAT = b'"heartbeat": true}', b'"heartbeat": null}'
"""Of one length, so that one can be written over the other."""


@dataclass(frozen=True, slots=True)
class LockedSession:
    """A session that has a lock file: it lives, or nobody has finished yet what it left behind."""

    session_id: str
    experiment_id: str
    repository_url: str
    is_alive: bool = False
    wants_heartbeat: bool = False
    """Whether others may see that it lives; no longer when it is about to end."""


class SessionLock:
    """The lock that a live session holds."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor: int | None = descriptor

    @classmethod
    def acquire(
        cls, directory: Path, session_id: str, *, experiment_id: str, repository_url: str, heartbeat: bool = False
    ) -> SessionLock:
        """Create and lock the file of a new session.

        Args:
            directory: of the session locks.
            session_id: the session.
            experiment_id: what it writes to.
            repository_url: where that is.
            heartbeat: whether a courier shall keep its heartbeat.

        Raises:
            OSError: the directory cannot be written, or files cannot be locked there.
        """
        path = _lock_path(directory, session_id)
        document = {"experiment": experiment_id, "repository": repository_url, "pid": os.getpid(), "heartbeat": None}
        text = json.dumps(document).encode()
        if heartbeat:
            text = text.removesuffix(_WITHOUT_HEARTBEAT) + _WITH_HEARTBEAT
        # Locked under another name first: under its own name, it must never be seen unlocked while its session lives.
        temporary = path.with_name(f".{os.urandom(8).hex()}{_SUFFIX}")
        descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        try:
            os.write(descriptor, text)
            _lock(descriptor)
            if os.name == "nt":  # an open file cannot be renamed there
                os.close(descriptor)
                temporary.rename(path)
                descriptor = os.open(path, os.O_RDWR)
                _lock(descriptor)
            else:
                temporary.rename(path)
        except OSError:
            os.close(descriptor)
            temporary.unlink(missing_ok=True)
            raise
        return cls(path, descriptor)

    def end_heartbeat(self) -> None:
        """Have the courier keep no heartbeat any more; one that it is writing right now it deletes again."""
        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                size_bytes = os.fstat(self._descriptor).st_size
                os.lseek(self._descriptor, size_bytes - len(_WITHOUT_HEARTBEAT), os.SEEK_SET)
                os.write(self._descriptor, _WITHOUT_HEARTBEAT)

    def keep_young(self) -> None:
        """Give the file the present time: many systems remove temporary files that are ten days old."""
        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                os.utime(self._path)

    def release(self) -> None:
        """Give the lock up because nothing is left to do for this session: the file goes."""
        if self._descriptor is not None:
            _remove_files(self._path)
            self.abandon()

    def abandon(self) -> None:
        """Close the lock but leave its file, so that the next process finishes the work; also right after a fork."""
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            with contextlib.suppress(OSError):
                os.close(descriptor)


def session_lock_state(directory: Path, session_id: str) -> LockState:
    """Say whether a session of this machine and user lives; `unknown` for every other session."""
    return _lock_state(_lock_path(directory, session_id))


def is_locked(path: Path) -> bool:
    """Say whether a process holds the lock on a file."""
    return _lock_state(path) == "held"


def find_session(directory: Path, session_id: str) -> LockedSession | None:
    """Read the lock file of a session of this boot; None when there is none."""
    return _inspect(_lock_path(directory, session_id))


def find_sessions(directory: Path, repository_url: str) -> list[LockedSession]:
    """Return the sessions of this host and user in a repository that live, or have died and are not finished."""
    found = map(_inspect, _lock_files(directory))
    return [one for one in found if one is not None and one.repository_url == repository_url]


@contextlib.contextmanager
def claim_dead_sessions(
    directory: Path, repository_url: str, *, work: Literal["mark", "settle"] = "settle"
) -> Iterator[list[LockedSession]]:
    """Claim every session of this host and repository that died, for the time of the `with` block and one kind of work.

    Of several processes, one gets them all and the others none. The claim is a file of its own: the lock of a dead
    session stays free meanwhile, so that nobody takes the session for alive. Call `forget_session` for those whose work
    is finished.
    """
    name = f"{zlib.crc32(repository_url.encode('utf-8', 'surrogatepass')):08x}.{work}.claim"
    try:
        descriptor = os.open(directory / name, os.O_CREAT | os.O_RDWR, 0o600)
    except OSError:
        yield []
        return
    try:
        claimed = find_sessions(directory, repository_url) if _try_lock(descriptor) else []
        yield [session for session in claimed if not session.is_alive]
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def taking_turns(directory: Path, name: str) -> Iterator[bool]:
    """Be the only one of this user's threads and processes in a `with` block of this name; wait until that is so.

    Who has waited for `TURN_PATIENCE_S`, or cannot have such a file, goes on all the same. Yields whether it waited.
    """
    try:
        descriptor = os.open(directory / f"{name}.turn", os.O_CREAT | os.O_RDWR, 0o600)
    except OSError:
        yield False
        return
    try:
        has_waited, deadline_s = False, time.monotonic() + TURN_PATIENCE_S
        while not _try_lock(descriptor) and time.monotonic() < deadline_s:
            has_waited = True
            time.sleep(_TURN_POLL_S)
        yield has_waited
    finally:
        _unlock(descriptor)
        os.close(descriptor)


def forget_session(directory: Path, session_id: str) -> None:
    """Remove the file of a dead session whose work is finished, of this boot or an earlier one."""
    for path in _lock_files(directory):
        if path.name.split(".")[2] == session_id:
            _remove_files(path)


def notes_path(directory: Path, session_id: str) -> Path:
    """Return the file beside a session's lock that says what of it is settled; it goes with the lock file."""
    return _lock_path(directory, session_id).with_suffix(_NOTES_SUFFIX)


def remove_stray_notes(directory: Path) -> None:
    """Remove such files of sessions that have no lock file any more."""
    for path in directory.glob(f"{host_name()}.*{_NOTES_SUFFIX}"):
        if not path.with_suffix(_SUFFIX).exists():
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)


def _remove_files(path: Path) -> None:
    """Remove a lock file and what lies beside it."""
    for each in (path, path.with_suffix(_NOTES_SUFFIX)):
        with contextlib.suppress(OSError):
            each.unlink(missing_ok=True)


def _lock_state(path: Path) -> LockState:
    try:
        descriptor = os.open(path, os.O_RDWR)
    except OSError:
        return "unknown"
    try:
        # Shared, so that two readers do not take each other for the session.
        return "free" if _try_lock(descriptor, shared=True) else "held"
    finally:
        os.close(descriptor)


def _inspect(path: Path) -> LockedSession | None:
    try:
        descriptor = os.open(path, os.O_RDWR)
    except OSError:
        return None
    try:
        return _read_lock_file(path, descriptor, is_alive=not _try_lock(descriptor, shared=True))
    finally:
        os.close(descriptor)


def _lock_files(directory: Path) -> list[Path]:
    try:
        names = sorted(entry.name for entry in os.scandir(directory))
    except OSError:
        return []
    host = host_name()
    return [
        directory / name
        for name in names
        if name.endswith(_SUFFIX) and name.count(".") == 3 and name.split(".")[0] == host
    ]


def _lock_path(directory: Path, session_id: str) -> Path:
    return directory / f"{host_name()}.{boot_id()}.{session_id}{_SUFFIX}"


def _read_lock_file(path: Path, descriptor: int, *, is_alive: bool) -> LockedSession | None:
    try:
        document = json.loads(os.read(descriptor, 65536))
        return LockedSession(
            path.name.split(".")[2],
            str(document["experiment"]),
            str(document["repository"]),
            is_alive,
            is_alive and bool(document.get("heartbeat")),
        )
    except (OSError, ValueError, KeyError, TypeError):
        if not is_alive:
            # Its writer died in the middle of making it, before it was a session.
            _remove_files(path)
        return None


def _lock(descriptor: int) -> None:
    """Lock a file that nobody else has locked. Raises `OSError` where files cannot be locked."""
    if not _try_lock(descriptor):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))


if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int, *, shared: bool = False) -> bool:  # noqa: ARG001 (there are no shared ones)
        try:
            # A byte far beyond the text, since Windows refuses to read what is locked.
            os.lseek(descriptor, 1 << 30, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            os.lseek(descriptor, 0, os.SEEK_SET)
        return True

    def _unlock(descriptor: int) -> None:
        """Do nothing: what is closed is unlocked."""

else:
    import fcntl

    def _try_lock(descriptor: int, *, shared: bool = False) -> bool:
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def _unlock(descriptor: int) -> None:
        """Unlock a file, also for children that were forked meanwhile and have it open, too."""
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_UN)
