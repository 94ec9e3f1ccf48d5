"""Training steps while the courier encodes in the background, against the same steps without it.

The model is the byte-level transformer of the other benchmarks, at full width, trained by PyTorch with as many threads
as there are processors. One process, started for this, trains all the time, in stretches with and without work for the
courier, in turns; the figure is the quotient of the medians of all steps of both kinds.

The courier must have work during every step of the one kind: before a stretch, and whenever little is left, the process
saves a file of weights that are all new, between two steps. That call is not part of a step, as in training a
checkpoint is not. After the stretch, some of it must be raw still. How much was encoded meanwhile, and what processor
time that took, is reported; if it is nothing, the row has no limit to keep. Before a stretch without the courier,
`keepsake.wait()` leaves it nothing to do.
"""

from __future__ import annotations

import json
import mmap
import os
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import keepsake
from benchmarks.capture import WEIGHTS
from benchmarks.processes import become_subreaper, find_descendants, processor_s, wait_for_all
from benchmarks.projects import REPOSITORY, begin, courier_allowed
from benchmarks.rawness import count_raw_bytes
from benchmarks.rows import Row
from benchmarks.scale import MB, Scale
from benchmarks.timing import wait_until_quiet
from benchmarks.weights import write_gpt2_like
from keepsake.experiment import Experiment

LIMIT = 1.15
CHANGE_EVERY_BYTES = 2**18
"""How far apart the changes are that make all of a file new: no chunk of it is shorter."""
LOOK_EVERY_S = 0.5
WARM_UP_STEPS = 20
START_TIMEOUT_S = 10.0
LINGER_S = 20.0


def measure(scale: Scale, directory: Path) -> list[Row]:
    """Train in a process of its own, with and without the courier at work."""
    directory.mkdir(parents=True, exist_ok=True)
    write_gpt2_like(directory / WEIGHTS, scale.big_file_bytes)
    wait_until_quiet(scale.patience_s / 4)
    options = {"windows": scale.step_windows, "window_s": scale.step_window_s}
    options |= {"width": scale.model_width, "layers": scale.model_layers, "batch": scale.training_batch}
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.step", str(directory), json.dumps(options)],
        cwd=Path(__file__).parent.parent,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    measured: dict[str, Any] = json.loads(done.stdout)
    with_ms, without_ms = median(measured["with_ms"]), median(measured["without_ms"])
    seconds = measured["with_s"]
    remark = (
        f"{with_ms:.1f} against {without_ms:.1f} ms; in {seconds:.0f} s the courier encoded "
        f"{measured['encoded_bytes'] / MB:.0f} MB in {measured['courier_s']:.1f} s of processor time"
    )
    # Without continuous work there is nothing that could keep the limit, or not.
    was_at_work = measured["encoded_bytes"] > 0 and not measured["ran_out"]
    if not was_at_work:
        remark += ": not all the time" if measured["ran_out"] else ": it got none"
    what = f"median step of a transformer on {os.cpu_count()} processors, the courier at work"
    return [Row(what, with_ms / without_ms, "x", LIMIT if was_at_work else None, remark, measured)]


@dataclass
class Steps:
    """What the training process has measured."""

    with_ms: list[float] = field(default_factory=list)
    without_ms: list[float] = field(default_factory=list)
    with_s: float = 0.0
    """How long it trained with the courier at work, calls of `checkpoint()` included."""
    encoded_bytes: int = 0
    ran_out: bool = False
    """Whether at some time there was nothing left to encode."""
    courier_s: float = 0.0
    """Processor time of all processes that this one has started, during the stretches with work for them."""
    checkpoint_ms: list[float] = field(default_factory=list)


