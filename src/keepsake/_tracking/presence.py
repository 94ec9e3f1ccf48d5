"""Presence: by what others see that a session lives, its lock file and its heartbeat.

Where there is a courier, it keeps the heartbeat, and the session only looks now and then, when it writes anyway,
whether it is still there; so the training process has no thread of ours. Where there is none, a thread does it.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from pathlib import Path

from keepsake._model.ids import short_id
from keepsake._model.times import now_text
from keepsake._repository.heartbeat import HEARTBEAT_INTERVAL_S, delete_heartbeat, save_heartbeat
from keepsake._repository.repository import Repository
from keepsake._tracking.dispatch import Dispatcher
from keepsake._tracking.heart import Heart
from keepsake._tracking.lock import SessionLock
from keepsake.errors import KeepsakeError, PermissionDeniedError
from keepsake.machine import boot_id, host_name
from keepsake.notices import notice, warn

LOOK_INTERVAL_S = HEARTBEAT_INTERVAL_S
"""A courier that was killed is replaced before the heartbeat is too old, when something is written that often."""


class Presence:
    """What shows that one session lives.

    Args:
        repository: where the experiment belongs.
        experiment_id: the experiment.
        session_id: the session.
        locks: directory of the session locks.
        dispatcher: sees to the courier; None when there shall be none.
        heartbeat: whether others may see from elsewhere that the session lives.
        look: called every ten seconds or so, from whichever thread; must not raise.
    """

    def __init__(
        self,
        repository: Repository,
        experiment_id: str,
        session_id: str,
        *,
        locks: Path,
        dispatcher: Dispatcher | None,
        heartbeat: bool,
        look: Callable[[], None],
    ) -> None:
        self._repository = repository
        self._experiment_id = experiment_id
        self._session_id = session_id
        self._locks = locks
        self._dispatcher = dispatcher
        self._wants_heartbeat = heartbeat
        self._look = look
        self._lock: SessionLock | None = None
        self._heart: Heart | None = None
        self._may_have_heartbeat = False
        self._next_look_s = math.inf
        self._looking = threading.Lock()

    def begin(self) -> None:
        """Take the lock, have the heartbeat kept. Failing is no error: others then see less of the session."""
        try:
            self._lock = SessionLock.acquire(
                self._locks,
                self._session_id,
                experiment_id=self._experiment_id,
                repository_url=self._repository.store.url,
                heartbeat=self._wants_heartbeat,
            )
        except OSError as error:
            notice(f"no session lock can be kept in {self._locks} ({error.strerror or error})")
        # The courier finds sessions by their lock files.
        if self._lock is not None and self._dispatcher is not None and self._dispatcher.ensure():
            self._next_look_s = time.monotonic() + LOOK_INTERVAL_S
            if self._wants_heartbeat:
                self._save_heartbeat()
        else:
            self._start_heart()

    @property
    def is_look_due(self) -> bool:
        """Whether `look` should be called before the next write."""
        return time.monotonic() >= self._next_look_s

    def look(self) -> None:
        """See to it that there is a courier, or else do without one from now on; and look around. Never raises."""
        if not self._looking.acquire(blocking=False):
            return  # another thread does
        try:
            if self.is_look_due:
                self._next_look_s = time.monotonic() + LOOK_INTERVAL_S
                self._keep_lock_young()
                self._look()
                if self._dispatcher is None or not self._dispatcher.ensure():
                    self._next_look_s = math.inf
                    self._start_heart()
        finally:
            self._looking.release()

    def has_courier(self) -> bool:
        """Say whether a courier is there that goes on with what this session leaves."""
        return self._lock is not None and self._dispatcher is not None and self._dispatcher.is_running()

    def stop_beating(self) -> None:
        """End the thread, if there is one."""
        if self._heart is not None:
            self._heart.stop()

    def end(self) -> None:
        """Remove what says that the session lives, or that there is work left to do for it."""
        if self._lock is not None:
            self._lock.end_heartbeat()
        if self._may_have_heartbeat:
            try:
                delete_heartbeat(self._repository.store, self._experiment_id, self._session_id)
            except KeepsakeError as error:
                warn(f"the heartbeat of experiment {short_id(self._experiment_id)} is left behind: {error}")
        if self._lock is not None:
            self._lock.release()

    def abandon(self) -> None:
        """Let go of the lock but leave its file, for whoever finishes the work; also in the child of a fork."""
        if self._lock is not None:
            self._lock.abandon()

    def _start_heart(self) -> None:
        if self._wants_heartbeat and self._heart is None:
            self._heart = Heart(self._beat)
            self._heart.start()

    def _keep_lock_young(self) -> None:
        if self._lock is not None:
            self._lock.keep_young()

    def _beat(self) -> None:
        self._keep_lock_young()
        if self._save_heartbeat():
            self._look()

    def _save_heartbeat(self) -> bool:
        try:
            save_heartbeat(
                self._repository.store,
                self._experiment_id,
                self._session_id,
                host=host_name(),
                boot=boot_id(),
                time_text=now_text(),
            )
        except PermissionDeniedError:
            return False  # what is refused is not there, and need not be deleted
        except KeepsakeError:
            # The next one comes soon; if the store stays away, the next checkpoint says so.
            self._may_have_heartbeat = True
            return False
        self._may_have_heartbeat = True
        return True
