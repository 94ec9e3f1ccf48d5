"""What the operating system reports, as errors of ours: which object in which store, and what to do next."""

from __future__ import annotations

import errno
import os

from keepsake.errors import NotFoundError, PermissionDeniedError, ReadError, StoreError, WriteError

ABSENT = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP})
"""No such object: also when a directory of its key is a file, or when it is a symbolic link."""

_DENIED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})

_TRANSIENT = frozenset(
    getattr(errno, name)
    for name in (
        # Device and network trouble that passes, and files that another client replaced (NFS).
        *("EIO", "ESTALE", "EINTR", "EAGAIN", "EBUSY", "ETIMEDOUT", "ENOTCONN", "EHOSTDOWN", "EHOSTUNREACH"),
        *("ENETDOWN", "ENETUNREACH", "ECONNRESET", "ECONNABORTED", "EREMOTEIO"),
        # Limits of the moment.
        *("EMFILE", "ENFILE", "ENOMEM", "ENOBUFS"),
    )
    if hasattr(errno, name)
)

_SHARING_VIOLATIONS = frozenset({5, 32, 33})
"""Windows: access denied, sharing violation, lock violation; what replacing a file gives while somebody reads it."""

_HINTS = {
    errno.ENOSPC: "make room on that disk",
    getattr(errno, "EDQUOT", errno.ENOSPC): "make room: your quota there is used up",
    errno.EFBIG: "the file system or a limit of this process (`ulimit -f`) does not allow files of this size",
    errno.EROFS: "it is mounted read-only",
    errno.ENAMETOOLONG: "choose a place with a shorter path",
    errno.EIO: "the disk or its connection is failing; the system log says more",
    errno.ESTALE: "the network file system was mounted anew or its server restarted",
    errno.EMFILE: "this process has too many files open; `ulimit -n` shows the limit",
}


def absent(key: str, url: str) -> NotFoundError:
    """Return the error for an object that is not there."""
    return NotFoundError(f"there is no object {key} in {url}")


def read_error(error: OSError, key: str, url: str) -> NotFoundError | StoreError:
    """Translate what went wrong when `key` was read or listed."""
    if error.errno in ABSENT:
        return absent(key, url)
    return _translate(ReadError, f"cannot read {key or 'the listing'} in {url}", error)


def write_error(error: OSError, key: str, url: str) -> StoreError:
    """Translate what went wrong when `key` was written, renamed, deleted or synced."""
    return _translate(WriteError, f"cannot write {key} in {url}", error)


def directory_error(error: OSError, path: str) -> StoreError:
    """Translate what went wrong when a directory was made or opened."""
    return _translate(WriteError, f"cannot use {path} as a directory", error)


def _translate(kind: type[StoreError], what: str, error: OSError) -> StoreError:
    message = f"{what}: {error.strerror or error}"
    hint = _HINTS.get(error.errno or 0)
    if getattr(error, "winerror", None) in _SHARING_VIOLATIONS and kind is WriteError:
        return WriteError(message, hint="another program has the file open", transient=True)
    if error.errno in _DENIED:
        user = f"user {os.getuid()}" if hasattr(os, "getuid") else "the user"
        hint = hint or f"give {user}, whom this process runs as, access to it"
        return PermissionDeniedError(message, hint=hint)
    return kind(message, hint=hint, transient=error.errno in _TRANSIENT)
