"""Settling: what turns captured data into compact data that survives a power loss.

Chunks are re-encoded and synced first, then the manifests that point to them, then the journals that point to those.
This runs at `stop()`, at exit, in `keepsake.wait()`, and for sessions that died.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from keepsake._model.events import references
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
    on_progress: Callable[[int], None] | None = None,
) -> None:
    """Re-encode and sync what the given manifests reach, then the journal of the experiment.

    Interrupting it is safe at any point, and running it again is cheap.

    Raises:
        StoreError: the store failed; nothing is lost.
        FormatError, NotFoundError: a manifest or chunk was damaged or lost before it was settled; the others are done.
    """
    digests = list(dict.fromkeys(manifest_digests))
    chunk_digests: dict[str, None] = {}
    damage: list[KeepsakeError] = []
    for digest in digests:
        try:
            chunk_digests.update(dict.fromkeys(repository.load_manifest(digest).digests()))
        except (FormatError, NotFoundError) as error:
            damage.append(error)
    try:
        repository.chunks.settle(chunk_digests, threads=threads, on_progress=on_progress)
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
