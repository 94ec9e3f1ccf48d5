"""A session: this process writing to one experiment.

It gives events their place (ids, steps, times), has others see that it lives, and ends with what somebody else would
otherwise have to do. Data goes first and the event last, so an event never points at what is not stored. May be used
from several threads; after a fork the child goes on in a session of its own.
"""

from __future__ import annotations

import contextlib
import math
import os
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from pathlib import Path

from keepsake._model.ids import new_id, new_session_id, short_id
from keepsake._repository.intent import save_with_intent
from keepsake._repository.journal import list_segments, load_journal
from keepsake._repository.repository import Repository
from keepsake._tracking.dispatch import Dispatcher
from keepsake._tracking.ending import track, untrack
from keepsake._tracking.files import SaveFiles
from keepsake._tracking.presence import LOOK_INTERVAL_S, Presence
from keepsake._tracking.priority import waited_for_threads
from keepsake._tracking.progress import Waiting
from keepsake._tracking.recovery import settle_dead_sessions
from keepsake._tracking.release import release_delivered
from keepsake._tracking.settle import settle
from keepsake._tracking.settled import load_settled, note_settled
from keepsake._tracking.writer import Body, OnError, Prepare, Prepared, SessionWriter, WriterClosedError
from keepsake.errors import KeepsakeError, NotFoundError, StoreError
from keepsake.notices import notice, warn
from keepsake.stores.base import AppendStore

LAST_STEP = (1 << 63) - 1
"""Many readers take steps for whole numbers of 64 bits."""
FEW_SEGMENTS = 200
"""So many segments of an experiment are listed before each checkpoint with files, in some 3 ms. More of them, as there
are after weeks of logging, are listed every ten seconds."""


