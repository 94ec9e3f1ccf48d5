"""A store around a store: every operation passes one place, where a policy may retry, count, delay or refuse it.

A wrapper has what an `AppendStore`, a `DirectoryStore` or a `RemoteStore` has exactly when the store in it has it.
Listings are read whole before the first object is given out, so that a listing is one operation that succeeds or fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from keepsake.stores.base import (
    Appender,
    AppendStore,
    Data,
    DirectoryStore,
    Level,
    ObjectInfo,
    RemoteStore,
    Store,
    size_of,
)

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Operation:
    """One call of a method of a store or of one of its appenders."""

    name: str
    """`get`, `get_range`, `put`, `create`, `list`, `list_level`, `head`, `delete`, `sync`, `open_append`, `append` or
    `rename`."""
    key: str = ""
    """The object; of `list` and `list_level` the prefix, of `rename` the old key, of `sync` nothing."""
    size_bytes: int = 0
    """Bytes that are to be written, or that were read."""
    keys: tuple[str, ...] = ()
    """Of `sync`: all keys; of `rename`: the new one."""

    def with_result(self, result: object) -> Operation:
        """Return this operation with the bytes that were read, if it was one that reads bytes."""
        return replace(self, size_bytes=len(result)) if isinstance(result, bytes) else self


class StoreAround:
    """A store that passes everything on; a policy overrides `perform`, or single methods.

    Args:
        store: the store that does the work.
    """

    # Only on instances whose store has them, so that `isinstance(…, AppendStore)` tells the truth.
    open_append: Callable[[str], Appender]
    rename: Callable[[str, str], None]
    list_level: Callable[[str], Level]
    choose_concurrency: Callable[[], int]

    def __init__(self, store: Store) -> None:
        self.store = store
        if isinstance(store, AppendStore):
            self._append_store = store
            self.open_append = self._open_append
            self.rename = self._rename
        if isinstance(store, DirectoryStore):
            self._directory_store = store
            self.list_level = self._list_level
        if isinstance(store, RemoteStore):
            self.choose_concurrency = store.choose_concurrency

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.store!r})"

    def perform(self, operation: Operation, act: Callable[[], Result]) -> Result:  # noqa: ARG002
        """Carry out one operation by calling `act`, which may be called several times."""
        return act()

    @property
    def url(self) -> str:
        """Where the wrapped store is."""
        return self.store.url

    def get(self, key: str) -> bytes:
        """Return the object. Raises `NotFoundError` when there is none."""
        return self.perform(Operation("get", key), lambda: self.store.get(key))

    def get_range(self, key: str, start: int, stop: int) -> bytes:
        """Return bytes `start` to `stop` (exclusive) of the object, fewer where it ends before `stop`."""
        return self.perform(Operation("get_range", key), lambda: self.store.get_range(key, start, stop))

    def put(self, key: str, data: Data, *, durable: bool = False) -> None:
        """Write the object, replacing any other, atomically. With `durable` it survives a power loss on return."""
        self.perform(Operation("put", key, size_of(data)), lambda: self.store.put(key, data, durable=durable))

    def create(self, key: str, data: Data, *, durable: bool = False) -> bool:
        """Write the object unless there is one; say whether it was written. Of several creators, one wins."""
        operation = Operation("create", key, size_of(data))
        return self.perform(operation, lambda: self.store.create(key, data, durable=durable))

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Yield every object whose key starts with `prefix` (any string), in no promised order."""
        yield from self.perform(Operation("list", prefix), lambda: [*self.store.list(prefix)])

    def head(self, key: str) -> ObjectInfo | None:
        """Describe the object, or return None when there is none."""
        return self.perform(Operation("head", key), lambda: self.store.head(key))

    def delete(self, key: str) -> None:
        """Delete the object; an absent one is no error."""
        self.perform(Operation("delete", key), lambda: self.store.delete(key))

    def sync(self, keys: Iterable[str]) -> None:
        """Return when the named objects survive a power loss. Absent ones are passed over."""
        named = tuple(keys)
        self.perform(Operation("sync", keys=named), lambda: self.store.sync(named))

    def _open_append(self, key: str) -> Appender:
        """Create the object `key` empty and open it for appending. Raises `ConflictError` when it exists."""
        appender = self.perform(Operation("open_append", key), lambda: self._append_store.open_append(key))
        return AppenderAround(appender, key, self)

    def _list_level(self, prefix: str) -> Level:
        """Return the objects and directories directly under `prefix`, which ends with a `/`."""
        return self.perform(Operation("list_level", prefix), lambda: self._directory_store.list_level(prefix))

    def _rename(self, key: str, new_key: str) -> None:
        """Give an object another key, atomically; what stood there is replaced. Raises `NotFoundError` when absent."""
        operation = Operation("rename", key, keys=(new_key,))
        self.perform(operation, lambda: self._append_store.rename(key, new_key))


class AppenderAround:
    """An appender whose operations pass the same place as those of its store.

    Args:
        appender: the appender of the wrapped store.
        key: what it appends to.
        around: the wrapper.
    """

    def __init__(self, appender: Appender, key: str, around: StoreAround) -> None:
        self.appender = appender
        self.key = key
        self.around = around

    @property
    def size_bytes(self) -> int:
        """Length of the object with all that was appended."""
        return self.appender.size_bytes

    def append(self, data: bytes) -> None:
        """Add `data` to the end. When it raises, a part of it may have been written: append no more."""
        self.around.perform(Operation("append", self.key, len(data)), lambda: self.appender.append(data))

    def close(self) -> None:
        """Release what the appender holds. Closing twice is no error."""
        self.appender.close()
