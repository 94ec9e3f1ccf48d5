"""Settling: what turns captured data into compact data that survives a power loss.

Chunks are re-encoded and synced first, then the manifests that point to them, then the journals that point to those.
This runs at `stop()`, at exit, in `keepsake.wait()`, and for sessions that died.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from keepsake._model.events import reached_manifests, references
from keepsake._model.keys import manifest_key
from keepsake._repository.journal import Journal, list_segments
from keepsake._repository.repository import Repository
from keepsake.errors import FormatError, KeepsakeError, NotFoundError


def settle(
    repository: Repository,
    experiment_id: str,
    manifest_digests: Iterable[str],
    *,
    threads: int = 2,
    last_first: bool = False,
    on_progress: Callable[[int], None] | None = None,
    on_total: Callable[[int], None] | None = None,
) -> None:
    """Re-encode and sync what the given manifests reach, then the journal of the experiment.

    Interrupting it is safe at any point, and running it again is cheap.

    Args:
        repository: where they are.
        experiment_id: the experiment.
        manifest_digests: the manifests.
        threads: how many chunks to work at once.
        last_first: begin with the last chunks, beside somebody who begins with the first.
        on_progress: called with the raw length of each chunk when it is done, by one thread at a time.
        on_total: called once before that with the sum of those lengths.

    Raises:
        StoreError: the store failed; nothing is lost.
        FormatError, NotFoundError: a manifest or chunk was damaged or lost before it was settled; the others are done.
            One that only a deleted checkpoint needs is not missed.
    """
    digests = list(dict.fromkeys(manifest_digests))
    lengths: dict[str, int] = {}
    damage: list[KeepsakeError] = []
    unreadable: dict[str, KeepsakeError] = {}
    for digest in digests:
        try:
            lengths |= repository.load_manifest(digest).chunk_lengths()
        except (FormatError, NotFoundError) as error:
            unreadable[digest] = error
    if unreadable:
        needed = reached_manifests(repository.load_journal(experiment_id, with_logs=False).events)
        damage += [error for digest, error in unreadable.items() if digest in needed]
    if on_total is not None:
        on_total(sum(lengths.values()))
    try:
        chunks = reversed(lengths) if last_first else iter(lengths)
        repository.chunks.settle(chunks, threads=threads, on_progress=on_progress)
    except FormatError as error:
        damage.append(error)
    repository.store.sync(manifest_key(digest) for digest in digests)
    segments = list_segments(repository.store, experiment_id).get(experiment_id, [])
    repository.store.sync(name.key for name in segments)
    if damage:
        raise damage[0]


def session_manifests(journal: Journal, session_id: str) -> list[str]:
    """Return the digests of the manifests that one session refers to."""
    events = (event for event in journal.events if event.session_id == session_id)
    return [digest for event in events for digest in references(event.body)]