class Trainer:
    """A process that trains, and saves weights for the courier to encode.

    Args:
        directory: the project; the file of weights is in it.
        width: the model's width.
        layers: its number of layers.
        batch: how many texts each step learns from.
    """

    def __init__(self, directory: Path, width: int, layers: int, batch: int) -> None:
        import torch

        from benchmarks.transformer import Training, new_model

        torch.set_num_threads(os.cpu_count() or 1)
        self._directory = directory
        self._training = Training(new_model(width, layers, torch.float32), batch)
        with courier_allowed():
            self._experiment: Experiment = begin(directory)
        self._saves = 0
        self.steps = Steps()

    def warm_up(self) -> None:
        """Take some steps, and save once, so that nothing happens for the first time later."""
        self._training.run(WARM_UP_STEPS)
        self._save()

    def train_alone(self, window_s: float) -> None:
        """Train while there is nothing to encode."""
        keepsake.wait()
        self._train(window_s, self.steps.without_ms)

    def train_beside_courier(self, window_s: float) -> None:
        """Train while there is always something to encode; whether there was is looked at in the end, too."""
        self._feed()
        self._train_until_courier_works()
        self._feed()
        raw_bytes, saves, spent_s = self._raw_bytes(), self._saves, self._courier_s()
        started = time.monotonic()
        while (left_s := started + window_s - time.monotonic()) > 0:
            self._train(min(left_s, LOOK_EVERY_S), self.steps.with_ms)
            self._feed()
        self.steps.with_s += time.monotonic() - started
        self.steps.courier_s += self._courier_s() - spent_s
        left_bytes = self._raw_bytes()
        size_bytes = (self._directory / WEIGHTS).stat().st_size
        encoded_bytes = raw_bytes + (self._saves - saves) * size_bytes - left_bytes
        self.steps.encoded_bytes += encoded_bytes
        self.steps.ran_out |= left_bytes == 0

    def end(self) -> None:
        """Settle everything, and wait for the courier to end."""
        self._experiment.stop()
        stayed = wait_for_all(LINGER_S)
        if stayed:
            raise RuntimeError(f"still running: {', '.join(stayed)}")

    def _train_until_courier_works(self) -> None:
        """Train, untimed, until a first chunk has been encoded: with the processors taken, a courier starts slowly."""
        raw_bytes, deadline = self._raw_bytes(), time.monotonic() + START_TIMEOUT_S
        while self._raw_bytes() >= raw_bytes and time.monotonic() < deadline:
            self._train(LOOK_EVERY_S, [])

    def _train(self, window_s: float, times_ms: list[float]) -> None:
        deadline = time.perf_counter() + window_s
        while (started := time.perf_counter()) < deadline:
            self._training.run(1)
            times_ms.append((time.perf_counter() - started) * 1e3)

    def _feed(self) -> None:
        """Save new weights unless there is enough to encode for a while."""
        while self._raw_bytes() < (self._directory / WEIGHTS).stat().st_size:
            self._save()

    def _save(self) -> None:
        self._saves += 1
        renew(self._directory / WEIGHTS, self._saves)
        started = time.perf_counter()
        self._experiment.checkpoint(path=WEIGHTS)
        self.steps.checkpoint_ms.append((time.perf_counter() - started) * 1e3)

    def _raw_bytes(self) -> int:
        return count_raw_bytes(self._directory / REPOSITORY)

    def _courier_s(self) -> float:
        return sum(processor_s(pid) for pid in find_descendants(os.getpid()))


def renew(path: Path, number: int) -> None:
    """Change some bytes in every chunk of a file of weights, as `number` says."""
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as content:
        for start in range(CHANGE_EVERY_BYTES, len(content) - 4, CHANGE_EVERY_BYTES):
            content[start : start + 4] = number.to_bytes(4, "little")


def main(arguments: list[str]) -> int:
    """Train in turns, print what was measured in JSON, and leave no process behind."""
    directory, options = Path(arguments[0]), json.loads(arguments[1])
    become_subreaper()  # so that the courier is found, and waited for
    trainer = Trainer(directory, options["width"], options["layers"], options["batch"])
    trainer.warm_up()
    for _ in range(options["windows"]):
        trainer.train_alone(options["window_s"])
        trainer.train_beside_courier(options["window_s"])
    trainer.end()
    print(json.dumps(asdict(trainer.steps)))
    shutil.rmtree(directory / REPOSITORY)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
