"""`keepsake.experiments`: listing, filtering and getting experiments."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import pytest

import keepsake
from keepsake import Experiment, ExperimentList
from keepsake.errors import AmbiguousPrefixError, ConfigNotFoundError, InvalidInputError, NotFoundError
from tests.api.runs import make_run, run_script, write_files


def test_list_returns_all_experiments_the_oldest_first() -> None:
    made = [make_run(params={"number": number}) for number in range(3)]
    found = keepsake.experiments.list()
    assert isinstance(found, ExperimentList)
    assert isinstance(found, list)
    assert found == made
    assert [experiment.params["number"] for experiment in found] == [0, 1, 2]


def test_a_filter_decides_which_experiments_are_listed() -> None:
    for lr in (0.1, 0.2, 0.3):
        make_run(params={"lr": lr})
    by_name = keepsake.experiments.list(filter=lambda exp: exp.params["lr"] == 0.2)
    by_position = keepsake.experiments.list(lambda exp: exp.params["lr"] == 0.2)
    assert [experiment.params["lr"] for experiment in by_name] == [0.2]
    assert by_position == by_name
    assert isinstance(by_name, ExperimentList)


def test_the_example_filter_by_the_step_of_the_best_checkpoint() -> None:
    make_run((3.0, 1.0, 2.0))
    late = make_run(tuple(float(100 - number) for number in range(12)))
    assert keepsake.experiments.list(filter=lambda exp: exp.best().step >= 100) == [late]  # type: ignore[union-attr, operator]


def test_anything_true_that_a_filter_returns_counts() -> None:
    make_run(params={"tags": []})
    kept = make_run(params={"tags": ["x"]})
    assert keepsake.experiments.list(lambda exp: exp.params["tags"]) == [kept]


def test_an_exception_in_a_filter_leaves_the_experiment_out_with_one_warning(
    capsys: pytest.CaptureFixture[str],
) -> None:
    first, kept = make_run(primary_metric=None), make_run()
    make_run(primary_metric=None)
    capsys.readouterr()
    assert keepsake.experiments.list(filter=lambda exp: exp.best().step >= 0) == [kept]  # type: ignore[union-attr, operator]
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    for part in ("2", first.short_id(), "AttributeError", "'NoneType' object has no attribute 'step'"):
        assert part in lines[0]


def test_a_filter_that_is_interrupted_is_not_gone_on_with() -> None:
    make_run()

    def interrupted(_: Experiment) -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        keepsake.experiments.list(interrupted)


def test_list_covers_the_whole_repository_and_the_project_is_a_field_to_filter_by(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("cats", "dogs"):
        write_files(tmp_path / name, {"keepsake.yaml": f"repository: {tmp_path / 'shared'}\n"})
        monkeypatch.chdir(tmp_path / name)
        make_run()
    assert [experiment.project for experiment in keepsake.experiments.list()] == ["cats", "dogs"]
    assert len(keepsake.experiments.list(lambda exp: exp.project == "cats")) == 1


def test_list_sees_what_another_process_wrote_since() -> None:
    make_run()
    assert len(keepsake.experiments.list()) == 1
    run_script("import keepsake\nkeepsake.init()")
    assert len(keepsake.experiments.list()) == 2


def test_the_list_of_a_repository_without_experiments_is_empty() -> None:
    make_run().delete()
    assert keepsake.experiments.list() == []


def test_slices_of_the_list_can_do_what_the_list_can() -> None:
    made = [make_run() for _ in range(3)]
    part = keepsake.experiments.list()[1:]
    assert isinstance(part, ExperimentList)
    part.delete()
    assert keepsake.experiments.list() == made[:1]


def test_get_finds_an_experiment_by_its_id() -> None:
    make_run()
    wanted = make_run(params={"lr": 1})
    found = keepsake.experiments.get(wanted.id)
    assert isinstance(found, Experiment)
    assert (found.id, found.params) == (wanted.id, {"lr": 1})


@pytest.mark.parametrize("digits", [3, 4, 6, 7, 63])
def test_get_finds_an_experiment_by_the_beginning_of_its_id(digits: int) -> None:
    wanted = make_run()
    assert keepsake.experiments.get(wanted.id[:digits]) == wanted
    assert keepsake.experiments.get(wanted.id[:digits].upper()) == wanted


def test_get_takes_the_old_name_of_its_argument() -> None:
    wanted = make_run()
    assert keepsake.experiments.get(experiment_id=wanted.short_id()) == wanted
    assert keepsake.experiments.get(experiment_id_prefix=wanted.short_id()) == wanted


def test_an_ambiguous_prefix_is_an_error_that_lists_the_candidates(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = iter(["abcd" + "1" * 60, "abcd" + "2" * 60, "ef" * 32])
    monkeypatch.setattr("keepsake.collection.new_id", lambda: next(ids))
    made = [make_run((), params={"number": number}) for number in range(3)]
    with pytest.raises(AmbiguousPrefixError) as caught:
        keepsake.experiments.get("abcd")
    assert caught.value.candidates == (made[0].id, made[1].id)
    assert all(one.short_id() in str(caught.value) for one in made[:2])
    assert made[2].short_id() not in str(caught.value)
    assert keepsake.experiments.get("abcd1") == made[0]


def test_an_id_that_nothing_has_is_an_error() -> None:
    experiment = make_run()
    other = "0" * 8 if not experiment.id.startswith("0") else "1" * 8
    with pytest.raises(NotFoundError, match=other) as caught:
        keepsake.experiments.get(other)
    assert type(caught.value) is NotFoundError


@pytest.mark.parametrize("prefix", ["xyz", "../../x", "*"])
def test_what_is_no_id_is_not_found_as_in_keepsake_0(prefix: str) -> None:
    make_run()
    with pytest.raises(keepsake.exceptions.DoesNotExist, match="ids are hexadecimal"):
        keepsake.experiments.get(prefix)


@pytest.mark.parametrize("prefix", ["", "ab", 12345, b"abcd", None])
def test_what_cannot_begin_an_id_is_refused(prefix: object) -> None:
    make_run()
    with pytest.raises(InvalidInputError):
        keepsake.experiments.get(prefix)  # type: ignore[arg-type]


def test_a_deleted_experiment_does_not_make_a_prefix_ambiguous(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = iter(["abcd" + "1" * 60, "abcd" + "2" * 60])
    monkeypatch.setattr("keepsake.collection.new_id", lambda: next(ids))
    first, second = make_run(()), make_run(())
    first.delete()
    assert keepsake.experiments.get("abcd") == second


def test_a_checkpoint_is_found_by_its_id_or_the_beginning_of_it() -> None:
    make_run()
    wanted = make_run().checkpoints[1]
    for text in (wanted.id, wanted.id[:7]):
        found = keepsake.experiments.get_checkpoint(text)
        assert (found.id, found.step, found.experiment_id) == (wanted.id, 10, wanted.experiment_id)
    with pytest.raises(NotFoundError):
        keepsake.experiments.get_checkpoint("f" * 64)


def test_reading_where_there_is_nothing_says_what_was_looked_for(project: Path) -> None:
    for read in (keepsake.experiments.list, lambda: keepsake.experiments.get("abcd"), keepsake.Project().check):
        with pytest.raises(ConfigNotFoundError) as caught:
            read()
        assert str(project / ".keepsake") in str(caught.value)
        assert "keepsake.yaml" in str(caught.value)
    assert list(project.iterdir()) == []


def test_reading_where_there_is_nothing_names_a_repository_in_a_parent(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run()
    (project / "a" / "b").mkdir(parents=True)
    monkeypatch.chdir(project / "a" / "b")
    with pytest.raises(ConfigNotFoundError) as caught:
        keepsake.experiments.list()
    assert str(project) in str(caught.value.hint)
    assert list((project / "a" / "b").iterdir()) == []


def test_create_is_what_init_does() -> None:
    experiment = keepsake.experiments.create(path=None, params={"foo": "bar"})
    assert isinstance(experiment, Experiment)
    assert keepsake.experiments.get(experiment.id).params == {"foo": "bar"}
    assert experiment.is_running()


def test_texts_of_lists_and_experiments_are_short() -> None:
    experiment = make_run(name="baseline")
    experiments = keepsake.experiments.list()
    for thing in (experiment, experiments, experiment.checkpoints, experiment.checkpoints[0]):
        assert len(repr(thing)) < 120
    assert experiment.short_id() in repr(experiment)
    assert experiment.short_id() in repr(experiments)
    assert "baseline" in repr(experiment)


@pytest.mark.parametrize("wrong", [{"lr": 0.1}, True, 7, [lambda _: True], {"lr"}])
def test_a_filter_that_is_neither_expression_nor_function_is_refused(wrong: Any) -> None:
    make_run()
    with pytest.raises(InvalidInputError, match="filter must be an expression"):
        keepsake.experiments.list(filter=wrong)


def test_an_experiment_can_be_copied_and_given_to_another_process() -> None:
    original = keepsake.init(params={"lr": 1})
    original.checkpoint(step=1)
    for twin in (copy.deepcopy(original), pickle.loads(pickle.dumps(original))):
        assert (twin, twin.params) == (original, {"lr": 1})
        twin.checkpoint()
        twin.stop()
        assert original.is_running()
    original.stop()
    assert original.checkpoints.step == [1, 2, 3]


def test_the_id_of_something_else_says_what_it_is() -> None:
    experiment = make_run()
    with pytest.raises(NotFoundError) as caught:
        keepsake.experiments.get(experiment.checkpoints[0].id)
    assert f"that is a checkpoint of experiment {experiment.short_id()};" in (caught.value.hint or "")
    with pytest.raises(NotFoundError) as caught:
        keepsake.experiments.get_checkpoint(experiment.id)
    assert "that is an experiment;" in (caught.value.hint or "")
