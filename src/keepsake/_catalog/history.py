"""Reads the whole history of listed experiments when it is looked at."""

from __future__ import annotations

import contextlib
import functools
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

from keepsake._catalog.database import connect
from keepsake._catalog.encoding import CatalogDamagedError
from keepsake._catalog.survey import segments_of_stamp
from keepsake._model.events import ExperimentState, fold_events
from keepsake._repository.journal import load_journal
from keepsake._repository.repository import Repository, tell_of_damage
from keepsake.stores.base import DirectoryStore

READ_AHEAD = 64
"""Experiments that are fetched with the one that is asked for, since who looks at one tends to look at the next: some
100 KB, for what it costs to open the catalog."""


class HistoryReader:
    """The histories of the experiments of one listing.

    They come from the catalog where it keeps them, which is opened for every few and closed again, so that nothing is
    held open by a list that is kept. From a disk, and when the catalog has another state by now, the segments are read
    again.

    Args:
        repository: of the experiments.
        path: file of the catalog; None when there is none.
        with_logs: whether what was only logged between checkpoints is wanted, which is most of long histories.
    """

    def __init__(self, repository: Repository, path: Path | None, *, with_logs: bool = True) -> None:
        self._with_logs = with_logs
        self._repository = repository
        self._path = None if isinstance(repository.store, DirectoryStore) else path
        self._listed: list[tuple[str, int, str]] = []
        self._fetched: dict[int, tuple[str, bytes]] = {}
        self._lock = threading.Lock()

    def __getstate__(self) -> dict[str, object]:
        """Leave out what belongs to this process."""
        return self.__dict__ | {"_lock": None, "_fetched": {}}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__ |= state
        self._lock = threading.Lock()

    def add(self, experiment_id: str, number: int, stamp: str) -> Callable[[], ExperimentState]:
        """Take note of the next experiment of the listing, and return what reads its history.

        Args:
            experiment_id: its id.
            number: under which the catalog has it.
            stamp: names its segments, and differs when the catalog has another state of it.
        """
        self._listed.append((experiment_id, number, stamp))
        return functools.partial(self._load, len(self._listed) - 1)

    def _load(self, place: int) -> ExperimentState:
        experiment_id, _, stamp = self._listed[place]
        state = self._load_kept(place) if self._path is not None else None
        if state is None and stamp:
            journal = load_journal(
                self._repository.store, experiment_id, segments_of_stamp(stamp), with_logs=self._with_logs
            )
            tell_of_damage(journal)
            state = fold_events(experiment_id, journal.events)
        return state if state is not None else self._load_again(experiment_id)

    def _load_again(self, experiment_id: str) -> ExperimentState:
        """Read what there is now, since segments were replaced; one that was deleted is shown as it was."""
        events = self._repository.load_journal(experiment_id).events
        kept = [event for event in events if event.body.get("type") != "delete" or "checkpoints" in event.body]
        state = fold_events(experiment_id, kept)
        return state if state is not None else self._repository.load_experiment(experiment_id)

    def _load_kept(self, place: int) -> ExperimentState | None:
        with self._lock:
            if place not in self._fetched:
                self._fetch(place)
            kept = self._fetched.pop(place, None)
        if kept is None:
            return None
        from keepsake._catalog.stored import fold_stored

        with contextlib.suppress(CatalogDamagedError):
            return fold_stored(self._listed[place][0], *kept, with_logs=self._with_logs)
        return None

    def _fetch(self, place: int) -> None:
        self._fetched.clear()
        if self._path is None or not self._path.exists():
            return
        read = (
            "SELECT lengths, data FROM experiments JOIN journals USING (number)"
            " WHERE number = ? AND id = ? AND stamp = ?"
        )
        with contextlib.suppress(sqlite3.Error), connect(self._path) as connection:
            for ahead in range(place, min(place + READ_AHEAD, len(self._listed))):
                experiment_id, number, stamp = self._listed[ahead]
                row = connection.execute(read, (number, experiment_id, stamp)).fetchone()
                if row is not None:
                    self._fetched[ahead] = row
