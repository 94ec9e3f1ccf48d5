"""Journals: what one session did to one experiment, appended line by line and read back in segments.

A session appends to its open segment and seals it (renames it to its length) at 256 KiB, or after an append that
failed, since a part of a line may then stand at its end. Readers consume up to the last newline, so neither a torn line
nor one that is being written is ever taken for an event.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from keepsake._model.events import Event
from keepsake._model.keys import SegmentName, journals_prefix, parse_segment_key
from keepsake._model.lines import decode_line, decode_lines, encode_line
from keepsake.errors import CorruptionError, KeepsakeError, NotFoundError, StoreError
from keepsake.stores.base import Appender, AppendStore, ObjectInfo, Store

SEGMENT_BYTES = 256 * 1024
"""A segment is sealed when it is at least this long: small enough to fetch whole, large enough to be few."""


_LOG = b'"type":"log",'
"""How the event of what is only logged begins."""
_REFERENCES = b'"manifests"'
"""What stands in an event that refers to something, whatever its type."""


class JournalWriter:
    """Appends one session's events to one experiment. Not for several threads at once."""

    def __init__(self, store: AppendStore, experiment_id: str, session_id: str, *, first_segment: int = 0) -> None:
        self._store = store
        self._name = SegmentName(experiment_id, session_id, first_segment, None)
        self._appender: Appender | None = None
        self._is_seen = False
        """Whether the open segment was there at some time when that was looked for."""

    @property
    def next_segment(self) -> int:
        """Number of the first segment that this writer has not touched."""
        return self._name.number + (self._appender is not None)

    def is_gone(self) -> bool:
        """Say whether what is being written was there at an earlier call, and somebody has deleted or moved it since.

        What was never seen may be there: some file systems show a file to others when it is closed.
        """
        if self._appender is None:
            return False
        is_there = self._store.head(self._name.key) is not None
        self._is_seen |= is_there
        return self._is_seen and not is_there

    def append(self, body: dict[str, Any]) -> None:
        """Append one event; it survives the death of the process when this returns.

        Raises:
            StoreError: it could not be written. The event does not count, and the next one starts a new segment.
        """
        line = encode_line(body, place=self._name.place)
        if self._appender is None:
            self._appender = self._open()
        try:
            self._appender.append(line)
        except StoreError:
            self._abandon()
            raise
        if self._appender.size_bytes >= SEGMENT_BYTES:
            # The event is written; a segment that cannot be renamed now reads just as well under its old name.
            with contextlib.suppress(StoreError):
                self.seal()

    def seal(self) -> str | None:
        """End the open segment, if there is one, and return its final key."""
        if self._appender is None:
            return None
        name = self._leave_segment()
        info = self._store.head(name.key)
        if info is None:
            raise NotFoundError(f"journal segment {name.key} is gone from {self._store.url}")
        # As long as it is, not as it should be: an interrupt may have come between an append and its being counted.
        return seal_segment(self._store, name, info.size_bytes)

    def close(self) -> None:
        """Release the open segment and leave it open, as a killed process would; the next event starts a new one."""
        if self._appender is not None:
            self._leave_segment()

    def _open(self) -> Appender:
        try:
            return self._store.open_append(self._name.key)
        except KeepsakeError:
            # It may be there all the same, when only the answer was lost: its number is used up.
            self._name = replace(self._name, number=self._name.number + 1)
            raise

    def _leave_segment(self) -> SegmentName:
        """Let go of the open segment and move on to the next number; return the name of the one left."""
        if self._appender is not None:
            self._appender.close()
            self._appender = None
        left, self._name = self._name, replace(self._name, number=self._name.number + 1)
        self._is_seen = False
        return left

    def _abandon(self) -> None:
        name = self._leave_segment()
        try:
            info = self._store.head(name.key)
            if info is not None and info.size_bytes:
                seal_segment(self._store, name, info.size_bytes)
            elif info is not None:
                # On a full disk files can be made, only not filled: one for each event that is tried again.
                self._store.delete(name.key)
        except StoreError:
            # The store is out of order altogether; an open segment that nobody appends to any more reads just as well.
            return


def save_segment(store: Store, experiment_id: str, session_id: str, body: dict[str, Any]) -> None:
    """Write a session's only event, durably: its segment is never seen open, whenever this process dies."""
    name = SegmentName(experiment_id, session_id, 0, None)
    line = encode_line(body, place=name.place)
    store.put(replace(name, size_bytes=len(line)).key, line, durable=True)


def seal_segment(store: AppendStore, name: SegmentName, size_bytes: int) -> str:
    """Rename an open segment to its length and return the new key."""
    sealed = replace(name, size_bytes=size_bytes)
    store.rename(name.key, sealed.key)
    return sealed.key


@dataclass(slots=True)
class Journal:
    """The events of one experiment, as far as they can be read."""

    experiment_id: str
    events: list[Event] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    """By session, how many events were read of it, with those that were only logged and are not wanted."""
    problems: list[tuple[str, KeepsakeError]] = field(default_factory=list)
    """Keys of what could not be read, and why."""


def list_segments(store: Store, experiment_id_prefix: str = "") -> dict[str, list[SegmentName]]:
    """List the segments of the experiments whose id begins so, by experiment; of each number only the longest."""
    found = longest_segments(store.list(journals_prefix(experiment_id_prefix)))
    return {experiment_id: [name for name, _ in segments] for experiment_id, segments in found.items()}


