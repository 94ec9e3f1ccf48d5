"""A store that keeps copies of what it read on a local disk, for objects that never change what they mean.

The copies fill a directory up to a limit, and leave a part of its disk free whatever the limit is; those that were not
read for the longest time go first. Any number of processes may share the directory: copies are written whole, and one
that another process deleted is fetched again. Each copy carries a digest of its key and content, and one that is
damaged is dropped and fetched again. What cannot be cached (the disk is full, or read-only) is read from the store,
without a word.

A copy is as good as what the store returned, and may outlive the object. Who verifies an object and finds it damaged
calls `forget` before reading again; who wants to know what the store holds asks the store itself.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence

from keepsake.errors import NotFoundError, StoreError
from keepsake.stores._diskroom import DiskRoom
from keepsake.stores.around import Operation, Result, StoreAround
from keepsake.stores.base import Buffer, Store
from keepsake.stores.local import LocalStore

_DIGEST_BYTES = 32
_WHOLE = 1 << 62

_CHANGES = frozenset({"put", "create", "delete", "rename", "open_append", "append"})
"""Operations that may make a copy wrong. Immutable objects see none but `delete`, and `put` of other bytes that decode
to the same; this is for the case that they are not."""

_SLACK = 16
"""A process looks at the directory again after adding a 16th of the limit: so far may each exceed it."""

_KEPT = 0.9
"""How much of the limit is left when copies are removed, so that it is not done for every object."""

_PAUSE_S = 1.0
"""While the disk is full of other things, copies are looked for that could go no more often than this."""

_STALE_NS = 24 * 3600 * 10**9
"""Age from which a file that never became whole is removed."""


class CacheStore(StoreAround):
    """A store whose immutable objects are read from a local copy when there is one.

    Whole reads fill the cache; `get_range`, `head` and `list` always ask the store. What is written or deleted through
    this store is dropped from the cache.

    Args:
        store: where the objects are. A `RetryStore` goes in here, not around the cache.
        directory: where the copies are kept; nothing else may lie in it.
        limit_bytes: how much they may take in all, with a 16th more for each process at work; less when the disk has
            less room (`DiskRoom`).
        prefixes: which objects are immutable, by the beginnings of their keys.
    """

    def __init__(
        self, store: Store, directory: str | os.PathLike[str], limit_bytes: int, *, prefixes: Sequence[str]
    ) -> None:
        super().__init__(store)
        self._cache = LocalStore(directory)
        self._limit_bytes = limit_bytes
        self._prefixes = tuple(prefixes)
        self._unseen_bytes = limit_bytes  # so that the first object looks at what other processes left
        self._trimming = threading.Lock()
        self._keeping = threading.Lock()
        self._disk = DiskRoom(self._cache.root)
        self._full_until_s = 0.0
        self._passing = 0
        """How many are reading more than fits."""

    def get(self, key: str) -> bytes:
        """Return the object, from its copy if there is a good one. Raises `NotFoundError` when there is neither."""
        if not key.startswith(self._prefixes):
            return super().get(key)
        data = self._load(key)
        if data is None:
            data = super().get(key)
            self._save(key, data)
        return data

    def forget(self, key: str) -> None:
        """Drop the copy of an object, so that the next `get` asks the store."""
        with contextlib.suppress(StoreError):
            self._cache.delete(key)

    @contextlib.contextmanager
    def reading_once(self, size_bytes: int) -> Iterator[None]:
        """Keep no more copies while so many bytes are read one after another, if they would not all fit.

        The last of them would push out the first, which are asked for first when it is begun again, and all others too.
        """
        more = size_bytes > self._limit_bytes or not self._may_ever_fit(size_bytes)
        with self._keeping:
            self._passing += more
        try:
            yield
        finally:
            with self._keeping:
                self._passing -= more

    def perform(self, operation: Operation, act: Callable[[], Result]) -> Result:
        """Carry out an operation on the store, and drop the copies of what it changes or may have changed."""
        try:
            return act()
        finally:
            if operation.name in _CHANGES:
                for key in (operation.key, *operation.keys):
                    if key.startswith(self._prefixes):
                        self.forget(key)

    def _load(self, key: str) -> bytes | None:
        try:
            digest = self._cache.get_range(key, 0, _DIGEST_BYTES)
            data = self._cache.get_range(key, _DIGEST_BYTES, _WHOLE)
        except (NotFoundError, StoreError):
            return None
        if digest != _digest(key, data):
            self.forget(key)
            return None
        self._cache.touch(key)
        return data

    def _save(self, key: str, data: bytes) -> None:
        size_bytes = len(data) + _DIGEST_BYTES
        if self._passing or len(data) > self._limit_bytes // _SLACK or not self._make_room(size_bytes):
            return
        try:
            self._cache.put(key, (_digest(key, data), data))
        except StoreError:
            return
        self._disk.take(size_bytes)
        self._unseen_bytes += size_bytes
        if self._unseen_bytes > self._limit_bytes // _SLACK:
            self._trim()

    def _may_ever_fit(self, size_bytes: int) -> bool:
        """Say whether the disk has room for so much when all copies go that are there now."""
        left_bytes = self._disk.left_bytes()
        if size_bytes <= left_bytes:
            return True
        try:
            return size_bytes <= left_bytes + sum(info.size_bytes for info in self._cache.list())
        except StoreError:
            return False

    def _make_room(self, size_bytes: int) -> bool:
        """See to it that the disk has room for so much; say whether it has."""
        if size_bytes <= self._disk.left_bytes():
            return True
        if time.monotonic() < self._full_until_s or not self._trim(size_bytes):
            return False
        has_room = size_bytes <= self._disk.left_bytes(is_changed=True)
        if not has_room:
            self._full_until_s = time.monotonic() + _PAUSE_S
        return has_room

    def _trim(self, more_bytes: int = 0) -> bool:
        """Remove the copies that were not read for the longest time, if all together exceed the limit or fill the disk.

        Args:
            more_bytes: for how much there shall be room besides.

        Returns:
            False when somebody else is at it.
        """
        if not self._trimming.acquire(blocking=False):
            return False
        try:
            self._unseen_bytes = 0
            with contextlib.suppress(StoreError):
                self._remove_oldest(more_bytes)
                self._remove_stale()
        finally:
            self._trimming.release()
        return True

    def _remove_oldest(self, more_bytes: int) -> None:
        copies = sorted(self._cache.list(), key=lambda info: info.modified_ns)
        total_bytes = sum(info.size_bytes for info in copies)
        fitting_bytes = total_bytes + self._disk.left_bytes(is_changed=True) - more_bytes
        limit_bytes = min(self._limit_bytes, fitting_bytes)
        if total_bytes <= limit_bytes:
            return
        for info in copies:
            if total_bytes <= limit_bytes * _KEPT:
                return
            self._cache.delete(info.key)
            total_bytes -= info.size_bytes

    def _remove_stale(self) -> None:
        oldest_ns = time.time_ns() - _STALE_NS
        for info in self._cache.list_temporary():
            if info.modified_ns < oldest_ns:
                self._cache.delete(info.key)


def drop_copies(directory: str | os.PathLike[str]) -> int:
    """Delete all copies in a directory of copies; return how many bytes they took. Never raises because of a disk."""
    cache = LocalStore(directory)
    dropped_bytes = 0
    with contextlib.suppress(StoreError):
        for info in list(cache.list()):
            cache.delete(info.key)
            dropped_bytes += info.size_bytes
    return dropped_bytes


def _digest(key: str, data: Buffer) -> bytes:
    from blake3 import blake3

    return blake3(key.encode("ascii")).update(b"\0").update(data).digest()
