"""From a tarball to a snapshot: its files, stored as chunks, cut as if they had been saved today.

Files pass through a spool on the local disk, since where to cut a file is found by looking around in it. In the spool
they are called by numbers, so what a tarball says of paths reaches no file system. It holds 256 MiB, or the one file
that is larger.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from blake3 import blake3

from keepsake._chunks.chunkstore import ChunkStore
from keepsake._model.manifest import Entry, Manifest
from keepsake._repository.legacy.tarball import Member, Unwanted, open_tarball
from keepsake._snapshots.overlay import check_manifest
from keepsake._snapshots.save import save_snapshot
from keepsake._snapshots.scan import Found
from keepsake.directories import cache_directory
from keepsake.errors import CorruptionError, WriteError
from keepsake.stores.base import Store

SPOOL_BYTES = 256 * 1024 * 1024
"""A few of the largest chunks a thread; more would only take more room."""

_SPOOL = "unpack-"
_STALE_S = 24 * 3600.0
"""A spool that nothing was put into or taken from for so long is used by nobody."""


@dataclass(slots=True)
class Unpacked:
    """What came out of a tarball."""

    manifest: Manifest
    digests: dict[str, str] = field(default_factory=dict)
    """Path to the digest of what the tarball held there."""
    unwanted: list[Unwanted] = field(default_factory=list)
    """Members that are not in the manifest as files."""


def unpack(store: Store, key: str, owner_id: str, chunks: ChunkStore) -> Unpacked:
    """Store the files of a tarball as chunks; nothing refers to those yet.

    Args:
        store: what holds the tarball.
        key: its key.
        owner_id: the id of the experiment or checkpoint that it belongs to.
        chunks: where the files go.

    Raises:
        NotFoundError: there is no such tarball.
        CorruptionError: it is damaged, or was tampered with.
        StoreError: one of the two stores failed, or there is no room for the spool.
    """
    entries: dict[str, Entry] = {}
    unpacked = Unpacked(Manifest(()))
    with _spool_directory() as directory, open_tarball(store, key, owner_id) as members:
        spool = _Spool(directory, chunks)
        for member in members:
            if isinstance(member, Unwanted):
                unpacked.unwanted.append(member)
                if member.is_foreign:
                    entries[member.path] = Entry(member.path, "missing", reason=member.reason)
            else:
                unpacked.digests[member.path] = spool.add(member)
                if spool.size_bytes >= SPOOL_BYTES:
                    entries |= spool.flush()
        entries |= spool.flush()
    unpacked.manifest = Manifest(tuple(entries[path] for path in sorted(entries)))
    try:
        check_manifest(unpacked.manifest)
    except CorruptionError as error:
        raise CorruptionError(f"{key} in {store.url} was tampered with: {error.message}") from error
    return unpacked


class _Spool:
    """Files between a tarball and a chunk store."""

    def __init__(self, directory: Path, chunks: ChunkStore) -> None:
        self.size_bytes = 0
        self._directory = directory
        self._chunks = chunks
        self._waiting: dict[str, Found] = {}
        self._count = 0

    def add(self, member: Member) -> str:
        """Take a file up and return its digest."""
        source = self._directory / str(self._count)
        self._count += 1
        digest = blake3()
        try:
            with source.open("wb") as file:
                for data in member.windows():
                    digest.update(data)
                    file.write(data)
                size_bytes = file.tell()
        except OSError as error:
            raise WriteError(
                f"{self._directory} cannot take what is unpacked: {error.strerror or error}",
                hint="make room there, or set XDG_CACHE_HOME to a directory on a larger disk",
            ) from error
        if size_bytes != member.size_bytes:
            raise CorruptionError(f"{member.path!r} ends after {size_bytes} of {member.size_bytes} bytes")
        # Of two members of one path, the later one counts, as everywhere in tar.
        self._waiting[member.path] = Found(member.path, "file", size_bytes=size_bytes, source=os.fspath(source))
        self.size_bytes += size_bytes
        return digest.hexdigest()

    def flush(self) -> dict[str, Entry]:
        """Store what waits, and return its entries by path."""
        manifest = save_snapshot(self._directory, list(self._waiting.values()), self._chunks)
        lost = [entry for entry in manifest.entries if entry.kind == "missing"]
        if lost:
            raise WriteError(f"a file of the spool {self._directory} {lost[0].reason}")
        for file in self._directory.iterdir():
            file.unlink()
        self._waiting.clear()
        self.size_bytes = 0
        return {entry.path: entry for entry in manifest.entries}


@contextmanager
def _spool_directory() -> Iterator[Path]:
    parent = cache_directory(os.environ)
    _remove_stale(parent)
    with tempfile.TemporaryDirectory(prefix=_SPOOL, dir=parent) as name:
        yield Path(name)


def _remove_stale(parent: Path) -> None:
    """Remove the spools of processes that were killed."""
    oldest_s = time.time() - _STALE_S
    for spool in parent.glob(f"{_SPOOL}*"):
        with contextlib.suppress(OSError):  # somebody else removes it as well
            if spool.stat().st_mtime < oldest_s:
                shutil.rmtree(spool)
