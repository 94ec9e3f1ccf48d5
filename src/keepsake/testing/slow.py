"""A store as far away as a bucket: each operation takes its time."""

from __future__ import annotations

import time
from collections.abc import Callable

from keepsake.stores.around import Operation, Result, StoreAround
from keepsake.stores.base import Store


class SlowStore(StoreAround):
    """A store around a store that waits before each operation, and longer for more bytes.

    Args:
        store: the store that does the work.
        latency_s: what every operation takes at least.
        bytes_per_s: how fast bytes are read and written besides; None for no limit.
        sleep: waits for so many seconds.
    """

    def __init__(
        self,
        store: Store,
        *,
        latency_s: float,
        bytes_per_s: float | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(store)
        self._latency_s = latency_s
        self._bytes_per_s = bytes_per_s
        self._sleep = sleep

    def perform(self, operation: Operation, act: Callable[[], Result]) -> Result:
        """Wait, carry out the operation, and wait for its bytes."""
        self._sleep(self._latency_s)
        result = act()
        size_bytes = operation.with_result(result).size_bytes
        if self._bytes_per_s is not None and size_bytes:
            self._sleep(size_bytes / self._bytes_per_s)
        return result
