"""The table of experiments that a terminal shows."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

from keepsake._analysis.interfaces import CheckpointLike, ExperimentLike, flatten_values
from keepsake._analysis.text import format_value
from keepsake._model.ids import short_id
from keepsake._model.values import Value

_UNLIMITED_WIDTH = 10_000


def experiments_table(experiments: Sequence[ExperimentLike]) -> str:
    """Return a table, a row an experiment, as wide as the terminal, or as it needs when this is none.

    User and host are shown where they differ, and of the params those that differ.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    differing = _differing([flatten_values(one.params) for one in experiments])
    columns: dict[str, list[str]] = {
        "experiment": [short_id(one.id) for one in experiments],
        "started": [one.created.strftime("%Y-%m-%d %H:%M:%S") for one in experiments],
        "status": [one.status for one in experiments],
    }
    for field in ("name", "user", "host"):
        values = [getattr(one, field) or "" for one in experiments]
        if len(set(values)) > 1:
            columns[field] = values
    if differing:
        columns["params"] = [_params_text(one, differing) for one in experiments]
    best = [one.best() for one in experiments]
    if any(best):
        columns["best checkpoint"] = [_checkpoint_text(one) for one in best]
    columns["latest checkpoint"] = [_checkpoint_text(one.latest()) for one in experiments]

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in columns:
        table.add_column(heading.upper(), overflow="fold", no_wrap=heading in ("experiment", "status"))
    for row in zip(*columns.values(), strict=True):
        table.add_row(*(Text(cell) for cell in row))
    is_terminal = sys.stdout.isatty()
    console = Console(width=None if is_terminal else _UNLIMITED_WIDTH, highlight=False)
    with console.capture() as capture:
        console.print(table)
    return "\n".join(line.rstrip() for line in capture.get().splitlines())


def _differing(params: Sequence[Mapping[str, Value]]) -> list[str]:
    names = sorted({name for one in params for name in one})
    missing = ""
    return [name for name in names if len({repr(one[name]) if name in one else missing for one in params}) > 1]


def _params_text(experiment: ExperimentLike, names: Sequence[str]) -> str:
    values = flatten_values(experiment.params)
    return ", ".join(f"{name}={format_value(values[name], longest=20)}" for name in names if name in values)


def _checkpoint_text(checkpoint: CheckpointLike | None) -> str:
    if checkpoint is None:
        return ""
    metrics = flatten_values(checkpoint.metrics)
    names = [checkpoint.primary_metric[0]] if checkpoint.primary_metric is not None else list(metrics)[:3]
    facts = ", ".join(f"{name}={format_value(metrics[name], longest=20)}" for name in names if name in metrics)
    return f"{short_id(checkpoint.id)} (step {checkpoint.step}{': ' if facts else ''}{facts})"
