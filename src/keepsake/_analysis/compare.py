"""Comparing experiments and checkpoints: what `Diff` says, found out from what was saved.

- Only what may differ is read. What two snapshots share is known by its extents, tensors within weights files alike.
- Whatever cannot be read is said in its place, and the rest is compared.
- Memory is bounded: texts have a longest length, weights are read in blocks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, BinaryIO, Protocol

from keepsake._analysis.diff import (
    Change,
    Diff,
    FileChange,
    FilesDiff,
    FileState,
    Side,
    check_sections,
    compare_metrics,
    compare_values,
)
from keepsake._analysis.filediff import PathPair, diff_entries, locate
from keepsake._analysis.tensordiff import compare_weights
from keepsake._analysis.tensors import WEIGHTS_HEAD_BYTES, is_weights
from keepsake._analysis.textdiff import TEXT_HEAD_BYTES, diff_texts, is_text
from keepsake._model.manifest import Entry
from keepsake._model.notebook import FIELD, find_notebook
from keepsake._model.values import Value
from keepsake.errors import InvalidInputError, KeepsakeError

MAX_TEXT_BYTES = 2 * 1024 * 1024
"""Longer texts are not compared line by line: nobody reads that, and they are data."""
MAX_TEXTS_BYTES = 64 * 1024 * 1024
"""Nor are more texts than this in all."""
CELLS_PATH = "(notebook cells)"
"""What the cells of a notebook are called among the files."""
_READ_BYTES = 1024 * 1024


class Files(Protocol):
    """The files of a checkpoint over those of its experiment. Both raise `KeepsakeError` for damage."""

    def entries(self) -> Sequence[Entry]:
        """Return what was saved."""

    def open(self, entry: Entry) -> BinaryIO:
        """Open one of the files: binary, buffered, seekable."""


@dataclass(frozen=True)
class Subject:
    """One of the things to compare, with all that can be compared of it."""

    side: Side
    params: Mapping[str, Value]
    environment: Mapping[str, Any]
    metrics: Mapping[str, Value]
    primary_metric: Sequence[str] | None
    files: Files


def compare(subjects: Sequence[Subject], *, only: str | Sequence[str] | None = None, show_all: bool = False) -> Diff:
    """Compare two or more subjects.

    Args:
        subjects: what to compare; the first is what the others are compared with.
        only: one or some of `SECTIONS`; all of them when None.
        show_all: whether to list also params, packages and so on that are the same everywhere.

    Raises:
        InvalidInputError: there is nothing to compare with, or `only` names no section.
    """
    sections = check_sections(only)
    if len(subjects) < 2:
        raise InvalidInputError(
            f"{len(subjects) or 'no'} experiment{'' if len(subjects) == 1 else 's'} cannot be compared",
            hint="give two or more experiments or checkpoints",
        )
    values: dict[str, list[Mapping[str, Value]]] = {
        "params": [one.params for one in subjects],
        "environment": [_environment(one.environment) for one in subjects],
        "git": [one.environment.get("git") or {} for one in subjects],
        "packages": [one.environment.get("python_packages") or {} for one in subjects],
    }
    rows = {name: compare_values(each, show_all=show_all) for name, each in values.items() if name in sections}
    goals = {one.primary_metric[0]: one.primary_metric[1] for one in subjects if one.primary_metric is not None}
    metrics = [one.metrics for one in subjects]
    files: tuple[FilesDiff, ...] = ()
    first = subjects[0]
    if "code" in sections or "tensors" in sections:
        files = tuple(
            _compare_files(first.files, other.files, number, sections) for number, other in enumerate(subjects[1:], 1)
        )
    if "code" in sections:
        files = tuple(replace(one, changes=(*_compare_cells(first, subjects[one.side]), *one.changes)) for one in files)
    return Diff(
        sides=tuple(one.side for one in subjects),
        sections=sections,
        metrics=compare_metrics(metrics, goals, show_all=show_all) if "metrics" in sections else (),
        files=files,
        **rows,
    )


def _environment(environment: Mapping[str, Any]) -> dict[str, Value]:
    """Return what is known of machine and program, without what has a section of its own."""
    apart = ("git", "python_packages", FIELD)
    return {name: value for name, value in environment.items() if name not in apart and value is not None}


def _compare_cells(first: Subject, other: Subject) -> tuple[FileChange, ...]:
    """Compare the cells of two notebooks as if they were two files; a script has none."""
    sources = [_cells(one) for one in (first, other)]
    old, new = (None if source is None else FileState("cells", len(source)) for source in sources)
    if sources[0] == sources[1]:
        return ()
    change: Change = "added" if old is None else "removed" if new is None else "changed"
    return (FileChange(CELLS_PATH, change, old, new, text=diff_texts(sources[0] or b"", sources[1] or b"")),)


def _cells(subject: Subject) -> bytes | None:
    notebook = find_notebook(subject.environment)
    return None if notebook is None else notebook.source().encode("utf-8", "surrogateescape")


def _compare_files(old: Files, new: Files, side: int, sections: Sequence[str]) -> FilesDiff:
    try:
        found = diff_entries(old.entries(), new.entries())
    except KeepsakeError as error:
        return FilesDiff(side, (), 0, problem=error.message)
    comparison = _FileComparison(old, new, with_text="code" in sections, with_tensors="tensors" in sections)
    changes = []
    unchanged = found.unchanged
    for pair in found.pairs:
        change = comparison.compare(pair)
        if change is None:
            unchanged += 1
        elif "code" in sections or change.tensors is not None or change.problem is not None:
            changes.append(change)
    return FilesDiff(side, tuple(changes), unchanged)


class _FileComparison:
    """The comparison of two sets of files, and how much text it may still read."""

    def __init__(self, old: Files, new: Files, *, with_text: bool, with_tensors: bool) -> None:
        self._old = old
        self._new = new
        self._with_text = with_text
        self._with_tensors = with_tensors
        self._text_bytes_left = MAX_TEXTS_BYTES

    def compare(self, pair: PathPair) -> FileChange | None:
        """Return what changed at a path; None when it holds the same after all."""
        change = _describe(pair)
        try:
            if pair.may_hold_the_same and self._hold_the_same(pair):
                return change if change.old != change.new else None
            return self._look_inside(pair, change)
        except KeepsakeError as error:
            return replace(change, problem=error.message)

    def _hold_the_same(self, pair: PathPair) -> bool:
        assert pair.old is not None
        assert pair.new is not None
        size_bytes = pair.old.size_bytes
        with self._old.open(pair.old) as old, self._new.open(pair.new) as new:
            for start in range(0, size_bytes, _READ_BYTES):
                stop = min(start + _READ_BYTES, size_bytes)
                if locate(pair.old, start, stop) == locate(pair.new, start, stop):
                    continue
                old.seek(start)
                new.seek(start)
                if old.read(stop - start) != new.read(stop - start):
                    return False
        return True

    def _look_inside(self, pair: PathPair, change: FileChange) -> FileChange:
        """Add the lines or tensors that changed, or why there are none."""
        old, new = (entry if entry is not None and entry.kind == "file" else None for entry in (pair.old, pair.new))
        sides = [(entry, files) for entry, files in ((old, self._old), (new, self._new)) if entry is not None]
        if not sides:
            return change
        # No more than that of weights: what follows their first bytes may be a chunk of many megabytes.
        if any(is_weights(_read(files, entry, WEIGHTS_HEAD_BYTES), entry.size_bytes) for entry, files in sides):
            if not self._with_tensors:
                return replace(change, note="weights")
            tensors = compare_weights((old, self._old.open), (new, self._new.open))
            return replace(change, tensors=tensors, note=None if tensors is not None else "binary")
        if not self._with_text:
            return change
        if not all(is_text(_read(files, entry, TEXT_HEAD_BYTES)) for entry, files in sides):
            return replace(change, note="binary")
        self._text_bytes_left -= sum(entry.size_bytes for entry, _ in sides)
        if max(entry.size_bytes for entry, _ in sides) > MAX_TEXT_BYTES or self._text_bytes_left < 0:
            return replace(change, note="too long to compare line by line")
        before = b"" if old is None else _read(self._old, old)
        after = b"" if new is None else _read(self._new, new)
        return replace(change, text=diff_texts(before, after))


def _describe(pair: PathPair) -> FileChange:
    """Return what the manifests say of a path that changed."""
    missing = next((entry for entry in (pair.new, pair.old) if entry is not None and entry.kind == "missing"), None)
    return FileChange(
        pair.path,
        "added" if pair.old is None else "removed" if pair.new is None else "changed",
        _state(pair.old),
        _state(pair.new),
        note=None if missing is None else f"when it was saved, it {missing.reason or 'could not be read'}",
    )


def _state(entry: Entry | None) -> FileState | None:
    return None if entry is None else FileState(entry.kind, entry.size_bytes, entry.executable, entry.target)


def _read(files: Files, entry: Entry, size_bytes: int = -1) -> bytes:
    with files.open(entry) as file:
        return file.read(size_bytes)
