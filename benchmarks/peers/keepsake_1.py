"""Keepsake, the one of this source tree."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.peers.interface import WEIGHTS, Program, Restorer, Tracker

if TYPE_CHECKING:
    from keepsake.experiment import Experiment


class Peer(Program, Restorer, Tracker):
    """Saves to a repository in the project directory."""

    title = "Keepsake"
    how = "`experiment.checkpoint(path=…)`, `checkpoint.checkout()`"

    def __init__(self) -> None:
        import keepsake

        self._keepsake = keepsake
        self._experiment: Experiment | None = None

    def version(self) -> str:
        return self._keepsake.__version__

    def begin(self) -> None:
        Path("keepsake.yaml").write_text("repository: file://.keepsake\n", encoding="utf-8")
        self._experiment = self._keepsake.init(params={"learning_rate": 1e-3})

    def save(self, step: int) -> str:
        assert self._experiment is not None
        checkpoint = self._experiment.checkpoint(path=WEIGHTS, step=step, metrics={"loss": 1 / (step + 1)})
        return f"{self._experiment.id} {checkpoint.id}"

    def end(self) -> None:
        assert self._experiment is not None
        self._experiment.stop()

    def restore(self, reference: str, target: Path) -> Path:
        experiment_id, checkpoint_id = reference.split()
        experiment = self._keepsake.experiments.get(experiment_id)
        checkpoint = next(checkpoint for checkpoint in experiment.checkpoints if checkpoint.id == checkpoint_id)
        checkpoint.checkout(str(target), quiet=True)
        return target / WEIGHTS

    def log(self, step: int, metrics: dict[str, float]) -> None:
        assert self._experiment is not None
        self._experiment.checkpoint(step=step, metrics=metrics)
