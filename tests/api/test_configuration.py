"""`keepsake.yaml`: what it may say, and what a wrong one gets."""

from __future__ import annotations

from pathlib import Path

import pytest

import keepsake
from keepsake.errors import ConfigError
from tests.api.runs import make_run, write_files


@pytest.mark.parametrize(
    "line", ["repository: kept", "repository: ./kept", "repository: file://kept", "storage: kept", "repository: 'kept'"]
)
def test_the_repository_is_relative_to_the_file(project: Path, monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    write_files(project, {"keepsake.yaml": line + "\n", "sub/x.txt": ""})
    monkeypatch.chdir(project / "sub")
    experiment = make_run()
    assert (project / "kept" / "repository.json").is_file()
    assert keepsake.experiments.list() == [experiment]


def test_the_repository_may_be_an_absolute_path_or_url(project: Path, tmp_path: Path) -> None:
    for number, text in enumerate((str(tmp_path / "kept"), f"file://{tmp_path}/kept")):
        write_files(project, {"keepsake.yaml": f"repository: {text}\n"})
        make_run()
        assert len(keepsake.experiments.list()) == number + 1


def test_a_file_without_a_repository_still_marks_the_project(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_files(project, {"keepsake.yaml": "{}\n", "sub/x.txt": ""})
    monkeypatch.chdir(project / "sub")
    make_run()
    assert (project / ".keepsake" / "repository.json").is_file()


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("repository: kept\nrepositry_options: {}\n", ["2", "repositry_options"]),
        ("repository: [kept\n", ["keepsake.yaml"]),
        ("repository: 7\n", ["1", "repository"]),
        ("- repository\n", ["keepsake.yaml"]),
        ("# nothing yet\n", ["empty", "repository"]),
        ("repository: a\nstorage: b\n", ["2", "storage"]),
        ("repository: ''\n", ["1", "empty"]),
        ("repository: kept\nrepository_options: 3\n", ["2", "repository_options"]),
    ],
)
def test_a_wrong_file_is_refused_with_line_and_key(project: Path, text: str, parts: list[str]) -> None:
    write_files(project, {"keepsake.yaml": text})
    for use in (keepsake.init, keepsake.experiments.list):
        with pytest.raises(ConfigError) as caught:
            use()
        assert type(caught.value) is ConfigError
        assert str(project / "keepsake.yaml") in str(caught.value)
        assert all(part in str(caught.value) for part in parts)
    assert [path.name for path in project.iterdir()] == ["keepsake.yaml"]


def test_options_that_the_repository_does_not_know_are_refused(project: Path) -> None:
    write_files(project, {"keepsake.yaml": "repository: kept\nrepository_options:\n  region: eu\n"})
    with pytest.raises(ConfigError, match="region"):
        keepsake.init()
    assert not (project / "kept").exists()
