"""What a user may give as `path`, and what is said of anything else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from keepsake._snapshots.ignore import IgnoreRules
from keepsake._snapshots.scan import scan_path
from keepsake._snapshots.start import normalize_path
from keepsake.errors import InvalidInputError


def refusal(directory: Path, path: Any, *excluded: Path) -> str:
    with pytest.raises(InvalidInputError) as raised:
        scan_path(directory, path, IgnoreRules.load(directory), excluded=excluded)
    return str(raised.value)


@pytest.mark.parametrize(
    ("given", "normal"),
    [(".", ""), ("./", ""), ("a/b/", "a/b"), ("./a//b", "a/b"), ("a/../b", "b"), (Path("a/b"), "a/b")],
)
def test_a_path_is_normalized(given: object, normal: str) -> None:
    assert normalize_path(given, Path("/p")) == normal


@pytest.mark.parametrize("path", [None, 3, b"bytes", ["a"]])
def test_only_strings_and_path_objects_are_paths(tmp_path: Path, path: object) -> None:
    assert type(path).__name__ in refusal(tmp_path, path)


def test_params_in_the_place_of_a_path_are_refused_with_what_to_write(tmp_path: Path) -> None:
    assert "by name: params={…}" in refusal(tmp_path, {"lr": 0.1})


def test_an_empty_path_is_refused_with_what_to_write(tmp_path: Path) -> None:
    assert "write '.'" in refusal(tmp_path, "")


def test_a_path_with_a_nul_character_is_refused(tmp_path: Path) -> None:
    assert "NUL" in refusal(tmp_path, "a\0b")


@pytest.mark.parametrize("path", ["..", "../x", "a/../../x"])
def test_a_path_that_leaves_the_project_is_refused(tmp_path: Path, path: str) -> None:
    assert "leaves the project" in refusal(tmp_path, path)


def test_an_absolute_path_in_the_project_is_refused_with_what_to_write(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    alias = tmp_path.parent / f"{tmp_path.name}-alias"
    alias.symlink_to(tmp_path)
    assert "hint: write 'models/best.pt'" in refusal(tmp_path, tmp_path / "models" / "best.pt")
    assert "hint: write 'models'" in refusal(alias, str(tmp_path / "models"))
    assert "hint: write '.'" in refusal(tmp_path, str(tmp_path))
    assert "lies outside" in refusal(tmp_path, "/etc")


def test_a_path_that_does_not_exist_is_refused_with_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "best.pt").touch()
    assert "did you mean 'models/best.pt'?" in refusal(tmp_path, "models/bset.pt")
    assert "did you mean 'models'?" in refusal(tmp_path, "modells")
    assert "relative to the project directory" in refusal(tmp_path, "zzz/qqq")


def test_a_path_through_a_link_that_leaves_the_project_is_refused(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "x").touch()
    (project / "link").symlink_to("../outside")
    assert "symbolic link that leaves the project" in refusal(project, "link/x")
    assert "symbolic link that leaves the project" in refusal(project, "link")


def test_a_link_to_nothing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("nowhere")
    assert "there is nothing" in refusal(tmp_path, "link")


def test_the_home_directory_is_not_saved_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "part").mkdir()
    assert "home directory" in refusal(tmp_path, ".")
    assert "home directory" in refusal(tmp_path.parent, tmp_path.name)
    assert scan_path(tmp_path, "part", IgnoreRules.load(tmp_path))


def test_the_root_of_the_file_system_is_not_saved_as_a_whole() -> None:
    assert "root of the file system" in refusal(Path("/"), ".")


def test_an_ignored_path_is_refused_with_the_rule_and_the_line_that_brings_it_back(tmp_path: Path) -> None:
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "best.pt").touch()
    (tmp_path / ".env").touch()
    (tmp_path / ".keepsakeignore").write_text("\nweights/\n")
    text = refusal(tmp_path, "weights/best.pt")
    assert "line 2 of .keepsakeignore (weights/) leaves out 'weights/'" in text
    assert "write !/weights/ as the last line" in text
    assert "Keepsake's own rule (.env*)" in refusal(tmp_path, ".env")
    (tmp_path / ".keepsakeignore").write_text("weights/\n!/weights/\n")
    assert len(scan_path(tmp_path, "weights", IgnoreRules.load(tmp_path))) == 1


def test_a_directory_of_which_everything_is_ignored_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "x").touch()
    (tmp_path / ".keepsakeignore").write_text("data/*\n")
    assert "holds nothing to save" in refusal(tmp_path, "data")


def test_a_project_directory_that_is_the_repository_is_refused(tmp_path: Path) -> None:
    assert "never saved" in refusal(tmp_path, ".", tmp_path)
