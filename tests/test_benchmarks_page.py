"""The benchmark of the page's server: it starts a real one, and times what it says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from benchmarks import page
from benchmarks.scale import QUICK


def test_every_answer_is_timed_and_arrives(tmp_path: Path) -> None:
    rows = page.measure(replace(QUICK, pairs=1, listing_experiments=(30,)), tmp_path)
    assert len(rows) == 6
    assert all(row.measured > 0 for row in rows)
    assert all(row.limit is None for row in rows)
