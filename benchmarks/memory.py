"""Memory: how much more a process takes at its most while it captures a large file.

A process of its own begins an experiment, saves a checkpoint without files, notes its peak, captures the file, and
notes the peak again. The peak is `VmHWM` of Linux: `ru_maxrss` would begin with that of the process that started this
one.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.projects import REPOSITORY, begin
from benchmarks.rows import Row
from benchmarks.scale import MB, Scale
from benchmarks.weights import write_large, write_unstructured

LIMIT_MB = 200.0


def measure(scale: Scale, directory: Path) -> list[Row]:
    """Capture a file of weights, then one without structure, each in a process of its own."""
    size = f"{scale.memory_file_bytes / 1e9:g} GB"
    return [
        _row(f"memory while capturing {size} of weights", write_large, scale, directory / "weights"),
        _row(f"memory while capturing {size} without structure", write_unstructured, scale, directory / "bytes"),
    ]


def _row(what: str, write: Callable[[Path, int], None], scale: Scale, directory: Path) -> Row:
    directory.mkdir(parents=True)
    path = directory / "large.bin"
    write(path, scale.memory_file_bytes)
    command = [sys.executable, "-m", "benchmarks.memory", str(path)]
    here = Path(__file__).parent.parent
    output = subprocess.run(command, check=True, capture_output=True, text=True, cwd=here).stdout
    peaks: dict[str, Any] = json.loads(output)
    path.unlink()
    growth_mb = (peaks["captured_bytes"] - peaks["begun_bytes"]) / MB
    settled_mb = (peaks["settled_bytes"] - peaks["begun_bytes"]) / MB
    remark = f"{settled_mb:.0f} MB more with keepsake.wait()" if "settled_bytes" in peaks else ""
    return Row(what, growth_mb, "MB", LIMIT_MB, remark, peaks)


def peak_bytes() -> int:
    """Return the most memory that this process has held at once, from when its program was started."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024
    except (OSError, IndexError):
        import resource

        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _capture(path: Path) -> dict[str, int]:
    """Capture a file in this process, and return its peaks on the way."""
    import shutil

    import keepsake

    experiment = begin(path.parent)
    experiment.checkpoint(metrics={"loss": 1.0})
    peaks = {"begun_bytes": peak_bytes()}
    experiment.checkpoint(path=path.name)
    peaks["captured_bytes"] = peak_bytes()
    keepsake.wait()
    peaks["settled_bytes"] = peak_bytes()
    experiment.stop()
    shutil.rmtree(path.parent / REPOSITORY)
    return peaks


if __name__ == "__main__":
    print(json.dumps(_capture(Path(sys.argv[1]))))
