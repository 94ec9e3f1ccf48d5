"""Remembers what sealed segments of long experiments hold while these go on, for a process that looks again and again.

A sealed segment never changes. What is remembered is what a listing needs of it, which is little of one that holds
mostly logs; others are read again.
"""

from __future__ import annotations

from collections import OrderedDict

from keepsake._catalog.survey import Segments
from keepsake._repository.journal import Journal
from keepsake.stores.base import ObjectInfo

MOST_EVENTS = 64
"""Of a segment whose events are more than these, nothing is remembered."""
MOST_EXPERIMENTS = 256

Remembered = dict[tuple[str, str], Journal]
"""What segments hold, by key and tag."""


class SealedSegments:
    """What is remembered of the experiments of one catalog."""

    def __init__(self) -> None:
        self._found: OrderedDict[str, Remembered] = OrderedDict()

    def of(self, experiment_id: str, segments: Segments) -> Remembered:
        """Return what is remembered of an experiment, to look into and add to; nothing stays of one that has ended.

        Args:
            experiment_id: which one.
            segments: all that it has now.
        """
        before = self._found.pop(experiment_id, {})
        if not any(name.size_bytes is None for name, _ in segments):
            return {}
        present = {(info.key, info.tag) for _, info in segments}
        kept = self._found[experiment_id] = {place: held for place, held in before.items() if place in present}
        while len(self._found) > MOST_EXPERIMENTS:
            self._found.popitem(last=False)
        return kept


def remember(found: Remembered, info: ObjectInfo, held: Journal) -> None:
    """Remember what a sealed segment holds, if it is little."""
    if len(held.events) <= MOST_EVENTS:
        found[info.key, info.tag] = held
