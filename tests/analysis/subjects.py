"""Stand-ins with the fields that tables and plots read, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from keepsake._model.values import Value
from keepsake.experiment import LogEntry

START = datetime(2026, 3, 1, 12, 0, tzinfo=timezone.utc)


@dataclass
class Point:
    """A checkpoint."""

    metrics: Mapping[str, Value] | None = None
    step: int | None = None
    id: str = "c0ffee0" + "0" * 57
    created: datetime = START
    path: str | None = None
    primary_metric: tuple[str, str] | None = None


@dataclass
class Run:
    """An experiment; the best checkpoint is the one that `best_index` says."""

    id: str
    params: Mapping[str, Value] | None = None
    checkpoints: Sequence[Point] = ()
    best_index: int | None = None
    name: str | None = None
    created: datetime = START
    status: str = "finished"
    user: str | None = "ann"
    host: str | None = "box"
    command: str | None = "python train.py"
    path: str | None = "."
    duration: timedelta | None = timedelta(seconds=75)
    tags: Sequence[str] = field(default_factory=list)
    logs: Sequence[LogEntry] = ()
    error: Mapping[str, str] | None = None
    notes: str | None = None
    environment: Mapping[str, Any] = field(default_factory=dict)

    def best(self) -> Point | None:
        """Return the checkpoint at `best_index`."""
        return None if self.best_index is None else self.checkpoints[self.best_index]

    def latest(self) -> Point | None:
        """Return the last checkpoint."""
        return self.checkpoints[-1] if self.checkpoints else None


def hex_id(number: int) -> str:
    """Return an id that starts with `number`."""
    return f"{number:07x}".ljust(64, "0")


def losses(*values: Value, steps: bool = True) -> list[Point]:
    """Return checkpoints whose metric `loss` has these values, at steps 0, 10, 20, ..."""
    return [
        Point({"loss": value}, step=number * 10 if steps else None, id=hex_id(0xC00 + number))
        for number, value in enumerate(values)
    ]
