"""The chunks of a repository: put once, found by digest, verified whenever they are read.

Capture writes chunks raw, without syncing; `settle` encodes and syncs them later, under the same key. What a chunk
decodes to never changes. Nothing is remembered of what the store holds, as a collector may delete meanwhile: whether a
chunk is known is one look-up by name each time.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator

from keepsake._chunks.codec import (
    HEADER_BYTES,
    MAX_CHUNK_BYTES,
    decode_chunk,
    encode_chunk,
    encode_raw_header,
    is_raw,
)
from keepsake._chunks.digest import digest_of
from keepsake._model.keys import chunk_key
from keepsake.errors import CorruptionError, InternalError, NotFoundError
from keepsake.stores.base import Buffer, CachingStore, ObjectInfo, Store

WHERE_IT_WENT = (
    "it goes when what needs it is deleted and the space collected; if it was not, `keepsake check` names the "
    "checkpoints that need it, and another copy of the repository may have it"
)
"""What to make of a chunk or manifest that is not there, for somebody who reads a file."""


class ChunkStore:
    """Chunks in a store.

    Args:
        store: where they are.
        booted_ns: when this machine started, in nanoseconds since the epoch. A raw chunk from before then may have been
            lost in part when the power went, so it is verified before it counts as known. 0 trusts all.
    """

    def __init__(self, store: Store, *, booted_ns: int = 0) -> None:
        self.store = store
        self._booted_ns = booted_ns
        self._verified: set[str] = set()

    def put(self, data: Buffer) -> str:
        """Store a chunk raw unless it is known, and return its digest. Not synced: see `settle`."""
        digest = digest_of(data)
        key = chunk_key(digest)
        if not self._is_known(digest, key, self.store.head(key)):
            if len(data) > MAX_CHUNK_BYTES:
                raise InternalError(f"a chunk of {len(data)} bytes would be refused when it is read")
            self.store.put(key, (encode_raw_header(len(data)), data))
        return digest

    def is_known(self, digest: str) -> bool:
        """Say whether the store has a copy of the chunk under its plain key that can be trusted."""
        key = chunk_key(digest)
        return self._is_known(digest, key, self.store.head(key))

    def get_encoded(self, digest: str) -> tuple[Buffer, int]:
        """Return a chunk, verified, as it is kept for good, and its length as captured. Raises as `get` does."""
        key = chunk_key(digest)
        with contextlib.suppress(NotFoundError, CorruptionError):
            encoded = self.store.get(key)
            data = self._decode(encoded, key, digest)
            return encode_chunk(data) if is_raw(encoded) else encoded, len(data)
        data = self.get(digest)
        return encode_chunk(data), len(data)

    def get(self, digest: str) -> bytes | memoryview:
        """Return a chunk, verified.

        A copy that does not match is read once more, then the others are tried.

        Raises:
            NotFoundError: there is no copy.
            CorruptionError: no copy holds what the digest says.
            UnsupportedVersionError: a newer Keepsake encoded it.
        """
        errors: list[NotFoundError | CorruptionError] = []
        for key in self._keys(digest):
            copy = self._try_copy(key, digest)
            if not isinstance(copy, NotFoundError | CorruptionError):
                return copy
            errors.append(copy)
        # Damage says more than absence, and the copy under the plain key, which comes first, more than the others.
        for error in errors:
            if isinstance(error, CorruptionError):
                raise error
        raise NotFoundError(
            f"chunk {digest} is not in {self.store.url}",
            hint=WHERE_IT_WENT,
        ) from errors[0]

    def other_keys(self, digest: str) -> Iterator[str]:
        """Yield the keys of further copies of a chunk, which bear a suffix."""
        return (info.key for info in self.store.list(chunk_key(digest) + "."))

    def read_copy(self, key: str, digest: str) -> bytes | memoryview:
        """Return the chunk that stands under `key`, verified. Raises as `get` does, for this copy only."""
        try:
            return self._read_once(key, digest)
        except CorruptionError:
            # The object may have been replaced while it was read, memory failed, or a copy is bad: look once more.
            if isinstance(self.store, CachingStore):
                self.store.forget(key)
            return self._read_once(key, digest)

    def is_raw(self, digest: str) -> bool:
        """Say whether the chunk under its plain key is as captured. Raises `NotFoundError` when there is none."""
        return is_raw(self.store.get_range(chunk_key(digest), 0, HEADER_BYTES))

    def recode(self, digest: str) -> None:
        """Encode a raw chunk under the same key, durably; sync any other. Absent ones are passed over."""
        from keepsake._chunks.settling import recode

        recode(self, digest)

    def settle(
        self, digests: Iterable[str], *, threads: int = 2, on_progress: Callable[[int], None] | None = None
    ) -> None:
        """Encode all of the named chunks that are raw, and return when all of them survive a power loss.

        May be interrupted at any time and called again: each chunk is replaced atomically, and found as it is.

        Args:
            digests: the chunks. Absent ones are passed over.
            threads: how many chunks to work at once; a chunk under work takes about three times its length of memory.
            on_progress: called with the raw length of each chunk when it is done, by one thread at a time.

        Raises:
            CorruptionError: a raw chunk is damaged. The others are settled first.
        """
        from keepsake._chunks.settling import settle

        settle(self, digests, threads=threads, on_progress=on_progress)

    def _keys(self, digest: str) -> Iterator[str]:
        yield chunk_key(digest)
        yield from self.other_keys(digest)

    def _try_copy(self, key: str, digest: str) -> bytes | memoryview | NotFoundError | CorruptionError:
        try:
            return self.read_copy(key, digest)
        except (NotFoundError, CorruptionError) as error:
            return error

    def _is_known(self, digest: str, key: str, info: ObjectInfo | None) -> bool:
        if info is None or info.size_bytes < HEADER_BYTES:
            return False
        if info.modified_ns >= self._booted_ns or digest in self._verified:
            return True
        try:
            if self.is_raw(digest):
                self.read_copy(key, digest)
        except (CorruptionError, NotFoundError):
            return False
        self._verified.add(digest)
        return True

    def _read_once(self, key: str, digest: str) -> bytes | memoryview:
        return self._decode(self.store.get(key), key, digest)

    def _decode(self, encoded: Buffer, key: str, digest: str) -> bytes | memoryview:
        try:
            data = decode_chunk(encoded, max_bytes=MAX_CHUNK_BYTES)
        except CorruptionError as error:
            raise self._damaged(key, error.message) from error
        if digest_of(data) != digest:
            raise self._damaged(key, "it decodes to something else than its name says")
        return data

    def _damaged(self, key: str, reason: str) -> CorruptionError:
        return CorruptionError(
            f"{key} in {self.store.url} is damaged: {reason}",
            hint="`keepsake check` names every checkpoint that this touches",
        )
