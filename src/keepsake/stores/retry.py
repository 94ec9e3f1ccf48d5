"""A store that tries again when what went wrong may pass.

Delays grow exponentially and are drawn at random between nothing and the grown delay ("full jitter", M. Brooker,
"Exponential Backoff And Jitter", AWS Architecture Blog 2015), so that many writers do not come back all at once.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from keepsake.errors import NotFoundError, StoreError
from keepsake.stores.around import Operation, Result, StoreAround
from keepsake.stores.base import Data, Store, buffers_of

_NEVER_REPEATED = frozenset({"append", "open_append"})
"""After a failed append nobody knows what was written; the writer starts a new segment."""


class RetryStore(StoreAround):
    """A store that repeats operations that failed with a transient `StoreError`.

    An attempt may have taken effect although its answer was lost. So a repeated `create` that finds the object there
    counts as successful when the object holds the same bytes, and a repeated `rename` when the new key exists.

    Args:
        store: the store to try.
        attempts: how often an operation is tried at most.
        base_delay_s: upper limit of the first delay; it doubles with each further one.
        max_delay_s: upper limit of any delay.
        total_s: no attempt starts later than this after the first one.
        sleep: waits for so many seconds.
        clock: returns seconds that never go back.
        draw: returns a number from 0 to 1.
    """

    def __init__(
        self,
        store: Store,
        *,
        attempts: int = 8,
        base_delay_s: float = 0.2,
        max_delay_s: float = 10.0,
        total_s: float = 60.0,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        draw: Callable[[], float] = random.random,
    ) -> None:
        super().__init__(store)
        self._attempts = attempts
        self._base_delay_s = base_delay_s
        self._max_delay_s = max_delay_s
        self._total_s = total_s
        self._sleep = sleep
        self._clock = clock
        self._draw = draw

    def perform(self, operation: Operation, act: Callable[[], Result]) -> Result:
        """Try until it succeeds, fails for good, or attempts or time are used up; the last error is raised."""
        deadline = self._clock() + self._total_s
        attempt = 1
        while True:
            try:
                return act()
            except StoreError as error:
                delay_s = self._draw() * min(self._max_delay_s, self._base_delay_s * 2 ** (attempt - 1))
                is_last = attempt >= self._attempts or self._clock() + delay_s > deadline
                if not error.transient or is_last or operation.name in _NEVER_REPEATED:
                    raise
            self._sleep(delay_s)
            attempt += 1

    def create(self, key: str, data: Data, *, durable: bool = False) -> bool:
        """Write the object unless there is one; say whether it was written, also when the answer was lost."""
        attempts = 0

        def act() -> bool:
            nonlocal attempts
            attempts += 1
            return self.store.create(key, data, durable=durable)

        created = self.perform(Operation("create", key), act)
        return created or (attempts > 1 and self._holds(key, data))

    def _holds(self, key: str, data: Data) -> bool:
        try:
            return self.get(key) == b"".join(buffers_of(data))
        except NotFoundError:
            return False

    def _rename(self, key: str, new_key: str) -> None:
        attempts = 0

        def act() -> None:
            nonlocal attempts
            attempts += 1
            try:
                self._append_store.rename(key, new_key)
            except NotFoundError:
                if attempts == 1 or self.store.head(new_key) is None:
                    raise

        self.perform(Operation("rename", key, keys=(new_key,)), act)
