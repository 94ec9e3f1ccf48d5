"""Settling: how fast new weights become compact data that survives a power loss.

Timed is what a script does that must not end before its weights are safe: `checkpoint(path)` and `keepsake.wait()`, on
a machine that is otherwise idle. When that returns, every chunk has been read back, encoded, verified and synced.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from statistics import median

import keepsake
from benchmarks.capture import WEIGHTS
from benchmarks.projects import REPOSITORY, abandon, begin, courier_allowed
from benchmarks.rawness import count_raw_bytes
from benchmarks.rows import Row
from benchmarks.scale import MB, Scale
from benchmarks.timing import QUIET_SHARE, Usage, wait_until_quiet
from benchmarks.weights import write_gpt2_like

LIMIT_MB_A_SECOND = 600.0


def measure(scale: Scale, directory: Path) -> list[Row]:
    """Save a file to a new repository and wait until it is settled, several times."""
    directory.mkdir(parents=True, exist_ok=True)
    size_bytes = write_gpt2_like(directory / WEIGHTS, scale.big_file_bytes)
    _run(directory, "first")  # whatever is imported for the first time
    calls_s, settled_s, shares = [], [], []
    for number in range(scale.settle_runs):
        wait_until_quiet(scale.patience_s / scale.settle_runs)
        before = Usage.now()
        call_s, all_s = _run(directory, str(number))
        shares.append(Usage.now().others_share_since(before))
        calls_s.append(call_s)
        settled_s.append(all_s)
    details = {
        "size_bytes": size_bytes,
        "calls_ms": [round(call_s * 1e3, 3) for call_s in calls_s],
        "settled_ms": [round(all_s * 1e3, 3) for all_s in settled_s],
        "disturbed_runs": sum(share > QUIET_SHARE for share in shares),
    }
    remark = f"{median(settled_s):.2f} s, of which {median(calls_s):.2f} s in the call"
    rate = size_bytes / MB / median(settled_s)
    what = f"from checkpoint of {size_bytes / MB:.0f} MB to encoded and synced"
    return [Row(what, rate, "MB/s", LIMIT_MB_A_SECOND, remark, details, is_rate=True)]


def _run(directory: Path, name: str) -> tuple[float, float]:
    """Return the time in the call, and until everything is settled, in seconds."""
    project = directory / name
    project.mkdir()
    os.link(directory / WEIGHTS, project / WEIGHTS)
    with courier_allowed():
        experiment = begin(project)
    os.sync()
    started = time.perf_counter()
    experiment.checkpoint(path=WEIGHTS)
    call_s = time.perf_counter() - started
    keepsake.wait()
    settled_s = time.perf_counter() - started
    assert count_raw_bytes(project / REPOSITORY) == 0, "keepsake.wait() has returned too early"
    abandon(experiment, project)
    return call_s, settled_s
