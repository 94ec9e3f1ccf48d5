"""Check: read and verify every object of a repository, and say which checkpoints each damage touches.

It never stops at the first trouble, changes nothing, and may run beside writers: an experiment that appears meanwhile
is left for the next check.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from keepsake._chunks.workers import run_workers
from keepsake._model.events import Body, fold_events, references
from keepsake._model.ids import short_id
from keepsake._model.keys import CHUNKS, GARBAGE, HEARTBEATS, INTENTS, MANIFESTS, digest_of_key
from keepsake._model.keys import chunk_key as key_of_chunk
from keepsake._model.keys import manifest_key as key_of_manifest
from keepsake._model.lines import decode_line
from keepsake._repository.gaps import find_gaps
from keepsake._repository.journal import Journal
from keepsake._repository.packs import list_packs, load_pack
from keepsake._repository.repository import Repository
from keepsake.errors import KeepsakeError, NotFoundError
from keepsake.stores.base import concurrency_of

if TYPE_CHECKING:
    from keepsake._repository.legacy.repository import LegacyRepository

_CONSEQUENCES = {
    HEARTBEATS: "harmless: its age alone counts, and it is rewritten or removed",
    INTENTS: "nothing can be collected until it is a week old or, when nothing is being saved, deleted",
    GARBAGE: "no files can be saved here until it is two days old or, when no collector is running, deleted",
}
"""What damage to each kind of note leads to."""


@dataclass(frozen=True, slots=True)
class Touched:
    """Something that a damage takes away."""

    experiment_id: str
    checkpoint_id: str | None
    """None when it is the files saved with the experiment itself."""
    step: int | None
    paths: tuple[str, ...]
    """The files that cannot be read; empty when it is all of them."""

    def __str__(self) -> str:
        """Describe it in a line."""
        whose = f"experiment {short_id(self.experiment_id)}"
        if self.checkpoint_id is not None:
            whose = f"checkpoint {short_id(self.checkpoint_id)} (step {self.step}) of {whose}"
        if not self.paths:
            return f"all files of {whose}"
        more = f" and {len(self.paths) - 3} more" if len(self.paths) > 3 else ""
        return f"{', '.join(self.paths[:3])}{more} of {whose}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One object that is damaged or missing."""

    key: str
    message: str
    touches: tuple[Touched, ...] = ()


