"""Repair: bring back from other repositories what a check found damaged or missing, and clear away what is beyond that.

A chunk or manifest that is found nowhere is deleted where it stands: its bytes are of no use to anyone, but its name
would keep the same content from being stored again. With the next checkpoint that has that content, it is whole.
Journals are only ever replaced by a whole copy. Damaged packs are made anew from the journals.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from keepsake._chunks.codec import encode_chunk
from keepsake._model.events import fold_events
from keepsake._model.keys import (
    CHUNKS,
    JOURNALS,
    MANIFESTS,
    PACKS,
    SegmentName,
    chunk_key,
    digest_of_key,
    parse_segment_key,
)
from keepsake._repository.gaps import find_gaps
from keepsake._repository.journal import Journal, get_segment, list_segments, read_events
from keepsake._repository.packs import pack_journals
from keepsake._repository.push import push
from keepsake._repository.repository import Repository
from keepsake.errors import FormatError, NotFoundError


@dataclass(slots=True)
class RepairResult:
    """What a repair did, by key."""

    restored: list[str] = field(default_factory=list)
    """What is whole again; packs under other keys."""
    cleared: list[str] = field(default_factory=list)
    """Damaged chunks and manifests that no source has; deleted, so that the same content can be stored again."""
    left: list[str] = field(default_factory=list)
    """What is as it was: missing, or a damaged journal, and no source has it whole."""


def repair(repository: Repository, keys: Iterable[str], sources: Sequence[Repository]) -> RepairResult:
    """Repair what a check has named.

    Args:
        repository: which.
        keys: of the problems that the check found.
        sources: other repositories that may have what is damaged, looked at in this order.

    Raises:
        StoreError: a store failed; what was restored until then stays.
        UnsupportedVersionError: the repository has a format that is only read.
    """
    repository.check_writable()
    result = RepairResult()
    # What is said of a whole experiment comes last: with its segments restored, it may be whole.
    for key in sorted(set(keys), key=lambda key: (key.endswith(".*"), key)):
        if key.startswith(CHUNKS):
            _repair_chunk(repository, key, sources, result)
        elif key.startswith(MANIFESTS):
            _repair_manifest(repository, key, sources, result)
        elif key.startswith(PACKS):
            repository.store.delete(key)
            result.restored.append(key)
        elif key.startswith(JOURNALS):
            is_whole = any(_restore_journal(repository, key, source) for source in sources)
            (result.restored if is_whole else result.left).append(key)
        else:
            result.left.append(key)
    if any(key.startswith(PACKS) for key in result.restored):
        pack_journals(repository)
    return result


def _repair_chunk(repository: Repository, key: str, sources: Sequence[Repository], result: RepairResult) -> None:
    digest = digest_of_key(key)
    for source in sources:
        try:
            content = source.chunks.get(digest)
        except (FormatError, NotFoundError):
            continue
        repository.store.put(chunk_key(digest), encode_chunk(content), durable=True)
        result.restored.append(key)
        return
    _clear(repository, [key, *repository.chunks.other_keys(digest)], key, result)


def _repair_manifest(repository: Repository, key: str, sources: Sequence[Repository], result: RepairResult) -> None:
    for source in sources:
        try:
            manifest = source.load_manifest(digest_of_key(key))
        except (FormatError, NotFoundError):
            continue
        repository.save_manifest(manifest, durable=True)
        result.restored.append(key)
        return
    _clear(repository, [key], key, result)


def _clear(repository: Repository, copies: list[str], key: str, result: RepairResult) -> None:
    there = [copy for copy in copies if repository.store.head(copy) is not None]
    for copy in there:
        repository.store.delete(copy)
    (result.cleared if there else result.left).append(key)


def _restore_journal(repository: Repository, key: str, source: Repository) -> bool:
    """Bring back a segment, or what of an experiment's journals is missing; say whether that was to be had."""
    name = parse_segment_key(key)
    if name is None:
        experiment_id = key.rpartition("/")[2].partition(".")[0]
        push(source, repository, experiment_ids=[experiment_id])
        return _is_whole(repository, experiment_id)
    for other in list_segments(source.store, name.experiment_id).get(name.experiment_id, []):
        if (other.session_id, other.number) == (name.session_id, name.number):
            return _replace_segment(repository, name, source, other)
    return False


def _is_whole(repository: Repository, experiment_id: str) -> bool:
    journal = repository.load_journal(experiment_id)
    state = fold_events(experiment_id, journal.events)
    return not journal.problems and state is not None and not find_gaps(journal)


def _replace_segment(repository: Repository, damaged: SegmentName, source: Repository, whole: SegmentName) -> bool:
    data = get_segment(source.store, whole)
    journal = Journal(whole.experiment_id)
    read_events(whole, data, journal)
    if journal.problems or (damaged.size_bytes is not None and len(data) < damaged.size_bytes):
        return False
    sealed = SegmentName(whole.experiment_id, whole.session_id, whole.number, len(data))
    repository.store.put(sealed.key, data, durable=True)
    if damaged.key != sealed.key:
        repository.store.delete(damaged.key)
    return True
