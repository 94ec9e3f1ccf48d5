"""Bundles: short files, stored together as one chunk, so that a tree of code is not a thousand objects.

In the order of the paths, a bundle ends where the hash of a path says so, or where it would become too large. So
editing a file stores one small bundle again, and a file that comes or goes moves no boundary but the next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepsake._chunks.digest import fraction_of
from keepsake._chunks.layout import MIB
from keepsake._model.manifest import Extent
from keepsake._snapshots.source import UnreadableError

if TYPE_CHECKING:
    from keepsake._snapshots.capture import Capture
    from keepsake._snapshots.scan import Found

MEAN_BUNDLE_FILES = 16
MAX_BUNDLE_FILES = 32
"""The file that is edited lies in a large bundle more often than in a small one: without a limit, 31 files are stored
again on average, with this one 20."""
MAX_BUNDLE_BYTES = 4 * MIB


def ends_bundle(path: str) -> bool:
    """Say whether a bundle ends with the file of this path."""
    return fraction_of(path.encode("utf-8", "surrogateescape")) < 1 / MEAN_BUNDLE_FILES


class Bundle:
    """The task of storing short files as one chunk."""

    def __init__(self, members: list[Found]) -> None:
        self._members = members

    def run(self, capture: Capture) -> None:
        """Read and store the files; those that cannot be read are noted and left out."""
        parts: list[bytes] = []
        places: dict[str, tuple[int, int]] = {}
        length = 0
        for found in self._members:
            try:
                data = _read_whole(capture, found, MAX_BUNDLE_BYTES - length)
            except UnreadableError as error:
                capture.fail(found, error)
                continue
            parts.append(data)
            places[found.path] = (length, length + len(data))
            length += len(data)
        digest = capture.chunks.put(b"".join(parts)) if length else ""
        for path, (start, stop) in places.items():
            capture.extents[path] = (Extent(digest, start, stop),) if stop > start else ()


def _read_whole(capture: Capture, found: Found, max_bytes: int) -> bytes:
    source = capture.open(found)
    try:
        if source.size_bytes > max_bytes:
            raise UnreadableError("grew before it was read", size_bytes=source.size_bytes)
        data = source.read(0, source.size_bytes)
        source.check_unchanged()
        return data
    finally:
        capture.close(source)
