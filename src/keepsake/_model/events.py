"""Events, and experiments as the fold of their events: pure functions, the same for every reader.

An event is a JSON object with `type` and `time`. Events of all sessions are folded in the order (time, session id,
position); `delete` absorbs whatever the order. Unknown types and fields are kept and ignored, so that an older Keepsake
can read what a newer one wrote. In every type the manifests that an event refers to stand in the field `manifests`.

    experiment   id, params, path, manifests, environment, project, name, tags, notes, keepsake_version; once
    checkpoint   id, step, metrics, path, manifests, primary_metric {name, goal}
    log          step, metrics
    annotate     those of name, tags and notes that change
    stop         status, error {type, message}, session: the one that ended, when it is not the writer itself
    delete       checkpoints: ids; without them the whole experiment
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, NamedTuple

from keepsake._model.best import find_best

Body = Mapping[str, Any]

STOP_STATUSES = ("finished", "failed", "interrupted", "lost", "stopped")

FORMAT_1 = "format_1"
"""Field of the `experiment` event of what Keepsake 0.x wrote, with what has no place elsewhere."""


class Event(NamedTuple):
    """One line of a journal, with what orders it among the others."""

    time: str
    session_id: str
    position: tuple[int, int]
    """Number of the segment, number of the line."""
    body: Body


_ORDER = itemgetter(0, 1, 2)
"""Of events: all but the body."""


@dataclass(slots=True)
class SessionState:
    """What the events say of one session."""

    id: str
    stop: Body | None = None
    """The event that says how it ended."""


@dataclass(slots=True)
class ExperimentState:
    """An experiment as its events tell it."""

    id: str
    created: Body
    """The `experiment` event."""
    creator: str
    """Id of the session that wrote it."""
    name: str | None = None
    tags: tuple[str, ...] = ()
    notes: str | None = None
    checkpoints: list[Body] = field(default_factory=list)
    logs: list[Body] = field(default_factory=list)
    sessions: dict[str, SessionState] = field(default_factory=dict)
    deleted_checkpoints: set[str] = field(default_factory=set)
    last_time: str = ""
    """Time of the latest event."""

    def environment(self) -> Mapping[str, Any]:
        """Return all that was recorded of the surroundings."""
        environment = self.created.get("environment")
        return environment if isinstance(environment, dict) else {}

    def recorded(self, name: str) -> Any:
        """Return one thing that was recorded of the surroundings, None when it was not."""
        return self.environment().get(name)

    def latest_checkpoint(self) -> Body | None:
        """Return the last checkpoint, None without one."""
        return self.checkpoints[-1] if self.checkpoints else None

    def primary_metric(self) -> tuple[str, str] | None:
        """Return name and goal of the metric that decides which checkpoint is best: the first that one named."""
        return next((one for one in map(_primary_metric, self.checkpoints) if one is not None), None)

    def best_checkpoint(self) -> Body | None:
        """Return the checkpoint that `find_best` chooses, None when it chooses none."""
        place = find_best(map(_primary_metric, self.checkpoints), map(metrics_of, self.checkpoints))
        return self.checkpoints[place] if place is not None else None


def fold_events(experiment_id: str, events: Iterable[Event]) -> ExperimentState | None:
    """Fold the events of one experiment, in any order.

    Returns:
        The experiment, or None when it was deleted or its `experiment` event is not among the events.
    """
    ordered = _without_repetitions(sorted(events, key=_ORDER))
    deleted: set[str] = set()
    for event in ordered:
        if event.body.get("type") == "delete":
            ids = event.body.get("checkpoints")
            if ids is None:
                return None
            deleted.update(ids)
    created = next((event for event in ordered if event.body.get("type") == "experiment"), None)
    if created is None:
        return None
    state = ExperimentState(experiment_id, created.body, created.session_id, deleted_checkpoints=deleted)
    _annotate(state, created.body)
    for event in ordered:
        _apply(state, event)
    state.checkpoints = _first_of_each(state.checkpoints)
    return state


def find_end(state: ExperimentState) -> Body | None:
    """Return the `stop` event that says how the experiment ended: its creator's own word, else the last own one.

    What others concluded of a session, that it was lost, counts when no session has said anything itself.
    """
    stops = [session.stop for session in state.sessions.values() if session.stop is not None]
    own = [stop for stop in stops if "session" not in stop]
    creator = state.sessions.get(state.creator)
    # "stopped" says no more than that it does not run, so the word of a session that went on counts.
    if creator is not None and creator.stop in own and creator.stop["status"] != "stopped":
        return creator.stop
    return max(own or stops, key=lambda stop: str(stop["time"]), default=None)


def ended_status(state: ExperimentState) -> str:
    """Return how an experiment ended, when no session of it lives: one of `STOP_STATUSES`."""
    end = find_end(state)
    if end is None:
        # Keepsake 0.x did not record how an experiment ended; that is no sign of trouble.
        return "stopped" if FORMAT_1 in state.created else "lost"
    status = end.get("status")
    return status if status in STOP_STATUSES else "finished"


def open_sessions(state: ExperimentState) -> list[str]:
    """Return the ids of the sessions that nobody has said to have ended."""
    return [session.id for session in state.sessions.values() if session.stop is None]


def metrics_of(body: Body) -> Mapping[str, Any]:
    """Return the metrics of a checkpoint."""
    metrics = body.get("metrics")
    return metrics if isinstance(metrics, dict) else {}


def references(body: Body) -> list[str]:
    """Return the digests of the manifests that an event refers to, whatever its type."""
    digests = body.get("manifests") or []
    return [digest for digest in digests if isinstance(digest, str)]


def reached_manifests(events: Iterable[Event]) -> set[str]:
    """Return the digests of the manifests that one experiment needs: of every event but those that were deleted.

    Events of unknown types count, and so do those of an experiment whose beginning has not arrived.
    """
    bodies = [event.body for event in events]
    deletions = [body.get("checkpoints") for body in bodies if body.get("type") == "delete"]
    if None in deletions:
        return set()
    deleted = {checkpoint_id for ids in deletions for checkpoint_id in ids or ()}
    kept = (body for body in bodies if body.get("type") != "checkpoint" or body.get("id") not in deleted)
    return {digest for body in kept for digest in references(body)}


def _apply(state: ExperimentState, event: Event) -> None:
    body = event.body
    state.last_time = event.time
    kind = body.get("type")
    if kind == "stop":
        session = _session(state, body.get("session") or event.session_id)
        # A session's own word counts more than what somebody else concluded, whichever came first.
        if session.stop is None or "session" in session.stop or "session" not in body:
            session.stop = body
        return
    if kind not in ("experiment", "checkpoint", "log", "annotate"):
        return
    if kind != "annotate":
        # One that only annotates is no run: it neither starts nor keeps the experiment running.
        _session(state, event.session_id)
    if kind == "checkpoint" and body.get("id") not in state.deleted_checkpoints:
        state.checkpoints.append(body)
    elif kind == "log":
        state.logs.append(body)
    elif kind == "annotate":
        _annotate(state, body)


def _without_repetitions(ordered: list[Event]) -> list[Event]:
    """Drop what a session wrote again with the same time, since its store had failed after it had written."""
    return [
        event
        for before, event in zip([None, *ordered], ordered, strict=False)
        if before is None
        or event.time != before.time
        or event.session_id != before.session_id
        or event.body != before.body
    ]


def _first_of_each(checkpoints: list[Body]) -> list[Body]:
    """Keep one event of each checkpoint: what was saved again elsewhere may refer to other manifests."""
    first: dict[Any, Body] = {}
    for body in checkpoints:
        first.setdefault(body.get("id"), body)
    return list(first.values())


def _primary_metric(body: Body) -> tuple[str, str] | None:
    pair = body.get("primary_metric")
    name, goal = (pair.get("name"), pair.get("goal")) if isinstance(pair, dict) else (None, None)
    return (name, str(goal)) if isinstance(name, str) else None


def _session(state: ExperimentState, session_id: str) -> SessionState:
    session = state.sessions.get(session_id)
    if session is None:
        session = state.sessions[session_id] = SessionState(session_id)
    return session


def _annotate(state: ExperimentState, body: Body) -> None:
    if "name" in body:
        state.name = body["name"]
    if "tags" in body:
        state.tags = tuple(body["tags"] or ())
    if "notes" in body:
        state.notes = body["notes"]
