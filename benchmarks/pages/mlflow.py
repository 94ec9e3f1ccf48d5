"""MLflow's page, from a local SQLite database."""

from __future__ import annotations

import time
from pathlib import Path
from types import MappingProxyType

from benchmarks.pages.interface import Experiment, WebPage
from benchmarks.peers.interface import Needs

_BATCH = 1000
"""The most metrics that MLflow takes in one call."""


class Page(WebPage):
    """Runs of one experiment, as MLflow calls them."""

    title = "MLflow"
    needs = Needs(python=("mlflow==3.17.2",))
    environment = MappingProxyType({"MLFLOW_DISABLE_TELEMETRY": "true"})

    def version(self) -> str:
        import mlflow

        return str(mlflow.__version__)

    def record(self, experiments: list[Experiment]) -> None:
        import mlflow
        from mlflow.entities import Metric, Param
        from mlflow.tracking import MlflowClient

        mlflow.set_tracking_uri("sqlite:///mlflow.db")
        client = MlflowClient()
        experiment_id = client.create_experiment("training")
        for one in experiments:
            run_id = client.create_run(experiment_id, run_name=one.name).info.run_id
            client.log_batch(run_id, params=[Param(name, str(value)) for name, value in one.params.items()])
            now_ms = int(time.time() * 1000)
            points = [
                Metric(name, value, now_ms, step)
                for name, values in one.metrics.items()
                for step, value in enumerate(values)
            ]
            for start in range(0, len(points), _BATCH):
                client.log_batch(run_id, metrics=points[start : start + _BATCH])
            client.set_terminated(run_id)

    @staticmethod
    def command(python: Path, port: int) -> list[str]:
        program = str(python.parent / "mlflow")
        return [program, "server", "--backend-store-uri", "sqlite:///mlflow.db", "--port", str(port), "--workers", "1"]

    @staticmethod
    def table(port: int, last: str) -> tuple[str, str]:
        return f"http://127.0.0.1:{port}/#/experiments/1/runs", f"document.body.innerText.includes('{last}')"

    @staticmethod
    def curves(port: int) -> tuple[str, str]:
        address = f"http://127.0.0.1:{port}/#/experiments/1/runs?compareRunsMode=CHART"
        return address, "document.querySelector('.js-plotly-plot .scatterlayer path.js-line, .js-plotly-plot canvas')"
