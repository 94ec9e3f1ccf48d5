"""`keepsake.init()`: what it saves, from where and to where."""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import enum
from pathlib import Path

import pytest

import keepsake
from keepsake.errors import ConfigError, InvalidInputError
from tests.api.runs import files_below, leaves_nothing_behind, make_run, only_experiment, run_script, write_files


def test_init_returns_an_experiment_that_is_in_the_repository_at_once() -> None:
    experiment = keepsake.init(path=".", params={"learning_rate": 0.01})
    assert isinstance(experiment, keepsake.Experiment)
    found = keepsake.experiments.get(experiment.id)
    assert found == experiment
    assert found.params == {"learning_rate": 0.01}
    assert found.path == "."


def test_init_saves_the_directory_that_path_names(project: Path, tmp_path: Path) -> None:
    write_files(project, {"train.py": "print(1)", "data/notes.txt": "hello", "other/x.txt": "no"})
    experiment = keepsake.init(path="data")
    write_files(project, {"data/notes.txt": "changed since"})
    experiment.checkout(tmp_path / "out", quiet=True)
    assert files_below(tmp_path / "out") == {"data/notes.txt": "hello"}


def test_init_saves_the_single_file_that_path_names(project: Path, tmp_path: Path) -> None:
    write_files(project, {"train.py": "print(1)", "other.py": "print(2)"})
    keepsake.init(path="train.py").checkout(tmp_path / "out", quiet=True)
    assert files_below(tmp_path / "out") == {"train.py": "print(1)"}


def test_init_without_path_saves_no_files(project: Path) -> None:
    write_files(project, {"train.py": "print(1)"})
    experiment = keepsake.init(params={"lr": 1})
    assert experiment.path is None
    assert experiment.checkpoint(step=0).files() == {}
    assert not (project / ".keepsake" / "chunks").exists()


def test_the_arguments_of_init_may_be_given_by_position() -> None:
    experiment = keepsake.init(".", {"lr": 1})
    assert (experiment.path, experiment.params) == (".", {"lr": 1})


def test_a_path_may_be_a_path_object(project: Path) -> None:
    write_files(project, {"src/train.py": ""})
    assert keepsake.init(path=Path("src")).path == "src"


