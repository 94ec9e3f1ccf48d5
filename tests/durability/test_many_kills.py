"""A hundred times SIGKILL, to training processes, to couriers and to both: what was told to be saved is there."""

from __future__ import annotations

import os
import queue
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import keepsake
from tests.courier.processes import find_couriers, until
from tests.depth import depth
from tests.durability.scripts import (
    all_checkpoints,
    assert_clean,
    content_hash,
    heartbeats,
    lock_files,
    open_repository,
    open_segments,
    raw_chunks,
)

KILLS = depth(100, 300)
AT_ONCE = 2
"""How many train at the same time."""
SEED = 5


class Nursery:
    """Forks victims and takes down what they say."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._answers: queue.Queue[list[str]] = queue.Queue()
        self.files: dict[str, tuple[str, str]] = {}
        """Checkpoint id to name and hash of its file."""
        self.metrics: dict[str, float] = {}
        self.experiments: set[str] = set()
        self.stopped: set[str] = set()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def fork(self, seed: int) -> int:
        """Fork a victim and return its process id."""
        return int(self._ask("fork", seed)[2])

    def exit_code(self, seed: int) -> int:
        """Wait for the end of a victim."""
        return int(self._ask("wait", seed)[2])

    def join(self) -> None:
        """Return when everything that was said has been taken down."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._thread.join(30)

    def _ask(self, command: str, seed: int) -> list[str]:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{command} {seed}\n")
        self._process.stdin.flush()
        return self._answers.get(timeout=60)

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            kind, seed, *words = line.split()
            if kind in ("forked", "ended"):
                self._answers.put([kind, seed, *words])
            elif kind == "files":
                self.files[words[0]] = (f"weights-{seed}", words[1])
            elif kind == "metrics":
                self.metrics[words[0]] = float(words[1])
            else:
                {"experiment": self.experiments, "stopped": self.stopped}[kind].add(words[0])


@contextmanager
def open_nursery() -> Iterator[Nursery]:
    """Start a nursery in the current project."""
    script = Path(__file__).with_name("nursery.py")
    with subprocess.Popen(
        [sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Nursery(process)
        finally:
            process.kill()


def kill_couriers() -> int:
    """Kill every courier that there is at this moment; return how many it hit."""
    hit = 0
    for pid in find_couriers():
        try:
            os.kill(pid, signal.SIGKILL)
            hit += 1
        except ProcessLookupError:
            continue
    return hit


@pytest.mark.slow
@pytest.mark.timeout(420)
def test_a_hundred_kills_lose_nothing(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KEEPSAKE_COURIER")
    (project / "code").mkdir()
    for number in range(5):
        (project / "code" / f"part{number}.py").write_text(f"print({number})\n" * 50)
    rng = random.Random(SEED)
    kills: Counter[str] = Counter()
    with open_nursery() as nursery:
        seed = 0
        # On a busy machine most die before they have done anything: it goes on until enough was done.
        while kills.total() < KILLS or len(nursery.files) <= KILLS // 4 or not nursery.stopped:
            victims = {one: nursery.fork(one) for one in range(seed, seed + AT_ONCE)}
            seed += AT_ONCE
            for victim, pid in victims.items():
                time.sleep(rng.uniform(0.0, 0.4))
                what = rng.choice(("training", "courier", "both"))
                if what != "training":
                    kills[f"courier ({what})"] += kill_couriers()
                    # It goes on without one, and starts another one with its next experiment.
                    time.sleep(rng.uniform(0.0, 0.2) if what == "courier" else 0.0)
                os.kill(pid, signal.SIGKILL)
                assert nursery.exit_code(victim) == -signal.SIGKILL
                kills[f"training ({what})"] += 1
            if seed % 50 == 0:
                assert_clean()
        nursery.join()
        kill_couriers()
        finish_and_verify(nursery)
    print(f"seed {SEED}: {dict(kills)}, {len(nursery.files)} checkpoints with files")
    assert sum(count for what, count in kills.items() if what.startswith("courier")) >= KILLS // 5
    assert kills["training (both)"] >= KILLS // 10


def finish_and_verify(nursery: Nursery) -> None:
    """Let the next process finish what the dead left, and look at everything that was told to be saved."""
    with keepsake.init(quiet=True) as experiment:
        experiment.checkpoint(loss=0.0)
    until(lambda: not find_couriers(), patience_s=240)  # its helper gets only what others leave of the processors
    repository = open_repository()
    referenced = {
        digest
        for one in keepsake.experiments.list()
        for manifest in one.manifests()
        for digest in repository.load_manifest(manifest).digests()
    }
    assert referenced.isdisjoint(raw_chunks(repository))
    assert (lock_files(), heartbeats(repository), open_segments(repository)) == ([], [], [])
    statuses = {one.id: one.status for one in keepsake.experiments.list()}
    assert nursery.experiments <= statuses.keys()
    assert {statuses[one] for one in nursery.stopped} == {"finished"}
    assert set(statuses.values()) <= {"finished", "lost"}
    there = all_checkpoints()
    assert nursery.files.keys() | nursery.metrics.keys() <= there.keys()
    for checkpoint_id, (name, expected) in nursery.files.items():
        assert content_hash(there[checkpoint_id], name) == expected
    for checkpoint_id, loss in nursery.metrics.items():
        assert there[checkpoint_id].metrics == {"loss": loss}
    assert_clean()
