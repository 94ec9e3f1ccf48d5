"""A store that fails when it is told to, before an operation, after it, or in the middle of an append."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from keepsake.errors import InvalidInputError, StoreError
from keepsake.stores.around import AppenderAround, Operation, Result, StoreAround
from keepsake.stores.base import Appender, Store

Effect: TypeAlias = Literal["none", "part", "whole"]


@dataclass(slots=True)
class _Fault:
    matches: Callable[[Operation], bool]
    error: BaseException | None
    effect: Effect
    skipped: int
    """How many matching operations still pass."""
    left: int | None
    """How many still fail after that; None when it never ends."""


class FaultyStore(StoreAround):
    """A store around a store whose operations fail as planned by `fail`.

    Example:
        >>> from keepsake.stores.memory import MemoryStore
        >>> store = FaultyStore(MemoryStore())
        >>> store.fail("put", prefix="chunks/", at=2)
        >>> store.put("chunks/aa", b"first")
        >>> store.put("chunks/bb", b"second")
        Traceback (most recent call last):
        keepsake.errors.StoreError: put chunks/bb failed as planned

    Args:
        store: the store that does what is not to fail.
    """

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.failed: list[Operation] = []
        """The operations that failed, in order."""
        self._faults: list[_Fault] = []
        self._lock = threading.Lock()

    def fail(
        self,
        name: str | None = None,
        *,
        prefix: str = "",
        when: Callable[[Operation], bool] = lambda _: True,
        at: int = 1,
        times: int | None = 1,
        error: BaseException | None = None,
        effect: Effect = "none",
    ) -> None:
        """Plan failures. Those planned before stay planned.

        Args:
            name: the operations that fail (see `Operation`); None for any.
            prefix: only those on keys that begin so.
            when: only those for which this returns true.
            at: the first of these that fails, counted from 1, from now on.
            times: how many fail one after another; None for all from there on.
            error: what is raised; None for a `StoreError` that is not transient.
            effect: what happens to the wrapped store all the same: `none`; `whole`, as when only the answer is lost;
                or, of an `append`, `part`: half of the data is written.
        """
        if effect == "part" and name != "append":
            raise InvalidInputError("only an append can have a part of its effect", hint='give "append" as the name')
        if at < 1:
            raise InvalidInputError(f"at is counted from 1 and cannot be {at}")

        def matches(operation: Operation) -> bool:
            return name in (None, operation.name) and operation.key.startswith(prefix) and when(operation)

        with self._lock:
            self._faults.append(_Fault(matches, error, effect, skipped=at - 1, left=times))

    def heal(self) -> None:
        """Let nothing fail from now on."""
        with self._lock:
            self._faults.clear()

    def perform(self, operation: Operation, act: Callable[[], Result]) -> Result:
        """Carry out the operation, or fail it if that is planned."""
        fault = self.next_fault(operation)
        if fault is None:
            return act()
        if fault.effect == "whole":
            act()
        raise fault.error or StoreError(f"{operation.name} {operation.key} failed as planned")

    def next_fault(self, operation: Operation) -> _Fault | None:
        """Return what is planned for this operation, and count it."""
        with self._lock:
            planned = None
            for fault in self._faults:
                if not fault.matches(operation):
                    continue
                if fault.skipped:
                    fault.skipped -= 1
                elif planned is None and fault.left != 0:
                    planned = fault
                    fault.left = None if fault.left is None else fault.left - 1
            if planned is not None:
                self.failed.append(operation)
            return planned

    def _open_append(self, key: str) -> Appender:
        appender = self.perform(Operation("open_append", key), lambda: self._append_store.open_append(key))
        return _FaultyAppender(appender, key, self)


class _FaultyAppender(AppenderAround):
    def __init__(self, appender: Appender, key: str, faulty: FaultyStore) -> None:
        super().__init__(appender, key, faulty)
        self._faulty = faulty

    def append(self, data: bytes) -> None:
        operation = Operation("append", self.key, len(data))
        fault = self._faulty.next_fault(operation)
        if fault is None:
            return self.appender.append(data)
        if fault.effect != "none":
            self.appender.append(data if fault.effect == "whole" else data[: len(data) // 2])
        raise fault.error or StoreError(f"append {self.key} failed as planned")
