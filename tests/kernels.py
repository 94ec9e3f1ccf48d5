"""Kernels of notebooks that listen at names: a port that was free may be taken before a kernel has it."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator


@contextlib.contextmanager
def named_sockets() -> Iterator[dict[str, str]]:
    """Yield the options of a `KernelManager` whose kernel listens at names of its own."""
    # Not below a test's directory: the path of a socket has at most a hundred letters.
    with tempfile.TemporaryDirectory(prefix="kernel-") as directory:
        yield {"transport": "ipc", "ip": f"{directory}/socket"}
