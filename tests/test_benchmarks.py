"""The benchmarks run, and reach what does not depend on the machine: bytes and counts, never times."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

import keepsake
from benchmarks import (
    capture,
    checkout,
    imports,
    memory,
    metrics,
    reading,
    renamed,
    settle,
    small_files,
    step,
    training,
)
from benchmarks.__main__ import COMPARISON, DOCUMENT, GROUPS, work_directory
from benchmarks.projects import REPOSITORY, begin, stored_bytes
from benchmarks.rawness import count_raw_bytes
from benchmarks.results import format_markdown, format_table, load_rows, save_rows, write_part
from benchmarks.rows import Row
from benchmarks.scale import MB, QUICK
from benchmarks.timing import Action, measure_pairs
from benchmarks.weights import write_gpt2_like, write_unstructured

TINY = replace(QUICK, pairs=1, import_pairs=1, training_batch=1, big_file_bytes=12 * MB, memory_file_bytes=40 * MB)


def by_name(rows: list[Row]) -> dict[str, Row]:
    assert len({row.what for row in rows}) == len([row for row in rows if not row.what.startswith(" ")]) + len(
        {row.what for row in rows if row.what.startswith(" ")}
    )
    return {row.what.strip(): row for row in rows}


@pytest.mark.parametrize("group", GROUPS)
def test_every_group_has_a_module_that_measures(group: str) -> None:
    assert callable(importlib.import_module(f"benchmarks.{group}").measure)


def test_what_a_killed_run_has_left_is_deleted_by_the_next_and_what_another_uses_is_not(tmp_path: Path) -> None:
    killed = subprocess.Popen(["true"])
    killed.wait()
    (tmp_path / f"work-{killed.pid}" / "repository").mkdir(parents=True)
    (tmp_path / f"work-{os.getppid()}").mkdir()
    with work_directory(tmp_path) as work:
        assert {path.name for path in tmp_path.iterdir()} == {work.name, f"work-{os.getppid()}"}
    assert not work.exists()


def test_an_unchanged_file_stores_no_new_data(tmp_path: Path) -> None:
    rows = capture.measure(TINY, tmp_path)
    assert by_name(rows)["new data bytes in all of these checkpoints"].measured == 0
    assert all(row.measured > 0 for row in rows if row.unit == "x cp")
    # What was measured takes no room any more.
    assert sum(path.stat().st_size for path in tmp_path.rglob("chunks/*/*")) == 0
    assert not (tmp_path / "copy").exists()


def test_checkouts_are_timed_and_removed(tmp_path: Path) -> None:
    rows = checkout.measure(TINY, tmp_path)
    assert [row.unit for row in rows] == ["x cp", "x cp"]
    assert 0 < rows[0].details["stored_bytes"] < (tmp_path / "model.safetensors").stat().st_size
    assert not (tmp_path / "out").exists()


def test_the_middle_of_a_file_takes_two_chunks_at_most(tmp_path: Path) -> None:
    rows = reading.measure(TINY, tmp_path)
    assert 1 <= rows[0].measured <= reading.LIMIT
    assert len(rows[1].details["counts"]) >= reading.POSITIONS


def test_capture_takes_little_memory_in_a_process_of_its_own(tmp_path: Path) -> None:
    for row in memory.measure(TINY, tmp_path):
        assert row.details["begun_bytes"] <= row.details["captured_bytes"] <= row.details["settled_bytes"]
        assert row.is_met


def test_importing_loads_nothing_heavy(tmp_path: Path) -> None:
    time, heavy, *commands = imports.measure(TINY, tmp_path)
    assert [row.what.split(",")[0] for row in commands] == ["keepsake --version", "keepsake --help"]
    assert heavy.measured == 0, heavy.remark
    assert "keepsake" in heavy.details["modules"]
    assert time.unit == "ms"


def test_every_call_of_a_metrics_checkpoint_is_timed(tmp_path: Path) -> None:
    rows = metrics.measure(replace(TINY, metrics_checkpoints=200), tmp_path)
    assert 0 < rows[0].measured <= rows[0].details["p99_us"][0]


def test_a_tree_of_small_files_takes_a_part_of_its_copies(tmp_path: Path) -> None:
    (row,) = small_files.measure(replace(TINY, tree_files=600), tmp_path)
    # A third of the full tree, with as many edits: relative to the raw bytes they weigh three times as much.
    assert 2 < row.measured < 9
    assert row.details["stored_bytes"] >= row.details["chunks_bytes"] + row.details["manifests_bytes"]


def test_small_tensors_are_not_stored_again_under_another_name(tmp_path: Path) -> None:
    rows = renamed.measure(replace(TINY, steps_between_checkpoints=1), tmp_path)
    for row in rows:
        assert row.is_met, row
        assert row.details["largest_tensor_bytes"] < 256 * 1024


@pytest.mark.timeout(300)
def test_training_runs_are_stored_in_fewer_bytes_than_they_have(tmp_path: Path) -> None:
    rows = by_name(training.measure(replace(TINY, steps_between_checkpoints=1), tmp_path))
    for dtype, limit in (("fp32", 85), ("bf16", 70)):
        for name in ("torch.save", "safetensors", "torch.save, with Adam", "safetensors, with Adam"):
            assert rows[f"dense {dtype}, {name}"].measured <= limit
        for name in ("torch.save", "safetensors"):
            # The head has 8 % of the weights of this small model, 2 of the full one.
            assert rows[f"frozen backbone, {dtype}, {name}"].measured <= 36
            assert rows[f"adapters, {dtype}, {name}"].measured <= training.ADAPTERS_LIMIT


def test_the_files_have_the_lengths_that_were_asked_for(tmp_path: Path) -> None:
    write_unstructured(tmp_path / "bytes", 17 * 2**20 + 3)
    assert (tmp_path / "bytes").stat().st_size == 17 * 2**20 + 3
    size_bytes = write_gpt2_like(tmp_path / "weights", 20 * MB)
    assert size_bytes == (tmp_path / "weights").stat().st_size <= 20 * MB


def test_other_programs_read_the_weights_that_are_written(tmp_path: Path) -> None:
    from safetensors.numpy import load_file

    write_gpt2_like(tmp_path / "weights", 16 * MB)
    tensors = load_file(tmp_path / "weights")
    assert tensors["h.11.mlp.c_proj.weight"].std() == pytest.approx(0.02, rel=0.05)


def test_pairs_run_both_sides_equally_often_and_clean_up_after_each() -> None:
    done: list[str] = []
    subject = Action(lambda: done.append("subject"), clean=lambda: done.append("clean"))
    baseline = Action(lambda: done.append("baseline"), prepare=lambda: done.append("prepare"))
    pairs = measure_pairs(subject, baseline, pairs=4, patience_s=0)
    assert len(pairs.subject_s) == len(pairs.baseline_s) == 4
    assert {name: done.count(name) for name in done} == {"subject": 5, "clean": 5, "baseline": 5, "prepare": 5}
    assert pairs.ratio > 0


def test_a_limit_is_kept_or_not_by_the_number_that_is_shown() -> None:
    assert Row("it", 1.104, "x cp", 1.1).is_met is True
    assert Row("it", 1.106, "x cp", 1.1).is_met is False
    assert Row("it", 1.0, "x cp").is_met is None


def test_the_limit_of_a_rate_is_the_least() -> None:
    assert Row("it", 599.6, "MB/s", 600, is_rate=True).is_met is True
    assert Row("it", 599.4, "MB/s", 600, is_rate=True).is_met is False
    assert Row("it", 599.4, "MB/s", 600, is_rate=True).limit_text == "at least 600 MB/s"


def test_results_are_read_back_and_go_into_a_document(tmp_path: Path) -> None:
    rows = [Row("it", 3.0, "chunks", 2, "why", {"counts": [3]}), Row("  more of it", 1.25, "x cp")]
    path = save_rows(tmp_path, "group", rows, {"processor": "a fast one"})
    assert json.loads(path.read_text())["rows"][0]["is_met"] is False
    loaded, machine = load_rows(path)
    assert loaded == rows
    assert machine["processor"] == "a fast one"
    assert "NOT MET" in format_table(rows)
    document = tmp_path / "document.md"
    document.write_text(DOCUMENT.read_text(encoding="utf-8"), encoding="utf-8")
    for name in ("table", COMPARISON):
        write_part(document, name, format_markdown(rows, machine))
    once = document.read_text(encoding="utf-8")
    assert once.count(format_markdown(rows, machine)) == 2
    write_part(document, "table", format_markdown(rows, machine))
    assert document.read_text(encoding="utf-8") == once


def test_a_document_without_the_marks_is_left_as_it_is(tmp_path: Path) -> None:
    document = tmp_path / "document.md"
    document.write_text("# Something else\n", encoding="utf-8")
    with pytest.raises(ValueError, match="table"):
        write_part(document, "table", "| a table |")
    assert document.read_text(encoding="utf-8") == "# Something else\n"


def test_settling_is_timed_until_nothing_is_raw(tmp_path: Path) -> None:
    (row,) = settle.measure(TINY, tmp_path)
    assert row.is_rate
    assert row.measured > 0
    assert all(call < all_ms for call, all_ms in zip(row.details["calls_ms"], row.details["settled_ms"], strict=True))


def test_raw_chunks_are_counted_until_they_are_settled(tmp_path: Path) -> None:
    size_bytes = write_gpt2_like(tmp_path / "weights", 12 * MB)
    experiment = begin(tmp_path)
    experiment.checkpoint(path="weights")
    assert 0 <= count_raw_bytes(tmp_path / REPOSITORY) <= size_bytes
    experiment.stop()
    assert count_raw_bytes(tmp_path / REPOSITORY) == 0


def test_renewed_weights_share_nothing_with_the_old_ones(tmp_path: Path) -> None:
    size_bytes = write_gpt2_like(tmp_path / "weights", 12 * MB)
    experiment = begin(tmp_path)
    experiment.checkpoint(path="weights")
    experiment.checkpoint(path="weights")
    keepsake.wait()
    before = stored_bytes(tmp_path, "chunks")
    step.renew(tmp_path / "weights", 1)
    assert (tmp_path / "weights").stat().st_size == size_bytes
    experiment.checkpoint(path="weights")
    experiment.stop()
    assert stored_bytes(tmp_path, "chunks") - before > 0.9 * before


@pytest.mark.slow
def test_steps_are_timed_with_the_courier_at_work_and_without(tmp_path: Path) -> None:
    scale = replace(TINY, model_width=32, model_layers=1, big_file_bytes=4 * MB, step_window_s=0.4)
    (row,) = step.measure(scale, tmp_path)
    assert row.measured > 0
    assert row.details["courier_s"] >= 0
    # On a machine with much else to do, the courier gets no time: then nothing is claimed.
    assert (row.limit is None) == (row.details["encoded_bytes"] == 0 or row.details["ran_out"])
    assert row.details["with_ms"]
    assert row.details["without_ms"]
