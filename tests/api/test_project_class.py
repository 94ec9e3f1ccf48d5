"""`keepsake.Project`: places that are given in code, and variables that override."""

from __future__ import annotations

from pathlib import Path

import pytest

import keepsake
from keepsake import Experiment
from keepsake.errors import ConfigError, ConfigNotFoundError
from tests.api.runs import files_below, make_run, write_files


def test_a_project_trains_and_analyses_without_keepsake_yaml(project: Path, tmp_path: Path) -> None:
    write_files(tmp_path / "my-project", {"train.py": "code"})
    training = keepsake.Project(repository=f"file://{tmp_path}/kept", directory=str(tmp_path / "my-project"))
    experiment = training.experiments.create(path=".", params={"foo": "bar"})
    assert isinstance(experiment, Experiment)
    experiment.checkpoint(step=1)
    experiment.stop()
    analysis = keepsake.Project(repository=f"file://{tmp_path}/kept")
    assert analysis.experiments.list() == [experiment]
    found = analysis.experiments.get(experiment.short_id())
    assert (found.params, found.project) == ({"foo": "bar"}, "my-project")
    found.checkout(tmp_path / "out", quiet=True)
    assert files_below(tmp_path / "out") == {"train.py": "code"}
    assert list(project.iterdir()) == []


def test_the_repository_of_a_project_may_be_a_plain_path(project: Path, tmp_path: Path) -> None:
    experiment = keepsake.Project(repository=str(tmp_path / "kept")).experiments.create()
    assert keepsake.Project(str(tmp_path / "kept")).experiments.list() == [experiment]
    assert (tmp_path / "kept" / "repository.json").is_file()


def test_making_a_project_touches_nothing(project: Path, tmp_path: Path) -> None:
    made = keepsake.Project(repository=str(tmp_path / "kept"), directory=str(project))
    assert (made.repository, made.directory) == (str(tmp_path / "kept"), str(project))
    assert isinstance(made.experiments, keepsake.ExperimentCollection)
    assert not (tmp_path / "kept").exists()


def test_a_project_with_a_directory_reads_its_keepsake_yaml(project: Path, tmp_path: Path) -> None:
    write_files(tmp_path / "other", {"keepsake.yaml": "repository: ../kept\n", "a.txt": "a"})
    keepsake.Project(directory=str(tmp_path / "other")).experiments.create(path="a.txt")
    assert (tmp_path / "kept" / "repository.json").is_file()


def test_paths_are_relative_to_the_directory_of_the_project(project: Path, tmp_path: Path) -> None:
    write_files(tmp_path / "other", {"w": "of the project"})
    write_files(project, {"w": "of the current directory"})
    made = keepsake.Project(repository=str(tmp_path / "kept"), directory=str(tmp_path / "other"))
    with made.experiments.create().checkpoint("w").open("w") as file:
        assert file.read() == b"of the project"


def test_the_functions_of_the_package_work_on_the_default_project() -> None:
    experiment = make_run()
    assert keepsake.default_project.experiments.list() == [experiment]
    assert keepsake.Project().experiments.list() == [experiment]


def test_the_current_directory_may_change_between_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        make_run(params={"name": name})
        assert [experiment.params["name"] for experiment in keepsake.experiments.list()] == [name]


def test_a_variable_overrides_the_repository(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_files(project, {"keepsake.yaml": "repository: from-the-file\n"})
    monkeypatch.setenv("KEEPSAKE_REPOSITORY", f"file://{tmp_path}/from-the-variable")
    experiment = make_run()
    assert (tmp_path / "from-the-variable" / "repository.json").is_file()
    assert not (project / "from-the-file").exists()
    assert keepsake.experiments.list() == [experiment]


def test_a_variable_overrides_the_directory(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_files(tmp_path / "other", {"a.txt": "a"})
    monkeypatch.setenv("KEEPSAKE_DIRECTORY", str(tmp_path / "other"))
    assert keepsake.init(path=".").checkpoint().files() == {"a.txt": 1}
    assert (tmp_path / "other" / ".keepsake").is_dir()
    assert list(project.iterdir()) == []


def test_a_directory_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    missing = str(tmp_path / "missing")
    made = keepsake.Project(repository=str(tmp_path / "kept"), directory=missing)
    with pytest.raises(ConfigError, match="missing"):
        made.experiments.create()
    assert not (tmp_path / "kept").exists()
    assert not (tmp_path / "missing").exists()


def test_reading_a_repository_that_is_not_there_is_an_error_and_makes_none(tmp_path: Path) -> None:
    with pytest.raises(ConfigNotFoundError, match="kept"):
        keepsake.Project(repository=str(tmp_path / "kept")).experiments.list()
    assert not (tmp_path / "kept").exists()


@pytest.mark.parametrize("url", ["ftp://host/root", "foo://x"])
def test_a_scheme_that_does_not_work_is_refused_with_those_that_do(project: Path, url: str) -> None:
    made = keepsake.Project(repository=url, directory=str(project))
    for use in (made.experiments.create, made.experiments.list):
        with pytest.raises(ConfigError, match=url[:5]) as caught:
            use()
        assert type(caught.value) is ConfigError
        assert "file" in str(caught.value.hint)
    assert list(project.iterdir()) == []
