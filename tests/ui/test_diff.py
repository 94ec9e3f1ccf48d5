"""`/api/v1/diff` says what `keepsake diff --json` says, and `/api/v1/storage` what `keepsake du --json` says."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

import keepsake
from keepsake._analysis.strict_json import json_text
from tests.ui.serving import Asker


def test_two_experiments_are_compared(
    project: keepsake.Project, asker: Asker, trained: list[keepsake.Experiment]
) -> None:
    one, two = (experiment.id for experiment in trained)
    wanted = json.loads(json_text(project.diff(one, two).to_json()))
    assert asker.json("/diff", ids=f"{one[:12]},{two}") == wanted
    params = json.loads(json_text(project.diff(one, two, only="params", show_all=True).to_json()))
    assert asker.json("/diff", ids=f"{one},{two}", only="params", all="1") == params


@pytest.mark.parametrize(("which", "place"), [("best", 1), ("latest", 2), ("0", 0), ("2", 2)])
def test_a_checkpoint_is_chosen_behind_an_at(
    asker: Asker, trained: list[keepsake.Experiment], which: str, place: int
) -> None:
    one, two = trained
    found = asker.json("/diff", ids=f"{one.id}@{which},{two.id}@best")
    assert found["sides"][0]["checkpoint_id"] == one.checkpoints[place].id
    assert found["sides"][1]["checkpoint_id"] == two.checkpoints[1].id


def test_what_cannot_be_compared_is_an_error(asker: Asker, trained: list[keepsake.Experiment]) -> None:
    one = trained[0].id
    assert asker.error(400, "/diff", ids=one)
    assert asker.error(400, "/diff", ids=",".join([f"{one[:digits]}" for digits in range(10, 19)]))
    assert "names no checkpoint" in asker.error(400, "/diff", ids=f"{one},{one}@worst")["message"]
    assert asker.error(404, "/diff", ids=f"{one},{one}@77")
    assert asker.error(404, "/diff", ids=f"{one},0123456789")
    assert asker.error(400, "/diff", ids=f"{one},{trained[1].id}", only="secrets")


def test_a_text_that_is_very_long_is_not_compared_line_by_line(project: keepsake.Project, asker: Asker) -> None:
    ids = []
    for letter in "ab":
        (Path(str(project.directory)) / "data.txt").write_text(f"{letter}\n" * 1_500_000)
        experiment = project.experiments.create(path="data.txt", quiet=True)
        experiment.stop()
        ids.append(experiment.id)
    answer = asker.get("/diff", ids=",".join(ids), only="code")
    assert answer.status_code == 200
    assert len(answer.content) < 10_000
    assert "too long" in answer.text


def test_storage_is_measured_again_when_something_has_changed(
    project: keepsake.Project, asker: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = json.loads(json_text(asdict(project.du())))
    assert asker.json("/storage") == wanted
    with monkeypatch.context() as context:
        context.setattr(keepsake.Project, "du", None)
        assert asker.json("/storage") == wanted
    project.experiments.create(path="train.py", quiet=True).stop()
    assert len(asker.json("/storage")["experiments"]) == 3
