"""Experiments as a listing gives them out: what a table shows of each is at hand, the rest is read when asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from keepsake._catalog.encoding import CatalogDamagedError, decode_kept
from keepsake._model.events import Body, ExperimentState, SessionState, ended_status

KEPT_ENVIRONMENT = ("user", "host", "command")
"""What a table shows of the environment, which is most of what is recorded when an experiment begins."""

_HEAD_FIELDS = frozenset({"created", "creator", "name", "tags", "notes", "sessions", "last_time"})
_REST_FIELDS = frozenset({"checkpoints", "logs", "deleted_checkpoints"})


def head_of(state: ExperimentState) -> dict[str, Any]:
    """Return an experiment without its history: JSON types, its best and latest checkpoint and how many there are."""
    return {
        "created": dict(state.created) | {"environment": {name: state.recorded(name) for name in KEPT_ENVIRONMENT}},
        "creator": state.creator,
        "name": state.name,
        "tags": list(state.tags),
        "notes": state.notes,
        "sessions": [[session.id, session.stop] for session in state.sessions.values()],
        "last_time": state.last_time,
        "ended": ended_status(state),
        "num_checkpoints": len(state.checkpoints),
        "latest": state.latest_checkpoint(),
        "best": state.best_checkpoint(),
    }


class ListedState(ExperimentState):
    """The state of an experiment in a listing.

    Its head is decoded, and its history loaded, when a field of it is first read; what was read before stays as it is.

    Args:
        experiment_id: its id.
        head: its head, encoded as the catalog keeps it.
        load: reads the whole experiment. Raises `NotFoundError` when it has been deleted since.
    """

    __slots__ = ("_encoded_head", "_environment", "_head", "_load")

    def __init__(self, experiment_id: str, head: bytes, load: Callable[[], ExperimentState]) -> None:
        # The fields of the base class stay unset: reading one of them calls `__getattr__`.
        self.id = experiment_id
        self._encoded_head = head
        self._head: dict[str, Any] | None = None
        self._load = load
        self._environment: Mapping[str, Any] | None = None

    def __getattr__(self, name: str) -> Any:
        if name in _REST_FIELDS:
            whole = self._load()
            for field in _REST_FIELDS:
                setattr(self, field, getattr(whole, field))
            self._environment = whole.environment()
        elif name in _HEAD_FIELDS:
            self._fill(self._decoded_head())
        else:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(self, name)

    def __reduce__(self) -> tuple[Any, ...]:
        """Become an ordinary state, whole, where it is unpickled or copied."""
        created = dict(self.created) | {"environment": self.environment()}
        told = (self.creator, self.name, self.tags, self.notes)
        history = (self.checkpoints, self.logs, self.sessions, self.deleted_checkpoints, self.last_time)
        return ExperimentState, (self.id, created, *told, *history)

    def environment(self) -> Mapping[str, Any]:
        """Return all that was recorded of the surroundings."""
        if self._environment is None:
            self._environment = self._load().environment()
        return self._environment

    def recorded(self, name: str) -> Any:
        """Return one thing that was recorded of the surroundings."""
        return super().environment().get(name) if name in KEPT_ENVIRONMENT else self.environment().get(name)

    def latest_checkpoint(self) -> Body | None:
        """Return the last checkpoint, None without one."""
        return super().latest_checkpoint() if self._has_history() else self._decoded_head()["latest"]

    def best_checkpoint(self) -> Body | None:
        """Return the best checkpoint, None without one."""
        return super().best_checkpoint() if self._has_history() else self._decoded_head()["best"]

    def _has_history(self) -> bool:
        try:
            object.__getattribute__(self, "checkpoints")
        except AttributeError:
            return False
        return True

    def _decoded_head(self) -> dict[str, Any]:
        if self._head is None:
            try:
                self._head = decode_kept(self._encoded_head)
            except CatalogDamagedError:
                self._head = head_of(self._load())
        return self._head

    def _fill(self, head: dict[str, Any]) -> None:
        self.created = head["created"]
        self.creator = head["creator"]
        self.name = head["name"]
        self.tags = tuple(head["tags"])
        self.notes = head["notes"]
        self.sessions = {session_id: SessionState(session_id, stop) for session_id, stop in head["sessions"]}
        self.last_time = head["last_time"]
