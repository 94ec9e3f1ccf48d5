"""The least and the greatest value of each metric, of every experiment that somebody asks about.

They are in no listing, since they follow from all that was measured: journals are read, a few at a time, and what was
found is remembered until an experiment changes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from keepsake._catalog.fields import Column
from keepsake._catalog.snapshot import State

if TYPE_CHECKING:
    from keepsake._catalog.curves import CurveReader

AT_ONCE = 100
"""Experiments whose arrays are in memory together."""

Extreme = tuple[float, float]
"""The least and the greatest value."""


def metrics_of(state: State) -> list[str]:
    """Return the metrics that the table has columns of, each once."""
    shown = (column for column in state.columns if column.group in ("best.metrics", "latest.metrics"))
    return list(dict.fromkeys(column.key for column in shown))


class Extremes:
    """Finds them, and remembers them. All methods may be called by several threads at once.

    Args:
        curves: returns what reads the measurements.
    """

    def __init__(self, curves: Callable[[], CurveReader]) -> None:
        self._curves = curves
        self._lock = threading.Lock()
        self._cursor: str | None = None
        self._found: dict[str, Mapping[str, Extreme]] = {}

    def find(self, state: State, ids: Sequence[str]) -> list[Mapping[str, Extreme]]:
        """Return them by metric for each of these experiments; nothing for one that is not there.

        Args:
            state: the experiments as they are now.
            ids: whole ids.

        Raises:
            StoreError: the repository cannot be read.
        """
        with self._lock:
            self._forget_changed(state)
            missing = [one for one in dict.fromkeys(ids) if one not in self._found]
            names = metrics_of(state) if missing else []
            for start in range(0, len(missing), AT_ONCE):
                for one, measurements in self._curves().load(missing[start : start + AT_ONCE], names).items():
                    found = ((name, measurements.extremes(name)) for name in names)
                    self._found[one] = {name: extreme for name, extreme in found if extreme is not None}
            return [self._found.get(one, {}) for one in ids]

    def _forget_changed(self, state: State) -> None:
        changes = None if self._cursor == state.cursor else state.changes_since(self._cursor or "")
        if changes is not None and changes.reload:
            self._found.clear()
        elif changes is not None:
            for row in changes.rows:
                self._found.pop(row.id, None)
        self._cursor = state.cursor


def extreme_columns(state: State) -> list[tuple[Column, str, int]]:
    """Return the columns that hold them: each with its metric, and whether it is the least (0) or the greatest (1)."""
    metrics = metrics_of(state)
    return [
        (Column(f"{name}.metrics", metric), metric, end)
        for end, name in enumerate(("min", "max"))
        for metric in metrics
    ]
