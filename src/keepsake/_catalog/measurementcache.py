"""Files of measurements under the user's cache directory, one an experiment, of which only what is asked for is read.

They may be deleted at any time. A file that is damaged, or cannot be read or written, counts as none.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Mapping
from pathlib import Path

from keepsake._catalog.encoding import CatalogDamagedError
from keepsake._catalog.measurementfile import (
    Consumed,
    Head,
    decode_bases,
    decode_column,
    decode_head,
    encode_measurements,
    head_size_bytes,
)
from keepsake._catalog.measurements import Column, Measurements
from keepsake._chunks.digest import digest_of
from keepsake.errors import KeepsakeError
from keepsake.stores.local import LocalStore

FIRST_BYTES = 256 * 1024
"""What is read of a file at first: all of most of them."""
LIMIT_BYTES = 1024 * 1024 * 1024
"""What the files of all repositories take; those that were not read for the longest time go first."""
_LOOK_BYTES = LIMIT_BYTES // 16
"""A process looks whether there are too many when it has written so much."""


class KeptMeasurements:
    """One file.

    Args:
        store: where it is.
        key: its name.
        owner: says of what the measurements must be.

    Raises:
        CatalogDamagedError: it is damaged.
        KeepsakeError: it cannot be read, or is not there.
    """

    def __init__(self, store: LocalStore, key: str, owner: str) -> None:
        self._store = store
        self._key = key
        self._first = store.get_range(key, 0, FIRST_BYTES)
        if head_size_bytes(self._first) > len(self._first):
            self._first = store.get_range(key, 0, head_size_bytes(self._first) + FIRST_BYTES)
        self._head: Head = decode_head(self._first, owner)

    @property
    def consumed(self) -> Consumed:
        """How much of each segment it was made of."""
        return self._head.consumed

    def load_bases(self) -> Measurements:
        """Return the measurements, without a column. Raises as the class."""
        return decode_bases(self._head, self._read)

    def load_column(self, name: str) -> Column:
        """Return one column. Raises as the class."""
        return decode_column(self._head, name, self._read)

    def _read(self, start: int, stop: int) -> bytes:
        if stop <= len(self._first):
            return self._first[start:stop]
        return self._store.get_range(self._key, start, stop)

    def forget_first(self) -> None:
        """Let go of what was read at first."""
        self._first = b""


class MeasurementCache:
    """The files of one repository.

    Args:
        directory: where the files of all repositories are; nothing else may lie in it.
        identity: says which repository it is.
    """

    def __init__(self, directory: Path, identity: str) -> None:
        self._store = LocalStore(directory)
        self._identity = identity
        self._prefix = digest_of(identity.encode("utf-8", "surrogateescape"))[:16]
        self._unseen_bytes = _LOOK_BYTES  # so that the first file looks at what other processes left
        self._lock = threading.Lock()

    def find(self, experiment_id: str) -> KeptMeasurements | None:
        """Open the file of an experiment, if there is a good one."""
        key = self._key(experiment_id)
        try:
            kept = KeptMeasurements(self._store, key, self._owner(experiment_id))
        except (CatalogDamagedError, KeepsakeError):
            return None
        self._store.touch(key)
        return kept

    def save(self, experiment_id: str, measurements: Measurements, consumed: Mapping[tuple[str, int], int]) -> None:
        """Write the file of an experiment, all columns of which are loaded, if that is possible."""
        parts = encode_measurements(self._owner(experiment_id), measurements, consumed)
        with contextlib.suppress(KeepsakeError):
            self._store.put(self._key(experiment_id), parts)
            with self._lock:
                self._unseen_bytes += sum(map(len, parts))
                if self._unseen_bytes > _LOOK_BYTES:
                    self._unseen_bytes = 0
                    self._remove_oldest()

    def _remove_oldest(self) -> None:
        files = sorted(self._store.list(), key=lambda info: info.modified_ns)
        total_bytes = sum(info.size_bytes for info in files)
        for info in files:
            if total_bytes <= LIMIT_BYTES:
                return
            self._store.delete(info.key)
            total_bytes -= info.size_bytes

    def _owner(self, experiment_id: str) -> str:
        return f"{self._identity} {experiment_id}"

    def _key(self, experiment_id: str) -> str:
        return f"{self._prefix}/{experiment_id[:2]}/{experiment_id}"
