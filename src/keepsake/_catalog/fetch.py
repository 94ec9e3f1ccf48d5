"""Journals on their way from a store that serves many requests at once, while those that have come are read."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from queue import SimpleQueue
from typing import TYPE_CHECKING

from keepsake._chunks.workers import SharedIterator
from keepsake._model.keys import SegmentName
from keepsake._repository.journal import get_segment
from keepsake.errors import CorruptionError, NotFoundError
from keepsake.stores.base import Store, concurrency_of

if TYPE_CHECKING:
    from typing_extensions import Self

MOST_READS = 8
"""At most so many journals are fetched at once for each request that a store wants under way."""
READS_PER_S = 2_500
"""More than one process can make use of: so many threads are enough as this takes at the time that one read takes."""


class SegmentFetcher:
    """Fetches segments that are not at hand. A context manager, after which none is on its way any more.

    Args:
        store: where they are. From one that serves a request at a time, nothing is fetched.
        experiments: segments by experiment, in the order in which they will be taken.
        kept: what is at hand of each experiment, by key; what is fetched is added.
    """

    def __init__(
        self, store: Store, experiments: Mapping[str, Sequence[SegmentName]], kept: Mapping[str, dict[str, bytes]]
    ) -> None:
        self._store = store
        self._kept = kept
        self._concurrency = concurrency_of(store)
        self._missing: list[tuple[str, SegmentName]] = []
        if self._concurrency > 1:
            every = ((one, name) for one, names in experiments.items() for name in names)
            self._missing += ((one, name) for one, name in every if name.key not in kept[one])
        self._coming = Counter(one for one, _ in self._missing)
        self._shared = SharedIterator(self._missing)
        self._done: SimpleQueue[str | BaseException] = SimpleQueue()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        threads = min(self._count_threads(), len(self._missing))
        self._threads = [threading.Thread(target=self._work, name=f"keepsake-fetch-{one}") for one in range(threads)]
        # With fewer where no more can be started; without any, this one does it.
        with contextlib.suppress(RuntimeError):
            for thread in self._threads:
                thread.start()
        if not any(thread.ident is not None for thread in self._threads):
            self._work()
        return self

    def __exit__(self, *_: object) -> None:
        self._shared.stop()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()

    def take(self, experiment_id: str) -> Mapping[str, bytes]:
        """Return the segments of an experiment, when all are there. What cannot be had is left out: reading says why.

        Raises:
            StoreError: the store cannot be read.
        """
        while self._coming[experiment_id]:
            done = self._done.get()
            if isinstance(done, BaseException):
                raise done
            self._coming[done] -= 1
        return self._kept[experiment_id]

    def _work(self) -> None:
        try:
            for experiment_id, name in self._shared:
                self._fetch(experiment_id, name)
        except BaseException as error:  # noqa: BLE001 (raised again by the thread that takes)
            self._shared.stop()
            self._done.put(error)

    def _fetch(self, experiment_id: str, name: SegmentName) -> None:
        with contextlib.suppress(NotFoundError, CorruptionError):
            self._kept[experiment_id][name.key] = get_segment(self._store, name)
        self._done.put(experiment_id)

    def _count_threads(self) -> int:
        """Return how many threads to fetch in; where there is much, after one read, to see how long that takes.

        Each thread costs, and those that wait for the interpreter keep it from reading what has come.
        """
        if len(self._missing) <= self._concurrency:
            return self._concurrency
        begun_s = time.perf_counter()
        self._fetch(*next(self._shared))
        return choose_threads(time.perf_counter() - begun_s, self._concurrency)


def choose_threads(read_s: float, concurrency: int) -> int:
    """Return how many journals to fetch at once, given the time that one takes and how many requests a store wants."""
    return min(max(concurrency, int(read_s * READS_PER_S)), MOST_READS * concurrency)
