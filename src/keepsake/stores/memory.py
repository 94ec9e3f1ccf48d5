"""A store in the memory of this process, for tests: what a local store does, without a disk."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from keepsake.errors import ConflictError, NotFoundError, WriteError
from keepsake.stores.base import Appender, Data, ObjectInfo, buffers_of, check_key, check_range


@dataclass(slots=True)
class _Object:
    content: bytearray
    version: int
    modified_ns: int = field(default_factory=time.time_ns)


class MemoryStore:
    """An `AppendStore` that ends with the process; any number of threads may use it."""

    def __init__(self) -> None:
        self._objects: dict[str, _Object] = {}
        self._lock = threading.Lock()
        self._versions = 0

    def __repr__(self) -> str:
        return f"<MemoryStore with {len(self._objects)} objects>"

    @property
    def url(self) -> str:
        """Always `memory://`."""
        return "memory://"

    def get(self, key: str) -> bytes:
        """Return the object. Raises `NotFoundError` when there is none."""
        check_key(key)
        with self._lock:
            return bytes(self._find(key).content)

    def get_range(self, key: str, start: int, stop: int) -> bytes:
        """Return bytes `start` to `stop` (exclusive) of the object, fewer where it ends before `stop`."""
        check_key(key)
        check_range(start, stop)
        with self._lock:
            return bytes(memoryview(self._find(key).content)[start:stop])

    def put(self, key: str, data: Data, *, durable: bool = False) -> None:  # noqa: ARG002 (nothing here is durable)
        """Write the object, replacing any other, atomically."""
        check_key(key)
        content = _copy(data)
        with self._lock:
            self._add(key, content)

    def create(self, key: str, data: Data, *, durable: bool = False) -> bool:  # noqa: ARG002 (as above)
        """Write the object unless there is one; say whether it was written. Of several creators, one wins."""
        check_key(key)
        content = _copy(data)
        with self._lock:
            if key in self._objects:
                return False
            self._add(key, content)
            return True

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Yield every object whose key starts with `prefix` (any string), in no promised order."""
        with self._lock:
            found = [_info(key, one) for key, one in self._objects.items() if key.startswith(prefix)]
        yield from found

    def head(self, key: str) -> ObjectInfo | None:
        """Describe the object, or return None when there is none."""
        check_key(key)
        with self._lock:
            return _info(key, self._objects[key]) if key in self._objects else None

    def delete(self, key: str) -> None:
        """Delete the object; an absent one is no error."""
        check_key(key)
        with self._lock:
            self._objects.pop(key, None)

    def sync(self, keys: Iterable[str]) -> None:
        """Do nothing: no object here survives a power loss."""
        for key in keys:
            check_key(key)

    def open_append(self, key: str) -> Appender:
        """Create the object `key` empty and open it for appending. Raises `ConflictError` when it exists."""
        check_key(key)
        with self._lock:
            if key in self._objects:
                raise ConflictError(f"there is an object {key} in {self.url} already")
            return _MemoryAppender(self._add(key, bytearray()), self._lock, key)

    def rename(self, key: str, new_key: str) -> None:
        """Give an object another key, atomically; what stood there is replaced. Raises `NotFoundError` when absent."""
        check_key(key)
        check_key(new_key)
        with self._lock:
            self._objects[new_key] = self._find(key)
            if new_key != key:
                del self._objects[key]

    def _find(self, key: str) -> _Object:
        try:
            return self._objects[key]
        except KeyError:
            raise NotFoundError(f"there is no object {key} in {self.url}") from None

    def _add(self, key: str, content: bytearray) -> _Object:
        self._versions += 1
        self._objects[key] = _Object(content, self._versions)
        return self._objects[key]


class _MemoryAppender:
    def __init__(self, target: _Object, lock: threading.Lock, key: str) -> None:
        self._target = target
        self._lock = lock
        self._key = key
        self._is_closed = False

    @property
    def size_bytes(self) -> int:
        """Length of the object with all that was appended."""
        return len(self._target.content)

    def append(self, data: bytes) -> None:
        """Add `data` to the end."""
        if self._is_closed:
            raise WriteError(f"{self._key} in memory:// is closed: nothing can be appended to it")
        with self._lock:
            self._target.content += data
            self._target.modified_ns = time.time_ns()

    def close(self) -> None:
        """Append no more. Closing twice is no error."""
        self._is_closed = True


def _copy(data: Data) -> bytearray:
    content = bytearray()
    for buffer in buffers_of(data):
        content += buffer
    return content


def _info(key: str, one: _Object) -> ObjectInfo:
    return ObjectInfo(key, len(one.content), one.modified_ns, f"{one.version}-{len(one.content)}")
