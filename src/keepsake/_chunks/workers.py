"""Several threads that do the same work until there is none left; the first error stops them all."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator, Sized
from typing import Generic, TypeVar

Item = TypeVar("Item")


class SharedIterator(Generic[Item]):
    """An iterator that several threads take from. What the underlying one does for an item, it does under a lock."""

    def __init__(self, items: Iterable[Item]) -> None:
        self._items = iter(items)
        self._lock = threading.Lock()
        self._stopped = False

    def __iter__(self) -> Iterator[Item]:
        return self

    def __next__(self) -> Item:
        with self._lock:
            if self._stopped:
                raise StopIteration
            return next(self._items)

    def stop(self) -> None:
        """Give out no more items."""
        self._stopped = True


def run_workers(work: Callable[[Iterator[Item]], None], items: Iterable[Item], *, threads: int) -> None:
    """Call `work` in `threads` threads at once, this one included, each with an iterator that shares out `items`.

    With fewer where there are not as many items, as far as that is known before, and where no more threads can be
    started: at a limit of the system, or while the interpreter ends.

    Returns when all have returned. When one raises, or this thread is interrupted, the others get no more items, finish
    the one that they are at, and the first error is raised here.
    """
    shared = SharedIterator(items)
    errors: list[BaseException] = []

    def run() -> None:
        try:
            work(shared)
        except BaseException as error:  # noqa: BLE001 (raised again by the caller's thread)
            errors.append(error)
            shared.stop()

    numbers = range(1, _useful(threads, items))
    helpers = [threading.Thread(target=run, name=f"keepsake-worker-{number}") for number in numbers]
    try:
        with contextlib.suppress(RuntimeError):
            for helper in helpers:
                helper.start()
        run()
        for helper in helpers:
            if helper.ident is not None:
                helper.join()
    except BaseException:
        shared.stop()
        for helper in helpers:
            if helper.ident is not None:
                helper.join()
        raise
    if errors:
        raise errors[0]


def _useful(threads: int, items: Iterable[Item]) -> int:
    return min(threads, len(items)) if isinstance(items, Sized) else threads
