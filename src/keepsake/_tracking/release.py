"""Release: what has been delivered leaves staging.

The journals of an experiment go when all of them are in the repository and no session writes to it any more. Until then
they stay, and of the files those of the newest checkpoint, for the next one will share most of its chunks with it.

Other sessions may be at work meanwhile, and nothing that they are about to refer to may go. No age keeps it safe, but
the handshake of `collect` and `intent`. Of a chunk that was delivered and that a session finds while it saves:

- its intent stands before this looks a second time: the chunk stays;
- its intent comes after that: then the session sees the garbage list, or that the chunk has gone, and stores it again;
- its event is written before this looks at the journals: it was not delivered when this began to count, so what it
  refers to is needed;
- its event is written later: then its intent, which goes after the event, stood when this looked.

Being on the safe side costs the session the chunks that it has to store again. So what no event has ever referred to
stays while it is young: those are the chunks of checkpoints that are being saved. Only for want of room they go, too,
unless a session of another machine may be saving, to which a network file system may show the handshake late. (What was
delivered may go even then, since the repository has it.)
"""

from __future__ import annotations

import contextlib
import math
import os
import time
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Literal, TypeAlias

from keepsake._model.events import Event, reached_manifests, references
from keepsake._model.keys import JOURNALS, MANIFESTS, SegmentName, digest_of_key, manifest_key
from keepsake._repository.collect import collect
from keepsake._repository.intent import drop_intents
from keepsake._repository.journal import Journal, get_segment, list_segments, load_journal, longest_segments
from keepsake._repository.repository import Repository
from keepsake._tracking.lock import LockState, session_lock_state
from keepsake.errors import FormatError, NotFoundError, StoreError
from keepsake.stores.base import ObjectInfo

YOUNG_S = 600.0
"""Beside a session that writes, what is younger and was never referred to is left alone: it may be about to be."""
ABANDONED_S = 24 * 3600.0
"""A session of another machine that has not written for so long has died."""
OBJECTS_WHEN_FULL = 2000
"""So many are released at once where there is no room: their list takes 150 kB."""

RESERVE = "reserve"
"""Key of an object in staging that keeps room: what is to be deleted is listed first, and there may be none left."""
RESERVE_BYTES = 256 * 1024

Delivered: TypeAlias = Mapping[tuple[str, int], float]
"""By session and number of a segment: how many of its lines the repository has."""


def release_delivered(
    staging: Repository, home: Repository, locks: Path, *, is_written: bool = False, is_full: bool = False
) -> int:
    """Delete from staging what the repository has and no session needs; return how many bytes of chunks that freed.

    Args:
        staging: the staging repository.
        home: the repository that it is staging for.
        locks: directory of the session locks.
        is_written: whether a session is known to write that may have no journal yet.
        is_full: whether there is no room: then everything goes that is not lost by it, a part of it at a time.

    Raises:
        StoreError: one of the two failed.
        FormatError: a part of staging is damaged; of what can be read, nothing that is needed was deleted.
    """
    delivered: dict[tuple[str, int], float] = {}
    spent: set[str] = set()
    is_shared = False
    for experiment_id, staged in longest_segments(staging.store.list(JOURNALS)).items():
        names = [name for name, _ in staged]
        # Before anything is read: of a session that lives now and dies while this reads, the last events are not seen.
        locked = {name.session_id: session_lock_state(locks, name.session_id) for name in names}
        names_there = list_segments(home.store, experiment_id).get(experiment_id, [])
        there = _count_delivered(staging, names, names_there)
        # Of what was only logged, the last of a segment is enough: when that was delivered, all of it was.
        journal = load_journal(staging.store, experiment_id, names, with_logs=False)
        spent |= {digest for event in journal.events for digest in references(event.body)}
        writers = _find_writers([journal], staged, locked)
        if writers == {"elsewhere"}:
            # That a session was lost is said at home, and its lock may be forgotten before this looks.
            foreign = [name for name in names_there if (name.session_id, name.number) not in there]
            said = load_journal(home.store, experiment_id, foreign, with_logs=False)
            writers = _find_writers([journal, said], staged, locked)
        if not writers:
            # A session that was killed while it saved a checkpoint will not write the event that it announced.
            for session_id in {name.session_id for name in names}:
                drop_intents(staging.store, session_id)
        if not writers and not journal.problems and not _undelivered(there, journal):
            _delete(staging, names)
        else:
            delivered |= there
            spent -= _find_needed(staging, there, journal, keeps_newest=not is_full)
            is_written |= bool(writers)
            is_shared |= "elsewhere" in writers
    is_patient = is_written and (is_shared or not is_full)
    result = collect(
        staging,
        young_s=YOUNG_S if is_patient else 0.0,
        spent=_with_chunks(staging, spent) if is_patient else (),
        max_objects=OBJECTS_WHEN_FULL if is_full else None,
        reserve=RESERVE,
        find_needed=partial(_find_needed, staging, delivered, keeps_newest=not is_full),
    )
    keep_reserve(staging)
    return result.size_bytes


