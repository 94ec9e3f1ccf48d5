"""Session locks: how processes on one machine tell a live session from a dead one, at once and without a clock.

Each session holds a lock on a file of its own in a directory of the user's. The system frees it when the process dies,
whatever kills it. The file's name says host, boot and session, so that a file from another machine (a shared home
directory) proves nothing and one from before a reboot proves death. It says in its text what the session worked on,
for the process that finishes its work.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import secrets
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from keepsake.machine import boot_id, host_name

LockState: TypeAlias = Literal["held", "free", "unknown"]

_SUFFIX = ".lock"


@dataclass(frozen=True, slots=True)
class DeadSession:
    """A session whose process is gone and whose work nobody has finished yet."""

    session_id: str
    experiment_id: str
    repository_url: str


class SessionLock:
    """The lock that a live session holds."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor: int | None = descriptor

    @classmethod
    def acquire(cls, directory: Path, session_id: str, *, experiment_id: str, repository_url: str) -> SessionLock:
        """Create and lock the file of a new session. Raises `OSError` when the directory cannot be written."""
        path = _lock_path(directory, session_id)
        text = json.dumps({"experiment": experiment_id, "repository": repository_url, "pid": os.getpid()})
        # Locked under another name first: under its own name, it must never be seen unlocked while its session lives.
        temporary = path.with_name(f".{secrets.token_hex(8)}{_SUFFIX}")
        descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        try:
            os.write(descriptor, text.encode())
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

    def release(self) -> None:
        """Give the lock up because nothing is left to do for this session: the file goes."""
        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                self._path.unlink(missing_ok=True)
            self.abandon()

    def abandon(self) -> None:
        """Close the lock but leave its file, so that the next process finishes the work; also right after a fork."""
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            with contextlib.suppress(OSError):
                os.close(descriptor)


def session_lock_state(directory: Path, session_id: str) -> LockState:
    """Say whether a session of this machine and user lives; `unknown` for every other session."""
    try:
        descriptor = os.open(_lock_path(directory, session_id), os.O_RDWR)
    except OSError:
        return "unknown"
    try:
        # Shared, so that two readers do not take each other for the session.
        return "free" if _try_lock(descriptor, shared=True) else "held"
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def claim_dead_sessions(directory: Path, repository_url: str) -> Iterator[list[DeadSession]]:
    """Claim every session of this host and repository that died, for the time of the `with` block.

    Of several processes, one gets them all and the others none. The claim is a file of its own: the lock of a dead
    session stays free meanwhile, so that nobody takes the session for alive. Call `forget_session` for those whose work
    is finished.
    """
    name = f"{zlib.crc32(repository_url.encode('utf-8', 'surrogatepass')):08x}.claim"
    try:
        descriptor = os.open(directory / name, os.O_CREAT | os.O_RDWR, 0o600)
    except OSError:
        yield []
        return
    try:
        yield list(_dead_sessions(directory, repository_url)) if _try_lock(descriptor) else []
    finally:
        os.close(descriptor)


def forget_session(directory: Path, session_id: str) -> None:
    """Remove the file of a dead session whose work is finished, of this boot or an earlier one."""
    for path in _lock_files(directory):
        if path.name.split(".")[2] == session_id:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)


def _dead_sessions(directory: Path, repository_url: str) -> Iterator[DeadSession]:
    for path in _lock_files(directory):
        try:
            descriptor = os.open(path, os.O_RDWR)
        except OSError:
            continue
        try:
            dead = _read_lock_file(path, descriptor) if _try_lock(descriptor, shared=True) else None
        finally:
            os.close(descriptor)
        if dead is not None and dead.repository_url == repository_url:
            yield dead


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


def _read_lock_file(path: Path, descriptor: int) -> DeadSession | None:
    try:
        document = json.loads(os.read(descriptor, 65536))
        return DeadSession(path.name.split(".")[2], str(document["experiment"]), str(document["repository"]))
    except (OSError, ValueError, KeyError, TypeError):
        # Its writer died in the middle of making it, before it was a session.
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
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

else:
    import fcntl

    def _try_lock(descriptor: int, *, shared: bool = False) -> bool:
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
