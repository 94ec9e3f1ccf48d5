"""Twenty processes write at once, while others delete, collect and list: nothing is lost."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import keepsake
from tests.depth import depth
from tests.durability.crowd import ATTACHED, WRITERS
from tests.durability.scripts import all_checkpoints, assert_clean, content_hash

DURATION_S = depth(6, 60)
"""At least: the crowd goes on until it was one."""
ROOT = Path(__file__).parent.parent.parent


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_crowd_loses_nothing(project: Path) -> None:
    script = Path(__file__).with_name("crowd.py")
    done = subprocess.run(
        [sys.executable, str(script), str(DURATION_S)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    lines = [line.split() for line in done.stdout.splitlines()]
    by_kind: dict[str, list[list[str]]] = {}
    for kind, *words in lines:
        by_kind.setdefault(kind, []).append(words)
    assert done.stderr == ""
    assert by_kind["codes"] == [["0"] * (WRITERS + 2)]
    assert "unreadable" not in by_kind

    deleted = {words[0] for words in by_kind["deleted"]}
    saved = {words[1]: words for words in by_kind["saved"]}
    there = all_checkpoints()
    expected = {one for one, words in saved.items() if one not in deleted and words[0] not in deleted}
    assert there.keys() == expected
    for checkpoint_id in expected:
        _, _, name, content = saved[checkpoint_id]
        assert content_hash(there[checkpoint_id], name) == content
    for checkpoint_id, content in by_kind["read"]:
        assert saved[checkpoint_id][3] == content
    assert_clean()

    # It really was a crowd, and the collector really took something from under their hands.
    assert len(expected) > WRITERS
    assert len(deleted) > WRITERS
    assert sum(int(words[0]) for words in by_kind["collected"]) > 50
    assert len(by_kind["listed"]) > 5
    by_experiment = [one for one in keepsake.experiments.list() if one.params == {"name": "shared"}]
    assert [len(one.checkpoints) > ATTACHED for one in by_experiment] == [True]
