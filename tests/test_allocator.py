"""That freed memory is kept, counted in page faults: each is a page that the system has filled with zeros."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import keepsake

on_glibc = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="no other allocator can be told")
_REUSE = """
import resource, sys
from keepsake.allocator import keep_freed_memory

def use_and_free():
    block = bytearray(4 << 20)
    block[:] = b"x" * len(block)
def count_faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
if sys.argv[1:]:
    keep_freed_memory()
use_and_free()
before = count_faults()
for _ in range(100):
    use_and_free()
print(count_faults() - before)
"""


@on_glibc
def test_memory_that_was_freed_is_used_again() -> None:
    assert _faults_of_reuse("keep") < 2_000
    assert _faults_of_reuse() > 50_000, "the system's allocator keeps it by itself: nothing was shown"


def _faults_of_reuse(*arguments: str) -> int:
    command = [sys.executable, "-c", _REUSE, *arguments]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@on_glibc
def test_a_command_needs_fewer_pages_than_it_moves(tmp_path: Path) -> None:
    size_bytes = 100_000_000
    np.save(tmp_path / "w.npy", np.random.default_rng(1).standard_normal(size_bytes // 4, dtype=np.float32))
    experiment = keepsake.Project(str(tmp_path / "repository"), tmp_path).experiments.create(quiet=True)
    experiment.checkpoint(path="w.npy")
    experiment.stop()
    command = [sys.executable, "-m", "keepsake", "push", str(tmp_path / "repository"), str(tmp_path / "copy")]
    _, status, usage = os.wait4(os.posix_spawn(command[0], command, os.environ), 0)
    assert status == 0
    assert usage.ru_minflt < size_bytes / os.sysconf("SC_PAGE_SIZE")
