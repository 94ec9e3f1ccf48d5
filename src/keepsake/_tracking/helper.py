"""The helper: a process of idle priority, forked by the courier, in which its errands are run.

It is no thread, because a thread of idle priority is hardly ever run on a busy machine, also while it holds the
interpreter lock; the heartbeats would wait for it with everything else. It may be killed at any moment, and dies with
the courier.
"""

from __future__ import annotations

import os
import signal
import time
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection, Pipe
from typing import Generic, TypeVar

from keepsake._tracking.priority import lower_thread
from keepsake.errors import InternalError

Request = TypeVar("Request")
Report = TypeVar("Report")

_PR_SET_PDEATHSIG = 1


class Helper(Generic[Request, Report]):
    """Performs one request after another in a process of its own, which the first one starts.

    The process that uses it must not have other threads.

    Args:
        perform: called with each request, in the helper; what it keeps in mind stays there.
        on_start: called first, in the helper.
    """

    def __init__(self, perform: Callable[[Request], Report], *, on_start: Callable[[], None]) -> None:
        self._perform = perform
        self._on_start = on_start
        self._process_id: int | None = None
        self._connection: Connection | None = None
        self.is_working = False
        """Whether the report on a request is outstanding."""

    def submit(self, request: Request) -> None:
        """Have a request performed. Raises `OSError` when no process can be started."""
        if self._connection is None:
            self.start()
        assert self._connection is not None
        self._connection.send(request)
        self.is_working = True

    def take_report(self) -> Report | None:
        """Return the report on the request, once; None while there is none.

        Raises:
            InternalError: the helper has died; the next request starts another.
        """
        if self._connection is None or not self._connection.poll():
            return None
        self.is_working = False
        try:
            report: Report = self._connection.recv()
        except (EOFError, OSError):
            raise InternalError(f"the helper ended with {self._reap()}") from None
        return report

    def wait(self, timeout_s: float) -> None:
        """Return when there is a report, or after the given time."""
        if self._connection is not None and self.is_working:
            self._connection.poll(timeout_s)
        else:
            time.sleep(timeout_s)

    def start(self) -> None:
        """Start the process before there is a request, while this one has no threads. Raises as `submit` does."""
        here, there = Pipe()
        courier = os.getpid()
        process_id = os.fork()
        if process_id == 0:
            here.close()
            self._work(there, courier)
        there.close()
        self._process_id, self._connection = process_id, here

    def _work(self, connection: Connection, courier: int) -> None:
        """Be the helper; never returns."""
        status = 1
        try:
            die_with_parent(courier)
            lower_thread()
            self._on_start()
            while True:
                connection.send(self._perform(connection.recv()))
        except (EOFError, BrokenPipeError):
            status = 0  # the courier has ended
        except BaseException:  # noqa: BLE001 (nobody is above)
            traceback.print_exc()
        finally:
            os._exit(status)

    def _reap(self) -> int:
        """Take leave of the helper that has died; return its exit code, or the signal as a negative number."""
        assert self._connection is not None
        assert self._process_id is not None
        self._connection.close()
        _, status = os.waitpid(self._process_id, 0)
        self._connection = self._process_id = None
        return os.waitstatus_to_exitcode(status)


def die_with_parent(parent: int) -> None:
    """Have this process killed when its parent ends, where the system can do that (Linux, prctl(2)).

    Elsewhere it ends when it next says something to it.
    """
    try:
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    except (ImportError, OSError, AttributeError):
        return
    if os.getppid() != parent:  # it was too late for that
        os._exit(0)
