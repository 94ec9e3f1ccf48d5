"""MLflow with a local SQLite database and local artifacts."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

from benchmarks.peers.interface import WEIGHTS, Needs, Program, Restorer, Tracker


class Peer(Program, Restorer, Tracker):
    """Logs the directory as artifacts of a run, under the step."""

    title = "MLflow"
    how = "`mlflow.log_artifacts()` to a directory, with SQLite; `mlflow.artifacts.download_artifacts()`"
    needs = Needs(python=("mlflow==3.17.2",))
    environment = MappingProxyType(
        {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false"}
    )

    def __init__(self) -> None:
        import mlflow

        self._mlflow = mlflow
        self._run_id = ""
        mlflow.set_tracking_uri("sqlite:///mlflow.db")

    def version(self) -> str:
        return str(self._mlflow.__version__)

    def begin(self) -> None:
        artifacts = Path("artifacts").absolute().as_uri()
        experiment_id = self._mlflow.create_experiment("training", artifact_location=artifacts)
        self._run_id = self._mlflow.start_run(experiment_id=experiment_id).info.run_id

    def save(self, step: int) -> str:
        self._mlflow.log_artifacts(WEIGHTS, artifact_path=f"step-{step}")
        return f"{self._run_id} step-{step}"

    def end(self) -> None:
        self._mlflow.end_run()

    def restore(self, reference: str, target: Path) -> Path:
        run_id, path = reference.split()
        return Path(self._mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path=path, dst_path=str(target)))

    def log(self, step: int, metrics: dict[str, float]) -> None:
        self._mlflow.log_metrics(metrics, step=step)
