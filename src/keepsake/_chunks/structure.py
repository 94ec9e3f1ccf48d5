"""What a file's structure says of where its tensors lie: the common words of the formats that `layout` knows.

A parser gets `read` and the file's size, and returns tensors or raises anything: whatever it raises means that the file
is cut as one without a structure. It must not take more memory or time than the limits here allow, however the file
lies.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

Read: TypeAlias = Callable[[int, int], bytes]
"""`read(start, stop)` returns exactly those bytes of the file, or raises."""

MAX_HEADER_BYTES = 32 * 1024 * 1024
"""The longest header, pickle or name table that is parsed."""
MAX_TENSORS = 100_000
"""The most tensors that are looked at one by one; a file with more is cut as one without a structure."""


class NoStructureError(Exception):
    """The file is not what it looked like, or too much to parse."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """Bytes `start` to `stop` of a file, items of `item_size` bytes each (0 when that is not known)."""

    start: int
    stop: int
    item_size: int


def read_limited(read: Read, start: int, stop: int, *, size_bytes: int) -> bytes:
    """Read a header, unless it is too long or leaves the file."""
    if not 0 <= start <= stop <= size_bytes or stop - start > MAX_HEADER_BYTES:
        raise NoStructureError(f"a header claims the bytes {start} to {stop} of a file of {size_bytes}")
    return read(start, stop)
