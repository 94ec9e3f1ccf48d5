"""One experiment, whole but for its curves and files."""

from __future__ import annotations

from collections import Counter
from typing import Any

from starlette.requests import Request

from keepsake._analysis.interfaces import flatten_values
from keepsake.experiment import Experiment
from keepsake.ui.site import Site


def get_experiment(site: Site, request: Request) -> dict[str, Any]:
    """Return what `keepsake show --json` prints of an experiment, and what a page shows first."""
    experiment = site.get_experiment(request.path_params["id"])
    best, latest, duration = experiment.best(), experiment.latest(), experiment.duration
    document = experiment.to_json()
    return document | {
        "is_running": document["status"] == "running",
        "duration_s": None if duration is None else duration.total_seconds(),
        "best_checkpoint": None if best is None else best.id,
        "latest_checkpoint": None if latest is None else latest.id,
        "metrics": list_metrics(experiment),
    }


def list_metrics(experiment: Experiment) -> list[dict[str, Any]]:
    """Return the metrics of an experiment, the primary one first: name, how many points it has, and its goal if any."""
    points = Counter(
        name
        for entry in (*experiment.checkpoints, *experiment.logs)
        for name, value in flatten_values(entry.metrics or {}).items()
        if value is not None
    )
    goals = dict(one.primary_metric for one in reversed(experiment.checkpoints) if one.primary_metric is not None)
    names = sorted(points, key=lambda name: (name not in goals, name))
    return [{"name": name, "points": points[name], "goal": goals.get(name)} for name in names]
