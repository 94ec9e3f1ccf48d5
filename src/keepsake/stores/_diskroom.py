"""How much room there is on a disk for what can be lost, so that it never fills one on which others write."""

from __future__ import annotations

import math
import os
import shutil
import time

FREE_SHARE = 0.2
"""This share of a disk is left free,"""
FREE_BYTES = 4e9
"""and never more than this, whatever its size."""
_ASK_S = 1.0
"""The system is asked at most so often while there is room: it takes a microsecond, and on a network file system a
request."""


class DiskRoom:
    """How much more may be written to the disk of a directory. May be used from several threads.

    Args:
        directory: the directory; as long as it is not there, nothing is known of its disk.
    """

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        self._directory = directory
        self._left_bytes = math.inf
        self._asked_s = -math.inf

    def left_bytes(self, *, is_changed: bool = False) -> float:
        """Return how many bytes may be written, fewer than none when too many are; infinity when nobody knows.

        Args:
            is_changed: whether the system must be asked, since something was deleted.
        """
        now_s = time.monotonic()
        if is_changed or now_s - self._asked_s >= _ASK_S:
            try:
                usage = shutil.disk_usage(self._directory)
            except OSError:
                return math.inf  # then writing says what is wrong
            self._left_bytes = usage.free - min(usage.total * FREE_SHARE, FREE_BYTES)
            self._asked_s = now_s
        return self._left_bytes

    def take(self, size_bytes: int) -> None:
        """Count what was written since the system was asked."""
        self._left_bytes -= size_bytes