class Session:
    """This process writing to one experiment; nothing is written before the first event.

    Args:
        repository: where the experiment belongs.
        experiment_id: the experiment.
        after: time of the last event that this process has read of the experiment; "" when it creates it.
        next_step: the step of the next checkpoint that gives none.
        locks: directory of the session locks.
        open_staging: see `SessionWriter`.
        on_error: see `SessionWriter`.
        heartbeat: whether others may see that the session lives.
        exit_timeout_s: how long the end may take to make things compact; somebody else does the rest.
        dispatcher: sees to the courier; None when there shall be none.
    """

    def __init__(
        self,
        repository: Repository,
        experiment_id: str,
        *,
        after: str = "",
        next_step: int = 0,
        locks: Path,
        open_staging: Callable[[Repository], Repository],
        on_error: OnError = "warn",
        heartbeat: bool = True,
        exit_timeout_s: float = math.inf,
        dispatcher: Dispatcher | None = None,
    ) -> None:
        self.repository = repository
        self.experiment_id = experiment_id
        self._after = after
        self._next_step = next_step
        self._locks = locks
        self._open_staging = open_staging
        self._on_error: OnError = on_error
        self._wants_heartbeat = heartbeat
        self._exit_timeout_s = exit_timeout_s
        self._dispatcher = dispatcher
        self.is_deleted = False
        self._said_deleted = False
        self._reset_locks()
        self._reset()
        _sessions.add(self)

    def _reset_locks(self) -> None:
        """Make the locks: at first, and in the child of a fork, where those of the parent may be held for ever."""
        self._mutex = threading.RLock()
        self._deletion_lock = threading.Lock()

    def _reset(self) -> None:
        """Take a new session id, with nothing begun: at first, after a stop, and in the child of a fork."""
        self.id = new_session_id()
        self._writer = SessionWriter(
            self.repository,
            self.experiment_id,
            self.id,
            after=self._after,
            open_staging=self._open_staging,
            locks=self._locks,
            on_error=self._on_error,
        )
        self._presence = Presence(
            self.repository,
            self.experiment_id,
            self.id,
            locks=self._locks,
            dispatcher=self._dispatcher,
            heartbeat=self._wants_heartbeat,
            look=self._look_around,
        )
        self._seen_sessions: set[str] = set()
        self._may_list_s = -math.inf
        self._has_deletions = False
        """Whether checkpoints were deleted: what was settled may have been collected, and saved again since."""
        self._unsaved_steps: list[int] = []
        self._is_begun = False
        self.is_stopped = False

    @property
    def is_open(self) -> bool:
        """Whether the session has written something and was not stopped."""
        return self._is_begun and not self.is_stopped

    @property
    def is_at_home(self) -> bool:
        """Whether all that the session wrote is in the repository, and nothing waits to be delivered there."""
        return self._writer.is_at_home

    def begin(self) -> None:
        """Have others see that the session lives."""
        with self._mutex:
            if not self._is_begun:
                self._is_begun = True
                track(self)
                try:
                    self._presence.begin()
                except BaseException:  # a Ctrl-C, since a store that fails is no reason not to begin
                    self.discard()
                    raise

    def write_first(self, body: Body, save_files: SaveFiles | None) -> Body:
        """Write the `experiment` event. Raises whatever goes wrong: nothing has begun that could be lost.

        Args:
            body: the event without manifests.
            save_files: as in `save_checkpoint`.
        """
        self.begin()
        try:
            return self._writer.write_first(self._preparing(body, save_files))
        except BaseException:
            self.discard()
            raise

    def save_checkpoint(self, body: Body, step: int | None, save_files: SaveFiles | None) -> Body:
        """Write a `checkpoint` event.

        Args:
            body: the event without type, id, step and manifests.
            step: its step, or None to count on.
            save_files: saves the files' chunks into the given repository and returns the manifest.

        Returns:
            The event. After the experiment was deleted it is returned, but not written.
        """
        with self._mutex:
            if step is None:
                step = min(self._next_step, LAST_STEP)
            self._next_step = step + 1
        event: Body = {"type": "checkpoint", "id": new_id(), "step": step, **body}
        if save_files is None:
            return self.write(event)
        if not self.is_deleted:
            self._look_for_deletion()

        def give_up(error: Exception) -> Body:
            self._unsaved_steps.append(event["step"])
            return event | {"manifests": [], "unsaved": f"{type(error).__name__}: {error}"}

        return self._write(event, self._preparing(event, save_files), give_up)

    def write(self, body: Body) -> Body:
        """Write an event that refers to no files."""
        return self._write(body, self._preparing(body, None), lambda _: body)

    def _write(self, body: Body, prepare: Prepare, give_up: Callable[[Exception], Body]) -> Body:
        if self._presence.is_look_due:
            self._presence.look()
        while True:
            if not self.is_open and not self.is_deleted:
                self._resume()
            if self.is_deleted:
                self._say_deleted()
                return body
            # When another thread stops the session meanwhile, this goes on in the next one.
            with contextlib.suppress(WriterClosedError):
                return self._writer.write(prepare, give_up)

    def _preparing(self, body: Body, save_files: SaveFiles | None) -> Prepare:
        """Return what the writer calls: it saves the files, under an intent, and completes the event."""
        if save_files is None:
            return lambda _: Prepared(body)

        def prepare(repository: Repository) -> Prepared:
            digest, intent = save_with_intent(repository, self.id, save_files)
            return Prepared(body | {"manifests": [digest]}, intent)

        return prepare

    def _resume(self) -> None:
        """Go on after `stop()`, in a session of its own, since the other one has said its last word."""
        with self._mutex:
            if self.is_stopped:
                self._after = self._writer.last_time
                self._reset()
            self.begin()

    def stop(self, status: str, error: Mapping[str, str] | None = None, *, threads: int | None = None) -> None:
        """End the session: say how, settle what it saved, delete the heartbeat. Stopping twice is no error.

        Never raises because of a store, unless `on_error` is "raise". A Ctrl-C ends the waiting and is raised again: it
        may be meant for the program that goes on after this.

        Args:
            status: how it ended.
            error: what ended it, if it failed.
            threads: how many chunks to work at once; None chooses.
        """
        with self._mutex:
            if self.is_open:
                self._end(status, error, threads or waited_for_threads())

    def _end(self, status: str, error: Mapping[str, str] | None, threads: int) -> None:
        self.is_stopped = True
        try:
            self._presence.stop_beating()
            self._look_around()
            if self.is_deleted:
                self.discard()
                return
            self._write_stop(status, error)
        except BaseException:  # a Ctrl-C: who stops it again says how it ended, at the latest the end of the program
            self.is_stopped = False
            raise
        try:
            if self._deliver(threads) and self._finish(threads):
                self._presence.end()
                self._leave_staging()
        finally:
            self._close()

    def _write_stop(self, status: str, error: Mapping[str, str] | None) -> None:
        body: Body = {"type": "stop", "status": status, "events": self._writer.event_count + 1}
        if error is not None:
            body["error"] = dict(error)
        self._writer.write(lambda _: Prepared(body), lambda _: body)
        if self._unsaved_steps:
            steps = ", ".join(map(str, self._unsaved_steps))
            warn(f"experiment {short_id(self.experiment_id)}: the files at step {steps} could not be saved anywhere")

    def _deliver(self, threads: int) -> bool:
        """Bring home what waits in staging; say whether all is there."""
        home = self.repository.store.url
        try:
            with Waiting(f"delivering to {home}", timeout_s=self._exit_timeout_s) as waiting:
                is_delivered = self._writer.deliver(threads=threads, on_progress=waiting, on_total=waiting.expect)
                if not is_delivered:
                    waiting.fail()
        except (KeyboardInterrupt, TimeoutError) as error:
            who = self._successor("`keepsake push` or the next `keepsake.init()` here")
            _say_broken_off(error, f"{who} delivers it to {home}")
            if isinstance(error, KeyboardInterrupt):
                raise
            return False
        if not is_delivered and self._writer.must_leave_delivery:
            if not self._presence.has_courier():
                notice(f"what this forked process saved waits; its parent or `keepsake push` delivers it to {home}")
        elif not is_delivered:
            who = self._successor("the next `keepsake.init()` here")
            warn(
                f"experiment {short_id(self.experiment_id)} is not complete in {home}: "
                f"{self._writer.describe_missing()}; {who} delivers it when the repository works again, else "
                "`keepsake push`"
            )
        return is_delivered

    def settle(self, waiting: Waiting, *, threads: int | None = None) -> None:
        """Encode and sync what was saved so far, delivering first what waits in staging.

        Raises what goes wrong: `StoreError` while staging cannot be delivered, `TimeoutError` when it takes too long.

        Args:
            waiting: shows how far it is and bounds how long it takes.
            threads: how many chunks to work at once; None chooses.
        """
        threads = threads or waited_for_threads()
        on_progress = waiting if self.repository.is_remote else None
        if not self._writer.is_at_home and not self._writer.deliver(threads=threads, on_progress=on_progress):
            raise StoreError(
                f"experiment {short_id(self.experiment_id)} is not complete in {self.repository.store.url}: "
                f"{self._writer.describe_missing()}",
                hint="it is delivered when the repository works again",
            )
        if self.repository.is_remote:
            return  # what arrives there is compact and synced
        manifests = list(self._writer.manifests)
        settled = set() if self._has_deletions else load_settled(self._locks, self.id)
        # The newest first, since the courier begins with the oldest.
        digests = [digest for digest in reversed(manifests) if digest not in settled]
        settle(
            self.repository,
            self.experiment_id,
            digests,
            threads=threads,
            on_progress=waiting,
            on_total=waiting.expect,
        )
        note_settled(self._locks, self.id, digests)
        for digest in manifests:
            self._writer.manifests.pop(digest, None)

    def _leave_staging(self) -> None:
        """Delete from staging what was delivered, unless a courier is there to do it. Failing is no error."""
        if self._writer.staging is not None and not self._presence.has_courier():
            with contextlib.suppress(KeepsakeError):
                release_delivered(self._writer.staging, self.repository, self._locks)

    def discard(self) -> None:
        """Forget the session without a word in the journal: it failed to begin, or its experiment was deleted."""
        self.is_stopped = True
        self._presence.stop_beating()
        self._presence.end()
        self._close()

    def _finish(self, threads: int) -> bool:
        """Seal and settle; say whether all was done."""
        try:
            self._writer.seal()
            with Waiting("making it compact", timeout_s=self._exit_timeout_s) as waiting:
                self.settle(waiting, threads=threads)
                if not self._presence.has_courier():
                    self._finish_dead(threads, waiting)
        except (KeyboardInterrupt, TimeoutError) as error:
            who = self._successor("the next Keepsake process here")
            # What has arrived in a bucket is compact; sessions that died may have left something.
            _say_broken_off(error, f"{who} {'does the rest' if self.repository.is_remote else 'makes it compact'}")
            if isinstance(error, KeyboardInterrupt):
                raise
            return False
        except Exception as error:
            if self._on_error == "raise":
                raise
            warn(f"experiment {short_id(self.experiment_id)} is saved, but not yet compact and synced: {error}")
            return False
        return True

    def _finish_dead(self, threads: int, waiting: Waiting) -> None:
        """Do what a courier would for sessions that died, but for those of which something waits in staging."""
        staging = self._writer.staging
        waits = (
            {name.session_id for names in list_segments(staging.store).values() for name in names} if staging else ()
        )
        settle_dead_sessions(self.repository, self._locks, threads=threads, waiting=waiting, skip=waits)

    def _successor(self, without_courier: str) -> str:
        """Say who goes on with what this process leaves."""
        return "the courier" if self._presence.has_courier() else without_courier

    def _close(self) -> None:
        untrack(self)
        self._writer.close()
        self._presence.abandon()

    def _look_around(self) -> None:
        """Look for a deletion, unless the repository is out of order: asking it may take long."""
        if self.is_at_home or self.repository.is_remote:
            with contextlib.suppress(NotFoundError):  # who saves files next is told
                self._look_for_deletion()

    def _look_for_deletion(self) -> None:
        """Read the journals of sessions that appeared since the last look; a deletion is one of its own.

        Only on a local disk: from a repository beyond a network, whoever delivers there brings deletions along.

        Raises:
            NotFoundError: the repository has gone, and `on_error` is "raise".
        """
        store = self._writer.local.store if self.repository.is_remote else self.repository.store
        if not isinstance(store, AppendStore):
            return  # nothing is staged yet
        is_deleted = self._writer.leave_what_is_gone()
        if not is_deleted and time.monotonic() < self._may_list_s:
            return
        try:
            segments = list_segments(store, self.experiment_id).get(self.experiment_id, [])
            self._may_list_s = time.monotonic() + LOOK_INTERVAL_S if len(segments) > FEW_SEGMENTS else -math.inf
            new = [name for name in segments if name.session_id not in {self.id, *self._seen_sessions}]
            events = load_journal(store, self.experiment_id, new, with_logs=False).events
        except KeepsakeError:
            # The write that follows meets the same trouble, and deals with it.
            return
        # A segment may be seen before its first line is written: what is empty is looked at again.
        self._seen_sessions.update(event.session_id for event in events)
        deletions = [event for event in events if event.body.get("type") == "delete"]
        self._has_deletions |= bool(deletions)
        if is_deleted or any(event.body.get("checkpoints") is None for event in deletions):
            self.is_deleted = True
            self._say_deleted()

    def _say_deleted(self) -> None:
        with self._deletion_lock:
            said, self._said_deleted = self._said_deleted, True
        if not said:
            warn(f"experiment {short_id(self.experiment_id)} was deleted; nothing more is saved for it")

    def after_fork_in_child(self) -> None:
        """Let go of what belongs to the parent's session; the next write begins a session of the child's own."""
        self._reset_locks()
        self._writer.abandon()
        self._presence.abandon()
        self._after = self._writer.last_time
        self._reset()


def _say_broken_off(error: BaseException, what_comes: str) -> None:
    """Say why nobody waits any longer for the work at the end, and who does it."""
    why = "time is up" if isinstance(error, TimeoutError) else "interrupted"
    notice(f"{why}; everything is saved, and {what_comes}")


_sessions: weakref.WeakSet[Session] = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for session in list(_sessions):
        session.after_fork_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
