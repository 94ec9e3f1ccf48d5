"""The courier: a process of its own that does what a training process should not have to.

It serves the sessions of one user on one machine in one repository. Several times a second it

- says of sessions that have died that they are lost;
- keeps the heartbeats of those that live, which the locks on their files tell, and of no others;
- has a process of idle priority settle, deliver and collect (`helper`, `errands`).

It may be killed at any moment, and there may be two: everything it does can be broken off and done twice. It ends when
there is nothing left to do, when the repository has gone, and when nothing has worked for some minutes; the next
session, or the one that it served, starts another.
"""

from __future__ import annotations

import fcntl
import os
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from keepsake._model.ids import short_id
from keepsake._model.keys import REPOSITORY
from keepsake._model.times import now_text
from keepsake._repository.heartbeat import delete_heartbeat, save_heartbeat
from keepsake._repository.repository import Repository
from keepsake._tracking.attempts import Attempts
from keepsake._tracking.delivery import Delivery
from keepsake._tracking.errands import Errands, Report, Request
from keepsake._tracking.helper import Helper
from keepsake._tracking.instructions import Instructions
from keepsake._tracking.lock import LockedSession, find_session, find_sessions
from keepsake._tracking.priority import lower_process
from keepsake._tracking.recovery import mark_lost_sessions
from keepsake._tracking.secrets import mask_text
from keepsake.allocator import keep_freed_memory
from keepsake.errors import InternalError, KeepsakeError, StoreError
from keepsake.machine import boot_id, host_name
from keepsake.stores.base import ObjectInfo
from keepsake.stores.url import is_bucket, open_store

MAX_LOG_LINES = 1000
"""What a courier has to say of a repository in trouble is said by then."""


def run_courier(document: Mapping[str, Any], descriptor: int) -> None:
    """Be the courier until there is nothing left to do.

    Args:
        document: `Instructions` as a document.
        descriptor: of the courier's lock file, which is locked.
    """
    lower_process()
    keep_freed_memory()
    instructions = Instructions.from_document(document)
    log = Log()
    # The lock is the courier's alone: a helper that outlived it for a moment would keep others from starting.
    helper = Helper(ErrandsOpener(instructions, log).perform, on_start=lambda: os.close(descriptor))
    try:
        if is_bucket(instructions.repository_url):
            helper.start()  # nobody may fork who has used a bucket
        repository = open_repository(instructions)
        Courier(repository, instructions, descriptor, log, helper).run()
    except KeepsakeError as error:
        log(f"ends: {error}")
    except Exception:  # noqa: BLE001 (a mistake of ours, which nobody else is there to be told of)
        import traceback

        log(f"ends: {traceback.format_exc()}")


def open_repository(instructions: Instructions) -> Repository:
    """Open the repository that the instructions name. Raises as `Repository.open` and `open_store` do."""
    return Repository.open(open_store(instructions.repository_url, instructions.repository_options))


class ErrandsOpener:
    """The helper's work: it opens the repository for itself, when there is something to do."""

    def __init__(self, instructions: Instructions, log: Log) -> None:
        self._instructions = instructions
        self._log = log
        self._attempts = Attempts(log)
        self._errands: Errands | None = None

    def perform(self, request: Request) -> Report:
        """Perform a request; see `Errands.perform`."""
        errands = self._errands or self._open()
        if errands is None:
            return Report(is_busy=False, health=self._attempts.health, delivered={})
        return errands.perform(request)

    def _open(self) -> Errands | None:
        with self._attempts.trying("opening the repository"):
            repository = open_repository(self._instructions)
            self._errands = Errands(repository, self._instructions, self._attempts, self._log)
        return self._errands


class Log:
    """Lines on standard error, which `dispatch` has made a file; each once, and not without end."""

    def __init__(self) -> None:
        self._said: set[str] = set()

    def __call__(self, text: str) -> None:
        """Write one line, without secrets, unless it was written before."""
        if text not in self._said and len(self._said) < MAX_LOG_LINES:
            self._said.add(text)
            sys.stderr.write(f"{now_text()} {mask_text(text)}\n")
            sys.stderr.flush()