def keep_reserve(staging: Repository) -> None:
    """See to it that staging can be released when its disk is full, as far as that is possible now."""
    with contextlib.suppress(StoreError):
        if staging.store.head(RESERVE) is None:
            staging.store.put(RESERVE, os.urandom(RESERVE_BYTES))  # what does not compress, since some disks do that


def _with_chunks(staging: Repository, manifests: set[str]) -> set[str]:
    """Return the digests of manifests and of the chunks that they name, as far as those are still in staging."""
    there = {digest_of_key(info.key) for info in staging.store.list(MANIFESTS)}
    digests = set(manifests)
    for digest in manifests & there:
        with contextlib.suppress(NotFoundError, FormatError):  # then its chunks go when they are no longer young
            digests |= staging.load_manifest(digest).digests()
    return digests


def _count_delivered(
    staging: Repository, names: Iterable[SegmentName], names_there: Iterable[SegmentName]
) -> dict[tuple[str, int], float]:
    lengths = {(name.session_id, name.number): name.size_bytes for name in names_there}
    counts: dict[tuple[str, int], float] = {}
    for name in names:
        place = (name.session_id, name.number)
        length = lengths.get(place, 0)
        is_whole = length is None or (name.size_bytes is not None and length >= name.size_bytes)
        counts[place] = math.inf if is_whole else get_segment(staging.store, name).count(b"\n", 0, length)
    return counts


def _find_writers(
    journals: Collection[Journal],
    staged: Iterable[tuple[SegmentName, ObjectInfo]],
    locked: Mapping[str, LockState],
) -> set[Literal["here", "elsewhere"]]:
    """Return where sessions may still write to an experiment, as far as that can be known on this machine."""
    stopped = _stopped_sessions(journals)
    is_deleted = any(_deletes_all(event) for journal in journals for event in journal.events)
    oldest_ns = time.time_ns() - int(ABANDONED_S * 1e9)
    found: set[Literal["here", "elsewhere"]] = set()
    for name, info in staged:
        state = locked[name.session_id]
        may_live_elsewhere = not is_deleted and name.session_id not in stopped and info.modified_ns > oldest_ns
        if state == "held":
            found.add("here")
        elif state == "unknown" and may_live_elsewhere:
            found.add("elsewhere")
    return found


def _stopped_sessions(journals: Iterable[Journal]) -> set[str]:
    """Return the ids of the sessions that said that they ended, or of which their machine said so and was right."""
    counts: Counter[str] = Counter()
    stops: list[Event] = []
    for journal in journals:
        counts += journal.counts
        stops += [event for event in journal.events if event.body.get("type") == "stop"]
    lost = [event.body for event in stops if "session" in event.body]
    return {event.session_id for event in stops} | {
        body["session"] for body in lost if counts[body["session"]] <= body.get("events", math.inf)
    }


def _undelivered(delivered: Delivered, journal: Journal) -> list[Event]:
    """Return the events of a journal that the repository lacks; of a deleted experiment, only its deletion counts."""
    lacking = [
        event
        for event in journal.events
        if event.position[1] >= delivered.get((event.session_id, event.position[0]), 0)
    ]
    if any(_deletes_all(event) for event in journal.events):
        return [event for event in lacking if _is_deletion(event)]
    return lacking


def _is_deletion(event: Event) -> bool:
    return event.body.get("type") == "delete"


def _deletes_all(event: Event) -> bool:
    return _is_deletion(event) and event.body.get("checkpoints") is None


def _find_needed(staging: Repository, delivered: Delivered, journal: Journal, *, keeps_newest: bool) -> set[str]:
    """Return the manifests of a journal that staging must keep: what was not delivered, and the newest checkpoint's."""
    needed = {digest for event in _undelivered(delivered, journal) for digest in references(event.body)}
    with_files = [event for event in journal.events if references(event.body)]
    if with_files and keeps_newest:
        newest = references(max(with_files, key=lambda event: event.time).body)
        # Where there was no room it may have gone.
        needed |= {digest for digest in newest if staging.store.head(manifest_key(digest)) is not None}
    return needed & reached_manifests(journal.events)


def _delete(staging: Repository, names: Iterable[SegmentName]) -> None:
    """Delete segments, the last of each session last: what remains after a break says that the session is over."""
    for name in sorted(names, key=lambda name: name.number):
        staging.store.delete(name.key)
