"""What the benchmarks ran on: the processor, the system, the disk and the versions that matter."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path

PACKAGES = ("keepsake", "blake3", "zstandard", "numpy", "torch", "safetensors")


def describe_machine(directory: Path) -> dict[str, str]:
    """Return what to say of this machine and of the file system that `directory` is on."""
    return {
        "processor": _processor(),
        "memory": f"{_memory_bytes() / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "file system": _file_system(directory),
        "cp": _first_line("cp", "--version"),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        **{name: _version(name) for name in PACKAGES},
    }


def _processor() -> str:
    """Return name, family and model, since virtual machines hide the exact name, and how many of it there are."""
    facts: dict[str, str] = {}
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition(":")
            facts.setdefault(name.strip(), value.strip())
    except OSError:
        return f"{platform.processor() or platform.machine()}, {os.cpu_count()} processors"
    name = facts.get("model name", platform.machine())
    exact = f"family {facts.get('cpu family', '?')} model {facts.get('model', '?')}"
    return f"{name} ({exact}), {os.cpu_count()} processors"


def _memory_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else 0


def _file_system(directory: Path) -> str:
    """Return the kind of the file system with the longest mount point above `directory`."""
    try:
        mounts = [line.split() for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines()]
    except OSError:
        return "unknown"
    real = directory.resolve()
    around = [mount for mount in mounts if real.is_relative_to(mount[1])]
    return max(around, key=lambda mount: len(mount[1]))[2] if around else "unknown"


def _first_line(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0]
    except (OSError, subprocess.CalledProcessError, IndexError):
        return "unknown"


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"
