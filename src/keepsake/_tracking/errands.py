"""Errands: the courier's work that can wait for an idle machine: settling, delivering, collecting, packing.

One round does a little for each session, so that a large checkpoint of one does not keep the others waiting for long.
Of a live session the oldest checkpoint comes first; the session itself, at its end, begins with the newest.
"""

from __future__ import annotations

import os
import random
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from keepsake._model.ids import short_id
from keepsake._repository.collect import collect
from keepsake._repository.packs import pack_journals
from keepsake._repository.repository import Repository
from keepsake._tracking.attempts import Attempts, Health
from keepsake._tracking.delivery import Delivery
from keepsake._tracking.follow import JournalFollower
from keepsake._tracking.instructions import Instructions
from keepsake._tracking.lock import LockedSession, remove_stray_notes
from keepsake._tracking.place import find_staging
from keepsake._tracking.priority import encoding_threads
from keepsake._tracking.recovery import settle_dead_sessions
from keepsake._tracking.settle import settle
from keepsake._tracking.settled import load_settled, note_settled
from keepsake.directories import cache_directory, private_directory
from keepsake.errors import FormatError, InternalError, NotFoundError, PermissionDeniedError

_DELIVERING = "delivering"

SYNC_INTERVAL_S = 30.0
"""A journal without checkpoints to settle is synced this often: a power loss takes no more metrics than that."""


@dataclass(frozen=True, slots=True)
class Request:
    """What the errands are asked to do."""

    live: Sequence[LockedSession] = ()
    dead: Sequence[LockedSession] = ()
    collect: bool = False
    """Whether to collect, instead of everything else."""


@dataclass(frozen=True, slots=True)
class Report:
    """How a round went."""

    is_busy: bool
    """Whether there is more to do at once."""
    health: Health
    delivered: Mapping[str, int]
    """What of staging is at home: keys and lengths of journal segments."""


@dataclass(slots=True)
class _Follow:
    """A live session whose checkpoints are settled as they come."""

    follower: JournalFollower
    settled: set[str]
    """Manifests that need no work."""
    waiting: deque[str] = field(default_factory=deque)
    """Manifests to settle, the oldest first."""
    synced_s: float = field(default_factory=time.monotonic)
    """When the journal was synced."""


