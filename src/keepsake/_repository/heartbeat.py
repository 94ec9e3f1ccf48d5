"""Heartbeats: the proof that a session lives, for those who cannot see its process.

A session that runs rewrites its heartbeat every 10 s and deletes it when it stops. Its age is taken from the store's
listing, against the latest of all heartbeats and the local clock, so that a reader whose clock is late takes nobody for
running for ever.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from keepsake._model.keys import HEARTBEATS, heartbeat_key, parse_heartbeat_key
from keepsake._model.lines import encode_line
from keepsake.stores.base import Store

HEARTBEAT_INTERVAL_S = 10.0
HEARTBEAT_TIMEOUT_S = 60.0
"""Six intervals: a busy machine or a slow store misses a few without being taken for dead."""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """A session's last sign of life."""

    experiment_id: str
    session_id: str
    age_s: float

    @property
    def is_fresh(self) -> bool:
        """Whether the session may be taken for alive."""
        return self.age_s < HEARTBEAT_TIMEOUT_S


def save_heartbeat(store: Store, experiment_id: str, session_id: str, *, host: str, boot: str, time_text: str) -> None:
    """Write the heartbeat of a session that is alive now."""
    line = encode_line({"time": time_text, "host": host, "boot": boot})
    store.put(heartbeat_key(experiment_id, session_id), line)


def delete_heartbeat(store: Store, experiment_id: str, session_id: str) -> None:
    """Remove the heartbeat of a session that has ended."""
    store.delete(heartbeat_key(experiment_id, session_id))


def list_heartbeats(store: Store, experiment_id: str = "") -> dict[str, Heartbeat]:
    """List the heartbeats of one experiment, or of all, by session id."""
    found = []
    newest_ns = time.time_ns()
    for info in store.list(HEARTBEATS + experiment_id):
        newest_ns = max(newest_ns, info.modified_ns)
        names = parse_heartbeat_key(info.key)
        if names is not None:
            found.append((names, info.modified_ns))
    return {
        session_id: Heartbeat(experiment, session_id, (newest_ns - modified_ns) / 1e9)
        for (experiment, session_id), modified_ns in found
    }
