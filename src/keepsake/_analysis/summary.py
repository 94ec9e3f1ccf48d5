"""What a listing says of an experiment in JSON: the fields of `keepsake ls --json`.

The names are stable. Those that Keepsake 0.x printed are among them, with their meaning.
"""

from __future__ import annotations

from typing import Any

from keepsake._analysis.interfaces import CheckpointLike, ExperimentLike
from keepsake._model.times import format_time


def experiment_summary(experiment: ExperimentLike) -> dict[str, Any]:
    """Return an experiment without the list of its checkpoints: how it stands, what went in, best and latest."""
    status, duration = experiment.status, experiment.duration
    return {
        "id": experiment.id,
        "created": format_time(experiment.created),
        "name": experiment.name,
        "tags": list(experiment.tags),
        "status": status,
        "running": status == "running",
        "duration_s": None if duration is None else duration.total_seconds(),
        "user": experiment.user,
        "host": experiment.host,
        "command": experiment.command,
        "path": experiment.path,
        "params": dict(experiment.params or {}),
        "num_checkpoints": len(experiment.checkpoints),
        "latest_checkpoint": checkpoint_summary(experiment.latest()),
        "best_checkpoint": checkpoint_summary(experiment.best()),
    }


def checkpoint_summary(checkpoint: CheckpointLike | None) -> dict[str, Any] | None:
    """Return everything that is recorded of a checkpoint; None for None."""
    if checkpoint is None:
        return None
    primary = checkpoint.primary_metric
    return {
        "id": checkpoint.id,
        "created": format_time(checkpoint.created),
        "step": checkpoint.step,
        "path": checkpoint.path,
        "metrics": dict(checkpoint.metrics or {}),
        "primary_metric": None if primary is None else {"name": primary[0], "goal": primary[1]},
    }
