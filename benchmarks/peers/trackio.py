"""trackio, which keeps SQLite and content-addressed files below the home directory."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

from benchmarks.peers.interface import WEIGHTS, Needs, Program, Restorer, Tracker


class Peer(Program, Restorer, Tracker):
    """Logs the directory as versions of one artifact."""

    title = "trackio"
    how = "`trackio.log_artifact()`, `artifact.download()`"
    needs = Needs(python=("trackio==0.43.0",))
    environment = MappingProxyType({"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"})

    def __init__(self) -> None:
        import trackio

        self._trackio = trackio

    def version(self) -> str:
        return str(self._trackio.__version__)

    def begin(self) -> None:
        self._trackio.init(project="training", embed=False, auto_log_cpu=False, auto_log_gpu=False)

    def save(self, step: int) -> str:  # noqa: ARG002 (artifacts count their versions themselves)
        artifact = self._trackio.Artifact("model", type="model")
        artifact.add_dir(WEIGHTS)
        return f"model:{self._trackio.log_artifact(artifact).version}"

    def end(self) -> None:
        self._trackio.finish()

    def restore(self, reference: str, target: Path) -> Path:
        self.begin()
        return Path(self._trackio.use_artifact(reference).download(str(target)))

    def log(self, step: int, metrics: dict[str, float]) -> None:
        self._trackio.log(metrics, step=step)
