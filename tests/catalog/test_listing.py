"""`keepsake.experiments.list` with expressions: the strings of the command line, answered from the catalog."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import keepsake
from keepsake import ExperimentList
from keepsake._tracking.ending import tracked
from keepsake.errors import AmbiguousPrefixError, InvalidInputError, NotFoundError


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    directory = tmp_path / "project"
    directory.mkdir()
    monkeypatch.chdir(directory)
    yield directory
    for session in tracked():
        session.stop("finished")


def run(accuracies: tuple[float, ...] = (), *, stop: bool = True, **details: Any) -> keepsake.Experiment:
    experiment = keepsake.init(quiet=True, **details)
    for step, accuracy in enumerate(accuracies):
        experiment.checkpoint(
            step=step, metrics={"accuracy": accuracy, "val/loss": 1 - accuracy}, primary_metric=("accuracy", "maximize")
        )
    if stop:
        experiment.stop()
    return experiment


def test_an_expression_and_a_sort_key_do_what_they_say() -> None:
    runs = [run((accuracy, accuracy / 2), params={"lr": accuracy / 10}) for accuracy in (0.8, 0.95, 0.9, 0.99)]
    found = keepsake.experiments.list("best.accuracy >= 0.9 and params.lr < 0.099", sort="best.accuracy-desc")
    assert isinstance(found, ExperimentList)
    assert found == [runs[1], runs[2]]
    assert keepsake.experiments.list(sort="`val/loss`", limit=1) == [runs[3]]
    assert keepsake.experiments.list("accuracy < 0.96", limit=2) == runs[1:3]
    assert keepsake.experiments.list(["lr > 0.08", "lr < 0.099"], "lr") == [runs[2], runs[1]]
    assert keepsake.experiments.list("latest.accuracy < 0.46 and step = 1") == [runs[0], runs[2]]


def test_annotations_and_status_can_be_filtered_by() -> None:
    first = run(name="baseline", tags=["paper", "gpu"])
    second = run(stop=False, notes="a second try")
    for expression, expected in (
        ("status = running", [second]),
        ("status = stopped", [first]),
        ("status != stopped", [second]),
        ("tag = paper", [first]),
        ("tags ~ ^gp", [first]),
        ("tags is null", [second]),
        ("name = baseline", [first]),
        ("notes ~ second", [second]),
        (f"id = {first.short_id()}", [first]),
        ("created > 1h ago", [first, second]),
        ("created < 1h ago", []),
        (f"python_version >= 3.{9}", [first, second]),
        ("packages.hypothesis >= 6", [first, second]),
        ("project = project", [first, second]),
        ("num_checkpoints = 0 and duration is null", [first, second]),
    ):
        assert keepsake.experiments.list(expression) == expected, expression
    second.stop()
    assert keepsake.experiments.list("status = running") == []


def test_what_is_deleted_or_changed_is_seen_by_the_next_listing() -> None:
    kept, deleted = run(params={"lr": 1}), run(params={"lr": 2})
    assert len(keepsake.experiments.list("lr > 0")) == 2
    deleted.delete()
    kept.name = "new"
    assert keepsake.experiments.list("lr > 0") == [kept]
    assert keepsake.experiments.list("name = new")[0].name == "new"


def test_a_listed_experiment_has_all_that_a_fetched_one_has() -> None:
    run((0.5, 0.7, 0.6), params={"lr": 1}, name="it", tags=["a"], notes="b", path=".")
    (listed,) = keepsake.experiments.list()
    fetched = keepsake.experiments.get(listed.id)
    assert (listed.best(), listed.latest()) == (fetched.best(), fetched.latest())
    assert listed.duration == fetched.duration
    assert listed.to_json() == fetched.to_json()
    assert listed.environment == fetched.environment
    assert listed.python_packages == fetched.python_packages
    assert listed.checkpoints == fetched.checkpoints
    assert (listed.best(), listed.latest()) == (fetched.best(), fetched.latest())
    assert listed.manifests() == fetched.manifests()
    listed.checkpoint(step=9)
    assert keepsake.experiments.get(listed.id).checkpoints.step == [0, 1, 2, 9]


def test_a_function_can_be_sorted_and_limited_too() -> None:
    runs = [run(params={"lr": lr}) for lr in (3, 1, 2)]
    assert keepsake.experiments.list(lambda one: one.params["lr"] != 1, sort="lr") == [runs[2], runs[0]]
    assert keepsake.experiments.list(lambda one: one.params["lr"] != 1, sort="lr", limit=1) == [runs[2]]
    assert keepsake.experiments.list(lambda one: one.params["lr"] != 1, limit=1) == [runs[2]]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"filter": "lr <"}, "a value is missing"),
        ({"filter": ""}, "a name is missing"),
        ({"sort": "lr-desc,"}, "this sort key cannot be read"),
        ({"sort": "lrr"}, "no experiment has 'lrr' to sort by"),
        ({"sort": 7}, "sort must be a string"),
        ({"limit": 0}, "at least 1"),
        ({"limit": "7"}, "at least 1"),
        ({"limit": True}, "at least 1"),
    ],
)
def test_arguments_that_cannot_be_used_are_refused(arguments: dict[str, Any], told: str) -> None:
    run(params={"lr": 1})
    with pytest.raises(InvalidInputError, match=told):
        keepsake.experiments.list(**arguments)


def test_a_name_that_nothing_has_is_said_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    run(params={"optimizer": "adam"})
    capsys.readouterr()
    assert keepsake.experiments.list("optimiser = adam") == []
    assert "did you mean optimizer?" in capsys.readouterr().err


def test_a_checkpoint_is_found_without_reading_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = iter(["e1" * 32, "abcdef1234" + "0" * 54, "abcdef1235" + "0" * 54, "e2" * 32, "fff" + "0" * 61])
    monkeypatch.setattr("keepsake.collection.new_id", lambda: next(ids))
    monkeypatch.setattr("keepsake._tracking.session.new_id", lambda: next(ids))
    first, second = run((0.1, 0.2)), run((0.3,))
    for prefix in ("abcdef1234", "abcdef1234000"):
        assert keepsake.experiments.get_checkpoint(prefix) == first.checkpoints[0]
    assert keepsake.experiments.get_checkpoint("FFF").experiment_id == second.id
    with pytest.raises(AmbiguousPrefixError) as caught:
        keepsake.experiments.get_checkpoint("abcdef123")
    assert len(caught.value.candidates) == 2
    for missing in ("abcdef12341", "fff1", "e1e1"):
        with pytest.raises(NotFoundError):
            keepsake.experiments.get_checkpoint(missing)


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="needs users")
def test_without_a_cache_directory_everything_is_read_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = [run(params={"lr": lr}) for lr in (1, 2)]

    def refuse(path: Path) -> Path:
        raise keepsake.errors.ConfigError(f"{path} cannot be used")

    monkeypatch.setattr("keepsake.collection.private_directory", refuse)
    assert keepsake.experiments.list("lr > 1") == runs[1:]
    assert keepsake.experiments.list()[0].params == {"lr": 1}
