"""`/api/v1/extremes`: the least and the greatest value of each metric, of all that was measured."""

from __future__ import annotations

import math
from typing import Any

import keepsake
from tests.ui.serving import Asker
from tests.ui.tables import rows_of


def row_of(asker: Asker, experiment: keepsake.Experiment) -> dict[str, Any]:
    """Return the values of one experiment by the names of their columns."""
    (row,) = rows_of(asker.json("/extremes", ids=experiment.id))
    assert row.pop("id") == experiment.id
    return row


def test_they_are_of_all_checkpoints_and_of_what_was_logged_between_them(
    asker: Asker, trained: list[keepsake.Experiment], project: keepsake.Project
) -> None:
    document = asker.json("/extremes")
    assert document["ids"] == [one.id[:12] for one in trained]
    assert document["cursor"] == asker.json("/experiments")["cursor"]
    rows = rows_of(document)
    assert [row["min.loss"] for row in rows] == [0.2 * 0.1, 0.2 * 0.01]
    assert [row["max.loss"] for row in rows] == [0.5 * 0.1, 0.5 * 0.01]
    assert {column["group"] for column in document["columns"]} == {"min.metrics", "max.metrics"}
    # What no checkpoint has is no column of the table, and none here.
    assert "min.train_loss" not in rows[0]
    running = project.experiments.create(quiet=True)
    running.checkpoint(step=0, loss=1.0)
    running.log(step=1, loss=-3.5)
    running.checkpoint(step=2, loss=2.0)
    assert row_of(asker, running) == {"min.loss": -3.5, "max.loss": 2.0}
    running.stop()


def test_what_was_measured_since_is_in_the_next_answer(asker: Asker, project: keepsake.Project) -> None:
    experiment = project.experiments.create(quiet=True)
    assert row_of(asker, experiment) == {}
    experiment.checkpoint(step=0, loss=1.0)
    assert row_of(asker, experiment)["max.loss"] == 1.0
    lowest = experiment.checkpoint(step=1, loss=0.5)
    assert row_of(asker, experiment)["min.loss"] == 0.5
    experiment.log(step=2, loss=7.0)
    assert row_of(asker, experiment)["max.loss"] == 7.0
    lowest.delete()
    assert row_of(asker, experiment)["min.loss"] == 1.0
    experiment.stop()


def test_what_is_no_number_is_passed_over_unless_there_is_nothing_else(asker: Asker, project: keepsake.Project) -> None:
    some, none = project.experiments.create(quiet=True), project.experiments.create(quiet=True)
    for value in (math.nan, 2.0, math.inf):
        some.checkpoint(loss=value)
    none.checkpoint(loss=math.nan)
    assert row_of(asker, some) == {"min.loss": 2.0, "max.loss": "Infinity"}
    assert row_of(asker, none) == {"min.loss": "NaN", "max.loss": "NaN"}
    some.stop()
    none.stop()


def test_who_is_not_there_has_no_row(asker: Asker, trained: list[keepsake.Experiment]) -> None:
    trained[0].delete()
    document = asker.json("/extremes", ids=f"{trained[0].id},{'0' * 12},{trained[1].id[:8]}")
    assert document["ids"] == [trained[1].id[:8]]
    assert asker.json("/extremes")["ids"] == [trained[1].id[:12]]
