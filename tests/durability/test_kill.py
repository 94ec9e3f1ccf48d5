"""A training script is killed at random moments: nothing that it was told to be saved is lost."""

from __future__ import annotations

import random
import signal
import time
from pathlib import Path

import pytest

import keepsake
from tests.depth import depth
from tests.durability.scripts import (
    all_checkpoints,
    assert_clean,
    content_hash,
    finish,
    heartbeats,
    lock_files,
    open_repository,
    open_segments,
    raw_chunks,
    start_script,
    write_script,
)

KILLS = depth(10, 20)

TRAINING = """
    import hashlib, random, sys
    from pathlib import Path

    import keepsake

    rng = random.Random(int(sys.argv[1]))
    weights = Path(f"weights-{sys.argv[1]}")
    frozen = rng.randbytes(300_000)
    print("start", flush=True)
    while True:
        experiment = keepsake.init(path="train.py", params={"seed": sys.argv[1]}, quiet=True)
        print("experiment", experiment.id, flush=True)
        for step in range(rng.randrange(1, 12)):
            content = frozen + rng.randbytes(rng.choice((10, 30_000, 3_000_000)))
            weights.write_bytes(content)
            checkpoint = experiment.checkpoint(path=weights, metrics={"loss": rng.random()})
            print("checkpoint", checkpoint.id, weights.name, hashlib.sha256(content).hexdigest(), flush=True)
        print("stopping", experiment.id, flush=True)
        experiment.stop()
        print("stopped", experiment.id, flush=True)
"""


@pytest.mark.slow
def test_whatever_a_killed_process_was_told_to_be_saved_opens_bit_for_bit(project: Path) -> None:
    rng = random.Random(20)
    script = write_script(TRAINING)
    saved: dict[str, tuple[str, str]] = {}
    for number in range(KILLS):
        words = _run_and_kill(script, number, rng)
        told = {name: [line[1:] for line in words if line[0] == name] for name in ("experiment", "stopping", "stopped")}
        saved |= {line[1]: (line[2], line[3]) for line in words if line[0] == "checkpoint"}
        ids = {name: {line[0] for line in lines} for name, lines in told.items()}
        for experiment_id in ids["experiment"]:
            status = keepsake.experiments.get(experiment_id).status
            if experiment_id in ids["stopped"]:
                assert status == "finished"
            elif experiment_id in ids["stopping"]:
                assert status in ("finished", "lost")
            else:
                assert status == "lost"
        if number % 5 == 4:
            assert_clean()
    assert len(saved) >= KILLS // 4
    _assert_all_there(saved)

    # The next process finishes the work of all the dead ones.
    with keepsake.init(quiet=True) as experiment:
        experiment.checkpoint(metrics={"loss": 0.0})
    repository = open_repository()
    referenced = {digest for manifest in _manifests() for digest in repository.load_manifest(manifest).digests()}
    assert referenced.isdisjoint(raw_chunks(repository))
    assert (lock_files(), heartbeats(repository), open_segments(repository)) == ([], [], [])
    assert {one.status for one in keepsake.experiments.list()} <= {"finished", "lost"}
    assert_clean()
    _assert_all_there(saved)


def _run_and_kill(script: Path, number: int, rng: random.Random) -> list[list[str]]:
    process = start_script(script, number)
    assert process.stdout is not None
    # Every fifth is killed while it begins, the others while they train and stop.
    is_early = number % 5 == 0
    read = [process.stdout.readline() for _ in range(1 if is_early else 2)]
    time.sleep(rng.uniform(0.0, 0.5 if is_early else 0.3))
    process.send_signal(signal.SIGKILL)
    words, talk = finish(process)
    assert (read[0], process.returncode, talk) == ("start\n", -signal.SIGKILL, "")
    return [*(line.split() for line in read), *words]


def _manifests() -> list[str]:
    repository = open_repository()
    return [
        digest
        for state in repository.list_experiments().experiments
        for body in (state.created, *state.checkpoints)
        for digest in body.get("manifests") or []
    ]


def _assert_all_there(saved: dict[str, tuple[str, str]]) -> None:
    there = all_checkpoints()
    assert saved.keys() <= there.keys()
    for checkpoint_id, (name, expected) in saved.items():
        assert content_hash(there[checkpoint_id], name) == expected
