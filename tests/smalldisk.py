"""File systems of a few megabytes, to be full, read-only or away."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


@contextlib.contextmanager
def mounted_disk(directory: Path, size_bytes: int) -> Iterator[Path]:
    """Mount a file system of its own on a new directory. Only root can, as CI is; elsewhere the test is skipped."""
    directory.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size_bytes},mode=700", "keepsake-test", str(directory)]
    if os.name == "nt" or os.getuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a file system")
    try:
        yield directory
    finally:
        while directory.is_mount():  # a test may have mounted something over it
            subprocess.run(["umount", "-l", str(directory)], check=True)
