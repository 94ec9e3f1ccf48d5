"""Directories saved for real into a store that counts what it is asked, as sides of a comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from keepsake._analysis.compare import Subject, compare
from keepsake._analysis.diff import Diff, Side
from keepsake._chunks.chunkstore import ChunkStore
from keepsake._model.manifest import Entry
from keepsake._model.values import Value
from keepsake._snapshots.ignore import IgnoreRules
from keepsake._snapshots.read import open_entry
from keepsake._snapshots.save import save_snapshot
from keepsake._snapshots.scan import scan_path
from keepsake.errors import KeepsakeError
from keepsake.stores.memory import MemoryStore
from keepsake.testing import RecordingStore

Tree = Mapping[str, bytes]


class SavedFiles:
    """What `compare` reads of a snapshot; it notes which files were opened."""

    def __init__(self, chunks: ChunkStore, entries: Sequence[Entry], failure: KeepsakeError | None = None) -> None:
        self.opened: list[str] = []
        self._chunks = chunks
        self._entries = entries
        self._failure = failure

    def entries(self) -> Sequence[Entry]:
        """Return what was saved, or raise the failure."""
        if self._failure is not None:
            raise self._failure
        return self._entries

    def open(self, entry: Entry) -> BinaryIO:
        """Open a file and note its path."""
        self.opened.append(entry.path)
        return open_entry(entry, self._chunks)


class Shelf:
    """A place to save trees of files in, below a directory."""

    def __init__(self, directory: Path) -> None:
        self.store = RecordingStore(MemoryStore())
        self.chunks = ChunkStore(self.store)
        self._directory = directory
        self._count = 0

    def save(self, tree: Tree, *, executable: Sequence[str] = (), links: Mapping[str, str] | None = None) -> SavedFiles:
        """Write a tree of files and save it."""
        root = self._directory / str(self._count)
        self._count += 1
        root.mkdir()
        for path, content in tree.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(content)
        for path in executable:
            (root / path).chmod(0o755)
        for path, target in (links or {}).items():
            (root / path).symlink_to(target)
        found = scan_path(root, ".", IgnoreRules.load(root)) if any(root.iterdir()) else []
        return SavedFiles(self.chunks, save_snapshot(root, found, self.chunks).entries)

    def subject(self, tree: Tree | SavedFiles, **facts: Any) -> Subject:
        """Save a tree as the files of something to compare."""
        return make_subject(tree if isinstance(tree, SavedFiles) else self.save(tree), **facts)

    def diff(self, *trees: Tree | SavedFiles, **options: Any) -> Diff:
        """Save trees and compare them."""
        return compare([self.subject(tree) for tree in trees], **options)


def make_subject(
    files: SavedFiles | None = None,
    *,
    number: int = 0,
    params: Mapping[str, Value] | None = None,
    environment: Mapping[str, Any] | None = None,
    metrics: Mapping[str, Value] | None = None,
    primary_metric: tuple[str, str] | None = None,
    name: str | None = None,
) -> Subject:
    """Make something to compare, by default without anything to tell it from others."""
    return Subject(
        Side(
            experiment_id=f"{number:07x}".ljust(64, "0"),
            checkpoint_id=f"c{number:06x}".ljust(64, "0"),
            chosen="best",
            name=name,
            status="finished",
            created="2026-03-01T12:00:00.000000Z",
            step=number,
            path=".",
        ),
        params=params or {},
        environment=environment or {},
        metrics=metrics or {},
        primary_metric=primary_metric,
        files=files or SavedFiles(ChunkStore(MemoryStore()), ()),
    )
