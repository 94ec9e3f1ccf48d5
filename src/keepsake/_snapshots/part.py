"""Parts: large files that a checkout has begun and not finished, which the next one goes on with.

A part lies beside its file, under a name that follows from what it will hold, and is locked while somebody writes it.
Nothing says which of it was written: whoever finds it compares its bytes with the digests of the chunks, as those of
any other source. So a part may be torn, sparse or made by anybody. Where the system has no such locks, there are none.
"""

from __future__ import annotations

import contextlib
import os
import stat

from keepsake._chunks.digest import digest_of
from keepsake._model.manifest import Entry

LARGE_BYTES = 1 << 30
"""Files from this length on are gone on with. Of a shorter one that was under way, no more than this is lost."""

_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


def name_part(entry: Entry) -> str:
    """Return what the part of a file is called: the same for the same path and content, and for nothing else."""
    content = "\n".join(f"{one.digest} {one.start} {one.stop}" for one in entry.extents)
    path = entry.path.encode("utf-8", "surrogateescape")
    digest = digest_of(b"%s\0%d\0%s" % (path, entry.executable, content.encode("ascii")))
    return f".keepsake-{digest[:24]}.tmp"


class Part:
    """An open part, locked. Threads may read it at once; `close` gives the lock up.

    Args:
        descriptor: of the file.
        found_bytes: how long it was when it was found; 0 for a new one.
    """

    def __init__(self, descriptor: int, found_bytes: int) -> None:
        self._descriptor = descriptor
        self._found_bytes = found_bytes

    def find_chunk(self, digest: str, offset: int, size_bytes: int) -> bytes | None:
        """Return the chunk that is to stand at `offset`, if an earlier checkout has written it."""
        if offset + size_bytes > self._found_bytes:
            return None
        data = os.pread(self._descriptor, size_bytes, offset)
        return data if digest_of(data) == digest else None

    def close(self) -> None:
        """Let others have it."""
        os.close(self._descriptor)


def open_part(path: str, dir_fd: int | None, *, mode: int, size_bytes: int) -> Part | None:
    """Open a part, made if it is not there, and lock it; None when it is somebody else's, or no file of ours.

    Args:
        path: where it is.
        dir_fd: the directory that `path` counts from.
        mode: of a new one.
        size_bytes: how long the file will be.
    """
    try:
        import fcntl
    except ImportError:
        return None
    try:
        descriptor = os.open(path, _FLAGS, mode, dir_fd=dir_fd)
    except OSError:
        return None  # something else stands there; where nothing can be written, who makes another file is told
    with contextlib.suppress(OSError):  # another checkout has it, or finished it meanwhile
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if not isinstance(error, BlockingIOError):
                os.unlink(path, dir_fd=dir_fd)  # a file system without locks
            raise
        status = os.fstat(descriptor)
        if _is_ours(status, os.stat(path, dir_fd=dir_fd, follow_symlinks=False)):
            found_bytes = min(status.st_size, size_bytes)
            os.ftruncate(descriptor, found_bytes)
            return Part(descriptor, found_bytes)
    os.close(descriptor)
    return None


def _is_ours(status: os.stat_result, named: os.stat_result) -> bool:
    """Say whether an open file is still the one of its name, and nobody else has another name for it."""
    is_file = stat.S_ISREG(status.st_mode) and status.st_nlink == 1
    return is_file and status.st_uid == os.getuid() and os.path.samestat(status, named)
