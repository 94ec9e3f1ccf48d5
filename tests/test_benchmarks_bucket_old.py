"""The benchmark beside the program of 2021 lets both save, list and check out, on one server."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import bucket_old
from benchmarks.scale import MB, QUICK


@pytest.mark.timeout(900)  # the programs are installed the first time
def test_both_programs_save_list_and_check_out(tmp_path: Path) -> None:
    rows = bucket_old.measure(replace(QUICK, pairs=1, big_file_bytes=5 * MB, listing_experiments=(80,)), tmp_path)
    assert len(rows) in (0, 5)  # none, where the old program cannot be had
    assert all(row.measured > 0 for row in rows)
