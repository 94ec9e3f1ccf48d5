"""Which files of two snapshots differ, as far as their manifests say; reading the rest is somebody else's. Pure.

Equal extents are equal bytes, so what two snapshots share is never read. Other extents need not be other bytes: small
files are stored in bundles, and a file whose neighbour was edited lies in another chunk than before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from keepsake._model.manifest import Entry, Extent


@dataclass(frozen=True, slots=True)
class PathPair:
    """A path of which something is different, or may be: its entries on both sides, None where it is not."""

    path: str
    old: Entry | None
    new: Entry | None

    @property
    def may_hold_the_same(self) -> bool:
        """Whether both are files of one length, and it may take reading them to tell whether their bytes differ."""
        return (
            self.old is not None
            and self.new is not None
            and self.old.kind == self.new.kind == "file"
            and self.old.size_bytes == self.new.size_bytes
        )


@dataclass(frozen=True, slots=True)
class EntriesDiff:
    """Two snapshots, compared by what their manifests say."""

    pairs: tuple[PathPair, ...]
    """In the order of their paths."""
    unchanged: int
    """How many paths are known to be the same."""


def diff_entries(old: Sequence[Entry], new: Sequence[Entry]) -> EntriesDiff:
    """Compare the entries of two snapshots, of which no path stands twice in one."""
    before, after = ({entry.path: entry for entry in side} for side in (old, new))
    paths = sorted(before.keys() | after.keys())
    pairs = [PathPair(path, before.get(path), after.get(path)) for path in paths]
    differing = tuple(pair for pair in pairs if not _are_same(pair.old, pair.new))
    return EntriesDiff(differing, unchanged=len(pairs) - len(differing))


def locate(entry: Entry, start: int, stop: int) -> tuple[Extent, ...]:
    """Return where bytes `start` to `stop` of a file are stored: the same for two ranges means the same bytes."""
    found: list[Extent] = []
    position = 0
    for extent in entry.extents:
        base = position - extent.start
        position += extent.size_bytes
        low, high = max(start, base + extent.start) - base, min(stop, position) - base
        if low >= high:
            continue
        if found and found[-1].digest == extent.digest and found[-1].stop == low:
            found[-1] = Extent(extent.digest, found[-1].start, high)
        else:
            found.append(Extent(extent.digest, low, high))
    return tuple(found)


def _are_stored_alike(old: Entry, new: Entry) -> bool:
    """Say whether the bytes of two files are known to be the same."""
    return old.extents == new.extents or locate(old, 0, old.size_bytes) == locate(new, 0, new.size_bytes)


def _are_same(old: Entry | None, new: Entry | None) -> bool:
    if old is None or new is None:
        return False
    facts = [(one.kind, one.executable, one.target, one.reason) for one in (old, new)]
    return facts[0] == facts[1] and _are_stored_alike(old, new)
