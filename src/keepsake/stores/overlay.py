"""A store seen through another one: some objects are read from where they were written first.

What a session has staged for a repository beyond a network is on this machine before it is there. Whoever looks at the
repository from here sees both as one, and needs not fetch what is at hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager

from keepsake.errors import NotFoundError
from keepsake.stores.around import StoreAround
from keepsake.stores.base import CachingStore, ObjectInfo, Store, reading_once


class OverlayStore(StoreAround):
    """A store of which some objects may be in another one already.

    Nothing is written to the other one; what is deleted here may be seen there still.

    Args:
        store: the store.
        find_over: returns the other one, whose objects come first, or None while there is none.
        prefixes: which objects may be there, by the beginnings of their keys.
    """

    def __init__(self, store: Store, find_over: Callable[[], Store | None], *, prefixes: Sequence[str]) -> None:
        super().__init__(store)
        self._find_over = find_over
        self._prefixes = tuple(prefixes)

    def get(self, key: str) -> bytes:
        """Return the object, from wherever it is. Raises `NotFoundError` when there is none."""
        over = self._over(key)
        if over is not None:
            try:
                return over.get(key)
            except NotFoundError:
                return self.store.get(key)
        return self.store.get(key)

    def get_range(self, key: str, start: int, stop: int) -> bytes:
        """Return bytes `start` to `stop` (exclusive) of the object, fewer where it ends before `stop`."""
        over = self._over(key)
        if over is not None:
            try:
                return over.get_range(key, start, stop)
            except NotFoundError:
                return self.store.get_range(key, start, stop)
        return self.store.get_range(key, start, stop)

    def forget(self, key: str) -> None:
        """Drop the copy of an object, if the store keeps one."""
        if isinstance(self.store, CachingStore):
            self.store.forget(key)

    def reading_once(self, size_bytes: int) -> AbstractContextManager[None]:
        """Have the store keep no copies that would not all fit, if it keeps any."""
        return reading_once(self.store, size_bytes)

    def head(self, key: str) -> ObjectInfo | None:
        """Describe the object, or return None when there is none."""
        over = self._over(key)
        info = over.head(key) if over is not None else None
        return info if info is not None else self.store.head(key)

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Yield every object of both whose key starts with `prefix`, once."""
        over = self._find_over()
        seen: set[str] = set()
        if over is not None and any(prefix.startswith(one) or one.startswith(prefix) for one in self._prefixes):
            for info in over.list(prefix):
                if info.key.startswith(self._prefixes):
                    seen.add(info.key)
                    yield info
        for info in self.store.list(prefix):
            if info.key not in seen:
                yield info

    def _over(self, key: str) -> Store | None:
        return self._find_over() if key.startswith(self._prefixes) else None
