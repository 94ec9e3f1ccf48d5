"""A few threads that answer requests, and that nobody waits for when the server ends."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any, ParamSpec, TypeVar

Result = TypeVar("Result")
Parameters = ParamSpec("Parameters")


class Workers(Executor):
    """Threads that end with the process, whatever they are at: all they do is read.

    Those of `ThreadPoolExecutor` are waited for when Python ends, so that Ctrl-C would not end a server that is reading
    every manifest in a bucket.

    Args:
        count: how many there are; each is started when it is first needed.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._tasks: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._lock = threading.Lock()
        self._started = 0

    def submit(
        self, fn: Callable[Parameters, Result], /, *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Future[Result]:
        """Have one of them call a function."""
        future: Future[Any] = Future()

        def run() -> None:
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(fn(*args, **kwargs))
                except BaseException as error:  # noqa: BLE001 (who asked is told)
                    future.set_exception(error)

        self._tasks.put(run)
        with self._lock:
            if not self._idle.acquire(blocking=False) and self._started < self._count:
                self._started += 1
                threading.Thread(target=self._work, name=f"keepsake-ui-{self._started}", daemon=True).start()
        return future

    def _work(self) -> None:
        while True:
            self._tasks.get()()
            self._idle.release()
