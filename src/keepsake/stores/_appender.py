"""A file that grows: what a session's journal is on a local disk."""

from __future__ import annotations

import contextlib
import os

from keepsake.errors import WriteError
from keepsake.stores._oserrors import write_error


class LocalAppender:
    """A file that is open for appending; an `append` is one system call, but where the disk is full."""

    __slots__ = ("_descriptor", "_key", "_size_bytes", "_url")

    def __init__(self, descriptor: int, key: str, url: str) -> None:
        self._descriptor = descriptor
        self._key = key
        self._url = url
        self._size_bytes = 0

    @property
    def size_bytes(self) -> int:
        """Length of the object with all that was appended, a part of what failed included."""
        return self._size_bytes

    def append(self, data: bytes) -> None:
        """Add `data` to the end. When it raises, a part of it may have been written, and nothing more can be."""
        written = self._write(data)
        if written < len(data):
            try:
                self._write_rest(data, written)
            except BaseException:  # also a Ctrl-C: nothing may follow half a line
                self.close()
                raise

    def _write_rest(self, data: bytes, written: int) -> None:
        """Go on after a disk has taken a part: one that is full says so now, which decides what the session does."""
        while written < len(data):
            more = self._write(data[written:])
            if not more:
                raise WriteError(
                    f"cannot write {self._key} in {self._url}: only {written} of {len(data)} bytes were taken",
                    hint="the disk is probably full: make room on it",
                )
            written += more

    def _write(self, data: bytes) -> int:
        try:
            written = os.write(self._descriptor, data)
        except OSError as error:
            closed = self._descriptor < 0
            self.close()
            if closed:
                raise WriteError(f"{self._key} in {self._url} is closed: nothing can be appended to it") from error
            raise write_error(error, self._key, self._url) from error
        self._size_bytes += written
        return written

    def close(self) -> None:
        """Release the file. Closing twice is no error."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            with contextlib.suppress(OSError):  # all that was appended was acknowledged by then
                os.close(descriptor)
