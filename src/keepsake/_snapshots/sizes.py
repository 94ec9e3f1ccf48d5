"""How much a snapshot would save, and which directories make it so much. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from keepsake._snapshots.pattern import escape_path

if TYPE_CHECKING:
    from keepsake._snapshots.scan import Found

LARGE_BYTES = 100 * 1000 * 1000
LARGE_FILES = 10_000
"""A snapshot of more than this is worth a word: rarely is all of it code."""


@dataclass(frozen=True, slots=True)
class DirectorySize:
    """What saving a directory would save."""

    path: str
    size_bytes: int
    files: int


def sum_directories(found: Iterable[Found], path: str = ".") -> list[DirectorySize]:
    """Sum up, for each directory right below `path`, all that lies in it; the largest first.

    Files right in `path` are not counted. Directories of equal size are ordered by the number of files, then by name.
    """
    prefix = "" if path in ("", ".") else f"{path}/"
    sums: dict[str, list[int]] = {}
    for one in found:
        stop = one.path.find("/", len(prefix))
        if one.kind == "file" and stop != -1:
            pair = sums.setdefault(one.path[:stop], [0, 0])
            pair[0] += one.size_bytes
            pair[1] += 1
    sizes = [DirectorySize(directory, size_bytes, files) for directory, (size_bytes, files) in sums.items()]
    return sorted(sizes, key=lambda size: (-size.size_bytes, -size.files, size.path))


def describe_large(found: Sequence[Found], path: str = ".", *, count: int = 3) -> str | None:
    """Return a text for the user when saving `found` is much: how much, the largest directories and how to ignore them.

    None when it is at most 100 MB and 10,000 files. With too many files, those with the most files are named.
    """
    files = [one for one in found if one.kind == "file"]
    size_bytes = sum(one.size_bytes for one in files)
    if size_bytes <= LARGE_BYTES and len(files) <= LARGE_FILES:
        return None
    text = f"{path!r} holds {_megabytes(size_bytes)} in {len(files):,} files, and all of it is saved."
    directories = sum_directories(files, path)
    if size_bytes <= LARGE_BYTES:
        directories.sort(key=lambda size: -size.files)
    if not directories:
        return text
    shown = directories[:count]
    width = max(len(_ignore_line(size.path)) for size in shown)
    lines = [
        f"    {_ignore_line(size.path):<{width}}   ({_megabytes(size.size_bytes)} in {size.files:,} files)"
        for size in shown
    ]
    return "\n".join([f"{text} To leave out the largest directories, write into .keepsakeignore:", *lines])


def _ignore_line(path: str) -> str:
    return f"/{escape_path(path)}/"


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:,.1f} MB"
