"""What a store is: bytes by key, nothing else.

A key is relative, `/`-separated and printable ASCII without backslash and colon (`chunks/ab/abcd…`); no part is empty,
`.` or `..`. What stands before a `/` of one key is never a key of its own, and no two keys differ in case only, so that
keys can be file names everywhere: who makes keys sees to that. Objects are small enough to be held in memory. Every
method may be called from several threads at once. Failures are `StoreError`s (an absent object is `NotFoundError`); a
failed write leaves either the old object or none, never a part of the new one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Protocol, TypeAlias, runtime_checkable

from keepsake.errors import InvalidInputError

Buffer: TypeAlias = bytes | bytearray | memoryview
Data: TypeAlias = Buffer | Sequence[Buffer]
"""One buffer, or several that are written one after another as one object."""


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """What a listing says of one object."""

    key: str
    size_bytes: int
    modified_ns: int
    """Nanoseconds since the epoch, by the store's clock."""
    tag: str
    """Differs whenever the object was replaced (entity tag; on a disk: inode, size and modification time)."""


@runtime_checkable
class Store(Protocol):
    """An object store. See the module's text for keys, threads and errors."""

    @property
    def url(self) -> str:
        """Where this is, without credentials."""

    def get(self, key: str) -> bytes:
        """Return the object. Raises `NotFoundError` when there is none."""

    def get_range(self, key: str, start: int, stop: int) -> bytes:
        """Return bytes `start` to `stop` (exclusive) of the object, fewer where it ends before `stop`."""

    def put(self, key: str, data: Data, *, durable: bool = False) -> None:
        """Write the object, replacing any other, atomically. With `durable` it survives a power loss on return."""

    def create(self, key: str, data: Data, *, durable: bool = False) -> bool:
        """Write the object unless there is one; say whether it was written. Of several creators, one wins."""

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Yield every object whose key starts with `prefix` (any string), in no promised order.

        Objects written or deleted meanwhile may or may not appear; all others appear exactly once.
        """

    def head(self, key: str) -> ObjectInfo | None:
        """Describe the object, or return None when there is none."""

    def delete(self, key: str) -> None:
        """Delete the object; an absent one is no error."""

    def sync(self, keys: Iterable[str]) -> None:
        """Return when the named objects survive a power loss. Absent ones are passed over."""


@dataclass(frozen=True, slots=True)
class DirectoryInfo:
    """What a directory store says of one directory."""

    prefix: str
    """What the keys of its objects begin with, the `/` included."""
    changed_ns: int
    """When a name was last added or removed in it, by the store's clock, in nanoseconds since the epoch."""
    tag: str
    """Differs when a name was added, removed or changed in it since, unless that was in the moment of `changed_ns`."""


@dataclass(frozen=True, slots=True)
class Level:
    """What lies directly under a prefix."""

    objects: Sequence[ObjectInfo]
    directories: Sequence[DirectoryInfo]


@runtime_checkable
class DirectoryStore(Store, Protocol):
    """A store that knows when the names in a directory changed, as a disk does, so that it need not be listed again."""

    def list_level(self, prefix: str) -> Level:
        """Return the objects and directories directly under `prefix`, which ends with a `/`."""


class Appender(Protocol):
    """An object that grows, open for appending by one writer."""

    @property
    def size_bytes(self) -> int:
        """Length of the object with all that was appended."""

    def append(self, data: bytes) -> None:
        """Add `data` to the end. When it raises, a part of it may have been written: append no more."""

    def close(self) -> None:
        """Release what the appender holds. Closing twice is no error."""


@runtime_checkable
class AppendStore(Store, Protocol):
    """A store whose objects can grow in place, as on a disk; sessions write their journals there."""

    def open_append(self, key: str) -> Appender:
        """Create the object `key` empty and open it for appending. Raises `ConflictError` when it exists."""

    def rename(self, key: str, new_key: str) -> None:
        """Give an object another key, atomically; what stood there is replaced. Raises `NotFoundError` when absent."""


@runtime_checkable
class RemoteStore(Store, Protocol):
    """A store beyond a network: every request takes long, and it serves many at once."""

    def choose_concurrency(self) -> int:
        """Return how many requests to have under way at once, by how long they take."""


@runtime_checkable
class CachingStore(Store, Protocol):
    """A store that may answer from copies of its own."""

    def forget(self, key: str) -> None:
        """Drop the copy of an object, so that the next `get` asks the store."""

    def reading_once(self, size_bytes: int) -> AbstractContextManager[None]:
        """Keep no more copies while so many bytes are read one after another, if they would not all fit."""


def reading_once(store: Store, size_bytes: int) -> AbstractContextManager[None]:
    """Do as `CachingStore.reading_once`; nothing where no copies are kept."""
    return store.reading_once(size_bytes) if isinstance(store, CachingStore) else nullcontext()


def concurrency_of(store: Store) -> int:
    """Return how many requests to have under way at once: 1 where they gain nothing from company."""
    choose: Callable[[], int] | None = getattr(store, "choose_concurrency", None)  # `isinstance` takes 40 µs
    return 1 if choose is None else choose()


_PART = r"(?!\.\.?(?:/|\Z))[ -.0-9;-\[\]-~]+"  # printable ASCII but `/`, `:` and `\`; neither `.` nor `..`
_match_key = re.compile(f"{_PART}(?:/{_PART})*").fullmatch


def is_key(text: str) -> bool:
    """Say whether `text` is a key; see the module's text."""
    return _match_key(text) is not None


def check_key(key: str) -> None:
    """Raise `InvalidInputError` unless `key` is one; see the module's text."""
    if not _match_key(key):
        raise InvalidInputError(
            f"{key!r} is not a key of an object",
            hint="a key is relative printable ASCII, its parts separated by '/', none of them empty, '.' or '..'",
        )


def check_range(start: int, stop: int) -> None:
    """Raise `InvalidInputError` unless 0 <= `start` <= `stop`."""
    if not 0 <= start <= stop:
        raise InvalidInputError(f"bytes {start} to {stop} are not a range", hint="it must be that 0 <= start <= stop")


def buffers_of(data: Data) -> Sequence[Buffer]:
    """Return the buffers that `data` consists of, as they are."""
    return (data,) if isinstance(data, bytes | bytearray | memoryview) else data


def size_of(data: Data) -> int:
    """Return the length of `data` in bytes."""
    return sum(buffer.nbytes if isinstance(buffer, memoryview) else len(buffer) for buffer in buffers_of(data))
