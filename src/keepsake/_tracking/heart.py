"""The heart: a thread that does something every ten seconds for as long as a session lives."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable

from keepsake._repository.heartbeat import HEARTBEAT_INTERVAL_S


class Heart:
    """Calls `beat` at once and then every `HEARTBEAT_INTERVAL_S` seconds, from a daemon thread."""

    def __init__(self, beat: Callable[[], None]) -> None:
        self._beat = beat
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="keepsake-heartbeat", daemon=True)

    def start(self) -> None:
        """Beat once and start the thread, unless the interpreter ends already and starts no more."""
        self._beat()
        with contextlib.suppress(RuntimeError):
            self._thread.start()

    def stop(self) -> None:
        """Return when there will be no further beat. Must not be called from `beat`."""
        self._stopped.set()
        if self._thread.ident is not None:
            self._thread.join(timeout=HEARTBEAT_INTERVAL_S)

    def _run(self) -> None:
        while not self._stopped.wait(HEARTBEAT_INTERVAL_S):
            self._beat()
