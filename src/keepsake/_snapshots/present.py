"""Present: which files of a checkout plan are in the target already, with the right content.

A file counts as present when it is a regular file of the right length and mode bit whose bytes are those of its
extents. An extent that is a whole chunk is compared by digest, so nothing is fetched for it; of others the chunk is
fetched. A file that differs is read up to its first difference.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from keepsake._chunks.digest import digest_of
from keepsake._model.manifest import Entry, Extent
from keepsake._snapshots.fetch import ChunkSource
from keepsake._snapshots.overlay import CheckoutPlan
from keepsake.errors import KeepsakeError


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


def find_present(plan: CheckoutPlan, chunks: ChunkSource, target: Path) -> Present:
    """Compare a plan with what is in `target`. What cannot be read there counts as different."""
    if not target.is_dir():
        return Present()
    unchanged: set[str] = set()
    overwritten: list[str] = []
    for entry in plan.entries:
        if entry.kind not in ("file", "link"):
            continue
        path = target / entry.path
        if not os.path.lexists(path):
            continue
        if _is_link_on_the_way(target, entry.path) or not _is_as_planned(entry, path, chunks):
            overwritten.append(entry.path)
        else:
            unchanged.add(entry.path)
    return Present(frozenset(unchanged), tuple(overwritten))


def _is_link_on_the_way(target: Path, path: str) -> bool:
    return any((target / above).is_symlink() for above in list(Path(path).parents)[:-1])


def _is_as_planned(entry: Entry, path: Path, chunks: ChunkSource) -> bool:
    try:
        found = path.lstat()
        if entry.kind == "link":
            return stat.S_ISLNK(found.st_mode) and os.readlink(path) == entry.target  # noqa: PTH115 (the text as it is)
        if not stat.S_ISREG(found.st_mode) or found.st_size != entry.size_bytes:
            return False
        if os.name != "nt" and bool(found.st_mode & 0o100) != entry.executable:
            return False
        with path.open("rb") as file:
            return all(_is_extent(file, extent, chunks) for extent in entry.extents)
    except (OSError, KeepsakeError):
        # A chunk that cannot be read is found again when the file is written, and said then.
        return False


def _is_extent(file: BinaryIO, extent: Extent, chunks: ChunkSource) -> bool:
    data = file.read(extent.size_bytes)
    if extent.start == 0 and digest_of(data) == extent.digest:
        return True
    return memoryview(chunks.get(extent.digest))[extent.start : extent.stop] == data
