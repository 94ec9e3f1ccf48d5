"""Journals on their way from a store that serves many requests at once, while those that have come are read."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from keepsake._model.keys import SegmentName
from keepsake._repository.journal import get_segment
from keepsake.errors import CorruptionError, NotFoundError
from keepsake.stores.base import Store, concurrency_of

if TYPE_CHECKING:
    from typing_extensions import Self

Item = TypeVar("Item")

MOST_READS = 8
"""At most so many journals are fetched at once for each request that a store wants under way."""
READS_PER_S = 2_500
"""More than one process can make use of: so many threads are enough as this takes at the time that one read takes."""
AHEAD_BYTES = 64 << 20
"""When so much has come that nobody has taken yet, no more is asked for."""


class SegmentFetcher:
    """Fetches segments that are not at hand. A context manager, after which none is on its way any more.

    Args:
        store: where they are. From one that serves a request at a time, nothing is fetched.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._concurrency = concurrency_of(store)
        self._most_threads = 0
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._has_come = threading.Condition(self._lock)
        self._may_fetch = threading.Condition(self._lock)
        self._wanted: deque[tuple[str, SegmentName]] = deque()
        self._kept: dict[str, dict[str, bytes]] = {}
        self._missing: Counter[str] = Counter()
        """How many segments of each experiment have not come yet."""
        self._ahead_bytes = 0
        """How much lies here untaken."""
        self._awaited: str | None = None
        """The experiment that somebody waits for."""
        self._error: BaseException | None = None
        self._is_over = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._is_over = True
            self._may_fetch.notify_all()
        for thread in self._threads:
            thread.join()

    def want(self, experiments: Mapping[str, Sequence[SegmentName]], kept: Mapping[str, dict[str, bytes]]) -> None:
        """Begin to fetch what is missing of some experiments, after what was wanted before.

        Args:
            experiments: their segments, in the order in which they will be taken.
            kept: what is at hand of each, by key; what is fetched is added.
        """
        missing: list[tuple[str, SegmentName]] = []
        if self._concurrency > 1:
            every = ((one, name) for one, names in experiments.items() for name in names)
            missing += ((one, name) for one, name in every if name.key not in kept[one])
        with self._lock:
            self._kept.update(kept)
            self._ahead_bytes += sum(len(content) for contents in kept.values() for content in contents.values())
            self._wanted.extend(missing)
            self._missing.update(one for one, _ in missing)
            self._may_fetch.notify_all()
        self._start_threads()

    def take(self, experiment_id: str) -> Mapping[str, bytes]:
        """Return the segments of an experiment, when all are there. What cannot be had is left out: reading says why.

        Raises:
            StoreError: the store cannot be read.
        """
        while not self._threads and self._missing[experiment_id]:  # where none can be started
            self._fetch(*self._wanted.popleft())
        with self._lock:
            self._awaited = experiment_id
            if self._missing[experiment_id]:
                self._may_fetch.notify_all()
            self._has_come.wait_for(lambda: self._error is not None or not self._missing[experiment_id])
            self._awaited = None
            if self._error is not None:
                raise self._error
            contents = self._kept.pop(experiment_id)
            was_full = self._ahead_bytes >= AHEAD_BYTES
            self._ahead_bytes -= sum(map(len, contents.values()))
            if was_full:
                self._may_fetch.notify_all()
            return contents

    def _start_threads(self) -> None:
        """Start as many as are needed, or as can be."""
        if not self._wanted:
            return
        if not self._most_threads:
            self._most_threads = self._count_threads()
        with contextlib.suppress(RuntimeError):
            while len(self._threads) < min(self._most_threads, len(self._wanted)):
                thread = threading.Thread(target=self._work, name=f"keepsake-fetch-{len(self._threads)}")
                thread.start()
                self._threads.append(thread)

    def _count_threads(self) -> int:
        """Return how many threads to fetch in; where there is much, after one read, to see how long that takes.

        Each thread costs, and those that wait for the interpreter keep it from reading what has come.
        """
        if len(self._wanted) <= self._concurrency:
            return self._concurrency
        begun_s = time.perf_counter()
        self._fetch(*self._wanted.popleft())
        return choose_threads(time.perf_counter() - begun_s, self._concurrency)

    def _work(self) -> None:
        try:
            while (segment := self._next()) is not None:
                self._fetch(*segment)
        except BaseException as error:  # noqa: BLE001 (raised again by the thread that takes)
            with self._lock:
                self._error = self._error or error
                self._is_over = True
                self._has_come.notify_all()
                self._may_fetch.notify_all()

    def _next(self) -> tuple[str, SegmentName] | None:
        """Return what to fetch next, once there is something and room for it; None when it is over."""
        with self._lock:
            self._may_fetch.wait_for(lambda: self._is_over or self._has_next())
            return None if self._is_over else self._wanted.popleft()

    def _has_next(self) -> bool:
        # However much lies here untaken: what is waited for comes next, as it is taken in the order of the wishes.
        return bool(self._wanted) and (self._ahead_bytes < AHEAD_BYTES or self._wanted[0][0] == self._awaited)

    def _fetch(self, experiment_id: str, name: SegmentName) -> None:
        content = None
        with contextlib.suppress(NotFoundError, CorruptionError):
            content = get_segment(self._store, name)
        with self._lock:
            if content is not None:
                self._kept[experiment_id][name.key] = content
                self._ahead_bytes += len(content)
            self._missing[experiment_id] -= 1
            if self._awaited == experiment_id and not self._missing[experiment_id]:
                self._has_come.notify()


def choose_threads(read_s: float, concurrency: int) -> int:
    """Return how many journals to fetch at once, given the time that one takes and how many requests a store wants."""
    return min(max(concurrency, int(read_s * READS_PER_S)), MOST_READS * concurrency)


def one_ahead(items: Iterable[Item]) -> Iterator[Item]:
    """Yield the items, each after the one that follows it was made."""
    rest = iter(items)
    for current in islice(rest, 1):
        for following in rest:
            yield current
            current = following
        yield current
