"""Name, tags and notes: given to `init()`, or set afterwards."""

from __future__ import annotations

from typing import Any

import pytest

import keepsake
from keepsake.errors import InvalidInputError
from tests.api.runs import leaves_nothing_behind, make_run, only_experiment, run_script


def test_name_tags_and_notes_are_given_to_init() -> None:
    made = keepsake.init(name="baseline", tags=["fast", "cpu", "fast"], notes="the first")
    for experiment in (made, only_experiment()):
        assert (experiment.name, experiment.tags, experiment.notes) == ("baseline", ("fast", "cpu"), "the first")


def test_without_them_they_are_empty() -> None:
    keepsake.init()
    experiment = only_experiment()
    assert (experiment.name, experiment.tags, experiment.notes) == (None, (), None)


@pytest.mark.parametrize("while_it_runs", [True, False])
def test_they_may_be_set_afterwards(while_it_runs: bool) -> None:
    experiment = make_run(name="old", tags=["a"], stop=not while_it_runs)
    experiment.name = "new"
    experiment.tags = ("b", "c")
    experiment.notes = "longer\ntext"
    for one in (experiment, only_experiment()):
        assert (one.name, one.tags, one.notes) == ("new", ("b", "c"), "longer\ntext")


def test_one_that_was_fetched_may_be_set_and_does_not_run_by_that() -> None:
    make_run()
    fetched = only_experiment()
    fetched.name = "found"
    assert only_experiment().name == "found"
    assert only_experiment().status == "finished"
    assert fetched.status == "finished"


def test_another_process_may_set_them() -> None:
    experiment = make_run()
    run_script("import sys, keepsake\nkeepsake.experiments.get(sys.argv[1]).tags = ['seen']", experiment.id)
    experiment.refresh()
    assert experiment.tags == ("seen",)


def test_they_may_be_taken_away_again() -> None:
    experiment = make_run(name="n", tags=["t"], notes="x")
    experiment.name, experiment.tags, experiment.notes = None, (), None
    again = only_experiment()
    assert (again.name, again.tags, again.notes) == (None, (), None)


def test_experiments_can_be_filtered_by_tag() -> None:
    wanted = make_run(tags=["good"])
    make_run()
    assert keepsake.experiments.list(lambda exp: "good" in exp.tags) == [wanted]


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", 5), ("name", b"x"), ("notes", ["x"]), ("tags", "fast"), ("tags", [1]), ("tags", [""]), ("tags", 3)],
)
def test_what_they_cannot_be_is_refused(field: str, value: Any) -> None:
    with leaves_nothing_behind(InvalidInputError, field[:3]):
        keepsake.init(**{field: value})
    experiment = make_run(name="n", tags=["t"], notes="x")
    with pytest.raises(InvalidInputError):
        setattr(experiment, field, value)
    again = only_experiment()
    assert (again.name, again.tags, again.notes) == ("n", ("t",), "x")
