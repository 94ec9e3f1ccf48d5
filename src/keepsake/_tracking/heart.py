"""The heart: a thread that does something every ten seconds for as long as a session lives."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable

from keepsake._repository.heartbeat import HEARTBEAT_INTERVAL_S

PAUSE_TIMEOUT_S = 1.0
"""A fork waits no longer for a beat that a slow store holds up."""


class Heart:
    """Calls `beat` at once and then every `HEARTBEAT_INTERVAL_S` seconds, from a daemon thread."""

    def __init__(self, beat: Callable[[], None]) -> None:
        self._beat = beat
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Beat once and start the thread."""
        self._beat()
        self.go_on()

    def stop(self) -> None:
        """Return when there will be no further beat. Must not be called from `beat`."""
        self._end_thread(HEARTBEAT_INTERVAL_S)

    def pause(self) -> None:
        """End the thread until `go_on`."""
        self._end_thread(PAUSE_TIMEOUT_S)

    def go_on(self) -> None:
        """Start the thread, unless the interpreter ends already and starts no more."""
        self._stopped = threading.Event()
        thread = threading.Thread(target=self._run, args=(self._stopped,), name="keepsake-heartbeat", daemon=True)
        with contextlib.suppress(RuntimeError):
            thread.start()
            self._thread = thread

    def _end_thread(self, timeout_s: float) -> None:
        self._stopped.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(timeout_s)

    def _run(self, stopped: threading.Event) -> None:
        while not stopped.wait(HEARTBEAT_INTERVAL_S):
            self._beat()
