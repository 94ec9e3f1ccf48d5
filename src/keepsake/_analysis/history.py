"""The history of an experiment: its checkpoints and what was logged between them, in the order of time."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from keepsake._analysis.interfaces import CheckpointLike, flatten_values
from keepsake._analysis.text import format_value
from keepsake._model.ids import short_id
from keepsake._model.values import Value


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


class HasHistory(Protocol):
    """An experiment."""

    @property
    def checkpoints(self) -> Sequence[CheckpointLike]:
        """Its checkpoints, oldest first."""

    @property
    def logs(self) -> Sequence[LogEntryLike]:
        """What was logged between them."""


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """A checkpoint, or what was logged at a moment."""

    created: datetime
    step: int | None
    metrics: Mapping[str, Value]
    checkpoint_id: str | None
    """None when it was only logged."""


def history(experiment: HasHistory) -> list[HistoryEntry]:
    """Return all that an experiment measured, oldest first."""
    entries = [HistoryEntry(one.created, one.step, one.metrics or {}, one.id) for one in experiment.checkpoints]
    entries += [HistoryEntry(one.created, one.step, one.metrics, None) for one in experiment.logs]
    return sorted(entries, key=lambda entry: entry.created)


def entry_line(entry: HistoryEntry, metrics: Collection[str] = ()) -> str:
    """Return an entry as a line; only these metrics when any are named, and nothing for an entry without them."""
    values = flatten_values(entry.metrics)
    chosen = {name: value for name, value in values.items() if not metrics or name in metrics}
    if metrics and not chosen:
        return ""
    step = "" if entry.step is None else f"step {entry.step}"
    facts = "  ".join(f"{name}={format_value(value)}" for name, value in chosen.items())
    mark = f"  checkpoint {short_id(entry.checkpoint_id)}" if entry.checkpoint_id else ""
    return f"{entry.created:%Y-%m-%d %H:%M:%S}  {step:<12}  {facts}{mark}".rstrip()


def entry_summary(entry: HistoryEntry) -> dict[str, Any]:
    """Return an entry as `keepsake log --json` prints it."""
    return {
        "created": entry.created.isoformat(),
        "step": entry.step,
        "checkpoint": entry.checkpoint_id,
        "metrics": dict(entry.metrics),
    }
