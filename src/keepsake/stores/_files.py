"""The system calls behind the local store: write all of it, name it unless the name is taken, sync it.

All raise `OSError`; who calls knows which object it is about.
"""

# ruff: noqa: PTH104, PTH108, PTH116
# This runs for every object, and os functions on plain strings are several times faster than pathlib.

from __future__ import annotations

import contextlib
import errno
import os
import sys
import time

from keepsake.stores.base import Data, buffers_of, size_of

CREATE_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
READ_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)  # what is not a file (a named pipe) must not hold us up
)

_MAX_BUFFERS = os.sysconf("SC_IOV_MAX") if hasattr(os, "writev") else 1

_MAX_WRITE_BYTES = 1024 * 1024
"""So much is written at once. For longer writes Linux takes page cache 2 MiB at a time, and where a virtual machine's
host has taken such memory back, 500 MB took 330 ms instead of 92 in every other attempt; with 256 KiB they took 110."""

_NO_LINKS = frozenset(
    (errno.EPERM, errno.EACCES, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EXDEV, errno.EMLINK, errno.EINVAL)
)
"""What file systems without hard links (FAT, many in user space) answer to `link`."""

_NO_DIRECTORY_SYNC = frozenset((errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EBADF))

_CLAIM_TIMEOUT_S = 5.0
"""A claim is held for two system calls; one that stands this long was left by a process that died between them."""


def write_all(descriptor: int, data: Data) -> None:
    """Write every byte of `data`, in few system calls: small buffers together, long ones in pieces."""
    if isinstance(data, bytes) and len(data) <= _MAX_WRITE_BYTES:
        written = os.write(descriptor, data)
        if written < len(data):
            _write_rest(descriptor, memoryview(data)[written:])
        return
    buffers = buffers_of(data)
    if size_of(buffers) > _MAX_WRITE_BYTES:
        for buffer in buffers:
            _write_rest(descriptor, memoryview(buffer).cast("B"))
        return
    for start in range(0, len(buffers), _MAX_BUFFERS):
        group = buffers[start : start + _MAX_BUFFERS]
        written = os.writev(descriptor, group) if _MAX_BUFFERS > 1 else 0
        if written == size_of(group):
            continue
        for buffer in group:
            view = memoryview(buffer).cast("B")
            if written < view.nbytes:
                _write_rest(descriptor, view[written:])
            written = max(0, written - view.nbytes)


def _write_rest(descriptor: int, view: memoryview) -> None:
    while view:
        view = view[os.write(descriptor, view[:_MAX_WRITE_BYTES]) :]


def read_all(descriptor: int, start: int, stop: int) -> bytes:
    """Read bytes `start` to `stop` of a file, fewer where it ends before."""
    if start >= stop:
        return b""
    data = _read_at(descriptor, stop - start, start)
    if len(data) == stop - start:
        return data
    # One call reads at most 2 GiB, and less when a network file system is interrupted.
    parts = [data]
    start += len(data)
    while data and start < stop:
        data = _read_at(descriptor, stop - start, start)
        parts.append(data)
        start += len(data)
    return b"".join(parts)


def discard(path: str) -> None:
    """Remove a temporary file; if it cannot be removed, it stays and is recognised by its name."""
    with contextlib.suppress(OSError):
        os.unlink(path)


def rename_unless_exists(source: str, target: str) -> bool:
    """Give the file `source` the name `target` unless something has it; the one atomic step of every `create`.

    Returns:
        Whether it has the name now. If not, `source` is still there.
    """
    if os.name == "nt":
        with contextlib.suppress(FileExistsError):
            os.rename(source, target)  # refuses to replace, unlike elsewhere
            return True
        return False
    try:
        os.link(source, target)
    except FileExistsError:
        # Network file systems repeat a request whose answer was lost; then it was we who made this link.
        won = os.stat(source).st_nlink == 2
        if won:
            discard(source)
        return won
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        return rename_under_claim(source, target)
    discard(source)
    return True


def rename_under_claim(source: str, target: str) -> bool:
    """Do what `rename_unless_exists` does where there are no hard links.

    Who creates the file `.tmp.claim.<name>` may look whether the target exists and rename; the others wait for it.
    """
    directory, _, name = target.rpartition("/")
    claim = f"{directory}/.tmp.claim.{name}"
    deadline = time.monotonic() + _CLAIM_TIMEOUT_S
    while True:
        try:
            os.close(os.open(claim, CREATE_FLAGS, 0o666))
            break
        except FileExistsError:
            if os.path.lexists(target):
                return False
            if time.monotonic() > deadline:
                discard(claim)
                deadline += _CLAIM_TIMEOUT_S
            time.sleep(0.001)
    try:
        if os.path.lexists(target):
            return False
        os.rename(source, target)
        return True
    finally:
        discard(claim)


def sync_path(path: str) -> None:
    """Return when what the file holds survives a power loss. Raises `FileNotFoundError` when there is none."""
    # Windows flushes only what is open for writing.
    flags = os.O_RDWR | getattr(os, "O_BINARY", 0) if os.name == "nt" else READ_FLAGS
    descriptor = os.open(path, flags)
    try:
        sync_descriptor(descriptor)
    finally:
        os.close(descriptor)


def sync_directory(path: str) -> None:
    """Return when the names in a directory survive a power loss, where the system can promise that."""
    if os.name == "nt":
        return  # a directory cannot be opened; NTFS keeps its names in a journal
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        sync_descriptor(descriptor)
    except OSError as error:
        if error.errno not in _NO_DIRECTORY_SYNC:
            raise
    finally:
        os.close(descriptor)


if sys.platform == "darwin":
    import fcntl

    def sync_descriptor(descriptor: int) -> None:
        """Return when the file survives a power loss; `fsync` leaves it in the drive's cache there."""
        try:
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
        except OSError:
            os.fsync(descriptor)  # file systems of other makers do not know the other call

else:

    def sync_descriptor(descriptor: int) -> None:
        """Return when the file survives a power loss."""
        os.fsync(descriptor)


if hasattr(os, "pread"):
    _read_at = os.pread
else:

    def _read_at(descriptor: int, size_bytes: int, offset: int) -> bytes:
        os.lseek(descriptor, offset, os.SEEK_SET)
        return os.read(descriptor, size_bytes)
