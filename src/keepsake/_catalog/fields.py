"""What can be named in a filter or sort key, and where its values stand.

A name has a scope and a path: `params.lr` is `lr` in the scope `params`. A bare name has no scope. Then the eight names
of `ALWAYS_FIELDS` mean what Keepsake keeps under that name; any other is looked for among the metrics of the best
checkpoint, those of the latest one, the params, and last among the other fields. `experiment.` in front of a name
always means the field.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple, TypeAlias

from keepsake._model.events import STOP_STATUSES

Kind: TypeAlias = Literal["value", "time", "duration", "version", "id", "status"]
"""How values compare: a value by its own type, a time and a duration with literals of their own, a version by its
numbers, an id by its beginning, and of statuses `stopped` means every one but `running`."""

RUNNING, STOPPED = "running", "stopped"
STATUSES = (RUNNING, *STOP_STATUSES)

SCOPES = ("params", "metrics", "best", "latest", "environment", "git", "packages", "experiment")


class Name(NamedTuple):
    """A name as it stands in a filter; the scope is empty when it is bare."""

    scope: str
    path: str


class Column(NamedTuple):
    """Where the values of one name stand, one an experiment."""

    group: str
    """`experiment`, `params`, `environment`, `best`, `latest` (facts of the checkpoint), `best.metrics` or
    `latest.metrics`."""
    key: str


FIELDS: Mapping[str, Column] = {
    "created": Column("experiment", "created"),
    "started": Column("experiment", "created"),
    "step": Column("latest", "step"),
    "user": Column("environment", "user"),
    "host": Column("environment", "host"),
    "command": Column("environment", "command"),
    "status": Column("experiment", "status"),
    "id": Column("experiment", "id"),
    "name": Column("experiment", "name"),
    "notes": Column("experiment", "notes"),
    "tag": Column("experiment", "tags"),
    "tags": Column("experiment", "tags"),
    "project": Column("experiment", "project"),
    "path": Column("experiment", "path"),
    "duration": Column("experiment", "duration"),
    "num_checkpoints": Column("experiment", "num_checkpoints"),
    "keepsake_version": Column("experiment", "keepsake_version"),
    "python_version": Column("environment", "python_version"),
}
ALWAYS_FIELDS = frozenset({"created", "started", "step", "user", "host", "command", "status", "id"})
"""Names that no param or metric can take. Keepsake 0.x knew these, but `id`."""

CHECKPOINT_FIELDS = ("id", "step", "created", "path")
"""What `best.` and `latest.` have besides metrics."""

_FIELD_KINDS: Mapping[str, Kind] = {
    "created": "time",
    "started": "time",
    "duration": "duration",
    "id": "id",
    "status": "status",
    "keepsake_version": "version",
    "python_version": "version",
}
_CHECKPOINT_KINDS: Mapping[str, Kind] = {"created": "time", "id": "id"}


def kind_of(name: Name) -> Kind:
    """Return how the values of a name compare."""
    if name.scope in ("", "experiment"):
        return _FIELD_KINDS.get(name.path, "value")
    if name.scope in ("best", "latest"):
        return _CHECKPOINT_KINDS.get(name.path, "value")
    if name.scope == "packages" or name == ("environment", "python_version"):
        return "version"
    return "value"
