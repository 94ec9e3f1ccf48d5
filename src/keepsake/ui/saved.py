"""The saved files of an experiment or checkpoint as they are served.

A file is found by the path that stands in a manifest, letter for letter, or not at all: no path is joined to another.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Mapping
from typing import Any, BinaryIO

from keepsake._chunks.digest import digest_of
from keepsake._model.manifest import Entry
from keepsake._snapshots.paths import name_nearest
from keepsake.comparison import SnapshotFiles
from keepsake.errors import InvalidInputError, NotFoundError


class SavedFiles:
    """What was saved of one experiment or checkpoint.

    Args:
        files: where it is.
    """

    def __init__(self, files: SnapshotFiles) -> None:
        self._files = files

    @property
    def unsaved(self) -> str | None:
        """Why the files of the checkpoint itself are not there, if they could not be saved."""
        return self._files.unsaved

    @functools.cached_property
    def entries(self) -> Mapping[str, Entry]:
        """What is there, by path. Raises `KeepsakeError` when it cannot be read."""
        return {entry.path: entry for entry in self._files.list_entries()}

    @functools.cached_property
    def _own_paths(self) -> set[str]:
        return self._files.own_paths()

    @functools.cached_property
    def _shown_entries(self) -> Mapping[str, Entry]:
        """What has a name that is no text, by that name as JSON shows it."""
        shown = [(path.encode("utf-8", "replace").decode(), entry) for path, entry in self.entries.items()]
        counts = Counter(path for path, _ in shown)
        return {path: entry for path, entry in shown if counts[path] == 1}

    def documents(self) -> list[dict[str, Any]]:
        """Return what is there, as `docs/ui-api.md` describes it."""
        return [
            {
                "path": entry.path,
                "size_bytes": entry.size_bytes,
                "kind": entry.kind,
                "executable": entry.executable,
                "target": entry.target or None,
                "source": "checkpoint" if entry.path in self._own_paths else "experiment",
            }
            for entry in self.entries.values()
        ]

    def find(self, path: str) -> Entry:
        """Return what is at a path.

        Raises:
            NotFoundError: nothing was saved there; the hint names the nearest paths.
        """
        entry = self.entries.get(path) or self._shown_entries.get(path)
        if entry is None:
            raise NotFoundError(f"no file {path!r} was saved", hint=name_nearest(path, self.entries.keys()))
        return entry

    def open(self, entry: Entry) -> BinaryIO:
        """Open a file: binary, buffered, seekable. Errors as of `Checkpoint.open`."""
        return self._files.open(entry)


def check_file(entry: Entry) -> None:
    """Raise `InvalidInputError` for a directory or link, and `NotFoundError` for a file that could not be saved."""
    if entry.kind == "missing":
        raise NotFoundError(f"{entry.path!r} could not be saved: {entry.reason or 'it could not be read'}")
    if entry.kind != "file":
        raise InvalidInputError(f"{entry.path!r} is a {entry.kind}, and no file")


def tag_of(entry: Entry) -> str:
    """Return what names the content of a file, for caches."""
    extents = ",".join(f"{extent.digest}:{extent.start}:{extent.stop}" for extent in entry.extents)
    return digest_of(extents.encode())[:32]