class Errands:
    """The courier's errands for one repository. Not for several threads at once.

    Args:
        repository: which.
        instructions: the courier's.
        attempts: knows what failed.
        log: takes down what was done.
    """

    def __init__(
        self, repository: Repository, instructions: Instructions, attempts: Attempts, log: Callable[[str], None]
    ) -> None:
        self._repository = repository
        self._instructions = instructions
        self._attempts = attempts
        self._log = log
        self._follows: dict[str, _Follow] = {}
        self._delivery = Delivery(repository, instructions.staging, instructions.locks)
        self._delivered_s = float("-inf")
        self._threads = encoding_threads()
        self._is_to_pack = repository.is_remote and random.random() < instructions.pack_chance

    def perform(self, request: Request) -> Report:
        """Do one round, or collect if that is due; pack once, if it was so drawn, when there is nothing else to do."""
        if request.collect:
            self._collect_if_due()
            is_busy = False
        else:
            is_busy = self._run(request.live, request.dead)
        if self._is_to_pack and not is_busy:
            self._is_to_pack = False
            self._pack()
        return Report(is_busy, self._attempts.health, self._delivery.delivered)

    def _run(self, live: Sequence[LockedSession], dead: Sequence[LockedSession]) -> bool:
        self._forget_all_but(live)
        local = self._find_local()
        is_busy = [self._settle_one(local, session) for session in live] if local is not None else []
        self._settle_dead(dead)
        self._deliver()
        return any(is_busy)

    def _find_local(self) -> Repository | None:
        """Return the repository in which to settle what sessions capture.

        For one beyond a network that is staging, and only while nothing can be delivered: what arrives is compact and
        synced, and what was delivered need not be.
        """
        if not self._repository.is_remote:
            return self._repository
        if self._attempts.may_try(_DELIVERING):
            return None
        return find_staging(self._instructions.staging, self._repository)

    def _collect_if_due(self) -> None:
        """Collect the repository when a courier of this user has not done so for a day.

        The first one that serves a repository only notes the time: there is nothing to collect in a new repository, and
        a hundred fresh nodes of a cluster need not collect an old one.
        """
        with self._attempts.trying("collecting"):
            mark = private_directory(cache_directory(os.environ) / "collected") / self._repository.id
            is_due = mark.exists() and time.time() - mark.stat().st_mtime > self._instructions.collect_s
            if is_due or not mark.exists():
                # Beforehand, so that a repository that cannot be collected is not read through again and again.
                mark.touch()
            if is_due:
                result = collect(self._repository)
                self._log(f"collected {result.objects} objects, {result.size_bytes:,} bytes")

    def _pack(self) -> None:
        # Not at its end, as collecting: in the container of a job, a courier ends with the script.
        with self._attempts.trying("packing"):
            self._log(f"packed {pack_journals(self._repository)} segments of journals")

    def _forget_all_but(self, live: Sequence[LockedSession]) -> None:
        gone = self._follows.keys() - {session.session_id for session in live}
        for session_id in gone:
            del self._follows[session_id]
            self._attempts.forget(_settling(session_id))
        if gone:
            remove_stray_notes(self._instructions.locks)

    def _settle_one(self, local: Repository, session: LockedSession) -> bool:
        """Settle the oldest checkpoint of a live session; say whether there are more."""
        what = _settling(session.session_id)
        if not self._attempts.may_try(what):
            return False
        follow = self._follow(local, session)
        with self._attempts.trying(what):
            news = follow.follower.read_new()
            follow.waiting.extend(digest for digest in dict.fromkeys(news) if digest not in follow.settled)
            if follow.waiting:
                self._settle(local, session, follow.waiting[0])
                follow.settled.add(follow.waiting.popleft())
            if time.monotonic() - follow.synced_s >= SYNC_INTERVAL_S:
                follow.follower.sync()
                follow.synced_s = time.monotonic()
        return bool(follow.waiting) and self._attempts.may_try(what)

    def _settle(self, local: Repository, session: LockedSession, digest: str) -> None:
        try:
            settle(local, session.experiment_id, [digest], threads=self._threads, last_first=True)
        except (FormatError, NotFoundError, InternalError, PermissionDeniedError) as error:
            # Nobody can settle this, at least not as this user. The session says so at its end.
            self._log(f"manifest {digest} cannot be settled: {error}")
        else:
            note_settled(self._instructions.locks, session.session_id, [digest])

    def _settle_dead(self, dead: Sequence[LockedSession]) -> None:
        # Of what is still in staging, the journal at home may lack the end.
        skip = self._delivery.waiting_sessions() if dead else set()
        some = any(session.session_id not in skip for session in dead)
        if some and self._attempts.may_try("finishing dead sessions"):
            with self._attempts.trying("finishing dead sessions"):
                settle_dead_sessions(self._repository, self._instructions.locks, threads=self._threads, skip=skip)

    def _deliver(self) -> None:
        is_due = time.monotonic() - self._delivered_s >= self._instructions.deliver_s
        if is_due and self._attempts.may_try(_DELIVERING) and self._delivery.waiting_sessions():
            with self._attempts.trying(_DELIVERING):
                self._delivery.deliver(threads=self._threads)
                self._delivered_s = time.monotonic()
        elif self._delivery.is_release_due and self._attempts.may_try("releasing"):
            with self._attempts.trying("releasing"):
                self._delivery.release()

    def _follow(self, local: Repository, session: LockedSession) -> _Follow:
        follow = self._follows.get(session.session_id)
        if follow is None:
            follower = JournalFollower(local.store, session.experiment_id, session.session_id)
            follow = _Follow(follower, load_settled(self._instructions.locks, session.session_id))
            self._follows[session.session_id] = follow
        return follow


def _settling(session_id: str) -> str:
    return f"settling session {short_id(session_id)}"