class Courier:
    """Serves one repository.

    Args:
        repository: which.
        instructions: how.
        descriptor: of the courier's lock file, which is locked.
        log: takes down what happens.
        helper: does the errands.
    """

    def __init__(
        self,
        repository: Repository,
        instructions: Instructions,
        descriptor: int,
        log: Log,
        helper: Helper[Request, Report],
    ) -> None:
        self._repository = repository
        self._instructions = instructions
        self._descriptor = descriptor
        self._log = log
        self._attempts = Attempts(log)
        self._delivery = Delivery(repository, instructions.staging, instructions.locks)
        self._helper = helper
        self._report: Report | None = None
        self._marked: set[str] = set()
        self._beaten_s = float("-inf")
        self._worked_s = time.monotonic()
        self._is_collected = False
        self._seen: ObjectInfo | None = None
        self._looked_s = float("-inf")
        self._has_lost_helper = False

    def run(self) -> None:
        """Go round until there is a reason to end."""
        # `dispatch` takes this for a sign of life.
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, b"%d\n" % os.getpid(), 0)
        self._log(f"serves {self._instructions.store_url} as process {os.getpid()}")
        while True:
            reason = self._reason_to_end() or self._round()
            if reason is not None:
                self._log(f"ends: {reason}")
                return
            self._sleep()

    def _sleep(self) -> None:
        """Wait for the next round, or until the helper has done something after which there is more to do."""
        if self._report is not None and self._report.is_busy:
            self._helper.wait(self._instructions.poll_s)
        else:
            time.sleep(self._instructions.poll_s)

    def _round(self) -> str | None:
        """Look after every session; return the reason to end when there is nothing left to do."""
        sessions = find_sessions(self._instructions.locks, self._instructions.store_url)
        live = [session for session in sessions if session.is_alive]
        dead = [session for session in sessions if not session.is_alive]
        self._mark_lost(dead)
        self._beat(live)
        self._take_report()
        if self._helper.is_working:
            return None
        is_busy = self._report is not None and self._report.is_busy
        if sessions or is_busy or self._delivery.waiting_sessions():
            self._worked_s, self._is_collected = time.monotonic(), False
        elif time.monotonic() - self._worked_s >= self._instructions.idle_s:
            if self._is_collected:
                return self._leave()
            self._is_collected = True
            self._submit(Request(collect=True))
            return None
        self._submit(Request(live, dead))
        return None

    def _submit(self, request: Request) -> None:
        if self._attempts.may_try("errands"):
            try:
                self._helper.submit(request)
            except OSError as error:
                self._attempts.fail("errands", error)

    def _take_report(self) -> None:
        try:
            report = self._helper.take_report()
        except InternalError as error:
            self._attempts.fail("errands", error)
            self._has_lost_helper = self._repository.is_remote
            return
        if report is not None:
            self._attempts.forget("errands")
            self._report = report
            self._delivery.delivered = dict(report.delivered)

    def _mark_lost(self, dead: Sequence[LockedSession]) -> None:
        self._marked &= {session.session_id for session in dead}
        # How a session ended may be written in staging, and comes home with the rest of it.
        skip = self._marked | (self._delivery.waiting_sessions() if dead else set())
        new = {session.session_id for session in dead} - skip
        if new and self._attempts.may_try("saying what is lost"):
            with self._attempts.trying("saying what is lost"):
                marked = mark_lost_sessions(self._repository, self._instructions.locks, skip=skip)
                self._marked.update(marked)
                for session_id in marked:
                    self._log(f"session {short_id(session_id)} is over")

    def _beat(self, live: Sequence[LockedSession]) -> None:
        if time.monotonic() - self._beaten_s < self._instructions.heartbeat_s:
            return
        self._beaten_s = time.monotonic()
        for session in live:
            if session.wants_heartbeat:
                with self._attempts.trying(f"heartbeat of session {short_id(session.session_id)}"):
                    self._save_heartbeat(session)

    def _save_heartbeat(self, session: LockedSession) -> None:
        store = self._repository.store
        names = (session.experiment_id, session.session_id)
        save_heartbeat(store, *names, host=host_name(), boot=boot_id(), time_text=now_text())
        # A session withdraws its wish before it deletes its heartbeat. Had it ended, or died, before this one was
        # written, that shows now; if it does so later, it finds and deletes this one.
        now = find_session(self._instructions.locks, session.session_id)
        if now is None or not now.wants_heartbeat:
            delete_heartbeat(store, *names)

    def _reason_to_end(self) -> str | None:
        if not self._has_lock_file():
            return "its lock file is gone"
        if not self._has_repository():
            return "the repository is gone"
        if self._has_lost_helper:
            return "its helper has died"  # another one cannot be forked; a session starts another courier
        health = self._attempts.health
        failing_s = (health.join(self._report.health) if self._report is not None else health).failing_s(
            time.monotonic()
        )
        if failing_s > self._instructions.give_up_s:
            return f"nothing has worked for {failing_s:.0f} s"
        return None

    def _has_lock_file(self) -> bool:
        """Say whether others still find this courier by its file."""
        try:
            there = os.stat(self._instructions.lock_path)  # noqa: PTH116 (to be compared with the descriptor's)
        except OSError:
            return False
        return os.path.samestat(there, os.fstat(self._descriptor))

    def _has_repository(self) -> bool:
        """Say whether the repository is there and still the same; while the store fails, nobody knows better."""
        if self._repository.is_remote and time.monotonic() - self._looked_s < self._instructions.heartbeat_s:
            return True  # a request is not for nothing there
        self._looked_s = time.monotonic()
        store = self._repository.store
        try:
            info = store.head(REPOSITORY)
            if info is not None and info != self._seen:
                if Repository.open(store).id != self._repository.id:
                    return False
                self._seen = info
        except StoreError:
            return True
        except KeepsakeError:
            return False
        return info is not None

    def _leave(self) -> str | None:
        """Give up the lock; return the reason to end, unless a session relies on this courier.

        A session first locks its own file and then looks for a courier. So one that saw this one's lock is seen now.
        """
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        if find_sessions(self._instructions.locks, self._instructions.store_url):
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return "another one has taken over"
            self._worked_s = time.monotonic()
            return None
        return "there is nothing to do"
