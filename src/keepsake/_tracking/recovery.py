"""Recovery: a process finishes what dead sessions of this machine left behind in its repository.

When a session begins, those that died are said to be lost, so that nobody takes them for running; what waits in
staging is delivered. When it ends, their chunks are settled like its own. Of several processes, one does it; being
killed on the way only leaves the rest to the next one.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from keepsake._model.events import fold_events
from keepsake._model.ids import new_session_id
from keepsake._model.times import Clock
from keepsake._repository.heartbeat import delete_heartbeat
from keepsake._repository.journal import JournalWriter, list_segments, seal_segment
from keepsake._repository.push import push
from keepsake._repository.repository import Repository
from keepsake._tracking.lock import DeadSession, claim_dead_sessions, forget_session
from keepsake._tracking.settle import session_manifests, settle
from keepsake.errors import FormatError, InternalError, NotFoundError
from keepsake.stores.base import AppendStore


def mark_lost_sessions(repository: Repository, locks: Path) -> None:
    """Write for each dead session of this repository that it was lost, unless it said how it ended.

    Raises:
        StoreError: the store failed; what is left is done by the next process.
    """
    with claim_dead_sessions(locks, repository.store.url) as dead:
        for session in dead:
            _mark_lost(repository, session)


def settle_dead_sessions(repository: Repository, locks: Path, *, threads: int = 2) -> None:
    """Encode and sync what dead sessions of this repository had captured, and forget them.

    Raises:
        StoreError: the store failed; what is left is done by the next process.
    """
    with claim_dead_sessions(locks, repository.store.url) as dead:
        for session in dead:
            # It may have died since this process began.
            _mark_lost(repository, session)
            digests = session_manifests(repository.load_journal(session.experiment_id), session.session_id)
            # What is damaged, or was deleted since, nobody can settle, now or later. Reading and `check` say so.
            with contextlib.suppress(FormatError, NotFoundError):
                settle(repository, session.experiment_id, digests, threads=threads)
            forget_session(locks, session.session_id)


def deliver_staged(staging: Repository, home: Repository) -> int:
    """Bring home what sessions that are over left in staging; return how many journal segments that were.

    What has been delivered stays in staging until it is collected there.
    """
    return push(staging, home).segments


def _mark_lost(repository: Repository, session: DeadSession) -> None:
    store = repository.store
    if not isinstance(store, AppendStore):
        raise InternalError(f"a session cannot have written to {store.url}")
    journal = repository.load_journal(session.experiment_id)
    state = fold_events(session.experiment_id, journal.events)
    if state is not None and session.session_id in state.sessions and state.sessions[session.session_id].stop is None:
        count = sum(event.session_id == session.session_id for event in journal.events)
        body = {"type": "stop", "status": "lost", "session": session.session_id, "events": count}
        append_event(store, session.experiment_id, body, after=state.last_time)
    for name in list_segments(store, session.experiment_id).get(session.experiment_id, []):
        if name.session_id == session.session_id and name.size_bytes is None:
            info = store.head(name.key)
            if info is not None:
                seal_segment(store, name, info.size_bytes)
    delete_heartbeat(store, session.experiment_id, session.session_id)


def append_event(store: AppendStore, experiment_id: str, body: dict[str, object], *, after: str) -> None:
    """Write one event in a session of its own that is over at once, and sync it."""
    writer = JournalWriter(store, experiment_id, new_session_id())
    writer.append(body | {"time": Clock(after).now()})
    key = writer.seal()
    store.sync([key] if key is not None else [])
