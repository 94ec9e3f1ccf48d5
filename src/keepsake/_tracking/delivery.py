"""Delivery: the courier brings what lies in staging home, also while the sessions that wrote it go on.

What was delivered stays in staging until it is collected there, so what has changed since the last delivery is told
from the names and lengths of the journal segments.
"""

from __future__ import annotations

from pathlib import Path

from keepsake._model.keys import JOURNALS, parse_segment_key
from keepsake._repository.repository import Repository
from keepsake._tracking.place import find_staging
from keepsake._tracking.recovery import deliver_staged
from keepsake.errors import FormatError, NotFoundError, StoreError


class Delivery:
    """Brings home what is in one user's staging repository for `home`.

    Args:
        home: the repository that the experiments belong to.
        directory: where this user's staging repositories are.
    """

    def __init__(self, home: Repository, directory: Path) -> None:
        self._home = home
        self._directory = directory
        self.delivered: dict[str, int] = {}
        """Keys and lengths of the segments that were brought home."""

    def waiting_sessions(self) -> set[str]:
        """Return the ids of the sessions of which staging holds something that was not delivered."""
        staging = find_staging(self._directory, self._home)
        try:
            sizes = _segment_sizes(staging) if staging is not None else {}
        except StoreError:
            return set()  # nobody can deliver what cannot be read
        changed = {key for key, size in sizes.items() if self.delivered.get(key) != size}
        names = map(parse_segment_key, changed)
        return {name.session_id for name in names if name is not None}

    def deliver(self, *, threads: int) -> None:
        """Bring everything home.

        Raises:
            StoreError: one of the two repositories failed; what has arrived stays.
            FormatError, NotFoundError: something in staging is damaged; all else has arrived, and trying again is of no
                use until staging changes.
        """
        staging = find_staging(self._directory, self._home)
        if staging is None:
            return
        sizes = _segment_sizes(staging)
        try:
            deliver_staged(staging, self._home, threads=threads)
        except (FormatError, NotFoundError):
            self.delivered = sizes
            raise
        self.delivered = sizes


def _segment_sizes(staging: Repository) -> dict[str, int]:
    return {info.key: info.size_bytes for info in staging.store.list(JOURNALS)}
