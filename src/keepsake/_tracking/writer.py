"""The session's writer: one session's snapshots and events, to its repository or, while that fails, to staging.

This is where "a store that fails never breaks training" is decided. When a write to the repository fails, the writer
says so once and turns to a staging repository on local disk; from then on it asks the repository again from time to
time and delivers what staging holds. What even staging refuses is kept in memory and tried again; only the files of
such a checkpoint are given up, which its event then says.

For a repository beyond a network, all is written to staging from the beginning. The courier delivers it; the writer
does so only when it is asked to, at the end, and when the disk that staging is on is full.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

from keepsake._model.events import references
from keepsake._model.times import Clock
from keepsake._repository.intent import create_intent, drop_intent
from keepsake._repository.journal import JournalWriter
from keepsake._repository.push import push
from keepsake._repository.repository import Repository
from keepsake._tracking.release import RESERVE, keep_reserve
from keepsake._tracking.room import Room, is_full
from keepsake.errors import (
    ForkedProcessError,
    FormatError,
    InternalError,
    InvalidInputError,
    KeepsakeError,
    NotFoundError,
    StoreError,
)
from keepsake.notices import notice, warn
from keepsake.stores.base import AppendStore

OnError: TypeAlias = Literal["warn", "raise"]
Body: TypeAlias = dict[str, Any]


class Prepared(NamedTuple):
    """An event that is ready to be written."""

    body: Body
    """The event, without its time."""
    intent: str | None = None
    """Key of the intent that protects what it refers to until it is written."""


Prepare: TypeAlias = Callable[[Repository], Prepared]
"""Saves what an event refers to into the given repository."""

RETRY_INTERVAL_S = 30.0
"""A failing repository is asked again at most this often, so that a hanging mount does not slow every step."""


class SessionWriter:
    """Writes the events of one session, in order. May be used from several threads.

    Args:
        home: the repository that the experiment belongs to.
        experiment_id: the experiment.
        session_id: the session.
        after: text of a time that all events are later than.
        open_staging: opens the staging repository for `home`, made when it is needed first.
        locks: directory of the session locks.
        on_error: "raise" passes a store's failure on instead of turning to staging.
    """

    def __init__(
        self,
        home: Repository,
        experiment_id: str,
        session_id: str,
        *,
        after: str,
        open_staging: Callable[[Repository], Repository],
        locks: Path,
        on_error: OnError,
    ) -> None:
        self.home = home
        self.experiment_id = experiment_id
        self.session_id = session_id
        self.event_count = 0
        """Events written so far."""
        self.manifests: dict[str, None] = {}
        """Digests of the manifests that were saved at home and not settled yet."""
        self.must_leave_delivery = False
        """Whether this process cannot reach the repository, which says nothing about whether others can."""
        self._open_staging = open_staging
        self._room = Room(home, locks, self._note_undelivered)
        self._on_error = on_error
        self._lock = threading.RLock()
        self._clock = Clock(after)
        self._staging: Repository | None = None
        self._current = home
        self._journal: JournalWriter | None = None if home.is_remote else self._journal_in(home, 0)
        self._delivered_count = 0
        """Of a repository beyond a network: how many of the events are there."""
        self._held: deque[Body] = deque()
        self._unsure: Body | None = None
        """The last event, when writing it failed: it may be written all the same."""
        self._asked_home_at_s = 0.0
        self._complained = False
        self._said_full = False
        self._is_closed = False

    @property
    def is_at_home(self) -> bool:
        """Whether everything that was written so far is in the repository itself."""
        if self.home.is_remote:
            return self._delivered_count == self.event_count and not self._held
        return self._staging is None and not self._held

    @property
    def local(self) -> Repository:
        """The repository on a disk that is written to: staging, once there is one, or else the repository itself."""
        return self._current

    @property
    def staging(self) -> Repository | None:
        """Where what was written waits until it is delivered, if anything does."""
        return self._staging

    @property
    def last_time(self) -> str:
        """Time of the last event, as text."""
        return self._clock.last

    def write_first(self, prepare: Prepare) -> Body:
        """Save the event that creates the experiment. Whatever goes wrong is raised: nothing can be lost yet."""
        try:
            if self.home.is_remote:
                self._check_home()
                return self._write_staged(prepare)
            return self._write_to(self._current, prepare)
        except Exception as error:
            raise _as_ours(error) from error

    def write(self, prepare: Prepare, give_up: Callable[[Exception], Body]) -> Body:
        """Save an event and what it refers to.

        Args:
            prepare: see `Prepare`; called again for staging when the repository fails.
            give_up: makes the event that is kept when nothing can be saved, from the error.

        Returns:
            The event as it was written, with its time, or as it is kept until it can be.

        Raises:
            InvalidInputError: from `prepare`.
            WriterClosedError: the writer was closed.
            KeepsakeError: the repository failed, and `on_error` is "raise".
        """
        if self._staging is not None and not self.home.is_remote:
            self._ask_home_again()
        failure: Exception = InternalError("the session's repository kept changing")
        for _ in range(4):
            repository = self._current
            try:
                return self._write_staged(prepare) if self.home.is_remote else self._write_to(repository, prepare)
            except (InvalidInputError, WriterClosedError):
                raise
            except _MovedError:
                continue
            except Exception as error:
                failure = error
                if self._on_error == "raise":
                    raise _as_ours(error) from error
                if not self._turn_to_staging(self._current if self.home.is_remote else repository, error):
                    break
        return self._hold(give_up(failure))

    def deliver(
        self,
        *,
        threads: int = 2,
        on_progress: Callable[[int], None] | None = None,
        on_total: Callable[[int], None] | None = None,
    ) -> bool:
        """Bring home whatever staging and memory hold; say whether all is there now.

        Args:
            threads: how many chunks are copied at once.
            on_progress: called with the bytes of each chunk; what it raises ends the attempt.
            on_total: called with how many there are, as far as that is known.

        Raises:
            TimeoutError: from `on_progress`, of a repository beyond a network; what has arrived stays.
        """
        if self.home.is_remote:
            return self._deliver_remote(threads, on_progress, on_total)
        with self._lock:
            self._ask_home_again(at_once=True, threads=threads, on_progress=on_progress)
            try:
                self._flush_held()
            except Exception as error:  # noqa: BLE001 (as above)
                self._complain(error)
            return self.is_at_home

    def _deliver_remote(
        self,
        threads: int,
        on_progress: Callable[[int], None] | None = None,
        on_total: Callable[[int], None] | None = None,
    ) -> bool:
        """As `deliver`; others may write meanwhile."""
        try:
            with self._lock:
                if self._staging is not None:
                    self._flush_held()
                count = self.event_count
            if self._staging is not None and self._delivered_count < count:
                push(
                    self._staging,
                    self.home,
                    experiment_ids=[self.experiment_id],
                    threads=threads,
                    last_first=True,
                    on_progress=on_progress,
                    on_total=on_total,
                )
            self._delivered_count = count
        except TimeoutError:  # from `on_progress`: nothing has failed
            raise
        except Exception as error:  # noqa: BLE001 (as above)
            self._note_undelivered(error)
        return self.is_at_home

    def _note_undelivered(self, error: Exception) -> None:
        if isinstance(error, ForkedProcessError):
            self.must_leave_delivery = True
        else:
            self._complain(error, self.home)

    def leave_what_is_gone(self) -> bool:
        """Go on elsewhere when what was written to has gone. Say whether it was only the experiment, which was deleted.

        Raises:
            NotFoundError: the repository has gone, and `on_error` is "raise".
        """
        with self._lock:
            try:
                if self._journal is None or not self._journal.is_gone():
                    return False
                if _is_there(self._current):
                    if self._current.store.head(RESERVE) is None:
                        return True  # somebody removed the journals of this experiment
                    # Staging, of which everything was delivered: a machine that cannot see this session's lock took it
                    # for dead, since it had been quiet for a day. What was deleted says so with the next delivery.
                    self._move_journal(self._current)
                    return False
            except (StoreError, FormatError):
                return False  # the write that follows meets the same trouble, and deals with it
            gone = NotFoundError(f"there is no repository at {self._current.store.url} any more")
            if self.home.is_remote:
                warn(f"{gone}; of what waited there for {self.home.store.url}, only what was delivered is kept")
                self._staging = None
            elif self._on_error == "raise":
                raise gone
            else:
                self._turn_to_staging(self._current, gone)
            return False

    def seal(self) -> None:
        """End the open segment of the journal."""
        with self._lock:
            if self._journal is not None:
                self._journal.seal()

    def close(self) -> None:
        """Release the open segment without ending it, and write no more."""
        with self._lock:
            self._is_closed = True
            if self._journal is not None:
                self._journal.close()

    def abandon(self) -> None:
        """Release the open segment in a forked child, where nobody may ever release the locks that were held."""
        if self._journal is not None:
            self._journal.close()

    def describe_missing(self) -> str:
        """Say what is not in the repository yet, and where it is."""
        parts = []
        if self._staging is not None:
            what = "what was saved" if self.home.is_remote else "what was saved since the failure"
            parts.append(f"{what} is in {self._staging.store.url}")
        if self._held:
            parts.append(f"{len(self._held)} events could be written nowhere and end with this process")
        return "; ".join(parts)

    def _check_home(self) -> None:
        """Raise what keeps the repository from being written, while somebody is there to see to it."""
        drop_intent(self.home.store, create_intent(self.home.store, self.session_id, []))

    def _enter_staging(self) -> Repository:
        """Write to staging from now on, without a word: the repository is beyond a network."""
        with self._lock:
            if self._staging is None:
                staging = self._open_staging_somehow()
                keep_reserve(staging)
                self._move_journal(staging)
                self._current = self._staging = staging
            return self._staging

    def _open_staging_somehow(self) -> Repository:
        try:
            return self._open_staging(self.home)
        except StoreError as error:
            if not is_full(error) or not self._room.drop_copies(None):
                raise
        return self._open_staging(self.home)

    def _write_staged(self, prepare: Prepare) -> Body:
        """Write to staging. Where the disk is full, that waits until what staging holds is delivered."""
        staging = self._enter_staging()
        try:
            return self._write_to(staging, prepare)
        except StoreError as error:
            if not is_full(error):
                raise
            failure = error
        self._say_full(staging)
        with contextlib.closing(self._room.make(staging)) as chances:
            for _ in chances:
                try:
                    return self._write_to(staging, prepare)
                except StoreError as error:
                    if not (is_full(error) or error.transient):
                        raise
                    failure = error
        raise failure

    def _say_full(self, staging: Repository) -> None:
        if not self._said_full:
            self._said_full = True
            notice(f"the disk of {staging.store.url} is full; waiting, now and then, until what it holds is delivered")

    def _journal_in(self, repository: Repository, first_segment: int) -> JournalWriter:
        store = repository.store
        if not isinstance(store, AppendStore):
            raise InternalError(f"a session cannot write its journal to {store.url}")
        return JournalWriter(store, self.experiment_id, self.session_id, first_segment=first_segment)

    def _write_to(self, repository: Repository, prepare: Prepare) -> Body:
        prepared = prepare(repository)
        try:
            return self._append(repository, prepared.body)
        finally:
            if prepared.intent is not None:
                drop_intent(repository.store, prepared.intent)

    def _append(self, repository: Repository, body: Body) -> Body:
        with self._lock:
            if self._is_closed:
                raise WriterClosedError
            if repository is not self._current:
                raise _MovedError
            self._flush_held()
            event = self._unsure = self._with_time(body)
            self._append_line(event)
            self._unsure = None
            self.event_count += 1
            if repository is self.home:
                self.manifests.update(dict.fromkeys(references(event)))
        return event

    def _flush_held(self) -> None:
        while self._held:
            self._append_line(self._held[0])
            self.event_count += 1
            self._held.popleft()

    def _append_line(self, event: Body) -> None:
        if self._journal is None:
            raise InternalError("there is no journal to write to")
        self._journal.append(event)

    def _hold(self, body: Body) -> Body:
        with self._lock:
            event = self._with_time(body)
            self._held.append(event)
        return event

    def _with_time(self, body: Body) -> Body:
        """Give an event its time: that which it had when writing it failed, for readers take equal events for one."""
        if self._unsure is not None and self._unsure == body | {"time": self._clock.last}:
            return self._unsure
        return body | {"time": self._clock.now()}

    def _turn_to_staging(self, failed: Repository, error: Exception) -> bool:
        """Go on in staging; say whether trying again makes sense."""
        with self._lock:
            if failed is not self._current:
                return True
            self._complain(error)
            if failed is not self.home:
                return False
            try:
                self._staging = self._open_staging(self.home)
                self._move_journal(self._staging)
            except Exception as staging_error:  # noqa: BLE001 (as above)
                self._staging = None
                self._complain(staging_error)
                return False
            self._current = self._staging
            self._asked_home_at_s = time.monotonic()
            notice(f"going on in {self._staging.store.url}; it is delivered when the repository works again")
            return True

    def _ask_home_again(
        self, *, at_once: bool = False, threads: int = 2, on_progress: Callable[[int], None] | None = None
    ) -> None:
        with self._lock:
            waited_s = time.monotonic() - self._asked_home_at_s
            if self._staging is None or (waited_s < RETRY_INTERVAL_S and not at_once):
                return
            try:
                if not _is_there(self.home):
                    raise NotFoundError(f"there is no repository at {self.home.store.url}")
                self.seal()
                push(
                    self._staging,
                    self.home,
                    experiment_ids=[self.experiment_id],
                    threads=threads,
                    on_progress=on_progress,
                )
            except Exception:  # noqa: BLE001 (it was said when it began to fail)
                self._asked_home_at_s = time.monotonic()
                return
            self._move_journal(self.home)
            self._current, self._staging = self.home, None
            notice(f"the repository {self.home.store.url} works again; what had waited is delivered")

    def _move_journal(self, repository: Repository) -> None:
        """Go on in a segment of another repository."""
        first_segment = 0
        if self._journal is not None:
            self._journal.close()
            first_segment = self._journal.next_segment
        self._journal = self._journal_in(repository, first_segment)

    def _complain(self, error: Exception, where: Repository | None = None) -> None:
        if not self._complained:
            self._complained = True
            text = str(error) if isinstance(error, KeepsakeError) else f"{type(error).__name__}: {error}"
            warn(f"saving to {(where or self._current).store.url} failed, and training goes on: {text}")


class WriterClosedError(Exception):
    """The session was stopped by another thread before the event was written."""


class _MovedError(Exception):
    """Another thread changed the repository after this one had saved files: they count only where the event goes."""


def _is_there(repository: Repository) -> bool:
    """Say whether a repository is still where it was, and no other in its place."""
    try:
        return Repository.open(repository.store).id == repository.id
    except NotFoundError:
        return False


def _as_ours(error: Exception) -> KeepsakeError:
    if isinstance(error, KeepsakeError):
        return error
    return InternalError(f"saving failed: {type(error).__name__}: {error}")
