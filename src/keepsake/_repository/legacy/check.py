"""Check a repository of format 1: read what it holds to the end. It has no digests, but gzip has checksums."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import NamedTuple

from keepsake._chunks.workers import run_workers
from keepsake._model.events import Body, fold_events, references
from keepsake._repository.check import CheckReport, Problem, Touched
from keepsake._repository.legacy.layout import METADATA, OLD_HEARTBEATS, id_of_key, tarball_keys
from keepsake._repository.legacy.metadata import decode_object
from keepsake._repository.legacy.repository import LegacyRepository
from keepsake._repository.legacy.tarball import Unwanted, open_tarball
from keepsake.errors import CorruptionError, KeepsakeError, NotFoundError


class _Owner(NamedTuple):
    """An experiment or checkpoint that has files."""

    experiment_id: str
    body: Body

    def touched(self) -> Touched:
        checkpoint_id = self.body["id"] if self.body["type"] == "checkpoint" else None
        return Touched(self.experiment_id, checkpoint_id, self.body.get("step"), ())


def check_legacy(
    repository: LegacyRepository, *, threads: int, on_progress: Callable[[int, int], None] | None
) -> CheckReport:
    """Read every experiment, every tarball that one refers to, and every heartbeat.

    Args:
        repository: what to check.
        threads: how many tarballs are read at once.
        on_progress: called with (tarballs done, tarballs in all).

    Returns:
        A report whose `manifests` are tarballs, and whose `chunks` the files in them.
    """
    report = CheckReport()
    owners: dict[str, _Owner] = {}
    for journal in repository.iterate_journals():
        report.problems += [Problem(key, error.message) for key, error in journal.problems]
        state = fold_events(journal.experiment_id, journal.events)
        if state is None:
            continue
        report.experiments += 1
        report.checkpoints += len(state.checkpoints)
        for body in (state.created, *state.checkpoints):
            owners |= {owner_id: _Owner(state.id, body) for owner_id in references(body)}
    _check_tarballs(repository, owners, report, threads, on_progress)
    _check_names(repository, report)
    return report


def _check_tarballs(
    repository: LegacyRepository,
    owners: dict[str, _Owner],
    report: CheckReport,
    threads: int,
    on_progress: Callable[[int, int], None] | None,
) -> None:
    lock = threading.Lock()

    def work(shared: Iterator[str]) -> None:
        for owner_id in shared:
            lengths, problems = _read(repository, owner_id, owners[owner_id])
            with lock:
                report.manifests += 1
                report.chunks += len(lengths)
                report.chunk_bytes += sum(lengths)
                report.problems += problems
                if on_progress is not None:
                    on_progress(report.manifests, len(owners))

    run_workers(work, sorted(owners), threads=threads)


def _read(repository: LegacyRepository, owner_id: str, owner: _Owner) -> tuple[list[int], list[Problem]]:
    """Read a tarball; return the lengths of its files, and what is wrong with it."""
    lengths: list[int] = []
    problems: list[Problem] = []
    key = tarball_keys(owner_id)[owner.body["type"] == "experiment"]
    touches = (owner.touched(),)
    try:
        with open_tarball(repository.view.inner, key, owner_id) as members:
            for member in members:
                if isinstance(member, Unwanted):
                    if member.is_foreign:
                        message = f"{key} was tampered with: {member.path!r} {member.reason}"
                        problems.append(Problem(key, message, touches))
                    continue
                lengths.append(sum(map(len, member.windows())))
    except NotFoundError:
        problems.append(Problem(key, "it is missing", touches))
    except KeepsakeError as error:
        problems.append(Problem(key, error.message, touches))
    return lengths, problems


def _check_names(repository: LegacyRepository, report: CheckReport) -> None:
    """Report what lies among the experiments and is passed over, and heartbeats that say nothing."""
    store = repository.view.inner
    for info in store.list(METADATA):
        if id_of_key(info.key) is None:
            report.problems.append(Problem(info.key, "its name is not the id of an experiment; it is not read"))
    for info in store.list(OLD_HEARTBEATS):
        try:
            decode_object(store.get(info.key))
        except NotFoundError:
            continue  # its experiment stopped meanwhile
        except CorruptionError as error:
            report.problems.append(Problem(info.key, f"{error.message}; harmless: then its age alone counts"))
