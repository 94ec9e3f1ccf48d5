"""Weights & Biases, offline: artifacts are copied into its staging directory, to be uploaded later."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from benchmarks.peers.interface import WEIGHTS, Needs, Program, Tracker


class Peer(Program, Tracker):
    """Logs the directory as versions of one artifact; only its server could give them back."""

    title = "W&B, offline"
    how = "`run.log_artifact()`; artifacts come back from the server only"
    needs = Needs(python=("wandb==0.31.0",))
    environment = MappingProxyType({"WANDB_MODE": "offline", "WANDB_SILENT": "true", "WANDB_ERROR_REPORTING": "false"})

    def __init__(self) -> None:
        import wandb

        self._wandb = wandb
        self._run: Any = None

    def version(self) -> str:
        return str(self._wandb.__version__)

    def begin(self) -> None:
        self._run = self._wandb.init(project="training")

    def save(self, step: int) -> str:
        artifact = self._wandb.Artifact("model", type="model")
        artifact.add_dir(WEIGHTS)
        self._run.log_artifact(artifact)
        return f"model:v{step}"

    def end(self) -> None:
        self._run.finish()

    def log(self, step: int, metrics: dict[str, float]) -> None:
        self._run.log(metrics, step=step)
