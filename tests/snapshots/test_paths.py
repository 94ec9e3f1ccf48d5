"""Paths inside snapshots."""

from __future__ import annotations

import pytest

from keepsake._snapshots.paths import (
    ancestors,
    name_nearest,
    nearest_paths,
    why_unusable,
    why_unusable_on_windows,
)


def test_ancestors_come_topmost_first() -> None:
    assert list(ancestors("a/b/c.txt")) == ["a", "a/b"]
    assert list(ancestors("c.txt")) == []


@pytest.mark.parametrize(
    "path",
    ["", "/etc/passwd", "../x", "a/../b", "a//b", "a/./b", "./a", "a/", "a\0b", ".git/hooks/x", "a/.GIT/config", None],
)
def test_a_path_that_no_snapshot_may_hold_is_recognised(path: str | None) -> None:
    assert why_unusable(path)


@pytest.mark.parametrize("path", ["a", "a/b", "...", "a..b", ".gitignore", "back\\slash", "C:x", "caf\udce9", "a\nb"])
def test_an_unusual_path_may_be_held(path: str) -> None:
    assert why_unusable(path) is None


@pytest.mark.parametrize(
    "path", ["a\\b", "C:x", "a/nul", "COM1.txt", "lpt9", "a.", "a /b", "what?", 'q"', "a<b", "tab\t", "con .txt"]
)
def test_a_path_that_windows_cannot_hold_is_recognised(path: str) -> None:
    assert why_unusable_on_windows(path)


@pytest.mark.parametrize("path", ["a/b.txt", "console", "com10", ".hidden", "comet/nullable.py"])
def test_an_ordinary_path_is_fine_on_windows(path: str) -> None:
    assert why_unusable_on_windows(path) is None


def test_the_nearest_paths_are_named() -> None:
    known = ["models/best.pt", "models/last.pt", "src/train.py"]
    assert nearest_paths("models/bset.pt", known)[0] == "models/best.pt"
    assert nearest_paths("train.py", ["an/entirely/different/place/for/train.py"])
    assert name_nearest("zzz", known) is None