def list_every_segment(store: Store, experiment_id_prefix: str = "") -> dict[str, list[SegmentName]]:
    """List segments as `list_segments` does, but of each number all lengths, the longest last."""
    by_experiment: dict[str, list[SegmentName]] = {}
    for info in store.list(journals_prefix(experiment_id_prefix)):
        name = parse_segment_key(info.key)
        if name is not None:
            by_experiment.setdefault(name.experiment_id, []).append(name)
    for names in by_experiment.values():
        names.sort(key=_length)
    return by_experiment


def longest_segments(infos: Iterable[ObjectInfo]) -> dict[str, list[tuple[SegmentName, ObjectInfo]]]:
    """Return the segments among the objects of a listing, by experiment; of each number only the longest."""
    longest: dict[tuple[str, str, int], tuple[SegmentName, ObjectInfo]] = {}
    for info in infos:
        name = parse_segment_key(info.key)
        if name is None:
            continue
        place = (name.experiment_id, name.session_id, name.number)
        if place not in longest or _length(name) > _length(longest[place][0]):
            longest[place] = name, info
    by_experiment: dict[str, list[tuple[SegmentName, ObjectInfo]]] = {}
    for name, info in longest.values():
        by_experiment.setdefault(name.experiment_id, []).append((name, info))
    return by_experiment


def load_journal(
    store: Store, experiment_id: str, segments: Iterable[SegmentName], *, with_logs: bool = True
) -> Journal:
    """Read the segments of one experiment; see `read_events`. What cannot be read is said in the result, not raised."""
    journal = Journal(experiment_id)
    for name in segments:
        try:
            data = get_segment(store, name)
        except NotFoundError as error:
            journal.problems.append((name.key, error))
            continue
        read_events(name, data, journal, with_logs=with_logs)
    return journal


def lost_beginning(journal: Journal) -> list[tuple[str, KeepsakeError]]:
    """Return what is wrong with a journal that folds to nothing: one problem, unless its experiment was deleted."""
    was_deleted = any(event.body.get("type") == "delete" for event in journal.events)
    if was_deleted or not (journal.events or journal.problems):
        return []
    key = f"{journals_prefix(journal.experiment_id)}.*"
    return [(key, CorruptionError("the beginning of this experiment cannot be read"))]


def read_events(name: SegmentName, data: bytes, journal: Journal, *, with_logs: bool = True) -> None:
    """Add the events of one segment to `journal`, up to its last newline.

    Args:
        name: of the segment.
        data: its bytes.
        journal: to add them to.
        with_logs: whether all of what was only logged is wanted; else what refers to something is, and the last, from
            which it follows who wrote, and until when.
    """
    if name.size_bytes is not None and len(data) != name.size_bytes:
        error = CorruptionError(f"journal segment {name.key} has {len(data)} bytes, its name says {name.size_bytes}")
        journal.problems.append((name.key, error))
    whole = data[: data.rfind(b"\n") + 1]
    bodies = decode_lines(whole, place=name.place, passing=b"" if with_logs else _LOG, keeping=_REFERENCES)
    if bodies is not None and all(_is_event(body) for body in bodies.values()):
        session_id, segment = name.session_id, name.number
        journal.events += [Event(body["time"], session_id, (segment, number), body) for number, body in bodies.items()]
        journal.counts[session_id] += whole.count(b"\n")
    else:
        _read_each(name, whole, journal)
    if _lacks_its_newline(name, data):
        damage = CorruptionError(f"the last line of journal segment {name.key} is damaged: its newline is gone")
        journal.problems.append((name.key, damage))


def _read_each(name: SegmentName, whole: bytes, journal: Journal) -> None:
    """Add the events of whole lines one by one, and report those that are damaged."""
    for number, line in enumerate(whole.split(b"\n")[:-1]):
        try:
            body = decode_line(line, place=name.place)
            event = Event(_text(body, "time"), name.session_id, (name.number, number), body)
            _text(body, "type")
        except CorruptionError as error:
            damage = CorruptionError(f"line {number + 1} of journal segment {name.key} is damaged: {error}")
            journal.problems.append((name.key, damage))
            continue
        journal.events.append(event)
        journal.counts[name.session_id] += 1


def _is_event(body: dict[str, Any]) -> bool:
    return isinstance(body.get("time"), str) and isinstance(body.get("type"), str)


def _lacks_its_newline(name: SegmentName, data: bytes) -> bool:
    """Say whether what follows the last newline is a whole line whose newline became something else, not a torn one."""
    rest = data[data.rfind(b"\n") + 1 :]
    with contextlib.suppress(KeepsakeError):
        return bool(rest) and bool(decode_line(rest[:-1], place=name.place))
    return False


def _text(body: dict[str, Any], field_name: str) -> str:
    value = body.get(field_name)
    if not isinstance(value, str):
        raise CorruptionError(f"it has no {field_name}")
    return value


def get_segment(store: Store, name: SegmentName) -> bytes:
    """Read a segment that may be sealed, or published longer, between the listing and now."""
    try:
        return store.get(name.key)
    except NotFoundError:
        found = list_segments(store, name.experiment_id).get(name.experiment_id, [])
        for other in found:
            if (other.session_id, other.number) == (name.session_id, name.number):
                # Of what was published longer, as much as was listed: it begins with that, and is no damage.
                return store.get(other.key)[: name.size_bytes]
        raise


def _length(name: SegmentName) -> float:
    # One that still grows is at least as long as anything that was published of it.
    return float("inf") if name.size_bytes is None else name.size_bytes
