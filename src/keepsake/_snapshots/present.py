"""Present: which files of a checkout plan are in the target already, with the right content.

A file counts as present when it is a regular file of the right length and mode bit whose bytes are those of its
extents. An extent that is a whole chunk is compared by digest, so nothing is fetched for it; of others the chunk is
fetched. A file that differs is read up to its first difference.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from keepsake._chunks.digest import digest_of
from keepsake._chunks.workers import run_workers
from keepsake._model.manifest import Entry, Extent
from keepsake._snapshots.fetch import ChunkFetcher, ChunkSource
from keepsake._snapshots.overlay import CheckoutPlan
from keepsake._snapshots.paths import parent_of
from keepsake.errors import KeepsakeError

FILES_AT_ONCE = 64
"""So many neighbours are compared by one thread."""
KEPT_BYTES = 64 * 2**20
"""So much is kept of chunks in which small files lie."""


@dataclass(frozen=True, slots=True)
class Present:
    """What of a plan stands in the target."""

    unchanged: frozenset[str] = frozenset()
    """Paths of files and links that are as the plan has them."""
    overwritten: tuple[str, ...] = ()
    """Paths of files and links that are there and differ, sorted."""

    def without_unchanged(self, plan: CheckoutPlan) -> CheckoutPlan:
        """Return the part of the plan that is still to be written."""
        return CheckoutPlan(tuple(entry for entry in plan.entries if entry.path not in self.unchanged))


def find_present(plan: CheckoutPlan, chunks: ChunkSource, target: Path, *, threads: int = 1) -> Present:
    """Compare a plan with what is in `target`, several files at once. What cannot be read there counts as different."""
    if not target.is_dir():
        return Present()
    entries = [entry for entry in plan.entries if entry.kind in ("file", "link")]
    batches = [entries[start : start + FILES_AT_ONCE] for start in range(0, len(entries), FILES_AT_ONCE)]
    # Small files share chunks with their neighbours.
    fetcher = ChunkFetcher(chunks, "a chunk of small files", limit_bytes=KEPT_BYTES, threads=1)
    comparison = _Comparison(target, fetcher)
    run_workers(comparison.work, batches, threads=threads)
    return Present(frozenset(comparison.unchanged), tuple(sorted(comparison.overwritten)))


class _Comparison:
    """Entries of a plan beside what is in a directory. For several threads."""

    def __init__(self, target: Path, chunks: ChunkSource) -> None:
        self._target = target
        self._chunks = chunks
        self._linked: dict[str, bool] = {}
        """Of directories, whether a symbolic link leads there."""
        self.unchanged: set[str] = set()
        self.overwritten: set[str] = set()

    def work(self, batches: Iterator[list[Entry]]) -> None:
        """Find out which entries are there, and which are as planned."""
        for batch in batches:
            for entry in batch:
                path = self._target / entry.path
                if os.path.lexists(path):
                    is_unchanged = not self._is_linked(entry.path) and self._is_as_planned(entry, path)
                    (self.unchanged if is_unchanged else self.overwritten).add(entry.path)

    def _is_linked(self, path: str) -> bool:
        directory = parent_of(path)
        if directory not in self._linked:
            above = list(Path(path).parents)[:-1]
            self._linked[directory] = any((self._target / parent).is_symlink() for parent in above)
        return self._linked[directory]

    def _is_as_planned(self, entry: Entry, path: Path) -> bool:
        try:
            found = path.lstat()
            if entry.kind == "link":
                return stat.S_ISLNK(found.st_mode) and os.readlink(path) == entry.target  # noqa: PTH115 (as it is)
            if not stat.S_ISREG(found.st_mode) or found.st_size != entry.size_bytes:
                return False
            if os.name != "nt" and bool(found.st_mode & 0o100) != entry.executable:
                return False
            with path.open("rb") as file:
                return all(self._is_extent(file, extent) for extent in entry.extents)
        except (OSError, KeepsakeError):
            # A chunk that cannot be read is found again when the file is written, and said then.
            return False

    def _is_extent(self, file: BinaryIO, extent: Extent) -> bool:
        data = file.read(extent.size_bytes)
        if extent.start == 0 and digest_of(data) == extent.digest:
            return True
        return memoryview(self._chunks.get(extent.digest))[extent.start : extent.stop] == data
