"""Collecting: delete what nothing reaches, beside any number of writers and other collectors, without locks or clocks.

A collector marks what is reached (intents first, then journals), publishes a list of the rest, marks again, and deletes
what is still unreached. The writer's side is in `intent`. Nothing is deleted while anything that could reach something
cannot be read.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from keepsake._chunks.workers import run_workers
from keepsake._model.events import reached_manifests
from keepsake._model.ids import new_session_id
from keepsake._model.keys import CHUNKS, GARBAGE, MANIFESTS, digest_of_key, garbage_key
from keepsake._model.lines import encode_line
from keepsake._model.times import now_text
from keepsake._repository.gaps import find_gaps
from keepsake._repository.intent import LIST_LIFETIME_S, create_intent, drop_intent, list_intended, written_s
from keepsake._repository.journal import Journal
from keepsake._repository.packs import pack_journals
from keepsake._repository.repository import Repository
from keepsake.errors import ConflictError, FormatError, NotFoundError, StoreError
from keepsake.stores.base import ObjectInfo, Store, concurrency_of

FindNeeded: TypeAlias = Callable[[Journal], set[str]]

YOUNG_S = 3600.0
"""What is younger is probably about to be referred to. Leaving it alone saves work; nothing rests on it."""
MAX_ACTING_S = 24 * 3600.0
"""A collector does not act on a list of its own that is older."""
TEMPORARY_LIFETIME_S = 24 * 3600.0
"""A temporary file that has not changed for so long belongs to a writer that died."""
BATCH_KEYS = 200
"""So many objects are deleted between two looks at whether the list still stands."""


@dataclass(frozen=True, slots=True)
class CollectPlan:
    """What a collector would delete."""

    keys: tuple[str, ...] = ()
    """Keys of the chunks and manifests that nothing reaches."""
    size_bytes: int = 0
    """Their total length as stored."""
    young: int = 0
    """Objects that nothing reaches either, but that are too young to be deleted."""
    young_bytes: int = 0
    """Their total length as stored."""


@dataclass(slots=True)
class CollectResult:
    """What a collector has deleted; of a dry run, only the plan."""

    plan: CollectPlan
    objects: int = 0
    """Chunks and manifests deleted."""
    size_bytes: int = 0
    """Their total length as stored."""
    kept: int = 0
    """Objects of the plan that were referred to in the meantime."""
    temporary_files: int = 0
    """Files of writers that died, deleted."""
    packed: int = 0
    """Segments of journals that were packed, beyond a network."""


@dataclass(slots=True)
class Reached:
    """The digests that something refers to."""

    manifests: set[str] = field(default_factory=set)
    chunks: set[str] = field(default_factory=set)

    def has(self, key: str) -> bool:
        """Say whether the object under `key`, or another copy of it, is referred to."""
        digest = digest_of_key(key)
        return digest in self.manifests or digest in self.chunks


def mark(repository: Repository, *, now_s: float, find_needed: FindNeeded | None = None) -> Reached:
    """Find everything that intents and journals refer to: always intents first.

    Args:
        repository: of which.
        now_s: the time.
        find_needed: see `collect`.

    Raises:
        FormatError: a journal, a manifest or an intent cannot be read, or a journal has a gap: nobody can say what they
            reach.
    """
    reached = Reached()
    intended = list_intended(repository.store, now_s=now_s)
    reached.manifests |= intended
    reached.chunks |= intended
    for journal in repository.iterate_journals(with_logs=False):
        if journal.problems:
            raise _cannot_collect(journal.problems[0][1].message)
        if find_needed is not None:
            reached.manifests |= find_needed(journal)
        elif gaps := find_gaps(journal):
            raise _cannot_collect(gaps[0].message)
        else:
            reached.manifests |= reached_manifests(journal.events)
    try:
        for manifest in repository.load_manifests(reached.manifests - intended).values():
            reached.chunks |= manifest.digests()
    except (NotFoundError, FormatError) as error:
        raise _cannot_collect(error.message) from error
    return reached


def plan_collect(
    stored: list[ObjectInfo],
    reached: Reached,
    *,
    now_s: float,
    young_s: float = YOUNG_S,
    spent: Collection[str] = (),
    max_objects: int | None = None,
) -> CollectPlan:
    """Decide what to delete of the stored chunks and manifests; see `collect`."""
    doomed: list[ObjectInfo] = []
    young: list[ObjectInfo] = []
    for info in stored:
        if not reached.has(info.key):
            may_go = now_s - info.modified_ns / 1e9 >= young_s or digest_of_key(info.key) in spent
            (doomed if may_go else young).append(info)
    doomed = sorted(doomed, key=lambda info: info.key)[:max_objects]
    return CollectPlan(
        tuple(info.key for info in doomed),
        sum(info.size_bytes for info in doomed),
        young=len(young),
        young_bytes=sum(info.size_bytes for info in young),
    )


def collect(
    repository: Repository,
    *,
    dry_run: bool = False,
    young_s: float = YOUNG_S,
    spent: Collection[str] = (),
    max_objects: int | None = None,
    reserve: str | None = None,
    settle_s: float = 0.0,
    find_needed: FindNeeded | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> CollectResult:
    """Delete the chunks and manifests that nothing reaches; beyond a network, also pack journals.

    Args:
        repository: of which.
        dry_run: whether only to plan.
        young_s: objects younger than this are left alone.
        spent: digests of objects that are not, since something has referred to them and needs them no longer.
        max_objects: delete at most so many: the list of them takes room, too.
        reserve: key of an object that is deleted first where there is no room for that list.
        settle_s: how long to wait between list and second mark, where the store shows new objects late to others.
        find_needed: which manifests are needed of those that a journal refers to, in a repository that is not the only
            one to have them: all, and of a whole journal, when None.
        on_progress: called with (objects done, objects in all).

    Returns:
        What was planned, and what was done.

    Raises:
        FormatError: something that could reach objects is damaged or of another version; nothing was deleted.
        ConflictError: another collector has removed this one's list; what was deleted until then was unreached.
    """
    repository.check_writable()
    now_s = time.time()
    # Listed before the mark: what is written later is not in the list, and cannot be deleted.
    stored = [*repository.store.list(CHUNKS), *repository.store.list(MANIFESTS)]
    reached = mark(repository, now_s=now_s, find_needed=find_needed)
    plan = plan_collect(stored, reached, now_s=now_s, young_s=young_s, spent=spent, max_objects=max_objects)
    result = CollectResult(plan)
    if dry_run:
        return result
    # How old the list of another collector is shows beside one that is written now.
    if plan.keys or any(repository.store.list(GARBAGE)):
        sizes = {info.key: info.size_bytes for info in stored}
        _run(repository, sizes, result, reserve, settle_s, find_needed, on_progress)
    _remove_temporary(repository, now_s, result)
    if repository.is_remote:
        result.packed = pack_journals(repository)
    return result


def _run(
    repository: Repository,
    sizes: dict[str, int],
    result: CollectResult,
    reserve: str | None,
    settle_s: float,
    find_needed: FindNeeded | None,
    on_progress: Callable[[int, int], None] | None,
) -> None:
    store, plan = repository.store, result.plan
    started_s = time.monotonic()
    list_key = garbage_key(now_text(), os.urandom(8).hex())
    text = encode_line({"time": now_text(), "keys": list(plan.keys)}, place=list_key.encode())
    # Durable, since writers can save nothing beside a list that a power loss has torn.
    try:
        store.put(list_key, text, durable=True)
    except StoreError:
        if reserve is None:
            raise
        store.delete(reserve)
        store.put(list_key, text, durable=True)
    try:
        if settle_s:
            time.sleep(settle_s)
        _remove_old_lists(store)
        # By the clock of the store: to one that is days ahead, every intent is one of a writer that died.
        reached = mark(repository, now_s=written_s(store, list_key), find_needed=find_needed)
        doomed = [key for key in plan.keys if not reached.has(key)]
        result.kept = len(plan.keys) - len(doomed)
        for start in range(0, len(doomed), BATCH_KEYS):
            if store.head(list_key) is None or time.monotonic() - started_s > MAX_ACTING_S:
                raise ConflictError("the garbage list of this collector is gone or too old", hint="collect again")
            batch = doomed[start : start + BATCH_KEYS]
            _delete(store, batch)
            result.objects += len(batch)
            result.size_bytes += sum(sizes[key] for key in batch)
            if on_progress is not None:
                on_progress(result.objects, len(doomed))
    finally:
        store.delete(list_key)


def _delete(store: Store, keys: list[str]) -> None:
    def work(shared: Iterator[str]) -> None:
        for key in shared:
            store.delete(key)

    run_workers(work, keys, threads=concurrency_of(store))


def _remove_old_lists(store: Store) -> None:
    """Remove garbage lists of collectors that died; those are old beside the newest one."""
    infos = list(store.list(GARBAGE))
    newest_ns = max((info.modified_ns for info in infos), default=0)
    for info in infos:
        if (newest_ns - info.modified_ns) / 1e9 > LIST_LIFETIME_S:
            store.delete(info.key)


def _remove_temporary(repository: Repository, now_s: float, result: CollectResult) -> None:
    """Remove temporary files of writers that died."""
    list_temporary = getattr(repository.store, "list_temporary", None)
    infos: list[ObjectInfo] = list(list_temporary()) if list_temporary is not None else []
    if not any(_is_left(info, now_s) for info in infos):
        return
    # By the clock of the store: to one that is days ahead, every writer has died.
    try:
        probe = create_intent(repository.store, new_session_id(), [])
    except StoreError:
        return  # on a full disk: they stay for the next one
    now_s = written_s(repository.store, probe)
    drop_intent(repository.store, probe)
    for info in infos:
        if _is_left(info, now_s):
            repository.store.delete(info.key)
            result.temporary_files += 1


def _is_left(info: ObjectInfo, now_s: float) -> bool:
    return now_s - info.modified_ns / 1e9 > TEMPORARY_LIFETIME_S


def _cannot_collect(why: str) -> FormatError:
    return FormatError(
        f"nothing was deleted, since not all of the repository can be read: {why}",
        hint="`keepsake check` lists the damage; what it touches may still need what would be deleted",
    )
