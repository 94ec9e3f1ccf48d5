"""What tables and plots read of experiments and checkpoints.

The classes themselves lie above this layer. Anything with these fields will do, which is also how the tests call it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from keepsake._model.values import Value


class CheckpointLike(Protocol):
    """The fields of a checkpoint that are shown."""

    @property
    def id(self) -> str:
        """The full id."""

    @property
    def created(self) -> datetime:
        """When it was saved; aware."""

    @property
    def path(self) -> str | None:
        """What was saved with it, relative to the project directory."""

    @property
    def step(self) -> int | None:
        """Its step, as given or counted."""

    @property
    def metrics(self) -> Mapping[str, Value] | None:
        """What was measured, by name."""

    @property
    def primary_metric(self) -> Sequence[str] | None:
        """Name and goal."""


class LogEntryLike(Protocol):
    """What was logged between two checkpoints."""

    @property
    def created(self) -> datetime:
        """When; aware."""

    @property
    def step(self) -> int | None:
        """Its step, when one was given."""

    @property
    def metrics(self) -> Mapping[str, Value]:
        """What was measured, by name."""


class ExperimentLike(Protocol):
    """The fields of an experiment that are shown."""

    @property
    def id(self) -> str:
        """The full id."""

    @property
    def created(self) -> datetime:
        """When it began; aware."""

    @property
    def status(self) -> str:
        """How it stands: `running`, `finished`, `failed`, `interrupted`, `lost` or `stopped`."""

    @property
    def user(self) -> str | None:
        """Who started it."""

    @property
    def host(self) -> str | None:
        """Where it ran."""

    @property
    def command(self) -> str | None:
        """How it was started."""

    @property
    def path(self) -> str | None:
        """What was saved when it began, relative to the project directory."""

    @property
    def name(self) -> str | None:
        """What its user calls it."""

    @property
    def tags(self) -> Sequence[str]:
        """Words to find it by."""

    @property
    def duration(self) -> timedelta | None:
        """From its beginning to its latest checkpoint."""

    @property
    def params(self) -> Mapping[str, Value] | None:
        """What went in, by name."""

    @property
    def checkpoints(self) -> Sequence[CheckpointLike]:
        """Its checkpoints, oldest first."""

    @property
    def logs(self) -> Sequence[LogEntryLike]:
        """What was logged between them."""

    def best(self) -> CheckpointLike | None:
        """Return the best checkpoint by the primary metric, None without one."""

    def latest(self) -> CheckpointLike | None:
        """Return the latest checkpoint, None when there is none."""


def flatten_values(values: Mapping[str, Value] | None) -> dict[str, Value]:
    """Return nested mappings as one, with dotted names: `{"optim": {"lr": 1}}` as `{"optim.lr": 1}`.

    An empty mapping stays a value. Of two that come to the same name, the one that is written so wins.
    """
    flat = dict(_walk_values(values or {}, ""))
    flat.update((name, value) for name, value in (values or {}).items() if not (isinstance(value, dict) and value))
    return flat


def _walk_values(values: Mapping[str, Value], prefix: str) -> Iterator[tuple[str, Value]]:
    for name, value in values.items():
        if isinstance(value, dict) and value:
            yield from _walk_values(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value
