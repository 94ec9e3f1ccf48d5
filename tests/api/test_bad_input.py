"""Wrong arguments: the exact error, at once, with nothing left behind."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import keepsake
from keepsake.errors import ConfigError, InvalidInputError, KeepsakeError, UnsupportedVersionError
from tests.api.runs import leaves_nothing_behind, make_run, only_experiment, write_files


class Unknown:
    pass


@pytest.mark.parametrize(
    "params", ["lol", 5, 1.5, True, [("lr", 1)], {"lr"}, b"x", Unknown(), Unknown, argparse.Namespace, "", [], 0]
)
def test_params_that_are_not_a_dictionary_are_refused(params: Any) -> None:
    with leaves_nothing_behind(InvalidInputError, "params must be a dictionary"):
        keepsake.init(params=params)


@pytest.mark.parametrize(
    ("params", "place", "kind"),
    [
        ({"model": Unknown()}, "params.model", "Unknown"),
        ({"optim": {"fn": max}}, "params.optim.fn", "builtin_function_or_method"),
        ({"layers": [1, {"w": b"x"}]}, "params.layers.1.w", "bytes"),
        ({"z": 1j}, "params.z", "complex"),
        ({"g": (number for number in range(3))}, "params.g", "generator"),
        ({"a": {(1,): 2}}, "params.a", "tuple"),
        ({b"a": 2}, "params", "bytes"),
        (argparse.Namespace(x=Unknown()), "params.x", "Unknown"),
    ],
)
def test_what_cannot_be_stored_is_refused_with_its_place_and_type(params: Any, place: str, kind: str) -> None:
    with leaves_nothing_behind(InvalidInputError) as caught:
        keepsake.init(params=params)
    assert place in caught.value.message
    assert kind in caught.value.message


def test_params_that_contain_themselves_are_refused() -> None:
    params: dict[str, Any] = {}
    params["self"] = [params]
    with leaves_nothing_behind(InvalidInputError, "contains itself"):
        keepsake.init(params=params)


PATHS: list[tuple[Any, str]] = [
    ("/etc", "absolute"),
    ("..", "leaves the project"),
    ("sub/../../x", "leaves the project"),
    ("nope", "no file or directory 'nope'"),
    ("", "empty"),
    ("a\0b", "NUL"),
    (5, "int"),
    (b"sub", "bytes"),
    (["sub"], "list"),
    (".git", "never saved"),
    ("dangling", "symbolic link"),
    ("outside", "leaves the project"),
    ("ignored", "keepsakeignore"),
]


@pytest.fixture
def files(project: Path, tmp_path: Path) -> None:
    write_files(project, {"sub/a.txt": "a", ".git/config": "", "ignored/b.txt": "b", ".keepsakeignore": "ignored\n"})
    (project / "dangling").symlink_to("nowhere")
    (tmp_path / "elsewhere").mkdir()
    (project / "outside").symlink_to(tmp_path / "elsewhere")


@pytest.mark.parametrize(("path", "reason"), PATHS)
def test_a_path_that_cannot_be_saved_is_refused_by_init(files: None, path: Any, reason: str) -> None:
    with leaves_nothing_behind(InvalidInputError, reason):
        keepsake.init(path=path)


@pytest.mark.parametrize(("path", "reason"), [*PATHS, (".keepsake", "never saved")])
def test_a_path_that_cannot_be_saved_is_refused_by_checkpoint(files: None, path: Any, reason: str) -> None:
    experiment = keepsake.init()
    with leaves_nothing_behind(InvalidInputError, reason):
        experiment.checkpoint(path=path)
    assert experiment.checkpoints == []
    assert only_experiment().checkpoints == []


def test_a_path_that_starts_at_the_current_directory_is_refused_with_the_one_to_write(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_files(project, {"outputs/1/w": ""})
    write_files(tmp_path, {"elsewhere/w": ""})
    experiment = keepsake.init()
    # As Hydra does.
    monkeypatch.chdir(project / "outputs" / "1")
    with leaves_nothing_behind(InvalidInputError, "no file or directory 'w'") as caught:
        experiment.checkpoint(path="w")
    assert "write 'outputs/1/w'" in str(caught.value.hint)
    monkeypatch.chdir(tmp_path / "elsewhere")
    with leaves_nothing_behind(InvalidInputError, "no file or directory 'w'") as caught:
        experiment.checkpoint(path="w")
    assert "outside of the project" in str(caught.value.hint)


def test_an_absolute_path_inside_the_project_is_refused_with_the_relative_one(files: None, project: Path) -> None:
    with leaves_nothing_behind(InvalidInputError, "absolute") as caught:
        keepsake.init(path=str(project / "sub"))
    assert "'sub'" in str(caught.value.hint)


def test_a_path_with_a_typing_mistake_names_the_nearest(files: None) -> None:
    with leaves_nothing_behind(InvalidInputError) as caught:
        keepsake.init(path="sub/b.txt")
    assert "sub/a.txt" in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"metrics": "loss"}, "metrics must be a dictionary"),
        ({"metrics": [1.0]}, "metrics must be a dictionary"),
        ({"metrics": {"loss": Unknown()}}, r"metrics\.loss"),
        ({"loss": Unknown()}, r"metrics\.loss"),
        ({"metrics": {"loss": 1.0}, "loss": 1.0}, "'loss' was given twice"),
        ({"step": 1.5}, "step"),
        ({"step": "x"}, "step"),
        ({"step": True}, "step"),
        ({"step": [1]}, "step"),
        ({"step": np.array(1.5)}, "step"),
        ({"step": np.array([1, 2])}, "step"),
        ({"primary_metric": "loss"}, "primary_metric"),
        ({"primary_metric": "lm"}, "primary_metric"),
        ({"primary_metric": ("loss",)}, "primary_metric"),
        ({"primary_metric": ("loss", "minimize", 1)}, "primary_metric"),
        ({"primary_metric": (1, "minimize")}, "primary_metric"),
        ({"primary_metric": ("loss", "max")}, "'maximize' or 'minimize'"),
        ({"primary_metric": ("loss", "MAXIMIZE")}, "'maximize' or 'minimize'"),
        ({"primary_metric": ("loss", None)}, "primary_metric"),
        ({"primary_metric": {"name": "loss"}}, "primary_metric"),
    ],
)
def test_wrong_arguments_of_checkpoint_are_refused(arguments: dict[str, Any], reason: str) -> None:
    experiment = keepsake.init()
    with leaves_nothing_behind(InvalidInputError, reason):
        experiment.checkpoint(**arguments)
    experiment.checkpoint(loss=1.0)
    assert experiment.checkpoints.step == [0]  # the refused one counted no step
    assert [checkpoint.metrics for checkpoint in only_experiment().checkpoints] == [{"loss": 1.0}]


@pytest.mark.parametrize(
    "arguments", [{"metrics": 5}, {"metrics": {"x": Unknown()}}, {"step": "x"}, {"metrics": {"a": 1}, "a": 1}]
)
def test_wrong_arguments_of_log_are_refused(arguments: dict[str, Any]) -> None:
    experiment = keepsake.init()
    with pytest.raises(InvalidInputError):
        experiment.log(**arguments)
    assert experiment.logs == []
    assert only_experiment().logs == []


@pytest.mark.parametrize("on_error", ["ignore", None, True])
def test_a_wrong_on_error_is_refused(on_error: Any) -> None:
    with leaves_nothing_behind(InvalidInputError, "on_error"):
        keepsake.init(on_error=on_error)


def test_unknown_arguments_of_init_are_refused() -> None:
    with pytest.raises(TypeError, match="learning_rate"):
        keepsake.init(learning_rate=0.1)  # type: ignore[call-arg]
    assert not Path(".keepsake").exists()


def test_a_wrong_line_in_keepsakeignore_is_named(project: Path) -> None:
    write_files(project, {"a.txt": "a", ".keepsakeignore": "fine\n!\n"})
    with leaves_nothing_behind(ConfigError, "line 2"):
        keepsake.init(path=".")


def test_the_repository_of_a_newer_format_is_refused_and_not_touched(project: Path) -> None:
    write_files(project, {".keepsake/repository.json": '{"version": 3}'})
    for use in (keepsake.init, keepsake.experiments.list, keepsake.Project().check):
        with pytest.raises(UnsupportedVersionError, match="3"):
            use()
    assert [path.name for path in (project / ".keepsake").iterdir()] == ["repository.json"]


def test_garbage_in_a_journal_is_reported_and_the_rest_still_lists(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged, good = make_run(), make_run()
    (journal,) = (project / ".keepsake" / "journals").rglob(f"{damaged.id}.*")
    journal.write_bytes(b"\x00garbage{{{\n")
    capsys.readouterr()
    assert keepsake.experiments.list() == [good]
    assert journal.name.partition(".")[0] in capsys.readouterr().err
    assert not keepsake.Project().check().is_clean


def test_garbage_at_the_end_of_a_journal_loses_nothing_before_it(project: Path) -> None:
    experiment = make_run()
    (journal,) = (project / ".keepsake" / "journals").rglob(f"{experiment.id}.*")
    with journal.open("ab") as file:
        file.write(b"\x00garbage{{{\n")
    assert only_experiment().checkpoints.step == [0, 10, 20]


def test_whoever_reads_an_experiment_of_which_a_part_is_damaged_is_told_so_once(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    experiment = make_run()
    (listed,) = keepsake.experiments.list()
    assert len(listed.checkpoints) == 3
    (journal,) = (project / ".keepsake" / "journals").rglob(f"{experiment.id}.*")
    journal.write_bytes(journal.read_bytes().replace(b'"step":20', b'"step":21'))
    capsys.readouterr()
    for _ in range(2):
        assert [one.step for one in keepsake.experiments.get(experiment.id).checkpoints] == [0, 10]
    said = capsys.readouterr().err
    assert said.count(f"a part of experiment {experiment.short_id()} cannot be read") == 1
    assert "keepsake check" in said


@pytest.mark.parametrize("step", [1 << 63, -(1 << 63) - 1, 10**400])
def test_a_step_has_64_bits(project: Path, step: int) -> None:
    with pytest.raises(InvalidInputError, match="64 bits"):
        keepsake.init().checkpoint(step=step)
    experiment = keepsake.init()
    last = (1 << 63) - 1
    assert [experiment.checkpoint(step=last).step, experiment.checkpoint().step] == [last, last]
    assert keepsake.experiments.get(experiment.id).checkpoint().step == last


def test_an_error_says_what_to_do_and_has_a_kind_for_programs() -> None:
    with pytest.raises(KeepsakeError) as caught:
        keepsake.init(params=5)
    assert (caught.value.kind, caught.value.exit_code) == ("invalid-input", 2)
    assert caught.value.hint
    assert isinstance(caught.value, ValueError)
