"""Stored bytes of a tree of small files, saved ten times with a few edits between.

The files are pieces of real source code. Their lengths are log-normal, with a median of 3 KB, as in code trees; between
two saves, five files are edited, one is added and one deleted.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

from benchmarks.projects import begin, stored_bytes
from benchmarks.rows import Row
from benchmarks.scale import Scale
from benchmarks.source_text import standard_library

LIMIT = 6.0
SAVES = 10
EDITS = 5
MEDIAN_BYTES = 3_000
SIGMA = 1.0
"""Of the logarithm of the length; the mean is 1.65 times the median."""
FILES_A_DIRECTORY = 20


def measure(scale: Scale, directory: Path) -> list[Row]:
    """Save a tree ten times and weigh the repository."""
    tree = _Tree(directory / "src", random.Random(0))
    tree.write(scale.tree_files)
    experiment = begin(directory)
    raw_bytes = 0
    for number in range(SAVES):
        if number:
            tree.edit()
        raw_bytes += tree.size_bytes()
        experiment.checkpoint(path="src")
    experiment.stop()
    stored = stored_bytes(directory)
    parts = {f"{name}_bytes": stored_bytes(directory, name) for name in ("chunks", "manifests", "journals")}
    remark = f"{raw_bytes / 1e6:.0f} MB in {scale.tree_files:,} files, {SAVES} times"
    what = "tree of small files with a few edits"
    details = {"raw_bytes": raw_bytes, "stored_bytes": stored, **parts}
    return [Row(what, 100 * stored / raw_bytes, "%", LIMIT, remark, details)]


class _Tree:
    """A tree of code under a directory."""

    def __init__(self, root: Path, chance: random.Random) -> None:
        self._root = root
        self._chance = chance
        self._paths: list[Path] = []
        self._pieces: Iterator[bytes] = iter(())
        self._made = 0

    def write(self, count: int) -> None:
        """Write the tree as it is at first."""
        # Twice the mean length of a file, so that there is enough for some more.
        self._pieces = self._cut(standard_library(count * MEDIAN_BYTES * 4))
        for _ in range(count):
            self._add()

    def edit(self) -> None:
        """Change a line of some files, add a file and delete one."""
        for path in self._chance.sample(self._paths, EDITS):
            lines = path.read_bytes().splitlines(keepends=True)
            lines.insert(
                self._chance.randrange(len(lines) + 1), b"    result = compute(value, scale=%d)\n" % self._made
            )
            path.write_bytes(b"".join(lines))
        self._paths.pop(self._chance.randrange(len(self._paths))).unlink()
        self._add()

    def size_bytes(self) -> int:
        """Return the length of all files."""
        return sum(path.stat().st_size for path in self._paths)

    def _add(self) -> None:
        path = self._root / f"package_{self._made // FILES_A_DIRECTORY:03}" / f"module_{self._made:05}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(next(self._pieces))
        self._paths.append(path)
        self._made += 1

    def _cut(self, text: bytes) -> Iterator[bytes]:
        """Cut text into files, from its start again when it is used up."""
        start = 0
        while True:
            stop = start + max(1, round(self._chance.lognormvariate(0, SIGMA) * MEDIAN_BYTES))
            yield text[start:stop]
            start = stop if stop < len(text) else 0
