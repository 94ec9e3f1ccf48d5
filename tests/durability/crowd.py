"""A crowd: processes that write to one repository, delete from it, collect it and list it, all at once.

Run as a script, in a project: `crowd.py SECONDS`. It goes on for so long, and until so much was collected that it was a
crowd, however slow the machine is. Contents come from a small pool that all writers share, so that what one deletes,
and the collector takes, another is just about to save again. Each prints what it did, a line each.
"""

from __future__ import annotations

import functools
import hashlib
import os
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

import keepsake
from keepsake._repository.collect import collect
from keepsake.errors import NotFoundError
from tests.durability.nursery import tell

WRITERS = 20
ATTACHED = 4
"""So many of them write to one experiment."""
ENOUGH = 60
"""So many objects are collected at least."""
END = Path("enough")
"""A file that the collector writes when everybody shall end."""
POOL = [random.Random(number).randbytes(60_000) for number in range(6)]


def main() -> None:
    """Fork everybody, and wait for all of them."""
    least_s = float(sys.argv[1])
    shared = keepsake.init(quiet=True, params={"name": "shared"})
    roles: list[Callable[[], None]] = [functools.partial(write, number, shared.id) for number in range(WRITERS)]
    roles += [lambda: collect_again_and_again(least_s), list_again_and_again]
    children = [_fork(role) for role in roles]
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    shared.stop()
    tell("codes", *codes)


def write(number: int, shared_id: str) -> None:
    """Write experiments, or checkpoints of the shared one; delete some of one's own."""
    rng = random.Random(1000 + number)
    weights = Path(f"weights-{number}")
    while not END.exists():
        attached = number < ATTACHED
        experiment = keepsake.experiments.get(shared_id) if attached else keepsake.init(quiet=True)
        for _ in range(rng.randrange(1, 6)):
            content = rng.choice(POOL) + (rng.randbytes(20) if rng.random() < 0.2 else b"")
            weights.write_bytes(content)
            checkpoint = experiment.checkpoint(path=weights, loss=rng.random())
            tell("saved", experiment.id, checkpoint.id, weights, hashlib.sha256(content).hexdigest())
            if rng.random() < 0.2:
                tell("deleted", checkpoint.id)
                checkpoint.delete()
        experiment.stop()
        if not attached and rng.random() < 0.6:
            tell("deleted", experiment.id)
            experiment.delete()


def collect_again_and_again(least_s: float) -> None:
    """Collect without mercy for what is young, and say when it is enough."""
    end_s = time.monotonic() + least_s
    collected = 0
    try:
        while time.monotonic() < end_s or collected < ENOUGH:
            result = collect(keepsake.Project().find_place().open_repository(), young_s=0.0)
            tell("collected", result.objects, result.kept)
            collected += result.objects
    finally:
        END.touch()


def list_again_and_again() -> None:
    """List, and read a file of a checkpoint that was listed; what was deleted meanwhile need not open."""
    rng = random.Random(7)
    while not END.exists():
        checkpoints = [one for experiment in keepsake.experiments.list() for one in experiment.checkpoints]
        tell("listed", len(checkpoints))
        if checkpoints:
            _read(rng.choice(checkpoints))


def _read(checkpoint: keepsake.Checkpoint) -> None:
    try:
        with checkpoint.open(str(checkpoint.path)) as file:
            tell("read", checkpoint.id, hashlib.sha256(file.read()).hexdigest())
    except NotFoundError:
        try:
            there = keepsake.experiments.get(checkpoint.experiment_id).checkpoints
        except NotFoundError:
            return
        if checkpoint in there:
            tell("unreadable", checkpoint.id)


def _fork(role: Callable[[], None]) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            role()
            os._exit(0)
        except BaseException:  # noqa: BLE001 (the child must not go on as its parent)
            import traceback

            traceback.print_exc()
            os._exit(1)
    return pid


if __name__ == "__main__":
    main()
