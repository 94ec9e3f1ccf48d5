"""Delivery: the courier brings what lies in staging home, also while the sessions that wrote it go on.

What was delivered stays in staging until it is released there, so what has changed since the last delivery is told
from the names and lengths of the journal segments.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from keepsake._model.keys import JOURNALS, parse_segment_key
from keepsake._repository.push import PushResult, Remembered, push
from keepsake._repository.repository import Repository
from keepsake._tracking.lock import session_lock_state
from keepsake._tracking.place import find_staging
from keepsake._tracking.release import release_delivered
from keepsake.errors import FormatError, NotFoundError, StoreError

RELEASE_INTERVAL_S = 60.0
"""While sessions write, staging is gone through this often: it lists and reads all that is there."""
RELEASE_SHARE = 0.1
"""Of the time, no more goes into that: after weeks of logging, reading takes half a minute."""


class Delivery:
    """Brings home what is in one user's staging repository for `home`.

    Args:
        home: the repository that the experiments belong to.
        directory: where this user's staging repositories are.
        locks: directory of the session locks.
    """

    def __init__(self, home: Repository, directory: Path, locks: Path) -> None:
        self._home = home
        self._directory = directory
        self._locks = locks
        self._released_s = -math.inf
        self._release_took_s = 0.0
        self._is_to_release = False
        self.delivered: dict[str, int] = {}
        """Keys and lengths of the segments that were brought home."""
        self._remembered: Remembered = {}

    def waiting_sessions(self) -> set[str]:
        """Return the ids of the sessions of which staging holds something that was not delivered."""
        staging = find_staging(self._directory, self._home)
        try:
            sizes = _segment_sizes(staging) if staging is not None else {}
        except StoreError:
            return set()  # nobody can deliver what cannot be read
        changed = {key for key, size in sizes.items() if self.delivered.get(key) != size}
        return _sessions(changed)

    def deliver(
        self,
        *,
        threads: int = 2,
        on_progress: Callable[[int], None] | None = None,
        on_total: Callable[[int], None] | None = None,
    ) -> PushResult:
        """Bring everything home, and release what staging need not keep; return what was copied.

        Args:
            threads: how many chunks are copied at once, at least.
            on_progress: called with the bytes of each chunk.
            on_total: called with how many there are, as far as that is known.

        Raises:
            StoreError: one of the two repositories failed; what has arrived stays.
            FormatError, NotFoundError: something in staging is damaged; all else has arrived, and trying again is of no
                use until staging changes.
        """
        staging = find_staging(self._directory, self._home)
        if staging is None:
            return PushResult()
        sizes = _segment_sizes(staging)
        experiment_ids = _experiments({key for key, size in sizes.items() if self.delivered.get(key) != size})
        try:
            result = push(
                staging,
                self._home,
                experiment_ids=experiment_ids,
                threads=threads,
                remembered=self._remembered,
                on_progress=on_progress,
                on_total=on_total,
            )
        except (FormatError, NotFoundError):
            self.delivered = sizes
            raise
        finally:
            self._remembered = {key: events for key, events in self._remembered.items() if key in sizes}
        self.delivered = sizes
        # So a session that still writes to one learns that it was deleted, without asking beyond the network.
        push(self._home, staging, experiment_ids=result.deleted)
        self._is_to_release = True
        is_written = any(session_lock_state(self._locks, one) == "held" for one in _sessions(_segment_sizes(staging)))
        if self.is_release_due or not is_written:
            self.release()
        return result

    @property
    def is_release_due(self) -> bool:
        """Whether something was delivered that staging may still hold, and has been gone through long ago."""
        pause_s = max(RELEASE_INTERVAL_S, self._release_took_s / RELEASE_SHARE)
        return self._is_to_release and time.monotonic() - self._released_s >= pause_s

    def release(self) -> None:
        """Delete from staging what was delivered. Raises as `release_delivered` does."""
        staging = find_staging(self._directory, self._home)
        self._released_s = time.monotonic()
        try:
            if staging is not None:
                release_delivered(staging, self._home, self._locks)
        finally:
            self._release_took_s = time.monotonic() - self._released_s
        self._is_to_release = False


def _experiments(keys: Iterable[str]) -> set[str]:
    return {name.experiment_id for name in map(parse_segment_key, keys) if name is not None}


def _sessions(keys: Iterable[str]) -> set[str]:
    return {name.session_id for name in map(parse_segment_key, keys) if name is not None}


def _segment_sizes(staging: Repository) -> dict[str, int]:
    return {info.key: info.size_bytes for info in staging.store.list(JOURNALS)}
