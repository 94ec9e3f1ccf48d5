"""Where a scan starts: the `path` argument of a user, checked against everything that could be wrong with it.

Whatever would save nothing, or something else than was meant, is refused here with what to write instead.
"""

# ruff: noqa: PTH100, PTH110, PTH111, PTH112, PTH114, PTH115, PTH117, PTH118, PTH119, PTH120, PTH208
# Paths stay strings: pathlib would drop what a user wrote ("./", "..") before it can be looked at.

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from keepsake._snapshots.paths import NEVER_SAVED_NAMES, ancestors, name_nearest
from keepsake.errors import InvalidInputError

if TYPE_CHECKING:
    from keepsake._snapshots.ignore import IgnoreRules

ENVIRONMENT_MARKS = frozenset({"pyvenv.cfg", "conda-meta"})
"""A directory that holds one of these is a virtual environment (PEP 405) or a conda environment."""


@dataclass(frozen=True, slots=True)
class Start:
    """A path that may be saved."""

    path: str
    """Relative to the project directory, "" for all of it."""
    real_path: str
    """Where it is in the file system, links in it followed."""
    is_directory: bool
    is_link: bool
    """Whether the path itself is a symbolic link."""


def find_start(
    directory: Path, path: str | os.PathLike[str], rules: IgnoreRules, *, is_excluded: Callable[[str], bool]
) -> Start:
    """Check a user's `path` and return where it is. For arguments and errors see `scan_path`."""
    project = os.path.realpath(directory)
    relative = normalize_path(path, directory)
    place = os.path.join(project, relative) if relative else project
    try:
        os.lstat(place)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise _absent(project, relative) from error
    except OSError as error:
        raise InvalidInputError(f"{relative!r} cannot be reached in {project}: {error.strerror}") from error
    real_path = os.path.realpath(place)
    if not os.path.exists(real_path):
        raise InvalidInputError(
            f"{relative!r} is a symbolic link to {os.readlink(place)!r}, where there is nothing",
            hint="save what it should point to",
        )
    start = Start(relative, real_path, os.path.isdir(real_path), os.path.islink(place))
    _refuse_outside(project, place, start)
    _refuse_everything(start)
    _refuse_never_saved(project, start, is_excluded)
    _refuse_ignored(start, rules)
    return start


def normalize_path(path: object, directory: Path) -> str:
    """Return a user's path in the form that snapshots use, "" for the whole project directory.

    Raises:
        InvalidInputError: it is not a path, or absolute, or leaves the project.
    """
    text = os.fspath(path) if isinstance(path, os.PathLike) else path
    if not isinstance(text, str):
        raise InvalidInputError(
            f"a path must be a string or os.PathLike, not {type(path).__name__}",
            hint="give params and metrics by name: params={…}, metrics={…}" if isinstance(text, Mapping) else None,
        )
    if not text:
        raise InvalidInputError("the path is empty", hint="write '.' to save the whole project directory")
    if "\0" in text:
        raise InvalidInputError(f"the path {text!r} contains a NUL character")
    if os.path.isabs(text) or os.path.splitdrive(text)[0]:
        raise _absolute(text, directory)
    relative = posixpath.normpath(text.replace(os.sep, "/"))
    if relative == ".." or relative.startswith("../"):
        raise InvalidInputError(
            f"the path {text!r} leaves the project directory {directory}",
            hint="paths are relative to the project directory; a keepsake.yaml in a parent directory moves it there",
        )
    return "" if relative == "." else relative


def _absolute(text: str, directory: Path) -> InvalidInputError:
    for base in (os.path.abspath(directory), os.path.realpath(directory)):
        for place in (os.path.normpath(text), os.path.realpath(text)):
            inside = place == base or place.startswith(base.rstrip(os.sep) + os.sep)
            if inside:
                relative = os.path.relpath(place, base).replace(os.sep, "/")
                return InvalidInputError(
                    f"the path {text!r} is absolute, and paths are relative to the project directory",
                    hint=f"write {relative!r}",
                )
    return InvalidInputError(
        f"the path {text!r} is absolute and lies outside of the project directory {directory}",
        hint="only what lies in the project directory can be saved; give a path relative to it",
    )