def test_the_path_is_relative_to_the_directory_of_keepsake_yaml(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_files(project, {"keepsake.yaml": "repository: kept\n", "src/a.txt": "a", "deep/er/src/b.txt": "b"})
    monkeypatch.chdir(project / "deep" / "er")
    keepsake.init(path="src").checkout(tmp_path / "out", quiet=True)
    assert files_below(tmp_path / "out") == {"src/a.txt": "a"}
    assert not (project / "deep" / "er" / ".keepsake").exists()


def test_without_keepsake_yaml_the_current_directory_is_the_project(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_files(project, {"deep/a.txt": "a", "b.txt": "b"})
    monkeypatch.chdir(project / "deep")
    keepsake.init(path=".").checkout(tmp_path / "out", quiet=True)
    assert files_below(tmp_path / "out") == {"a.txt": "a"}
    assert (project / "deep" / ".keepsake" / "repository.json").is_file()


def test_a_repository_in_a_parent_does_not_move_the_project(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_run()
    (project / "sub").mkdir()
    monkeypatch.chdir(project / "sub")
    keepsake.init()
    assert len(keepsake.experiments.list()) == 1
    assert (project / "sub" / ".keepsake").is_dir()


def test_the_project_directory_is_fixed_when_the_experiment_begins(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_files(project, {"weights/model.txt": "w"})
    experiment = keepsake.init()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    checkpoint = experiment.checkpoint(path="weights")
    assert checkpoint.files() == {"weights/model.txt": 1}
    assert not (tmp_path / "elsewhere" / ".keepsake").exists()
    assert experiment.project == "project"


def test_an_unconfigured_project_is_told_so_in_one_line(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keepsake.init()
    output = capsys.readouterr()
    assert output.out == ""
    lines = [line for line in output.err.splitlines() if "keepsake.yaml" in line]
    assert len(lines) == 1
    assert str(project) in lines[0]
    assert ".keepsake" in lines[0]


def test_a_configured_project_is_not_told_where_it_is(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_files(project, {"keepsake.yaml": "repository: kept\n"})
    keepsake.init()
    assert "keepsake.yaml" not in capsys.readouterr().err


def test_a_new_repository_in_the_project_is_ignored_by_git(project: Path) -> None:
    keepsake.init()
    assert (project / ".keepsake" / ".gitignore").read_text() == "*\n"


def test_keepsakeignore_leaves_files_out(project: Path, tmp_path: Path) -> None:
    ignore = "*.log\n/data/\n!keep.log\nweights/*.tmp\n"
    files = {"a.py": "a", "x.log": "", "sub/y.log": "", "keep.log": "k", "data/big.bin": "", "sub/data/s.txt": "s"}
    write_files(project, {".keepsakeignore": ignore, "weights/w.tmp": "", "weights/w.pt": "w", **files})
    keepsake.init(path=".").checkout(tmp_path / "out", quiet=True)
    assert files_below(tmp_path / "out") == {
        ".keepsakeignore": ignore, "a.py": "a", "keep.log": "k", "sub/data/s.txt": "s", "weights/w.pt": "w",
    }  # fmt: skip


def test_gitignore_is_not_applied(project: Path, tmp_path: Path) -> None:
    write_files(project, {".gitignore": "*.pt\n", "model.pt": "w"})
    keepsake.init(path=".").checkout(tmp_path / "out", quiet=True)
    assert "model.pt" in files_below(tmp_path / "out")


def test_a_repository_inside_the_project_is_never_saved(project: Path, tmp_path: Path) -> None:
    write_files(project, {"keepsake.yaml": "repository: my/store\n", "my/code.py": "c"})
    make_run(path=".")
    make_run(path=".").checkout(tmp_path / "out", quiet=True)
    assert sorted(files_below(tmp_path / "out")) == ["keepsake.yaml", "my/code.py"]


def test_the_example_of_init_works_in_a_script(project: Path) -> None:
    result = run_script(
        """
        import keepsake
        experiment = keepsake.init(
            path=".",
            params={"learning_rate": 0.01},
        )
        """
    )
    assert result.returncode == 0, result.stderr
    experiment = only_experiment()
    assert (experiment.params, experiment.path) == ({"learning_rate": 0.01}, ".")


def test_params_may_be_an_argparse_namespace() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=0.1)
    parser.add_argument("--layers", type=int, nargs="+", default=[64, 32])
    keepsake.init(params=parser.parse_args(["--lr", "0.5"]))
    assert only_experiment().params == {"lr": 0.5, "layers": [64, 32]}


@dataclasses.dataclass
class Optimizer:
    name: str = "adam"
    lr: float = 0.01


@dataclasses.dataclass
class Settings:
    epochs: int = 3
    optim: Optimizer = dataclasses.field(default_factory=Optimizer)


def test_params_may_be_a_dataclass_instance() -> None:
    keepsake.init(params=Settings())
    assert only_experiment().params == {"epochs": 3, "optim": {"name": "adam", "lr": 0.01}}


class Mode(enum.Enum):
    FAST = 1


def test_values_of_many_kinds_come_back_as_they_are_documented() -> None:
    import numpy as np
    import torch

    given = {
        "none": None, "flag": True, "whole": 3, "one": 1.0, "big": 2**70, "text": "null", "nested": {"a": [1, 2.5]},
        "tuple": (1, 2), "set": {3, 1, 2}, "path": Path("a/b"), "enum": Mode.FAST,
        "day": datetime.date(2026, 1, 2), "time": datetime.datetime(2026, 1, 2, 3, 4, tzinfo=datetime.timezone.utc),
        "device": torch.device("cpu"), "float32": np.float32(0.5), "int64": np.int64(7), "bool_": np.bool_(True),
        "array": np.arange(3), "tensor": torch.tensor(1.5), "infinite": float("-inf"),
    }  # fmt: skip
    keepsake.init(params=given)
    assert only_experiment().params == {
        "none": None, "flag": True, "whole": 3, "one": 1.0, "big": 2**70, "text": "null", "nested": {"a": [1, 2.5]},
        "tuple": [1, 2], "set": [1, 2, 3], "path": "a/b", "enum": "Mode.FAST",
        "day": "2026-01-02", "time": "2026-01-02 03:04:00+00:00",
        "device": "cpu", "float32": 0.5, "int64": 7, "bool_": True,
        "array": [0, 1, 2], "tensor": 1.5, "infinite": float("-inf"),
    }  # fmt: skip
    assert type(only_experiment().params["one"]) is float


def test_params_are_those_of_the_moment_of_init() -> None:
    params = {"lr": [1]}
    experiment = keepsake.init(params=params)
    params["lr"].append(2)
    assert experiment.params == {"lr": [1]}
    assert only_experiment().params == {"lr": [1]}


def test_saving_the_home_directory_is_refused(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(project))
    with leaves_nothing_behind(InvalidInputError, "home directory"):
        keepsake.init(path=".")


def test_saving_the_root_of_the_file_system_is_refused(project: Path) -> None:
    with pytest.raises(InvalidInputError, match="root of the file system"):
        keepsake.Project(repository=str(project / "kept"), directory="/").experiments.create(path=".")
    assert not (project / "kept").exists()


def test_a_large_project_is_told_its_largest_directories_and_how_to_ignore_them(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, size_bytes in [("videos", 60_000_000), ("images", 50_000_000), ("texts", 1000), ("code", 10)]:
        (project / name).mkdir()
        with (project / name / "x").open("wb") as file:
            file.truncate(size_bytes)
    keepsake.init(path=".")
    text = capsys.readouterr().err
    places = [text.index(f"/{name}/") for name in ("videos", "images", "texts")]
    assert places == sorted(places)
    assert "/code/" not in text
    assert ".keepsakeignore" in text


def test_a_project_of_many_files_is_told_so(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keepsake._snapshots.sizes.LARGE_FILES", 10)
    write_files(project, dict.fromkeys([f"images/{number}.png" for number in range(9)], "") | {"a.py": "", "b.py": ""})
    keepsake.init(path=".")
    assert "/images/" in capsys.readouterr().err
    (project / "b.py").unlink()
    keepsake.init(path=".")
    assert "/images/" not in capsys.readouterr().err


def test_in_a_script_several_experiments_live_side_by_side() -> None:
    first, second = keepsake.init(), keepsake.init()
    assert [one.status for one in (first, second)] == ["running", "running"]
    assert len(keepsake.experiments.list()) == 2


def test_an_unknown_scheme_is_refused_with_those_that_work(project: Path) -> None:
    write_files(project, {"keepsake.yaml": "repository: ftp://host/root\n"})
    with pytest.raises(ConfigError, match="ftp://") as caught:
        keepsake.init()
    assert "s3://" in str(caught.value)
    assert sorted(path.name for path in project.iterdir()) == ["keepsake.yaml"]
