"""The history of an experiment: its checkpoints and what was logged between them, in the order of time."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from keepsake._analysis.interfaces import ExperimentLike, flatten_values
from keepsake._analysis.text import format_value
from keepsake._model.ids import short_id
from keepsake._model.times import format_time
from keepsake._model.values import Value


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """A checkpoint, or what was logged at a moment."""

    created: datetime
    step: int | None
    metrics: Mapping[str, Value]
    checkpoint_id: str | None
    """None when it was only logged."""


def history(experiment: ExperimentLike) -> list[HistoryEntry]:
    """Return all that an experiment measured, oldest first."""
    entries = [HistoryEntry(one.created, one.step, one.metrics or {}, one.id) for one in experiment.checkpoints]
    entries += [HistoryEntry(one.created, one.step, one.metrics, None) for one in experiment.logs]
    return sorted(entries, key=lambda entry: entry.created)


def points_of(experiment: ExperimentLike, metric: str) -> list[HistoryEntry]:
    """Return the points of a metric's curve: all checkpoints, or when it was logged too, all that has it."""
    entries = history(experiment)
    if not any(entry.checkpoint_id is None and _has(entry, metric) for entry in entries):
        return [entry for entry in entries if entry.checkpoint_id is not None]
    return [entry for entry in entries if _has(entry, metric)]


def _has(entry: HistoryEntry, metric: str) -> bool:
    return metric in entry.metrics or metric in flatten_values(entry.metrics)


def metric_names(experiment: ExperimentLike) -> set[str]:
    """Return the names of all that an experiment measured; what is nested has dots in its name."""
    return {name for entry in history(experiment) for name in flatten_values(entry.metrics)}


def select_metrics(entries: Sequence[HistoryEntry], metrics: Collection[str]) -> list[HistoryEntry]:
    """Return the entries that have any of these metrics, with nothing but those."""
    chosen: list[HistoryEntry] = []
    for entry in entries:
        values = {name: value for name, value in flatten_values(entry.metrics).items() if name in metrics}
        if values:
            chosen.append(replace(entry, metrics=values))
    return chosen


def entry_line(entry: HistoryEntry) -> str:
    """Return an entry as a line."""
    values = flatten_values(entry.metrics)
    step = "" if entry.step is None else f"step {entry.step}"
    facts = "  ".join(f"{name}={format_value(value)}" for name, value in values.items())
    mark = f"  checkpoint {short_id(entry.checkpoint_id)}" if entry.checkpoint_id else ""
    return f"{entry.created:%Y-%m-%d %H:%M:%S}  {step:<12}  {facts}{mark}".rstrip()


def entry_summary(entry: HistoryEntry) -> dict[str, Any]:
    """Return an entry as `keepsake log --json` prints it."""
    return {
        "created": format_time(entry.created),
        "step": entry.step,
        "checkpoint": entry.checkpoint_id,
        "metrics": dict(entry.metrics),
    }
