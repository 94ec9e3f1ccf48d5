"""Recovery: finishing what dead sessions of this machine left behind in a repository.

They are said to be lost, so that nobody takes them for running; their chunks are settled, and then they are forgotten.
What waits in staging is delivered first (`delivery`). That is the courier's work, and where there is none, the work of
the next process that begins or ends a session. Of several, one does it; being killed on the way only leaves the rest to
the next one.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection
from pathlib import Path

from keepsake._model.events import fold_events
from keepsake._model.ids import new_session_id
from keepsake._model.times import Clock
from keepsake._repository.heartbeat import delete_heartbeat
from keepsake._repository.intent import drop_intents
from keepsake._repository.journal import list_segments, save_segment, seal_segment
from keepsake._repository.repository import Repository
from keepsake._tracking.lock import LockedSession, claim_dead_sessions, forget_session
from keepsake._tracking.progress import Waiting
from keepsake._tracking.settle import session_manifests, settle
from keepsake._tracking.settled import load_settled
from keepsake.errors import FormatError, KeepsakeError, NotFoundError
from keepsake.stores.base import AppendStore, Store


def mark_lost_sessions(repository: Repository, locks: Path, *, skip: Collection[str] = ()) -> list[str]:
    """Write for each dead session of this repository that it was lost, unless it said how it ended.

    Args:
        repository: of which.
        locks: directory of the session locks.
        skip: ids of sessions to leave alone.

    Returns:
        The ids of the sessions that are seen to.

    Raises:
        StoreError: the store failed; the others are done, and what is left is done by the next process.
    """
    marked: list[str] = []
    failures: list[KeepsakeError] = []
    with claim_dead_sessions(locks, repository.store.url, work="mark") as dead:
        for session in dead:
            if session.session_id not in skip:
                try:
                    _mark_lost(repository, session)
                except KeepsakeError as error:
                    failures.append(error)
                else:
                    marked.append(session.session_id)
    if failures:
        raise failures[0]
    return marked


def settle_dead_sessions(
    repository: Repository,
    locks: Path,
    *,
    threads: int = 2,
    waiting: Waiting | None = None,
    skip: Collection[str] = (),
) -> None:
    """Encode and sync what dead sessions of this repository had captured, and forget them.

    Args:
        repository: of which.
        locks: directory of the session locks.
        threads: how many chunks to work at once.
        waiting: shows how far it is and bounds how long it takes.
        skip: ids of sessions to leave alone.

    Raises:
        StoreError: the store failed; what is left is done by the next process.
        TimeoutError: the time of `waiting` is up; as above.
    """
    with claim_dead_sessions(locks, repository.store.url) as dead:
        for session in dead:
            if session.session_id in skip:
                continue
            # It may have died since this process began.
            _mark_lost(repository, session)
            if not repository.is_remote:  # what arrives there is compact and synced
                _settle(repository, session, locks, threads, waiting)
            forget_session(locks, session.session_id)


def _settle(repository: Repository, session: LockedSession, locks: Path, threads: int, waiting: Waiting | None) -> None:
    journal = repository.load_journal(session.experiment_id, with_logs=False)
    # What was deleted may have been collected, and saved again since it was settled.
    has_deletions = any(event.body.get("type") == "delete" for event in journal.events)
    settled = set() if has_deletions else load_settled(locks, session.session_id)
    digests = [one for one in session_manifests(journal, session.session_id) if one not in settled]
    # What is damaged, or was deleted since, nobody can settle, now or later. Reading and `check` say so.
    with contextlib.suppress(FormatError, NotFoundError):
        settle(
            repository,
            session.experiment_id,
            digests,
            threads=threads,
            on_progress=waiting,
            on_total=waiting.expect if waiting is not None else None,
        )


def _mark_lost(repository: Repository, session: LockedSession) -> None:
    store = repository.store
    journal = repository.load_journal(session.experiment_id, with_logs=False)
    state = fold_events(session.experiment_id, journal.events)
    if state is not None and session.session_id in state.sessions and state.sessions[session.session_id].stop is None:
        count = journal.counts[session.session_id]
        body = {"type": "stop", "status": "lost", "session": session.session_id, "events": count}
        append_event(store, session.experiment_id, body, after=state.last_time)
    if isinstance(store, AppendStore):
        _seal(store, session)
    delete_heartbeat(store, session.experiment_id, session.session_id)
    drop_intents(store, session.session_id)


def _seal(store: AppendStore, session: LockedSession) -> None:
    """End the segment that a dead session has left open."""
    for name in list_segments(store, session.experiment_id).get(session.experiment_id, []):
        if name.session_id == session.session_id and name.size_bytes is None:
            info = store.head(name.key)
            if info is not None:
                seal_segment(store, name, info.size_bytes)


def append_event(store: Store, experiment_id: str, body: dict[str, object], *, after: str) -> None:
    """Write one event in a session of its own that is over at once: a segment that is sealed from the beginning."""
    save_segment(store, experiment_id, new_session_id(), body | {"time": Clock(after).now()})
