"""Experiments and checkpoints as pandas DataFrames, one row each; pandas is imported on first use.

Columns stand in the order in which they are first met. What a row does not have is NaN, None or NaT, as pandas has it.
Whole numbers keep all their digits: a column that pandas would round is one of objects.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from keepsake._analysis.interfaces import CheckpointLike, ExperimentLike, flatten_values
from keepsake._model.values import Value
from keepsake.errors import ConfigError

if TYPE_CHECKING:
    from pandas import DataFrame

_EXPERIMENT_COLUMNS = ("id", "created", "status", "user", "host", "name", "duration")
_CHECKPOINT_COLUMNS = ("id", "created", "step", "path")
_LARGEST_EXACT = 1 << 53
"""The largest whole number up to which a floating-point number is exact."""


def experiments_dataframe(experiments: Sequence[ExperimentLike]) -> DataFrame:
    """Return a row an experiment.

    The columns are `id`, `created` (UTC), `status`, `user`, `host`, `name` and `duration`, then one for each param
    (`params.optim.lr`), and `step` and every metric of the best and of the latest checkpoint (`best.loss`,
    `latest.step`).

    Raises:
        ConfigError: pandas is not installed.
    """
    rows = [
        {column: getattr(one, column) for column in _EXPERIMENT_COLUMNS}
        | _prefixed("params", one.params)
        | _checkpoint_cells("best", one.best())
        | _checkpoint_cells("latest", one.latest())
        for one in experiments
    ]
    return _dataframe(rows, _EXPERIMENT_COLUMNS)


def checkpoints_dataframe(checkpoints: Sequence[CheckpointLike]) -> DataFrame:
    """Return a row a checkpoint: `id`, `created` (UTC), `step`, `path`, and every metric (`metrics.loss`).

    Raises:
        ConfigError: pandas is not installed.
    """
    rows = [
        {column: getattr(one, column) for column in _CHECKPOINT_COLUMNS} | _prefixed("metrics", one.metrics)
        for one in checkpoints
    ]
    return _dataframe(rows, _CHECKPOINT_COLUMNS)


def _checkpoint_cells(prefix: str, checkpoint: CheckpointLike | None) -> dict[str, Any]:
    if checkpoint is None:
        return {}
    return {f"{prefix}.step": checkpoint.step} | _prefixed(prefix, checkpoint.metrics)


def _prefixed(prefix: str, values: Mapping[str, Value] | None) -> dict[str, Any]:
    return {f"{prefix}.{name}": value for name, value in flatten_values(values).items()}


def _dataframe(rows: Sequence[Mapping[str, Any]], first: Sequence[str]) -> DataFrame:
    try:
        import pandas as pd
    except ImportError as error:
        raise ConfigError(
            "a DataFrame needs pandas, which is not installed",
            hint="pip install '.[pandas]' in the checkout of Keepsake, or pip install pandas",
        ) from error
    columns = dict.fromkeys(first) | {column: None for row in rows for column in row}
    frame = pd.DataFrame(list(rows), columns=list(columns))
    for column in frame.select_dtypes("float").columns:
        values = [row.get(column) for row in rows]
        if any(isinstance(value, int) and abs(value) > _LARGEST_EXACT for value in values):
            frame[column] = pd.Series(values, dtype=object)
    # In local time the offset may change from row to row, of which pandas makes a column of plain objects.
    frame["created"] = pd.to_datetime(frame["created"], utc=True)
    if "duration" in columns:
        frame["duration"] = pd.to_timedelta(frame["duration"])
    return frame