def _absent(project: str, relative: str) -> InvalidInputError:
    """Return the error for a path that does not exist, naming what is there instead."""
    present = ""
    for one in (*ancestors(relative), relative):
        if not os.path.isdir(os.path.join(project, one)):
            break
        present = one
    try:
        names = os.listdir(os.path.join(project, present))
    except OSError:
        names = []
    known = [f"{present}/{name}" if present else name for name in names]
    return InvalidInputError(
        f"there is no file or directory {relative!r} in the project directory {project}",
        hint=_seen_from_here(project, relative)
        or name_nearest(relative, known)
        or "paths are relative to the project directory",
    )


def _seen_from_here(project: str, relative: str) -> str | None:
    """Return a hint when the path exists in the current directory, into which Hydra and others change."""
    try:
        here = os.path.realpath(Path.cwd())
    except OSError:  # it was deleted
        return None
    place = os.path.join(here, relative)
    if not os.path.lexists(place):
        return None
    if not place.startswith(project.rstrip(os.sep) + os.sep):
        return f"there is one in the current directory {here}, which lies outside of the project directory"
    meant = os.path.relpath(place, project).replace(os.sep, "/")
    return f"paths are relative to the project directory, not to the current one: write {meant!r}"


def _refuse_outside(project: str, place: str, start: Start) -> None:
    """Refuse a path that leaves the project through a link. A link to a file, named as such, may point anywhere."""
    if start.is_link and not start.is_directory:
        real_path = os.path.join(os.path.realpath(os.path.dirname(place)), os.path.basename(place))
    else:
        real_path = start.real_path
    if real_path != project and not real_path.startswith(project.rstrip(os.sep) + os.sep):
        raise InvalidInputError(
            f"{start.path!r} leads to {real_path!r}, through a symbolic link that leaves the project directory",
            hint="only what lies in the project directory can be saved; copy it there",
        )


def _refuse_everything(start: Start) -> None:
    home = os.path.realpath(os.path.expanduser("~"))
    if start.real_path == home or os.path.dirname(start.real_path) == start.real_path:
        what = "the home directory" if start.real_path == home else "the root of the file system"
        raise InvalidInputError(
            f"{start.real_path!r} is {what}, and is not saved as a whole",
            hint="run in a directory of the project's own, or give the path of a part",
        )


def _refuse_never_saved(project: str, start: Start, is_excluded: Callable[[str], bool]) -> None:
    for one in dict.fromkeys(("", *ancestors(start.path), start.path)):
        real_path = os.path.realpath(os.path.join(project, one))
        if one.rpartition("/")[2] in NEVER_SAVED_NAMES or is_excluded(real_path):
            raise InvalidInputError(
                f"{start.path!r} is never saved: {one or '.'!r} belongs to Keepsake or to version control",
                hint="give another path",
            )
        if one and is_environment(real_path):
            raise InvalidInputError(
                f"{start.path!r} is never saved: {one!r} is a virtual environment",
                hint="the installed packages are recorded with every experiment",
            )


def _refuse_ignored(start: Start, rules: IgnoreRules) -> None:
    from keepsake._snapshots.ignore import IGNORE_FILE, describe_rule
    from keepsake._snapshots.pattern import escape_path

    is_directory = start.is_directory and not start.is_link
    deciding = rules.find_rule(start.path, is_directory=is_directory) if start.path else None
    if deciding is not None:
        ignored, pattern = deciding
        slash = "/" if ignored != start.path or is_directory else ""
        raise InvalidInputError(
            f"{start.path!r} would not be saved: {describe_rule(pattern)} leaves out {ignored + slash!r}",
            hint=f"write !/{escape_path(ignored)}{slash} as the last line of {IGNORE_FILE}",
        )


def is_environment(real_path: str) -> bool:
    """Say whether a directory is a virtual or conda environment."""
    return any(os.path.lexists(os.path.join(real_path, mark)) for mark in ENVIRONMENT_MARKS)
