"""Priority: how the courier keeps out of the way of training, as far as the system offers it.

Encoding gets the processor and the disk only while nobody else wants them; the rest of the courier takes the lowest
ordinary share. What the system refuses or does not know is left out: the courier is then merely less polite.
"""

from __future__ import annotations

import contextlib
import os
import platform
import sys
from pathlib import Path

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Variables by which numeric libraries are kept from starting a thread a core, none of which the courier uses."""

MAX_WAITED_FOR_THREADS = 10
"""Each takes about three chunks of memory, and beyond that no disk gets faster."""

MAX_ENCODING_THREADS = 2
"""Two encode 600 MB/s and more, which is faster than checkpoints come; each takes about three chunks of memory."""

_LOWEST_NICE = 19
_IOPRIO_SET = {"x86_64": 251, "aarch64": 30}
"""Number of the system call `ioprio_set`, which has no wrapper in the C library (Linux, arch/*/entry/syscalls)."""
_THIS_THREAD = (1, 0)
"""`IOPRIO_WHO_PROCESS` with id 0 (ioprio_set(2))."""
_IDLE_CLASS = 3 << 13
"""`IOPRIO_CLASS_IDLE` (ioprio_set(2))."""


def lower_process() -> None:
    """Give this process the lowest ordinary priority.

    The scheduler of a desktop shares the processor between terminal sessions first, and the courier has one to itself:
    so the whole group has to be lowered as well (sched(7), "The autogroup feature").
    """
    with contextlib.suppress(OSError):
        Path("/proc/self/autogroup").write_text(str(_LOWEST_NICE), encoding="ascii")
    with contextlib.suppress(OSError):
        os.nice(_LOWEST_NICE)


def lower_thread() -> None:
    """Have this thread, and those that it starts, work only while the machine has nothing else to do."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        _lower_disk_priority()


def encoding_threads() -> int:
    """Return how many chunks to encode at once beside training."""
    return min(MAX_ENCODING_THREADS, _count_cores())


def waited_for_threads() -> int:
    """Return how many chunks to encode at once while somebody waits: some always wait for the disk."""
    return min(MAX_WAITED_FOR_THREADS, _count_cores() + 2)


def _count_cores() -> int:
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _lower_disk_priority() -> None:
    number = _IOPRIO_SET.get(platform.machine())
    if number is None:
        return
    try:
        import ctypes

        ctypes.CDLL(None).syscall(number, *_THIS_THREAD, _IDLE_CLASS)
    except (ImportError, OSError, AttributeError):
        return  # a Python without ctypes, or a C library without `syscall`
