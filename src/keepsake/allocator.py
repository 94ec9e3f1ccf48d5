"""The C library's allocator, told to keep what Keepsake's own processes free: the next chunk takes it again.

The one of Linux (glibc) returns blocks of some length to the system as soon as they are free, and gets them back page
by page, each filled with zeros: a third of the processor time of a delivery. From which length on is what it learns
from the longest block that was freed so far, up to 32 MiB (mallopt(3), `M_MMAP_THRESHOLD`). In somebody else's process
that is not ours to change; there, NumPy and PyTorch soon have the same effect.
"""

from __future__ import annotations

_LONGEST_BYTES = (32 << 20) - 64 * 1024
"""Just below the longest block from which the allocator learns, with room for its own head and whole pages."""


def keep_freed_memory() -> None:
    """Have this process keep up to twice 32 MiB of freed memory in each of the allocator's arenas.

    Elsewhere than on Linux with glibc it does nothing. The block that is freed here is never touched, so it takes no
    memory itself.
    """
    bytes(_LONGEST_BYTES)
