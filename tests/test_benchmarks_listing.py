"""The benchmark of listings: its repositories are real ones, and it counts and times what it says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from benchmarks import listing
from benchmarks.histories import CHECKPOINTS, write_histories
from benchmarks.scale import QUICK


def test_written_histories_are_experiments_like_any_other(tmp_path: Path) -> None:
    found = write_histories(tmp_path, 20).list_experiments()
    assert found.problems == []
    assert len(found.experiments) == 20
    for state in found.experiments:
        assert len(state.created["params"]) == 12
        assert [len(body["metrics"]) for body in state.checkpoints] == [6] * CHECKPOINTS
        assert state.best_checkpoint() is not None
    assert [state.id for state in write_histories(tmp_path / "again", 20).list_experiments().experiments] == [
        state.id for state in found.experiments
    ]


def test_after_a_change_of_one_experiment_one_object_is_read(tmp_path: Path) -> None:
    rows = listing.measure(replace(QUICK, pairs=1, listing_experiments=(30,), listing_long=(2, 30)), tmp_path)
    assert [row.unit for row in rows] == ["ms", "ms", "ms", "objects", "ms", "ms"]
    assert rows[3].is_met
    assert all(row.measured > 0 for row in rows)