@dataclass(slots=True)
class CheckReport:
    """What a check looked at and what it found."""

    experiments: int = 0
    checkpoints: int = 0
    manifests: int = 0
    chunks: int = 0
    chunk_bytes: int = 0
    """Length of all verified chunks as they decode."""
    problems: list[Problem] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether nothing was found."""
        return not self.problems


@dataclass(slots=True)
class _Snapshots:
    """Who refers to what: manifest digests to their events, chunk digests to files."""

    owners: dict[str, list[tuple[str, Body]]] = field(default_factory=lambda: defaultdict(list))
    files: dict[str, dict[str, list[str]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))
    """Chunk digest to manifest digest to paths."""

    def touches(self, manifest_digest: str, paths: Iterable[str] = ()) -> list[Touched]:
        return [
            Touched(owner, body.get("id") if body["type"] == "checkpoint" else None, body.get("step"), (*paths,))
            for owner, body in self.owners[manifest_digest]
        ]


def check_repository(
    repository: Repository,
    *,
    threads: int = 2,
    on_progress: Callable[[int, int], None] | None = None,
) -> CheckReport:
    """Verify every journal, manifest, chunk, heartbeat and pack.

    Args:
        repository: what to check; for one of format 1 see `check_legacy`.
        threads: how many chunks are read at once.
        on_progress: called with (chunks done, chunks in all).

    Raises:
        StoreError: the store itself failed while it was listed; damaged objects are reported, not raised.
    """
    if repository.version == 1:
        from keepsake._repository.legacy.check import check_legacy

        return check_legacy(cast("LegacyRepository", repository), threads=threads, on_progress=on_progress)
    report = CheckReport()
    snapshots = _Snapshots()
    for journal in repository.iterate_journals():
        _check_journal(journal, report, snapshots)
    _check_manifests(repository, report, snapshots)
    _check_chunks(repository, report, snapshots, threads, on_progress)
    _check_notes(repository, report)
    _check_packs(repository, report)
    return report


def _check_journal(journal: Journal, report: CheckReport, snapshots: _Snapshots) -> None:
    whose = f"experiment {short_id(journal.experiment_id)}"
    report.problems += [Problem(key, f"{error} ({whose})") for key, error in journal.problems]
    report.problems += [Problem(gap.place, gap.message) for gap in find_gaps(journal)]
    state = fold_events(journal.experiment_id, journal.events)
    if state is None:
        return
    report.experiments += 1
    report.checkpoints += len(state.checkpoints)
    for body in (state.created, *state.checkpoints):
        for digest in references(body):
            snapshots.owners[digest].append((state.id, body))


def _check_manifests(repository: Repository, report: CheckReport, snapshots: _Snapshots) -> None:
    stored = {digest_of_key(info.key) for info in repository.store.list(MANIFESTS)}
    for digest in sorted(stored | snapshots.owners.keys()):
        report.manifests += 1
        try:
            manifest = repository.load_manifest(digest)
        except KeepsakeError as error:
            touches = tuple(snapshots.touches(digest))
            report.problems.append(Problem(key_of_manifest(digest), _describe(error), touches))
            continue
        if digest not in snapshots.owners:
            continue
        for entry in manifest.entries:
            for extent in entry.extents:
                paths = snapshots.files[extent.digest][digest]
                if not paths or paths[-1] != entry.path:
                    paths.append(entry.path)


def _check_chunks(
    repository: Repository,
    report: CheckReport,
    snapshots: _Snapshots,
    threads: int,
    on_progress: Callable[[int, int], None] | None,
) -> None:
    stored = {digest_of_key(info.key) for info in repository.store.list(CHUNKS)}
    digests = sorted(stored | snapshots.files.keys())
    lock = threading.Lock()

    def work(shared: Iterator[str]) -> None:
        for digest in shared:
            outcome = _verify(repository, digest)
            with lock:
                report.chunks += 1
                if isinstance(outcome, KeepsakeError):
                    report.problems.append(_chunk_problem(digest, outcome, snapshots))
                else:
                    report.chunk_bytes += outcome
                if on_progress is not None:
                    on_progress(report.chunks, len(digests))

    run_workers(work, digests, threads=max(threads, concurrency_of(repository.store)))


def _verify(repository: Repository, digest: str) -> int | KeepsakeError:
    try:
        return len(repository.chunks.get(digest))
    except KeepsakeError as error:
        return error


def _chunk_problem(digest: str, error: KeepsakeError, snapshots: _Snapshots) -> Problem:
    touches: list[Touched] = []
    for manifest_digest, paths in snapshots.files.get(digest, {}).items():
        touches += snapshots.touches(manifest_digest, paths)
    return Problem(key_of_chunk(digest), _describe(error), tuple(touches))


def _check_notes(repository: Repository, report: CheckReport) -> None:
    """Verify what processes tell each other. No checkpoint is touched by damage there, but what it leads to is said."""
    for prefix, consequence in _CONSEQUENCES.items():
        for info in repository.store.list(prefix):
            place = b"" if prefix == HEARTBEATS else info.key.encode()
            try:
                decode_line(repository.store.get(info.key), place=place)
            except NotFoundError:
                # Its session stopped meanwhile, or it has done its duty.
                continue
            except KeepsakeError as error:
                report.problems.append(Problem(info.key, f"{_describe(error)}; {consequence}"))


def _check_packs(repository: Repository, report: CheckReport) -> None:
    for key in list_packs(repository.store):
        try:
            load_pack(repository.store, key)
        except NotFoundError:
            continue  # another one took its place
        except KeepsakeError as error:
            consequence = "harmless: the journals themselves are read instead, in more requests"
            report.problems.append(Problem(key, f"{_describe(error)}; {consequence}"))


def _describe(error: KeepsakeError) -> str:
    return "it is missing" if isinstance(error, NotFoundError) else error.message
