"""Room: what a session that cannot write does, because the disk that staging is on is full.

One session of this user does it at a time, and tries to write again before the next one's turn. Otherwise each would
fill the disk with the first half of a checkpoint, and none would have room for the second. In turn,

1. copies of what was read from buckets go, when they are on that disk: they can be fetched again;
2. what staging holds is delivered, of all sessions, and then released, as the courier does it;
3. what only saves work goes: the newest checkpoints that were delivered, and the chunks of checkpoints that are being
   saved, here and in other processes, which store them again (`release` says why nothing is lost).
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Generator
from pathlib import Path

from keepsake._repository.journal import list_segments
from keepsake._repository.push import push
from keepsake._repository.repository import Repository
from keepsake._tracking.lock import taking_turns
from keepsake._tracking.priority import waited_for_threads
from keepsake._tracking.release import release_delivered
from keepsake.directories import copies_directory
from keepsake.errors import ConfigError, FormatError, KeepsakeError, NotFoundError, StoreError
from keepsake.stores.local import LocalStore

MAX_ROUNDS = 100
"""So often room is made for one event: others may have used what there was."""
MAX_VAIN_ROUNDS = 3
"""After so many in which nothing had been delivered that could go, the event does not fit on the disk."""
FIRST_PAUSE_S = 0.1

_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))


def is_full(error: Exception) -> bool:
    """Say whether a store has failed for want of room."""
    cause = error.__cause__
    return isinstance(error, StoreError) and isinstance(cause, OSError) and cause.errno in _FULL


class Room:
    """Makes room on the disk of staging for a repository beyond a network.

    Args:
        home: the repository.
        locks: directory of the session locks.
        on_failure: called with what keeps the repository from being delivered to.
    """

    def __init__(self, home: Repository, locks: Path, on_failure: Callable[[Exception], None]) -> None:
        self._home = home
        self._locks = locks
        self._on_failure = on_failure

    def make(self, staging: Repository) -> Generator[None]:
        """Yield whenever there may be room, until it is clear that there is not enough. To be closed."""
        with taking_turns(self._locks, "room") as has_waited:
            if has_waited:
                yield
            if self.drop_copies(staging) > 0:
                yield
            vain_rounds, took_s = 0, 0.0
            for _ in range(MAX_ROUNDS):
                if not self._deliver(staging):
                    return
                vain_rounds += 1
                if self._release(staging, is_full=False) > 0:
                    vain_rounds = 0
                    yield
                if vain_rounds > 1:
                    # Checkpoints that others are saving may be what fills the disk; those end, or wait for this one.
                    time.sleep(took_s + FIRST_PAUSE_S * vain_rounds)
                self._release(staging, is_full=True)
                started_s = time.monotonic()
                yield
                took_s = time.monotonic() - started_s
                if vain_rounds == MAX_VAIN_ROUNDS:
                    self._release(staging, is_full=True)  # of what does not fit, no part shall fill the disk
                    return

    def drop_copies(self, staging: Repository | None) -> int:
        """Delete what was read from buckets, if it may be on the disk of staging; return how many bytes that were."""
        from keepsake.stores.cache import drop_copies  # 3 ms, which no disk with room need spend

        try:
            directory = copies_directory(os.environ)
            is_elsewhere = (
                staging is not None
                and isinstance(staging.store, LocalStore)
                and directory.stat().st_dev != staging.store.root.stat().st_dev
            )
        except (ConfigError, OSError):
            return 0
        return 0 if is_elsewhere else drop_copies(directory)

    def _deliver(self, staging: Repository) -> bool:
        """Deliver what staging holds, of all sessions; say whether that can be done."""
        try:
            push(staging, self._home, experiment_ids=list_segments(staging.store), threads=waited_for_threads())
        except (FormatError, NotFoundError):
            return True  # all but what is damaged has arrived
        except Exception as error:  # noqa: BLE001 (training goes on, whatever it is; the writer says so)
            self._on_failure(error)
            return False
        return True

    def _release(self, staging: Repository, *, is_full: bool) -> int:
        try:
            return release_delivered(staging, self._home, self._locks, is_written=True, is_full=is_full)
        except KeepsakeError:
            return 0  # also when there is no room for a list of what is to go: the other way has a shorter one
