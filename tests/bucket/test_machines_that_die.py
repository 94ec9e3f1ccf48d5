"""A machine that dies: training and courier are killed together, at any moment, and what had returned is delivered."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

import keepsake
from keepsake._model.keys import CHUNKS, digest_of_key
from tests.bucket.places import bucket, move_to_another_machine, staged_keys
from tests.courier.processes import find_couriers, helper_of
from tests.depth import depth
from tests.durability.scripts import finish, start_script, write_script

ROUNDS = depth(4, 8)

SCRIPT = """
    import os
    import keepsake
    experiment = keepsake.init()
    step = 0
    while True:
        data = os.urandom(400_000)
        with open("weights", "wb") as file:
            file.write(data)
        checkpoint = experiment.checkpoint(path="weights", step=step)
        print(checkpoint.id, data[:8].hex(), flush=True)
        step += 1
"""


def kill_everything(process: subprocess.Popen[str]) -> int:
    """Kill the script, its courier and the courier's helper, as a machine does that loses its power; count them."""
    victims = [process.pid]
    for courier in find_couriers():
        victims += [one for one in (courier, helper_of(courier)) if one is not None]
    for victim in victims:
        with contextlib.suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
    return len(victims)


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("project")
def test_what_had_returned_before_everything_was_killed_is_in_the_bucket_after_a_push(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script, rng = write_script(SCRIPT), random.Random(5)
    saved: dict[str, str] = {}
    killed = 0
    for _ in range(ROUNDS):
        monkeypatch.setenv("KEEPSAKE_COURIER", "on")
        process = start_script(script)
        assert process.stdout is not None
        first = process.stdout.readline().split()
        time.sleep(rng.random() * 1.5)
        killed += kill_everything(process)
        rest, _ = finish(process)
        saved |= {words[0]: words[1] for words in (first, *rest) if len(words) == 2}
    assert killed > 2 * ROUNDS  # couriers were among them
    monkeypatch.setenv("KEEPSAKE_COURIER", "off")
    keepsake.Project().deliver()
    assert staged_keys() == set()
    move_to_another_machine(tmp_path / "other", monkeypatch)
    experiments = keepsake.experiments.list()
    assert len(experiments) == ROUNDS
    there = {one.id: one.open("weights").read()[:8].hex() for each in experiments for one in each.checkpoints}
    assert {one: there.get(one) for one in saved} == saved
    # What was being saved in the moment of death may be there, too; nothing is there twice.
    assert len(saved) <= len(there) <= len(saved) + ROUNDS
    assert keepsake.Project().check().problems == []
    chunks = [digest_of_key(info.key) for info in bucket().store.list(CHUNKS)]
    assert len(chunks) == len(set(chunks))
