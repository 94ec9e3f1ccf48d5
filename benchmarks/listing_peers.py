"""Listing beside other programs: the same experiments, listed by each in a process and a home of its own."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers import load_program
from benchmarks.peers.install import UnavailableError, install
from benchmarks.rows import Row
from benchmarks.scale import Scale
from benchmarks.timing import Action, measure_pairs
from keepsake._repository.repository import Repository


@dataclass(frozen=True)
class Peer:
    """A program that lists experiments, by two scripts for the Python that has it.

    `fill` reads experiments from standard input, an array of {params, checkpoints: [{step, metrics}]}; `list` prints a
    line for each, with its params and what it measured last, as far as one call of the program gives that.
    """

    name: str
    how: str
    fill: str
    list: str


PEERS = (
    Peer(
        "mlflow",
        "`mlflow.search_runs()`",
        """
import json, sys, mlflow
from mlflow.entities import Metric, Param
mlflow.set_tracking_uri("sqlite:///mlflow.db")
client = mlflow.MlflowClient()
experiment = client.create_experiment("many")
for one in json.load(sys.stdin):
    run = client.create_run(experiment).info.run_id
    measured = [(name, value, body["step"]) for body in one["checkpoints"] for name, value in body["metrics"].items()]
    metrics = [Metric(name, value, 0, step) for name, value, step in measured]
    client.log_batch(run, metrics=metrics, params=[Param(name, str(value)) for name, value in one["params"].items()])
    client.set_terminated(run)
""",
        """
import mlflow
mlflow.set_tracking_uri("sqlite:///mlflow.db")
print(mlflow.search_runs(experiment_names=["many"], max_results=50000).to_string())
""",
    ),
    Peer(
        "trackio",
        "`trackio.Api().runs()`, name and config of each",
        """
import json, sys
from trackio.sqlite_storage import SQLiteStorage
for number, one in enumerate(json.load(sys.stdin)):
    bodies = one["checkpoints"]
    metrics, steps = [body["metrics"] for body in bodies], [body["step"] for body in bodies]
    SQLiteStorage.bulk_log("many", f"run-{number}", metrics, steps, config=one["params"])
""",
        """
import trackio
for run in trackio.Api().runs("many"):
    print(run.name, run.config)
""",
    ),
)


def measure_beside_peers(list_all: Action, repository: Repository, scale: Scale, directory: Path) -> list[Row]:
    """Time a listing of all experiments beside those of the other programs that can be had.

    Args:
        list_all: our listing.
        repository: the experiments.
        scale: how often.
        directory: where the others may write.
    """
    experiments = [
        {
            "params": state.created["params"],
            "checkpoints": [{"step": body["step"], "metrics": body["metrics"]} for body in state.checkpoints],
        }
        for state in repository.list_experiments().experiments
    ]
    rows: list[Row] = []
    for peer in PEERS:
        try:
            run = _filled(peer, json.dumps(experiments), directory / peer.name)
        except UnavailableError:
            continue
        pairs = measure_pairs(list_all, Action(run), pairs=scale.pairs, patience_s=scale.patience_s)
        title = load_program(peer.name).title
        rows.append(Row("  the same", pairs.ratio, f"x {title}", None, peer.how, pairs.to_json()))
    return rows


def _filled(peer: Peer, experiments: str, directory: Path) -> Callable[[], object]:
    """Have a program write the experiments, and return what lists them.

    Raises:
        UnavailableError: the program cannot be had on this machine.
    """
    installation = install(peer.name)
    directory.mkdir(parents=True)
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(directory),
        "LANG": "C.UTF-8",
        "DO_NOT_TRACK": "1",
        **load_program(peer.name).environment,
    }

    def run(script: str, text: str = "") -> None:
        command = [str(installation.python), "-c", script]
        subprocess.run(
            command, input=text, text=True, check=True, stdout=subprocess.DEVNULL, env=environment, cwd=directory
        )

    run(peer.fill, experiments)
    return lambda: run(peer.list)
