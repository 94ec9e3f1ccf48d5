from __future__ import annotations

import subprocess
import sys
from datetime import datetime, timedelta, timezone

import pandas as pd

from keepsake._analysis.dataframe import checkpoints_dataframe, experiments_dataframe
from tests.analysis.subjects import START, Point, Run, hex_id, losses


def test_experiments_are_rows_with_params_best_and_latest() -> None:
    runs = [
        Run(hex_id(1), {"optim": {"lr": 0.1}, "sizes": [1, 2]}, losses(0.9, 0.2, 0.4), best_index=1, name="wide"),
        Run(hex_id(2), {"seed": 7}),
    ]
    frame = experiments_dataframe(runs)
    assert list(frame.columns) == [
        "id", "created", "status", "user", "host", "name", "duration",
        "params.optim.lr", "params.sizes", "best.step", "best.loss", "latest.step", "latest.loss", "params.seed",
    ]  # fmt: skip
    first, second = frame.iloc[0], frame.iloc[1]
    assert first["id"] == hex_id(1)
    assert (first["best.loss"], first["latest.loss"], first["params.sizes"]) == (0.2, 0.4, [1, 2])
    assert pd.isna(second["best.loss"])
    assert second["params.seed"] == 7
    assert first["duration"] == timedelta(seconds=75)


def test_created_is_one_column_of_times_whatever_the_offsets() -> None:
    summer = START.astimezone(timezone(timedelta(hours=2)))
    frame = experiments_dataframe([Run(hex_id(1), created=START), Run(hex_id(2), created=summer)])
    assert str(frame["created"].dt.tz) == "UTC"
    assert frame["created"].nunique() == 1


def test_checkpoints_are_rows_with_their_metrics() -> None:
    frame = checkpoints_dataframe([Point({"loss": 1.5, "val": {"acc": 1}}, step=3, path="w"), Point()])
    assert list(frame.columns) == ["id", "created", "step", "path", "metrics.loss", "metrics.val.acc"]
    assert frame["metrics.loss"].tolist()[0] == 1.5
    assert frame["created"][0] == datetime(2026, 3, 1, 12, tzinfo=timezone.utc)


def test_a_large_seed_keeps_its_digits_where_another_experiment_has_none() -> None:
    seeds = [2**60 + 1, 2**63 + 1]
    for seed in seeds:
        frame = experiments_dataframe([Run(hex_id(1), {"seed": seed}), Run(hex_id(2))])
        assert int(frame["params.seed"][0]) == seed  # of a float, == is true for its neighbours, too
        assert pd.isna(frame["params.seed"][1])


def test_nothing_is_an_empty_frame_with_the_usual_columns() -> None:
    assert list(experiments_dataframe([]).columns)[:3] == ["id", "created", "status"]
    assert len(checkpoints_dataframe([])) == 0


def test_a_dataframe_without_pandas_names_the_extra() -> None:
    script = (
        "import sys; sys.modules['pandas'] = None\n"
        "from keepsake._analysis.dataframe import experiments_dataframe\n"
        "from keepsake.errors import ConfigError\n"
        "try: experiments_dataframe([])\n"
        "except ConfigError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "a DataFrame needs pandas" in done.stdout
    assert "pip install '.[pandas]'" in done.stdout
