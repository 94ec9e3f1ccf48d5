"""A user's file while it is captured: read in place, and watched for changes.

Nothing is mapped into memory: a file that is truncated meanwhile would kill the training process. What was swapped for
a link, a pipe or a device since it was found is refused, without following or waiting. Every failure to read is an
`UnreadableError`; errors of the store never are.
"""

from __future__ import annotations

import errno
import os
import stat
import threading

_OPEN_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)  # a pipe without a writer would block the open
    | getattr(os, "O_BINARY", 0)
)
_CHANGED = "changed while it was read"
_NOT_A_FILE = "is no longer a regular file"


class UnreadableError(Exception):
    """A file could not be read as it was found; `reason` follows its name in a sentence."""

    def __init__(self, reason: str, *, size_bytes: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.size_bytes = size_bytes
        """How long the file was found to be, where that matters for the next attempt."""


class SourceFile:
    """A regular file, open for reading, by several threads at once.

    Args:
        path: where it is; the last part is not followed if it is a symbolic link.

    Raises:
        UnreadableError: there is no such file, it is not a regular one, or it may not be read. So do the methods, when
            reading fails or gives less than there was.
    """

    __slots__ = ("_descriptor", "_lock", "_status", "size_bytes")

    def __init__(self, path: str) -> None:
        try:
            self._descriptor = os.open(path, _OPEN_FLAGS)
        except OSError as error:
            raise UnreadableError(_reason(error)) from error
        self._lock = threading.Lock()
        try:
            self._status = self._look()
        except UnreadableError:
            self.close()
            raise
        self.size_bytes = self._status.st_size
        if not stat.S_ISREG(self._status.st_mode):
            self.close()
            raise UnreadableError(_NOT_A_FILE)

    def read(self, start: int, stop: int) -> bytes:
        """Return bytes `start` to `stop` (exclusive)."""
        data = bytearray(stop - start)
        self.read_into(memoryview(data), start)
        return bytes(data)

    def read_into(self, view: memoryview, start: int) -> None:
        """Fill `view` with the bytes from `start` on."""
        filled = 0
        while filled < len(view):
            try:
                count = self._read_some(view[filled:] if filled else view, start + filled)
            except OSError as error:
                raise UnreadableError(_reason(error)) from error
            if not count:
                raise UnreadableError(_CHANGED)
            filled += count

    def check_unchanged(self) -> None:
        """Raise `UnreadableError` if the file was written to, lengthened or cut since it was opened."""
        status, before = self._look(), self._status
        if (status.st_size, status.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
            raise UnreadableError(_CHANGED, size_bytes=status.st_size)

    def close(self) -> None:
        """Release the file. Closing twice is no error."""
        with self._lock:
            descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def _look(self) -> os.stat_result:
        try:
            return os.fstat(self._descriptor)
        except OSError as error:  # as of a network file system that has lost the file
            raise UnreadableError(_reason(error)) from error

    if hasattr(os, "preadv"):

        def _read_some(self, view: memoryview, start: int) -> int:
            return os.preadv(self._descriptor, [view], start)

    else:

        def _read_some(self, view: memoryview, start: int) -> int:
            with self._lock:
                os.lseek(self._descriptor, start, os.SEEK_SET)
                data = os.read(self._descriptor, len(view))
            view[: len(data)] = data
            return len(data)


def _reason(error: OSError) -> str:
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return "vanished before it was read"
    if error.errno == errno.ELOOP:
        return _NOT_A_FILE
    if error.errno in (errno.EACCES, errno.EPERM):
        return "may not be read: permission denied"
    return f"could not be read: {error.strerror or error}"
