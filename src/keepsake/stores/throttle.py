"""A store that is sent only so many bytes in a second, so that others on the same line get on with their work."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from keepsake.stores.around import Operation, Result, StoreAround
from keepsake.stores.base import Data, Store, size_of


class ThrottleStore(StoreAround):
    """A store to which writes wait until their turn. Each may go out at full speed; on average the limit is kept.

    Args:
        store: the store.
        bytes_per_s: how much may be sent to it in a second.
        sleep: waits for so many seconds.
        clock: returns seconds that never go back.
    """

    def __init__(
        self,
        store: Store,
        *,
        bytes_per_s: float,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(store)
        self._bytes_per_s = bytes_per_s
        self._sleep = sleep
        self._clock = clock
        self._lock = threading.Lock()
        self._free_s = clock()

    def put(self, key: str, data: Data, *, durable: bool = False) -> None:
        """Write the object, replacing any other, when it is its turn."""
        self._wait(size_of(data))
        super().put(key, data, durable=durable)

    def create(self, key: str, data: Data, *, durable: bool = False) -> bool:
        """Write the object unless there is one, when it is its turn."""
        self._wait(size_of(data))
        return super().create(key, data, durable=durable)

    def perform(self, operation: Operation, act: Callable[[], Result]) -> Result:
        """Carry out one operation, after waiting when it appends."""
        if operation.name == "append":
            self._wait(operation.size_bytes)
        return act()

    def _wait(self, size_bytes: int) -> None:
        with self._lock:
            now_s = self._clock()
            turn_s = max(now_s, self._free_s)
            self._free_s = turn_s + size_bytes / self._bytes_per_s
        if turn_s > now_s:
            self._sleep(turn_s - now_s)
