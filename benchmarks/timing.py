"""Times: alternating pairs of something and its baseline, on a machine that is otherwise quiet.

Each run begins with everything written out that earlier ones left dirty. The order within the pairs alternates, too.
A pair during which other programs took more than a tenth of all processors is put aside and measured again, as long as
there is patience; the rule looks at the processors only, never at the times. What is missing then is taken from those
put aside, and told as disturbed. Where `/proc/stat` is missing, every pair counts.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

QUIET_SHARE = 0.10
"""How much of all processors others may take. The system counts in hundredths of a second: 4 % of 130 ms on two."""
_PROBE_S = 0.25
_STAT = Path("/proc/stat")


def nothing() -> None:
    """Do nothing."""


@dataclass(frozen=True)
class Action:
    """Something to time, and what to do before and after it, which is not timed."""

    run: Callable[[], object]
    prepare: Callable[[], object] = nothing
    clean: Callable[[], object] = nothing

    def time_s(self) -> float:
        """Do it once and return how long the timed part took."""
        self.prepare()
        if hasattr(os, "sync"):
            os.sync()
        started = time.perf_counter()
        self.run()
        elapsed_s = time.perf_counter() - started
        self.clean()
        return elapsed_s


@dataclass
class Pairs:
    """The times of something and its baseline."""

    subject_s: list[float] = field(default_factory=list)
    baseline_s: list[float] = field(default_factory=list)
    disturbed: int = 0
    """How many of them were run while others used the processors."""

    @property
    def ratio(self) -> float:
        """Quotient of the two medians."""
        return median(self.subject_s) / median(self.baseline_s)

    @property
    def difference_s(self) -> float:
        """Difference of the two medians."""
        return median(self.subject_s) - median(self.baseline_s)

    def to_json(self) -> dict[str, Any]:
        """Return all the times, in milliseconds."""
        return {
            "subject_ms": [round(time_s * 1e3, 3) for time_s in self.subject_s],
            "baseline_ms": [round(time_s * 1e3, 3) for time_s in self.baseline_s],
            "subject_median_ms": round(median(self.subject_s) * 1e3, 3),
            "baseline_median_ms": round(median(self.baseline_s) * 1e3, 3),
            "disturbed_pairs": self.disturbed,
        }


def measure_pairs(subject: Action, baseline: Action, *, pairs: int, patience_s: float) -> Pairs:
    """Time `subject` and `baseline` in turns, after one run of each that does not count."""
    baseline.time_s()
    subject.time_s()
    kept: list[tuple[float, float]] = []
    aside: list[tuple[float, float]] = []
    deadline = time.monotonic() + patience_s
    while len(kept) < pairs and (len(kept) + len(aside) < pairs or time.monotonic() < deadline):
        wait_until_quiet(deadline - time.monotonic())
        before = Usage.now()
        if (len(kept) + len(aside)) % 2:
            pair = subject.time_s(), baseline.time_s()
        else:
            baseline_s = baseline.time_s()
            pair = subject.time_s(), baseline_s
        (kept if Usage.now().others_share_since(before) <= QUIET_SHARE else aside).append(pair)
    disturbed = aside[len(aside) - (pairs - len(kept)) :]
    together = kept + disturbed
    return Pairs([pair[0] for pair in together], [pair[1] for pair in together], len(disturbed))


def wait_until_quiet(timeout_s: float) -> bool:
    """Wait until other programs leave the processors alone for a moment, or for `timeout_s`; say whether they do."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        before = Usage.now()
        time.sleep(_PROBE_S)
        if Usage.now().others_share_since(before) <= QUIET_SHARE:
            return True
    return False


@dataclass(frozen=True)
class Usage:
    """Processor time since the machine was started."""

    total_s: float
    """Of all processors, idle or not; 0 where it cannot be known."""
    others_s: float
    """What others than this process and its children used, and what the machine around this one took."""

    @classmethod
    def now(cls) -> Usage:
        """Read the counters."""
        try:
            line = _STAT.read_text(encoding="ascii").partition("\n")[0]
        except OSError:
            return cls(0.0, 0.0)
        ticks = [int(number) for number in line.split()[1:9]]  # user nice system idle iowait irq softirq steal
        per_s = os.sysconf("SC_CLK_TCK")
        own = os.times()
        busy_s = (sum(ticks) - ticks[3] - ticks[4]) / per_s
        return cls(sum(ticks) / per_s, busy_s - sum(own[:4]))

    def others_share_since(self, before: Usage) -> float:
        """Return which part of all processors others used since then, from 0 to 1."""
        elapsed_s = self.total_s - before.total_s
        return (self.others_s - before.others_s) / elapsed_s if elapsed_s else 0.0
