"""What can be read about the machine in a millisecond, without importing anything heavy or starting a program."""

from __future__ import annotations

import os
import platform
import re
import sys
from pathlib import Path
from typing import Any

from keepsake._model.values import Value

_NVIDIA = Path("/proc/driver/nvidia")


def read_platform() -> str:
    """Return system, release and architecture: `Linux-6.1.0-x86_64`."""
    # Not platform.platform(): it runs over the interpreter's binary to find the version of the C library.
    name = os.uname() if hasattr(os, "uname") else platform.uname()
    system = getattr(name, "sysname", None) or getattr(name, "system", "")
    return f"{system}-{name.release}-{name.machine}"


def read_cpu() -> dict[str, Value]:
    """Return name, number of logical processors, and number of those that this process may use."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {"name": _cpu_name(), "count": os.cpu_count(), "usable": usable}


def read_memory_bytes() -> int | None:
    """Return the size of the machine's memory."""
    if not hasattr(os, "sysconf"):
        return None
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        return None


def read_gpus() -> list[Value]:
    """Return the names of the graphics processors, one for each; empty when there are none or they cannot be named."""
    names: list[Value] = [
        found[1].strip()
        for path in sorted(_NVIDIA.glob("gpus/*/information"))
        if (found := re.search(r"^Model:\s*(.+)$", path.read_text(encoding="utf-8", errors="replace"), re.MULTILINE))
    ]
    return names or _ask_torch(lambda torch: _torch_gpu_names(torch.cuda)) or []


def read_cuda() -> dict[str, Value] | None:
    """Return the version of NVIDIA's driver and of the CUDA that PyTorch was built for; None without either."""
    try:
        text = (_NVIDIA / "version").read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    driver = re.search(r"Module.*?\s(\d+\.\d+(?:\.\d+)*)\s", text)
    version = _ask_torch(lambda torch: torch.version.cuda)
    if driver is None and version is None:
        return None
    return {"driver": driver[1] if driver else None, "version": version}


def _torch_gpu_names(cuda: Any) -> list[str]:
    # Naming the devices initializes CUDA, which takes seconds and memory: only when the program has done so already.
    return [cuda.get_device_name(index) for index in range(cuda.device_count())] if cuda.is_initialized() else []


def _ask_torch(question: Any) -> Any:
    """Ask PyTorch if the program has imported it; None when it has not, or it does not answer."""
    torch = sys.modules.get("torch")
    if torch is None:
        return None
    try:
        return question(torch)
    except (AttributeError, RuntimeError, AssertionError):
        # Half imported yet, built without CUDA, or the driver fails.
        return None


def _cpu_name() -> str | None:
    try:
        with Path("/proc/cpuinfo").open("rb") as file:
            found = re.search(rb"^(?:model name|Model|Hardware)\s*:\s*(.+)$", file.read(4096), re.MULTILINE)
    except OSError:
        return platform.processor() or None
    return found[1].decode("utf-8", "replace").strip() if found else platform.machine()
