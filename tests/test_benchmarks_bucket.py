"""The benchmark of buckets delivers, reads and lists, on a real server."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import bucket
from benchmarks.scale import MB, QUICK


@pytest.mark.timeout(900)  # the programs are installed the first time
def test_everything_is_measured_and_nothing_is_sent_twice(tmp_path: Path) -> None:
    scale = replace(QUICK, pairs=1, big_file_bytes=8 * MB, listing_experiments=(80,))
    rows = {row.what.strip(): row for row in bucket.measure(scale, tmp_path)}
    assert len(rows) == 11
    assert rows["again: data bytes"].measured == 0
    assert rows["again: requests for chunks"].is_met
    assert rows["open() and 64 KB from the middle of that file"].is_met
    assert all(row.measured >= 0 for row in rows.values())
