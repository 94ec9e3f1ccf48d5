"""Checkpoints without files: how long a call takes, the first and after many.

One run makes all checkpoints of an experiment and times each call. "No slower" compares the median of the hundred calls
around the 100th with that of the last hundred; both stand next to each other in one run, and the middle run of several
counts. A ratio up to 1.1 is within what two such windows differ by on an idle machine.
"""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median

from benchmarks.projects import begin
from benchmarks.rows import Row
from benchmarks.scale import Scale
from benchmarks.timing import wait_until_quiet

MEDIAN_LIMIT_US = 40.0
GROWTH_LIMIT = 1.1


def measure(scale: Scale, directory: Path) -> list[Row]:
    """Time checkpoints that only record metrics."""
    runs = [_run(scale, directory / str(number)) for number in range(scale.metrics_runs)]
    early = slice(50, 150)
    growth = median(median(times[-100:]) / median(times[early]) for times in runs)
    details = {
        "medians_us": [round(median(times), 2) for times in runs],
        "p99_us": [round(sorted(times)[len(times) * 99 // 100], 2) for times in runs],
        "early_us": [round(median(times[early]), 2) for times in runs],
        "late_us": [round(median(times[-100:]), 2) for times in runs],
    }
    remark = f"99 % of the calls within {median(details['p99_us']):.0f} µs"
    last = f"{scale.metrics_checkpoints:,}th"
    return [
        Row(
            "checkpoint with metrics only, median",
            median(details["medians_us"]),
            "µs",
            MEDIAN_LIMIT_US,
            remark,
            details,
        ),
        Row(f"  the {last} against the 100th", growth, "x", GROWTH_LIMIT, "medians of a hundred calls each"),
    ]


def _run(scale: Scale, directory: Path) -> list[float]:
    """Return the time of each call, in microseconds."""
    experiment = begin(directory)
    wait_until_quiet(scale.patience_s / 4)
    times = []
    for step in range(scale.metrics_checkpoints):
        metrics = {"loss": 1 / (step + 1), "accuracy": step / (step + 1), "learning_rate": 3e-4}
        started_ns = time.perf_counter_ns()
        experiment.checkpoint(step=step, metrics=metrics, primary_metric=("loss", "minimize"))
        times.append((time.perf_counter_ns() - started_ns) / 1e3)
    experiment.stop()
    return times
