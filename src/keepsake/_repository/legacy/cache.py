"""Unpacked tarballs, kept for a while: files inside a tarball cannot be sought in, and unpacking takes its time.

It lies in this user's cache directory, for all repositories of format 1, and has the form of a repository of format 2
without journals; so what is in several checkpoints is kept once, and everything is verified when it is read. Beyond its
limit the oldest chunks go. What has gone is unpacked again.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Collection
from functools import cached_property
from pathlib import Path

from keepsake._chunks.chunkstore import ChunkStore
from keepsake._chunks.digest import digest_of
from keepsake._model.keys import CHUNKS, chunk_key, digest_of_key
from keepsake._model.lines import decode_line, encode_line
from keepsake._model.manifest import Manifest
from keepsake._repository.legacy.unpack import unpack
from keepsake._repository.repository import Repository
from keepsake.directories import cache_directory, private_directory
from keepsake.errors import CorruptionError, FormatError, NotFoundError
from keepsake.stores.base import ObjectInfo, Store
from keepsake.stores.local import LocalStore

LIMIT_BYTES = 4 * 1024**3
"""A few checkpoints of a model of usual size. One that is larger alone is kept until the next is unpacked."""

_SNAPSHOTS = "snapshots/"


class UnpackedCache:
    """The unpacked tarballs of this user.

    Args:
        root: where they are kept; in the cache directory when None.
        limit_bytes: how much is kept.
    """

    def __init__(self, root: Path | None = None, *, limit_bytes: int = LIMIT_BYTES) -> None:
        place = root if root is not None else private_directory(cache_directory(os.environ) / "unpacked-1")
        self._kept = Repository(LocalStore(place), "unpacked")
        self._limit_bytes = limit_bytes

    @property
    def chunks(self) -> ChunkStore:
        """The chunks that are kept."""
        return self._kept.chunks

    def load(self, store: Store, info: ObjectInfo, owner_id: str, *, again: bool = False) -> Manifest:
        """Return what is in a tarball, unpacking it unless it is kept. Raises what `unpack` raises.

        Args:
            store: what holds the tarball.
            info: describes it.
            owner_id: the id of the experiment or checkpoint that it belongs to.
            again: whether to unpack it although it is kept, since chunks of it have gone.
        """
        # By what tells one state of the object from another, so that one that was replaced is unpacked anew.
        identity = "\n".join([store.url, info.key, str(info.size_bytes), str(info.modified_ns), info.tag])
        key = f"{_SNAPSHOTS}{digest_of(identity.encode('utf-8', 'surrogateescape'))}"
        if not again:
            with contextlib.suppress(NotFoundError, FormatError, KeyError):
                return self._kept.load_manifest(str(decode_line(self._kept.store.get(key))["manifest"]))
        return self._unpack(store, info, owner_id, key)

    def _unpack(self, store: Store, info: ObjectInfo, owner_id: str, key: str) -> Manifest:
        manifest = unpack(store, info.key, owner_id, self._kept.chunks).manifest
        self._make_room(manifest.digests())
        self._kept.store.put(key, encode_line({"manifest": self._kept.save_manifest(manifest)}))
        return manifest

    def _make_room(self, wanted: Collection[str]) -> None:
        found = sorted(self._kept.store.list(CHUNKS), key=lambda info: info.modified_ns)
        excess = sum(info.size_bytes for info in found) - self._limit_bytes
        for info in found:
            if excess <= 0:
                return
            if digest_of_key(info.key) not in wanted:
                self._kept.store.delete(info.key)
                excess -= info.size_bytes


class UnpackedChunks(ChunkStore):
    """The chunks of unpacked tarballs; one that is kept no longer is unpacked again.

    Args:
        store: what holds the repository.
    """

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._unpack_again: dict[str, Callable[[], Manifest]] = {}

    @cached_property
    def cache(self) -> UnpackedCache:
        """Where they are; made when something is first needed of it."""
        return UnpackedCache()

    def remember(self, manifest: Manifest, unpack_again: Callable[[], Manifest]) -> None:
        """Note how to get the chunks of a snapshot when they have gone."""
        self._unpack_again |= dict.fromkeys(manifest.digests(), unpack_again)

    def get(self, digest: str) -> bytes | memoryview:
        """Return a chunk, verified. Raises as `ChunkStore.get`, and what unpacking raises."""
        chunks = self.cache.chunks
        try:
            return chunks.get(digest)
        except (NotFoundError, CorruptionError):
            if digest not in self._unpack_again:
                raise
        # One that is damaged would count as known.
        chunks.store.delete(chunk_key(digest))
        self._unpack_again[digest]()
        return chunks.get(digest)
