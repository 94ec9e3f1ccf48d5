"""Keeping what is served up to date: at once where looking is quick, in the background where it is not.

A repository in a bucket is shown as this machine knew it last, at once; meanwhile it is looked at. So a page is never
kept waiting by a network, and when there is none it says so and still shows what there is.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from pathlib import Path

from keepsake._catalog.snapshot import Snapshot, State
from keepsake._catalog.state import ListedState
from keepsake.errors import KeepsakeError

SLOW_S = 2.0
"""After a look that took longer, the next one is not waited for."""
PAUSE_S = 2.0
"""Between two looks in the background, at least; and three times as long as one takes."""


class Upkeep:
    """Keeps a snapshot up to date.

    Args:
        open_snapshot: opens the repository.
        find_known: returns what this machine knew of it, to be shown while it is opened; None when that is not needed.
        check_there: raises when the repository that was opened is gone, which looks like one that nothing is in.
        is_remote: whether every look is one beyond a network.
    """

    def __init__(
        self,
        open_snapshot: Callable[[], Snapshot],
        find_known: Callable[[], Snapshot | None],
        check_there: Callable[[], None],
        *,
        is_remote: bool,
    ) -> None:
        self._open = open_snapshot
        self._find_known = find_known
        self._check_there = check_there
        self._is_slow = is_remote
        self._is_remote = is_remote
        self._lock = threading.Lock()
        self._snapshot: Snapshot | None = None
        self._is_open = False
        self._due_s = 0.0
        self._worker: threading.Thread | None = None
        self._looked: datetime | None = None
        self._looked_s = 0.0
        self._failure: KeepsakeError | None = None

    def open(self) -> None:
        """Open the repository, unless that takes a network.

        Raises:
            ConfigNotFoundError: there is none.
        """
        with self._lock:
            if not self._is_remote and not self._is_open:
                self._snapshot, self._is_open = self._open(), True

    def refresh(self) -> State:
        """Return all experiments, as they are now or a few seconds ago.

        Raises:
            ConfigNotFoundError: there is no repository.
            StoreError: it cannot be read, and never could.
        """
        asked_s = time.monotonic()
        with self._lock:
            if self._snapshot is not None and self._looked_s > asked_s:
                return self._snapshot.state  # for who was waiting while another request had it looked at
            if self._snapshot is None:
                self._snapshot = self._load_known()
            if self._snapshot is None or (self._is_open and not self._is_slow):
                return self._look()
            if self._worker is None and time.monotonic() >= self._due_s:
                self._worker = threading.Thread(target=self._look_aside, daemon=True)
                self._worker.start()
            return self._snapshot.state

    def recall(self, most_s: float) -> State:
        """Return all experiments as they were at most so many seconds ago; errors as of `refresh`."""
        is_recent = self._looked is not None and time.monotonic() - self._looked_s <= most_s
        return self.state if is_recent else self.refresh()

    @property
    def state(self) -> State:
        """All experiments as they were when somebody last asked; none before."""
        return self._snapshot.state if self._snapshot is not None else State()

    def load(self, experiment_ids: Sequence[str]) -> list[ListedState]:
        """Return experiments whole, as they were when somebody last looked; only those that are still there."""
        return self._snapshot.load(experiment_ids) if self._snapshot is not None else []

    def describe(self) -> str | None:
        """Say of when the experiments are, when the repository cannot be reached now."""
        if self._failure is None:
            return None
        when = f"as of {self._looked:%Y-%m-%d %H:%M} UTC" if self._looked else "as this machine knew it"
        return f"the repository cannot be reached, and is shown {when}: {self._failure.message}"

    @property
    def path(self) -> Path | None:
        """The file of the catalog, once it is open."""
        return self._snapshot.path if self._snapshot is not None else None

    def _load_known(self) -> Snapshot | None:
        known = self._find_known()
        return known if known is not None and known.load_kept().rows else None

    def _look(self) -> State:
        started = time.monotonic()
        snapshot = self._snapshot if self._is_open else None
        if snapshot is None:
            snapshot = self._open()
        else:
            self._check_there()
        state = snapshot.refresh()
        ended = time.monotonic()
        self._snapshot, self._is_open = snapshot, True
        self._is_slow = self._is_remote or ended - started > SLOW_S
        self._due_s = ended + max(PAUSE_S, 3 * (ended - started))
        self._looked, self._looked_s, self._failure = datetime.now(timezone.utc), started, None
        return state

    def _look_aside(self) -> None:
        try:
            self._look()
        except KeepsakeError as error:
            self._failure = error
            self._due_s = time.monotonic() + PAUSE_S
        finally:
            self._worker = None
