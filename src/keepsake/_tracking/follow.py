"""Following the journal of a live session: reading what was appended since the last look, and syncing it.

What was read is not read again, and of what is new only the lines with references are decoded: a session that logs
thousands of metrics costs a few reads. While its segment is open, a look is one read: to list the segments of a run of
weeks takes 50 ms, and looks come four times a second.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from keepsake._model.events import references
from keepsake._model.keys import SegmentName
from keepsake._model.lines import decode_line
from keepsake._repository.journal import list_segments
from keepsake.errors import CorruptionError, NotFoundError
from keepsake.stores.base import Store

_REFERENCES = b'"manifests"'
_MAX_READ_BYTES = 16 * 1024 * 1024
"""A segment is sealed at 256 KiB, so only a single line could be longer; one that is, is left to the session's end."""
LIST_INTERVAL_S = 10.0
"""A session whose store failed may leave its segment open and go on in the next one."""


class JournalFollower:
    """Reads what one session appends to its journal.

    Args:
        store: where the journal is.
        experiment_id: the experiment.
        session_id: the session.
        clock: the time in seconds, from any beginning.
    """

    def __init__(
        self, store: Store, experiment_id: str, session_id: str, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._experiment_id = experiment_id
        self._session_id = session_id
        self._number = 0
        self._offset_bytes = 0
        self._unsynced_from: int | None = None
        self._found: list[str] = []
        self._clock = clock
        self._listed_s = float("-inf")

    def read_new(self) -> list[str]:
        """Return the digests of the manifests in what was appended since the last call, in order.

        Damaged lines are passed over: who reads the experiment says so.

        Raises:
            StoreError: the store failed; the next call goes on where this one did.
        """
        is_listed_lately = self._clock() - self._listed_s < LIST_INTERVAL_S
        growing = SegmentName(self._experiment_id, self._session_id, self._number, None)
        if not (is_listed_lately and self._read(growing)):
            listed_s = self._clock()
            for name in self._segments(self._number):
                if name.number > self._number:
                    self._number, self._offset_bytes = name.number, 0
                if not self._read(name):
                    break  # sealed since it was listed: the next look finds it under its new name
            else:
                self._listed_s = listed_s
        found, self._found = self._found, []
        return found

    def _read(self, name: SegmentName) -> bool:
        """Read what is new in the segment that this has come to; say whether it is there under that name."""
        try:
            data = self._store.get_range(name.key, self._offset_bytes, self._offset_bytes + _MAX_READ_BYTES)
        except NotFoundError:
            return False
        data = data[: data.rfind(b"\n") + 1]
        self._offset_bytes += len(data)
        if data and self._unsynced_from is None:
            self._unsynced_from = name.number
        self._found += _references_in(data, name)
        return True

    def sync(self) -> None:
        """Return when all that was read survives a power loss. Raises `StoreError` when the store failed."""
        if self._unsynced_from is not None:
            self._store.sync(name.key for name in self._segments(self._unsynced_from))
            self._unsynced_from = None

    def _segments(self, first: int) -> list[SegmentName]:
        """List the segments from number `first` on, in order."""
        found = list_segments(self._store, self._experiment_id).get(self._experiment_id, [])
        mine = [name for name in found if name.session_id == self._session_id and name.number >= first]
        return sorted(mine, key=lambda name: name.number)


def _references_in(data: bytes, name: SegmentName) -> list[str]:
    digests: list[str] = []
    for line in data.split(b"\n"):
        if _REFERENCES in line:
            try:
                digests += references(decode_line(line, place=name.place))
            except CorruptionError:
                continue
    return digests
