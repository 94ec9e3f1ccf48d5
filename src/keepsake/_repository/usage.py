"""Usage: how many bytes experiments save, and how many the repository takes for them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from keepsake._model.events import reached_manifests
from keepsake._model.keys import CHUNKS, JOURNALS, MANIFESTS, PACKS, chunk_key, digest_of_key, manifest_key
from keepsake._repository.repository import Repository

if TYPE_CHECKING:
    from keepsake._repository.legacy.repository import LegacyRepository


@dataclass(frozen=True, slots=True)
class ExperimentUsage:
    """Bytes of one experiment."""

    experiment_id: str
    logical_bytes: int
    """Total length of its files, each counted in every checkpoint that has it."""
    stored_bytes: int
    """What the chunks and manifests that it reaches take in the store."""
    shared_bytes: int
    """The part of that which other experiments reach, too. The rest is freed when this one alone is deleted."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Bytes of a repository."""

    logical_bytes: int
    """Total length of all files, each counted in every checkpoint that has it."""
    stored_bytes: int
    """What all objects take in the store: chunks, manifests, and journals with their packs."""
    reclaimable_bytes: int
    """The part of that which nothing reaches, and `collect` deletes."""
    experiments: tuple[ExperimentUsage, ...]


def measure_usage(repository: Repository) -> Usage:
    """Add up what a repository holds. Reads every journal and manifest, but no chunk.

    Raises:
        NotFoundError, FormatError: a manifest is missing or damaged.
    """
    if repository.version == 1:
        from keepsake._repository.legacy.usage import measure_legacy_usage

        return measure_legacy_usage(cast("LegacyRepository", repository))
    sizes: Counter[str] = Counter()
    for prefix in (CHUNKS, MANIFESTS):
        for info in repository.store.list(prefix):
            sizes[digest_of_key(info.key)] += info.size_bytes
    journal_bytes = sum(info.size_bytes for prefix in (JOURNALS, PACKS) for info in repository.store.list(prefix))
    logical: dict[str, int] = {}
    reached: dict[str, set[str]] = {}
    for journal in repository.iterate_journals(with_logs=False):
        digests = reached_manifests(journal.events)
        manifests = repository.load_manifests(digests)
        if not journal.events or not digests:
            continue
        uses = Counter(digest for event in journal.events for digest in event.body.get("manifests") or ())
        logical[journal.experiment_id] = sum(manifests[one].size_bytes * uses[one] for one in manifests)
        chunks = {digest for manifest in manifests.values() for digest in manifest.digests()}
        reached[journal.experiment_id] = chunks | digests
    users = Counter(digest for digests in reached.values() for digest in digests)
    experiments = tuple(
        ExperimentUsage(
            experiment_id,
            logical[experiment_id],
            sum(sizes[digest] for digest in digests),
            sum(sizes[digest] for digest in digests if users[digest] > 1),
        )
        for experiment_id, digests in reached.items()
    )
    unreached = sum(size for digest, size in sizes.items() if digest not in users)
    return Usage(sum(logical.values()), sizes.total() + journal_bytes, unreached, experiments)


def measure_reached(repository: Repository, manifest_digests: Iterable[str]) -> int:
    """Return how many bytes the manifests, and the chunks that they reach, take in the store.

    Raises:
        NotFoundError, FormatError: a manifest is missing or damaged.
        UnsupportedVersionError: nothing can be deleted here, so nothing can be freed.
    """
    repository.check_writable()
    manifests = set(manifest_digests)
    chunks = {digest for one in repository.load_manifests(manifests).values() for digest in one.digests()}
    infos = map(repository.store.head, [*map(manifest_key, manifests), *map(chunk_key, chunks)])
    return sum(info.size_bytes for info in infos if info is not None)
