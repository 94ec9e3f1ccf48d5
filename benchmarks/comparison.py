"""Keepsake beside other programs: the same checkpoints of the same training, saved and given back by each.

Every program is installed apart (`peers.install`) and used as its people use it: by its Python API where it has one,
otherwise by its command, whose start is then part of the time. In turns, each round in another order, each gets a fresh
project and a fresh home; the page cache is warm, and what earlier runs left dirty is written out first.

- **Time in the call**: median over the calls of a series, one right after the other, with nothing in between but
  writing the next files. What goes on in the background after a call competes with the next one. Of the file that
  does not change, the first call is not counted.
- **Processor time**: all that the program and what it started took for a series, background processes included, up to
  the last one's end (`processes`). Starting Python, importing and writing the files to be saved are subtracted. NumPy
  has been imported everywhere, as in any process that trains.
- **Stored**: the lengths of all files of project and home after that, without those that were to be saved.
- **Restoring**: one checkpoint, from the middle of the series, in a fresh process, after importing. The benchmark
  compares every byte, which is not timed.
- **Metrics**: one call that records three numbers; the median of many.
"""

from __future__ import annotations

import filecmp
import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.comparison_table import METRICS
from benchmarks.peers import KEEPSAKE, PEERS, load_program
from benchmarks.peers.install import Installation, UnavailableError, install
from benchmarks.peers.place import Place
from benchmarks.rows import Row
from benchmarks.scale import Scale
from benchmarks.series import Series, write_series
from benchmarks.timing import QUIET_SHARE, Usage, wait_until_quiet

QUIET_PATIENCE_S = 5.0


def measure(scale: Scale, directory: Path) -> list[Row]:
    """Install all programs, and measure those that can be had here."""
    directory.mkdir(parents=True, exist_ok=True)
    installations, unavailable = find_programs((KEEPSAKE, *PEERS))
    rows = compare(installations, write_series(scale, directory / "series"), scale, directory)
    rows[0].details["unavailable"] = unavailable
    return rows


def compare(
    installations: Mapping[str, Installation], all_series: Sequence[Series], scale: Scale, directory: Path
) -> list[Row]:
    """Have every program save and restore every series, and return a row for each of both."""
    programs = [Contestant.introduce(name, installations[name], directory) for name in installations]
    for number in range(scale.comparison_rounds):
        turn = number * len(programs) // scale.comparison_rounds
        for series in all_series:
            for program in (*programs[turn:], *programs[:turn]):
                _save_and_restore(program, series, directory / "place", scale.patience_s)
        for program in programs:
            if program.tracks:
                _log(program, scale.comparison_calls, directory / "place", scale.patience_s)
    return list(_rows(programs, all_series))


def find_programs(names: Sequence[str]) -> tuple[dict[str, Installation], dict[str, str]]:
    """Install programs; return those that are there, and for the others, by their titles, why not."""
    installations: dict[str, Installation] = {}
    unavailable: dict[str, str] = {}
    for name in names:
        try:
            installations[name] = install(name)
        except UnavailableError as error:
            unavailable[load_program(name).title] = str(error)
    return installations, unavailable


@dataclass
class Contestant:
    """One program and what was measured of it."""

    name: str
    installation: Installation
    version: str
    restores: bool
    tracks: bool
    runs: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """What each run measured, by the name of the series."""

    @classmethod
    def introduce(cls, name: str, installation: Installation, directory: Path) -> Contestant:
        """Ask the program for its version, which also brings it into the page cache."""
        place = Place(name, installation, directory / "introduction")
        report = place.run("version")
        shutil.rmtree(directory / "introduction")
        return cls(name, installation, report["version"], report["restores"], report["tracks"])

    def add(self, series: str, measured: dict[str, Any]) -> None:
        """Keep what a run measured."""
        self.runs.setdefault(series, []).append(measured)

    def median_of(self, series: str, figure: str) -> float | None:
        """Return the median of a figure over the rounds, or None if it was not measured."""
        values = [run[figure] for run in self.runs.get(series, []) if figure in run]
        return median(values) if values else None


def _save_and_restore(program: Contestant, series: Series, directory: Path, patience_s: float) -> None:
    print(f"  {series.name}: {program.name}", file=sys.stderr, flush=True)
    place, before = _begin(program, directory, patience_s)
    saved = place.run("save", series=[str(path) for path in series.checkpoints])
    measured = {
        "calls_ms": [round(call_s * 1e3, 3) for call_s in saved["calls_s"]],
        "call_ms": median(saved["calls_s"][series.first_call :]) * 1e3,
        "processor_s": saved["processor_s"] - saved["apart_s"],
        "stored_bytes": place.stored_bytes(),
        "stayed": saved["stayed"],
    }
    if program.restores:
        middle = len(series.checkpoints) // 2
        target = directory / "restored"
        report = place.run("restore", reference=saved["references"][middle], target=str(target))
        check_same(series.checkpoints[middle], place.project / report["restored"])
        measured["restore_s"] = report["restore_s"]
    measured["others_share"] = Usage.now().others_share_since(before)
    program.add(series.name, measured)
    shutil.rmtree(directory)


def _log(program: Contestant, calls: int, directory: Path, patience_s: float) -> None:
    place, before = _begin(program, directory, patience_s)
    report = place.run("log", calls=calls)
    share = Usage.now().others_share_since(before)
    program.add(METRICS, {"call_ms": median(report["calls_s"]) * 1e3, "others_share": share})
    shutil.rmtree(directory)


def _begin(program: Contestant, directory: Path, patience_s: float) -> tuple[Place, Usage]:
    place = Place(program.name, program.installation, directory)
    os.sync()
    wait_until_quiet(min(patience_s, QUIET_PATIENCE_S))
    return place, Usage.now()


def check_same(expected: Path, found: Path) -> None:
    """Compare the files of two directories byte for byte.

    Raises:
        AssertionError: they differ; the message names the first difference.
    """
    names = sorted(path.name for path in expected.iterdir())
    assert names == sorted(path.name for path in found.iterdir()), f"{found} has other files than {expected}"
    for name in names:
        assert filecmp.cmp(expected / name, found / name, shallow=False), f"{found / name} has other bytes"


def _rows(programs: Sequence[Contestant], all_series: Sequence[Series]) -> Iterator[Row]:
    raw_bytes = {series.name: series.raw_bytes for series in all_series}
    for what in (*raw_bytes, METRICS):
        for program in programs:
            call_ms = program.median_of(what, "call_ms")
            if call_ms is None:
                continue
            details = {
                "series": what,
                "raw_bytes": raw_bytes.get(what),
                "program": program.name,
                "title": load_program(program.name).title,
                "how": load_program(program.name).how,
                "version": program.version,
                "call_ms": call_ms,
                "processor_s": program.median_of(what, "processor_s"),
                "stored_bytes": program.median_of(what, "stored_bytes"),
                "restore_s": program.median_of(what, "restore_s"),
                "disturbed_runs": sum(run["others_share"] > QUIET_SHARE for run in program.runs[what]),
                "runs": program.runs[what],
            }
            yield Row(f"{what}: {details['title']}", call_ms, "ms", remark="time in the call", details=details)
