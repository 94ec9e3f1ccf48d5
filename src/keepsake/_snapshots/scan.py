"""Scanning: what a snapshot of a path will hold, found by walking it once.

- Symbolic links are kept as links and not followed; only a link that `path` itself names is, since saving the bare
  link would save nothing of what was asked for.
- Ignored directories are not walked. Never found, whatever the rules say: version control, Keepsake's own directory,
  the excluded directories (known by device and inode, so under any name), and virtual environments.
- A directory without anything in it is found; one whose whole content is left out is not.
- What cannot be looked at is found as `missing`, with the reason. Sockets, pipes and devices are left out, and each is
  named once by a process.
"""

# ruff: noqa: PTH115, PTH116
# This runs for every file of a project; os functions on plain strings are several times faster than pathlib.

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from keepsake._snapshots.paths import NEVER_SAVED_NAMES
from keepsake._snapshots.start import ENVIRONMENT_MARKS, Start, find_start
from keepsake.errors import InvalidInputError
from keepsake.notices import warn

if TYPE_CHECKING:
    from keepsake._snapshots.ignore import IgnoreRules

FoundKind: TypeAlias = Literal["file", "directory", "link", "missing"]

_ENVIRONMENT_PARTS = frozenset(
    {"bin", "conda-meta", "include", "Include", "lib", "Lib", "lib64", "pyvenv.cfg", "Scripts"}
)
"""What is left out where the project directory itself is an environment."""

_named_specials: set[str] = set()


@dataclass(frozen=True, slots=True)
class Found:
    """One path to save, relative to the project directory, `/`-separated; names in any encoding (surrogateescape)."""

    path: str
    kind: FoundKind
    executable: bool = False
    size_bytes: int = 0
    target: str = ""
    """Of a link: where it points, as written."""
    reason: str = ""
    """Of what is missing: why it cannot be looked at."""
    source: str = ""
    """Of a file that `path` names through a link: its real place, absolute; else empty."""


def scan_path(
    directory: Path, path: str | os.PathLike[str], rules: IgnoreRules, *, excluded: Sequence[Path] = ()
) -> list[Found]:
    """Find what saving `path` would save.

    Args:
        directory: the project directory.
        path: a file or directory, relative to the project directory; "." for all of it.
        rules: what to leave out.
        excluded: directories to leave out wherever and under whatever name they are met (repositories).

    Returns:
        What was found, sorted by path.

    Raises:
        InvalidInputError: `path` is not of that form, leaves the project, does not exist, is left out by a rule (which
            is named), holds nothing to save, or is the home directory or the root of the file system.
    """
    identities = {identity for one in excluded if (identity := _identity(os.fspath(one))) is not None}
    start = find_start(directory, path, rules, is_excluded=lambda real: _identity(real) in identities)
    if not start.is_directory:
        return [_found_file(start)]
    found = sorted(_Walk(rules, identities, start).run(), key=lambda one: one.path)
    if not found and start.path:
        raise InvalidInputError(
            f"{start.path!r} holds nothing to save: all of it is left out",
            hint="bring files back with lines that start with '!' in .keepsakeignore",
        )
    return found


def _found_file(start: Start) -> Found:
    try:
        status = os.stat(start.real_path)
    except OSError as error:  # deleted or replaced since it was found
        raise InvalidInputError(f"{start.path!r} {_why_unreadable(error)}") from error
    if not stat.S_ISREG(status.st_mode):
        raise InvalidInputError(
            f"{start.path!r} is {describe_special(status.st_mode)}, which has no content to save",
            hint="give a file or a directory",
        )
    executable = bool(status.st_mode & stat.S_IXUSR)
    source = start.real_path if start.is_link else ""
    return Found(start.path, "file", executable, status.st_size, source=source)


class _Walk:
    """One walk down a directory, without recursion: trees may be deeper than Python's stack."""

    def __init__(self, rules: IgnoreRules, excluded: set[tuple[int, int]], start: Start) -> None:
        self._rules = rules
        self._excluded = excluded
        self._start = start
        self._pending = [(start.path, start.real_path)]

    def run(self) -> Iterator[Found]:
        """Yield what there is to save, in no order."""
        while self._pending:
            path, real_path = self._pending.pop()
            try:
                with os.scandir(real_path) as listing:
                    entries = list(listing)
            except (FileNotFoundError, NotADirectoryError):
                continue  # deleted or replaced since its parent was listed
            except OSError as error:
                if not path:
                    raise InvalidInputError(f"the project directory {real_path} {_why_unreadable(error)}") from error
                yield Found(path, "missing", reason=_why_unreadable(error))
                continue
            yield from self._directory(path, entries)

    def _directory(self, path: str, entries: list[os.DirEntry[str]]) -> Iterator[Found]:
        if not entries and path:
            yield Found(path, "directory")
        names = {entry.name for entry in entries}
        skipped = NEVER_SAVED_NAMES
        if not names.isdisjoint(ENVIRONMENT_MARKS):
            if path:
                return
            skipped = NEVER_SAVED_NAMES | _ENVIRONMENT_PARTS
        prefix = f"{path}/" if path else ""
        ignores = self._rules.ignores
        for entry in entries:
            if entry.name in skipped:
                continue
            entry_path = prefix + entry.name
            is_directory = _is_real_directory(entry)
            if ignores(entry_path, is_directory=is_directory):
                continue
            if not is_directory:
                found = _found_entry(entry_path, entry)
                if found is not None:
                    yield found
            elif not self._excluded or _identity(entry.path) not in self._excluded:
                self._pending.append((entry_path, entry.path))


def _found_entry(path: str, entry: os.DirEntry[str]) -> Found | None:
    """Describe a file or link; None for what has no content to save, or has gone."""
    try:
        status = entry.stat(follow_symlinks=False)
        if stat.S_ISREG(status.st_mode):
            return Found(path, "file", bool(status.st_mode & stat.S_IXUSR), status.st_size)
        if stat.S_ISLNK(status.st_mode) or _is_junction(status):
            return Found(path, "link", target=os.readlink(entry.path))
    except FileNotFoundError:
        return None
    except OSError as error:
        return Found(path, "missing", reason=_why_unreadable(error))
    if entry.path not in _named_specials:
        _named_specials.add(entry.path)
        warn(f"{path} is {describe_special(status.st_mode)}, and left out")
    return None


def _is_real_directory(entry: os.DirEntry[str]) -> bool:
    try:
        if not entry.is_dir(follow_symlinks=False):
            return False
    except OSError:  # where a listing does not say what its entries are; who looks at this one says why
        return False
    return os.name != "nt" or not _is_junction(entry.stat(follow_symlinks=False))


def _is_junction(status: os.stat_result) -> bool:
    """Say whether this is one of Windows' other links to a directory, which `is_dir` takes for a directory."""
    return getattr(status, "st_reparse_tag", 0) == getattr(stat, "IO_REPARSE_TAG_MOUNT_POINT", -1)


def _identity(path: str) -> tuple[int, int] | None:
    """Return what a directory is known by under any name; None when it is not there."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _why_unreadable(error: OSError) -> str:
    return f"cannot be read: {error.strerror or error}"


def describe_special(mode: int) -> str:
    """Say what a file that is none is, from its mode bits."""
    if stat.S_ISSOCK(mode):
        return "a socket"
    if stat.S_ISFIFO(mode):
        return "a pipe"
    if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
        return "a device"
    return "no regular file"
