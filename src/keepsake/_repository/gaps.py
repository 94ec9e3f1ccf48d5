"""Gaps: what a journal must have had and has no longer, although all that is there can be read.

Who checks a repository reports them; who collects deletes nothing beside them, since nobody can say what the missing
events referred to. The end of a journal whose session has not stopped leaves no trace when it is lost.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from keepsake._model.ids import short_id
from keepsake._model.keys import journals_prefix
from keepsake._repository.journal import Journal


class Gap(NamedTuple):
    """Something that is missing."""

    place: str
    """The beginning of its keys, with a star."""
    message: str


def find_gaps(journal: Journal) -> list[Gap]:
    """Return what is missing of a journal: its beginning, or events of sessions that said how many they wrote."""
    deletions = [event for event in journal.events if event.body.get("type") == "delete"]
    if any(event.body.get("checkpoints") is None for event in deletions):
        return []
    if any(event.body.get("type") == "experiment" for event in journal.events):
        return _find_lost_events(journal)
    segments = {(event.session_id, event.position[0]) for event in journal.events}
    with_deletions = {(event.session_id, event.position[0]) for event in deletions}
    # A push begins with deletions: when there is nothing else, it was broken off there.
    if segments == with_deletions and not journal.problems:
        return []
    message = f"experiment {short_id(journal.experiment_id)} has no beginning"
    return [Gap(f"{journals_prefix(journal.experiment_id)}.*", message)]


def _find_lost_events(journal: Journal) -> list[Gap]:
    """Compare what sessions had written, by their own word or that of who found them dead, with what is there."""
    written: Counter[str] = Counter()
    for event in journal.events:
        count = event.body.get("events")
        if event.body.get("type") == "stop" and isinstance(count, int):
            session_id = event.body.get("session") or event.session_id
            written[session_id] = max(written[session_id], count)
    return [
        Gap(
            f"{journals_prefix(journal.experiment_id)}.{session_id}.*",
            f"{count - journal.counts[session_id]} of the {count} events of a session of experiment "
            f"{short_id(journal.experiment_id)} are gone",
        )
        for session_id, count in written.items()
        if journal.counts[session_id] < count
    ]
