"""Which machine this is and since when it runs: what tells a dead process from one that cannot be seen from here."""

from __future__ import annotations

import functools
import os
import re
import time
from pathlib import Path


@functools.cache
def host_name() -> str:
    """Name of this machine, fit for a file name or a key."""
    return re.sub(r"[^A-Za-z0-9-]", "-", _node_name()) or "unknown"


def _node_name() -> str:
    if hasattr(os, "uname"):
        return os.uname().nodename
    import socket  # 4 ms

    return socket.gethostname()


@functools.cache
def boot_id() -> str:
    """Text that is the same for every process since this machine was started, and never again.

    In a container it is that of the machine around it. Where the system has none, the time of the boot in minutes
    stands in for it.
    """
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip().replace("-", "")
    except OSError:
        return f"{boot_time_ns() // 60_000_000_000:x}"


@functools.cache
def boot_time_ns() -> int:
    """When this machine was started, in nanoseconds since the epoch, by its present clock."""
    clock = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))
    since_boot = time.clock_gettime_ns(clock) if clock is not None else time.monotonic_ns()
    return time.time_ns() - since_boot
