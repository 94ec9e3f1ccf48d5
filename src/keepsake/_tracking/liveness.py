"""Status: what can be said of an experiment from its events, its sessions' locks and their heartbeats."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeAlias, cast

from keepsake._model.events import ExperimentState, ended_status, find_end, open_sessions
from keepsake._repository.heartbeat import Heartbeat
from keepsake._tracking.lock import session_lock_state

Status: TypeAlias = Literal["running", "finished", "failed", "interrupted", "lost", "stopped"]


def is_alive(session_id: str, heartbeats: Mapping[str, Heartbeat], locks: Path) -> bool:
    """Say whether a session that did not say that it ended is alive.

    On the machine of its process the lock knows; from elsewhere a fresh heartbeat is the best sign there is. A session
    without any heartbeat (switched off, or never written) never counts as alive.
    """
    heartbeat = heartbeats.get(session_id)
    if heartbeat is None:
        return False
    state = session_lock_state(locks, session_id)
    return heartbeat.is_fresh if state == "unknown" else state == "held"


def experiment_status(state: ExperimentState, heartbeats: Mapping[str, Heartbeat], locks: Path) -> Status:
    """Return the status of an experiment: `running` while any session lives, else how it ended."""
    if any(is_alive(session_id, heartbeats, locks) for session_id in open_sessions(state)):
        return "running"
    return cast("Status", ended_status(state))


def experiment_error(state: ExperimentState) -> Mapping[str, Any] | None:
    """Return type and message of the exception that ended a failed experiment."""
    end = find_end(state)
    error = end.get("error") if end is not None else None
    return error if isinstance(error, Mapping) else None
