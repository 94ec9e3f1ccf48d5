"""A store that writes down what it is asked, so that a test can count requests instead of seconds."""

from __future__ import annotations

import threading
from collections.abc import Callable

from keepsake.stores.around import Operation, Result, StoreAround
from keepsake.stores.base import Store

WRITES = frozenset({"put", "create", "append"})
"""Operations that write bytes."""

READS = frozenset({"get", "get_range"})
"""Operations that read bytes."""


class RecordingStore(StoreAround):
    """A store around a store that records each operation when it has ended, those that failed included.

    Example:
        >>> from keepsake.stores.memory import MemoryStore
        >>> store = RecordingStore(MemoryStore())
        >>> store.put("chunks/ab/abcd", b"12345")
        >>> store.count("put", "chunks/"), store.bytes_written()
        (1, 5)

    Args:
        store: the store to watch.
    """

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.operations: list[Operation] = []
        """In the order in which they ended."""
        self._lock = threading.Lock()

    def perform(self, operation: Operation, act: Callable[[], Result]) -> Result:
        """Carry out the operation and write it down."""
        try:
            result = act()
        except BaseException:
            self._add(operation)
            raise
        self._add(operation.with_result(result))
        return result

    def select(self, name: str | None = None, prefix: str = "") -> tuple[Operation, ...]:
        """Return the operations called `name` (all when None) on keys that begin with `prefix`."""
        with self._lock:
            operations = tuple(self.operations)
        return tuple(one for one in operations if name in (None, one.name) and one.key.startswith(prefix))

    def count(self, name: str | None = None, prefix: str = "") -> int:
        """Count the operations that `select` returns."""
        return len(self.select(name, prefix))

    def bytes_written(self, prefix: str = "") -> int:
        """Sum up the bytes written to keys that begin with `prefix`."""
        return sum(one.size_bytes for one in self.select(None, prefix) if one.name in WRITES)

    def bytes_read(self, prefix: str = "") -> int:
        """Sum up the bytes read from keys that begin with `prefix`."""
        return sum(one.size_bytes for one in self.select(None, prefix) if one.name in READS)

    def clear(self) -> None:
        """Forget all that was recorded."""
        with self._lock:
            self.operations.clear()

    def _add(self, operation: Operation) -> None:
        with self._lock:
            self.operations.append(operation)
