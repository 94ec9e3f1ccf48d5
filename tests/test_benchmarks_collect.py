"""The benchmark of collecting has to measure what it says: every chunk is there, and every one is needed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from benchmarks import collect
from benchmarks.scale import QUICK
from keepsake._model.keys import CHUNKS
from keepsake._repository.check import check_repository
from keepsake._repository.repository import Repository
from keepsake.stores.local import LocalStore


def test_the_repository_has_as_many_chunks_as_the_row_says(tmp_path: Path) -> None:
    (row,) = collect.measure(replace(QUICK, collect_chunks=1_250, collect_runs=1), tmp_path)
    assert "1,250 chunks" in row.what
    assert row.measured > 0
    repository = Repository.open(LocalStore(tmp_path / "repository"))
    assert len([*repository.store.list(CHUNKS)]) == 1_250
    report = check_repository(repository)
    assert (report.problems, report.experiments, report.checkpoints) == ([], 2, 13)
