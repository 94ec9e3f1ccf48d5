"""`/api/v1/experiments/{id}`: one experiment, whole."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import keepsake
from benchmarks.histories import write_histories
from tests.ui.serving import Asker, serving


def test_an_experiment_has_what_show_prints_and_what_a_page_shows_first(
    asker: Asker, trained: list[keepsake.Experiment]
) -> None:
    experiment = trained[0]
    document = asker.json(f"/experiments/{experiment.id}")
    shown = json.loads(json.dumps(experiment.to_json(), default=str))
    assert {name: document[name] for name in shown} == shown
    assert document["best_checkpoint"] == experiment.checkpoints[1].id
    assert document["latest_checkpoint"] == experiment.checkpoints[2].id
    assert document["is_running"] is False
    assert document["duration_s"] > 0
    assert document["metrics"] == [
        {"name": "loss", "points": 3, "goal": "minimize"},
        {"name": "train_loss", "points": 1, "goal": None},
    ]


def test_an_experiment_without_checkpoints_has_none(project: keepsake.Project, asker: Asker) -> None:
    experiment = project.experiments.create(quiet=True)
    document = asker.json(f"/experiments/{experiment.id[:12]}")
    experiment.stop()
    assert document["is_running"] is True
    assert [document[name] for name in ("best_checkpoint", "latest_checkpoint", "duration_s")] == [None] * 3
    assert document["metrics"] == []


def test_a_prefix_of_an_id_is_enough(asker: Asker, trained: list[keepsake.Experiment]) -> None:
    document = asker.json(f"/experiments/{trained[1].id[:7]}")
    assert document["id"] == trained[1].id


def test_an_id_that_is_not_there_is_not_found(asker: Asker) -> None:
    error = asker.error(404, "/experiments/0123456789")
    assert error["kind"] == "not-found"
    assert error["hint"]


def test_what_cannot_be_an_id_is_not_found_either(asker: Asker) -> None:
    assert "hexadecimal" in str(asker.error(404, "/experiments/zz")["hint"])


def test_a_prefix_of_several_ids_is_answered_with_them(tmp_path: Path) -> None:
    repository = write_histories(tmp_path / "repository", 200, checkpoints=1)
    ids = repository.experiment_ids()
    prefix, same = next((first[:3], {first, second}) for first, second in pairwise(ids) if first[:3] == second[:3])
    with serving(tmp_path / "repository") as asker:
        error = asker.error(404, f"/experiments/{prefix}")
    assert error["kind"] == "ambiguous"
    assert same <= set(error["candidates"])
