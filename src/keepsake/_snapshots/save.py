"""Saving a snapshot: every file that was found, stored as chunks, and a manifest that says where.

The files may be in use. One that changes or vanishes while it is read is tried twice more, then stands in the manifest
as missing, with the reason. A failing store is not the file's fault, and is raised.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from keepsake._model.manifest import Entry, Manifest
from keepsake._snapshots.capture import Capture

if TYPE_CHECKING:
    from keepsake._chunks.chunkstore import ChunkStore
    from keepsake._snapshots.scan import Found

ATTEMPTS = 3
_WORTH_THREADS_BYTES = 4 * 1024 * 1024
_WORTH_THREADS_FILES = 64
"""With less of both, starting a thread (0.1 ms) costs more than it brings."""


def save_snapshot(directory: Path, found: Sequence[Found], chunks: ChunkStore, *, threads: int = 2) -> Manifest:
    """Store what was found in `directory` and return the manifest, which is not stored.

    When this returns, the bytes are in the store (unsynced: see `ChunkStore.settle`) and the files may be overwritten.

    Args:
        directory: the project directory, which paths are relative to.
        found: what to save.
        chunks: where the bytes go.
        threads: how many threads read, hash and write; each holds a few chunks in memory.

    Raises:
        StoreError: the store failed.
    """
    entries = [_plain_entry(one) for one in found if one.kind != "file"]
    pending = sorted((one for one in found if one.kind == "file"), key=lambda one: one.path)
    executable = {one.path for one in pending if one.executable}
    reasons: dict[str, str] = {}
    for _ in range(ATTEMPTS):
        if not pending:
            break
        capture = Capture(os.fspath(directory), chunks)
        capture.run(pending, threads=threads if _are_worth_threads(pending) else 1)
        for path, extents in capture.extents.items():
            entries.append(Entry(path=path, kind="file", executable=path in executable, extents=extents))
        pending = [capture.failures[path][0] for path in sorted(capture.failures)]
        reasons = {path: reason for path, (_, reason) in capture.failures.items()}
    entries += [Entry(path=one.path, kind="missing", reason=reasons[one.path]) for one in pending]
    return Manifest(tuple(sorted(entries, key=lambda entry: entry.path)))


def _plain_entry(found: Found) -> Entry:
    return Entry(path=found.path, kind=found.kind, target=found.target, reason=found.reason)


def _are_worth_threads(files: Sequence[Found]) -> bool:
    return len(files) >= _WORTH_THREADS_FILES or sum(one.size_bytes for one in files) >= _WORTH_THREADS_BYTES
