"""The comparison with other programs runs, with those that every machine has, and tells who is ahead."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.comparison import check_same, compare, find_programs
from benchmarks.comparison_table import METRICS, format_comparison
from benchmarks.peers import KEEPSAKE, PEERS, load_program
from benchmarks.peers.install import Installation
from benchmarks.peers.interface import WEIGHTS
from benchmarks.peers.place import SOURCES, Place
from benchmarks.rows import Row
from benchmarks.scale import QUICK
from benchmarks.series import Series

MACHINE = dict.fromkeys(("date", "processor", "memory", "system", "file system", "python"), "one")


def write_series(directory: Path) -> list[Series]:
    checkpoints = []
    for number in range(3):
        checkpoints.append(directory / f"{number}")
        checkpoints[-1].mkdir(parents=True)
        (checkpoints[-1] / f"model-{number}.bin").write_bytes(os.urandom(300_000))
    return [Series("changing", tuple(checkpoints)), Series("unchanged", (checkpoints[0],) * 3, 1)]


@pytest.mark.parametrize("name", [KEEPSAKE, *PEERS])
def test_every_program_says_what_it_needs_without_being_installed(name: str) -> None:
    program = load_program(name)
    assert program.title
    assert program.how
    needs = program.needs
    assert name == KEEPSAKE or needs.python or needs.debian or needs.commands
    assert all("==" in requirement or "<" in requirement for requirement in needs.python)


def test_programs_save_restore_and_are_charged_for_everything(tmp_path: Path) -> None:
    installations, unavailable = find_programs((KEEPSAKE, "tar_zstd"))
    assert unavailable == {}
    all_series = write_series(tmp_path / "series")
    rows = compare(installations, all_series, replace(QUICK, comparison_calls=3), tmp_path)
    assert [row.details["program"] for row in rows] == [KEEPSAKE, "tar_zstd", KEEPSAKE, "tar_zstd", KEEPSAKE]
    for row in rows[:4]:
        assert row.details["restore_s"] > 0
        assert row.details["processor_s"] > 0
        assert [each["stayed"] for each in row.details["runs"]] == [[]]
    # Random bytes cannot be made smaller, but the second and third time they need not be stored again.
    assert rows[0].details["stored_bytes"] >= all_series[0].raw_bytes
    assert 300_000 <= rows[2].details["stored_bytes"] < 400_000
    assert rows[3].details["stored_bytes"] >= all_series[1].raw_bytes
    assert rows[4].details["series"] == METRICS
    assert not (tmp_path / "place").exists()
    text = format_comparison(rows, MACHINE)
    assert "| **changing** (1 MB in all) |" in text
    assert "| tar, zstd |" in text


def test_a_program_that_cannot_be_had_is_told_with_the_reason(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    installations, unavailable = find_programs(("tar_zstd",))
    assert installations == {}
    assert unavailable == {"tar, zstd": "this machine has no tar and no zstd"}


def test_a_worker_that_fails_says_why(tmp_path: Path) -> None:
    place = Place("tar_zstd", Installation(Path(sys.executable)), tmp_path / "place")
    with pytest.raises(RuntimeError, match="missing-series"):
        place.run("save", series=[str(tmp_path / "missing-series")])


def test_links_are_weighed_once_and_what_was_to_be_saved_is_not(tmp_path: Path) -> None:
    place = Place("tar_zstd", Installation(Path(sys.executable)), tmp_path / "place")
    (place.project / WEIGHTS).mkdir()
    (place.project / WEIGHTS / "model").write_bytes(bytes(1000))
    (place.project / "stored").write_bytes(bytes(100))
    (place.project / "again").hardlink_to(place.project / "stored")
    assert place.stored_bytes() == 100


@pytest.mark.parametrize("change", ["content", "name"])
def test_what_was_not_restored_bit_for_bit_is_found(change: str, tmp_path: Path) -> None:
    for name in ("expected", "found"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model").write_bytes(b"abc")
    check_same(tmp_path / "expected", tmp_path / "found")
    if change == "content":
        (tmp_path / "found" / "model").write_bytes(b"abd")
    else:
        (tmp_path / "found" / "model").rename(tmp_path / "found" / "weights")
    with pytest.raises(AssertionError, match="has other"):
        check_same(tmp_path / "expected", tmp_path / "found")


DETACHED = """
    import os, time
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            while time.process_time() < 0.4:
                pass
    os._exit(0)
"""


def test_the_time_of_a_detached_process_is_counted(tmp_path: Path) -> None:
    command = [sys.executable, "-c", textwrap.dedent(DETACHED)]
    meter = [sys.executable, "-m", "benchmarks.peers.meter", str(tmp_path / "result"), *command]
    subprocess.run(meter, check=True, cwd=SOURCES)
    result = json.loads((tmp_path / "result").read_text())
    assert 0.4 <= result["processor_s"] < 2
    assert result["stayed"] == []


STAYING = """
    import subprocess, sys
    from benchmarks.processes import become_subreaper, find_descendants, wait_for_all
    become_subreaper()
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    print(wait_for_all(0.1))
"""


def test_a_process_that_stays_is_ended_and_named() -> None:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(STAYING)], check=True, cwd=SOURCES, capture_output=True, text=True
    )
    assert "time.sleep(60)" in done.stdout


def row(program: str, **figures: float | None) -> Row:
    kind = load_program(program)
    measured: dict[str, Any] = {"call_ms": 1.0, "processor_s": 1.0, "stored_bytes": 1e6, "restore_s": 1.0, **figures}
    names = {"series": "dense", "program": program, "title": kind.title, "how": kind.how}
    details = {**names, "raw_bytes": 10**7, "version": "1", "disturbed_runs": 0, "runs": [{}], **measured}
    return Row("it", 1.0, "ms", details=details)


def test_the_table_says_when_keepsake_is_ahead_everywhere() -> None:
    ahead = {"call_ms": 0.5, "processor_s": 0.5, "stored_bytes": 5e5, "restore_s": 0.5}
    text = format_comparison([row(KEEPSAKE, **ahead), row("wandb", restore_s=None)], MACHINE)
    assert "Keepsake is ahead in every column." in text
    assert "| W&B, offline | 1 ms | 1 s | 1 MB | — |" in text


def test_the_table_names_who_is_not_behind_and_in_what() -> None:
    text = format_comparison([row(KEEPSAKE, processor_s=0.5, restore_s=0.5), row("borg", stored_bytes=5e5)], MACHINE)
    lines = [line for line in text.splitlines() if line.lstrip().startswith("- ")]
    assert lines[0::2] == ["- **time in the call**", "- **stored**"]
    assert lines[1].startswith("  - Borg (dense: 1 ms against 1 ms). ")
    assert lines[3].startswith("  - Borg (dense: 0.50 MB against 1 MB). ")
