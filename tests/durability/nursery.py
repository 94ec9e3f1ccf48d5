"""A nursery of training processes: one process that has imported everything forks victims, each ready in milliseconds.

Run as a script, in a project. Each number on standard input forks a victim that trains with that number as its seed
until it is killed; what it was told to be saved it prints before it goes on.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import sys
from collections.abc import Iterator
from pathlib import Path

import keepsake


def main() -> None:
    """Fork a victim for each line of standard input, and say how each ended."""
    children: dict[int, int] = {}
    for line in sys.stdin:
        command, number = line.split()
        if command == "fork":
            seed = int(number)
            pid = os.fork()
            if pid == 0:
                with contextlib.suppress(BrokenPipeError):
                    train(seed)
                os._exit(1)
            children[seed] = pid
            tell("forked", seed, pid)
        else:
            _, status = os.waitpid(children.pop(int(number)), 0)
            tell("ended", number, os.waitstatus_to_exitcode(status))


def train(seed: int) -> None:
    """Train experiment after experiment, without end."""
    rng = random.Random(seed)
    frozen = rng.randbytes(200_000)
    weights = Path(f"weights-{seed}")
    while True:
        experiment = keepsake.init(path=rng.choice(("code", None)), params={"seed": seed}, quiet=True)
        tell("experiment", seed, experiment.id)
        for content in contents(rng, frozen):
            if content is None:
                loss = rng.random()
                tell("metrics", seed, experiment.checkpoint(loss=loss).id, loss)
                experiment.log(loss=loss)
                continue
            weights.write_bytes(content)
            checkpoint = experiment.checkpoint(path=weights, quiet=True)
            tell("files", seed, checkpoint.id, hashlib.sha256(content).hexdigest())
        experiment.stop()
        tell("stopped", seed, experiment.id)


def contents(rng: random.Random, frozen: bytes) -> Iterator[bytes | None]:
    """Yield what the checkpoints of one experiment hold: small, large, unchanged, or (None) nothing but metrics."""
    content = frozen
    for _ in range(rng.choice((1, 1, 2, 4, 8, 14))):
        kind = rng.randrange(5)
        if kind == 0:
            yield None
        elif kind == 1:
            yield content
        else:
            content = frozen + rng.randbytes((50, 40_000, 1_200_000)[kind - 2])
            yield content


def tell(*words: object) -> None:
    """Print a line in one write, so that no other victim's comes between."""
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


if __name__ == "__main__":
    main()
