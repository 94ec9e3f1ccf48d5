"""The directories of a local store: made when a write misses them, shared as the root is, synced up to the root."""

# ruff: noqa: PTH102, PTH103, PTH112, PTH120
# This runs for every object, and os functions on plain strings are several times faster than pathlib.

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterable

from keepsake.stores._files import sync_directory
from keepsake.stores._sharing import Sharing


class Directories:
    """The directories of one store. Its methods raise `OSError`.

    Args:
        root: path of the store's own directory, absolute, without a separator at its end.
    """

    def __init__(self, root: str) -> None:
        self._root = root
        self._sharing: Sharing | None = None
        self._above_root = [os.path.dirname(root)]
        self._known_on_disk: set[str] = set()

    def sharing(self) -> Sharing:
        """Return what the root, which is made if it is missing, asks of new files."""
        return self._sharing or self._make_root()

    def make(self, path: str) -> None:
        """Make a directory of the store, and those that it lies in, unless they exist."""
        if path == self._root:
            self._make_root()
            return
        sharing = self.sharing()
        try:
            os.mkdir(path, sharing.directory_mode)
        except FileExistsError:
            return
        except FileNotFoundError:
            self.make(os.path.dirname(path))
            with contextlib.suppress(FileExistsError):
                os.mkdir(path, sharing.directory_mode)
        sharing.adopt_directory(path)
        self._known_on_disk.discard(path)

    def sync(self, paths: Iterable[str]) -> None:
        """Return when the names of these files survive a power loss, and those of the directories that lead to them."""
        wanted: set[str] = set()
        for path in paths:
            directory = os.path.dirname(path)
            wanted.add(directory)
            while directory != self._root and directory not in self._known_on_disk:
                directory = os.path.dirname(directory)
                wanted.add(directory)
        if wanted and self._root not in self._known_on_disk:
            wanted.add(self._root)
            for directory in self._above_root:
                with contextlib.suppress(PermissionError):  # a directory that we may pass through but not read
                    sync_directory(directory)
        for directory in wanted:
            sync_directory(directory)
        self._known_on_disk |= wanted

    def _make_root(self) -> Sharing:
        above = [os.path.dirname(self._root)]
        while not os.path.isdir(above[-1]) and os.path.dirname(above[-1]) != above[-1]:
            above.append(os.path.dirname(above[-1]))
        try:
            os.makedirs(self._root, exist_ok=True)
        except FileExistsError as error:
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), self._root) from error
        self._above_root = above
        self._known_on_disk.clear()
        self._sharing = Sharing(self._root)
        return self._sharing
