"""Migrate: copy a repository of format 1 into one of format 2.

- Ids and times stay. Files are cut and stored as if they had been saved today, so what is equal is stored once.
- Files first, then the events that refer to them, of one experiment after the other. What the new repository has is
  passed over, so this can be broken off anywhere and run again; experiments that went on meanwhile are completed.
- Every file is read back from the new repository and compared with what was in the tarball.
- What is damaged is reported and left out, everything else is copied. Files that are not whole, and were saved lately
  or by an experiment that still runs, are left for the next time: they may be on their way.
- The old repository is only read. What was deleted in the new one stays deleted.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from blake3 import blake3

from keepsake._model.events import Body, references
from keepsake._model.ids import new_session_id, short_id
from keepsake._model.keys import SegmentName, manifest_key
from keepsake._model.lines import encode_line
from keepsake._model.manifest import Manifest
from keepsake._repository.heartbeat import list_heartbeats
from keepsake._repository.intent import drop_intent, save_with_intent
from keepsake._repository.journal import SEGMENT_BYTES, Journal
from keepsake._repository.legacy.layout import TARBALLS
from keepsake._repository.legacy.metadata import decode_time
from keepsake._repository.legacy.repository import LegacyRepository
from keepsake._repository.legacy.unpack import Unpacked, unpack
from keepsake._repository.repository import Repository
from keepsake._snapshots.read import open_entry
from keepsake.errors import CorruptionError, InternalError, NotFoundError

PUBLISH_BYTES = 1 << 30
"""After so many bytes of files the events so far are written, so that breaking off costs no more than these."""

UPLOAD_S = 3600.0
"""How long files may be on their way. The old program says that it has saved them, and that its experiment has ended,
while up to four tarballs wait to be uploaded; and it gives some of its experiments no heartbeat."""

_READ_BYTES = 4 << 20


@dataclass(slots=True)
class MigrateResult:
    """What a migration has done."""

    experiments: int = 0
    """Experiments of which anything was copied."""
    checkpoints: int = 0
    """Checkpoints that were copied."""
    files: int = 0
    """Files that were copied and compared."""
    file_bytes: int = 0
    """Their total length."""
    problems: list[str] = field(default_factory=list)
    """What is not in the new repository as it was in the old one, and why; a line each."""
    left_out: list[str] = field(default_factory=list)
    """Files of version control, which snapshots do not hold; a line each."""

    @property
    def is_clean(self) -> bool:
        """Whether there were no problems."""
        return not self.problems


def migrate(
    source: LegacyRepository, target: Repository, *, on_progress: Callable[[int, int], None] | None = None
) -> MigrateResult:
    """Copy what `target` lacks of `source`.

    Args:
        source: the old repository; it is only read.
        target: the new one; what is there stays.
        on_progress: called with (bytes of tarballs done, bytes of tarballs in all).

    Returns:
        What was copied. When it returns, everything is encoded and survives a power loss.

    Raises:
        StoreError: one of the two stores failed; what has arrived is whole, and the next run carries on.
    """
    return _Migration(source, target, on_progress).run()


class _NotYetError(Exception):
    """Files are not whole; they may become so."""


class _Migration:
    """One run."""

    def __init__(
        self, source: LegacyRepository, target: Repository, on_progress: Callable[[int, int], None] | None
    ) -> None:
        self._source = source
        self._target = target
        self._on_progress = on_progress
        self._done_bytes = 0
        self._total_bytes = sum(info.size_bytes for prefix in TARBALLS for info in source.view.inner.list(prefix))
        self.result = MigrateResult()

    def run(self) -> MigrateResult:
        """Copy everything."""
        for journal in self._source.iterate_journals():
            self.result.problems += [error.message for _, error in journal.problems]
            if journal.events:
                self._copy_experiment(journal)
        self._advance(self._total_bytes - self._done_bytes)
        return self.result

    def _copy_experiment(self, journal: Journal) -> None:
        there = [event.body for event in self._target.load_journal(journal.experiment_id).events]
        if any(body.get("type") == "delete" and body.get("checkpoints") is None for body in there):
            return
        self._report_unsaved(there)
        known = {body.get("id") for body in there if body.get("type") in ("experiment", "checkpoint")}
        missing = [event.body for event in journal.events if event.body["id"] not in known]
        if not missing:
            return
        is_running = any(one.is_fresh for one in list_heartbeats(self._source.store, journal.experiment_id).values())
        events = _EventWriter(self._target, journal.experiment_id)
        try:
            for body in missing:
                try:
                    copied = self._copy_files(body, events, is_running=is_running)
                except _NotYetError:
                    self._report(body, "its files are not whole, and may be on their way: migrate again later")
                    if body["type"] == "experiment":
                        return
                    continue
                events.add(copied)
                self.result.checkpoints += body["type"] == "checkpoint"
            self.result.experiments += events.end(str(missing[-1]["time"]))
        finally:
            events.drop_intents()

    def _report_unsaved(self, there: list[Body]) -> None:
        """Report also what an earlier run could not copy."""
        for body in there:
            if body.get("type") in ("experiment", "checkpoint") and body.get("unsaved"):
                self._report(body, f"it was copied without its files: {body['unsaved']}")

    def _report(self, body: Body, reason: str) -> None:
        self.result.problems.append(f"{body['type']} {short_id(str(body['id']))}: {reason}")

    def _copy_files(self, body: Body, events: _EventWriter, *, is_running: bool) -> dict[str, Any]:
        """Copy what an event refers to, and return the event as it is in the new repository."""
        event = dict(body)
        for owner_id in references(body):
            try:
                event["manifests"] = [self._copy_snapshot(owner_id, body, events)]
            except (NotFoundError, CorruptionError) as error:
                if is_running or _is_recent(body):
                    raise _NotYetError from error
                self._report(body, error.message)
                event |= {"manifests": [], "unsaved": error.message}
        return event

    def _copy_snapshot(self, owner_id: str, body: Body, events: _EventWriter) -> str:
        """Copy a tarball's files, and return the digest of their manifest.

        Raises:
            NotFoundError, CorruptionError: the tarball is missing or damaged.
        """
        info = self._source.find_tarball(owner_id)
        unpacked: list[Unpacked] = []

        def save(target: Repository) -> Manifest:
            unpacked.append(unpack(self._source.view.inner, info.key, owner_id, target.chunks))
            return unpacked[-1].manifest

        digest, intent = save_with_intent(self._target, events.session_id, save)
        events.intents.append(intent)
        for unwanted in unpacked[-1].unwanted:
            text = f"{unwanted.path!r} {unwanted.reason}"
            if unwanted.is_foreign:
                self._report(body, f"{info.key} was tampered with: {text}")
            else:
                self.result.left_out.append(f"{body['type']} {short_id(owner_id)}: {text}")
        self._settle(digest, unpacked[-1])
        events.size_bytes += unpacked[-1].manifest.size_bytes
        self._advance(info.size_bytes)
        return digest

    def _settle(self, digest: str, unpacked: Unpacked) -> None:
        """Have a snapshot survive a power loss, and compare what is stored then with what was in the tarball."""
        target = self._target
        target.chunks.settle(unpacked.manifest.digests())
        target.store.sync([manifest_key(digest)])
        for entry in target.load_manifest(digest).entries:
            if entry.kind != "file":
                continue
            hashed = blake3()
            with open_entry(entry, target.chunks) as file:
                while data := file.read(_READ_BYTES):
                    hashed.update(data)
            if hashed.hexdigest() != unpacked.digests[entry.path]:
                raise InternalError(
                    f"{entry.path!r} was copied to {target.store.url} and reads back differently; nothing refers to it",
                    hint="this points to faulty memory or disks, or to a mistake in Keepsake: please report it",
                )
            self.result.files += 1
            self.result.file_bytes += entry.size_bytes

    def _advance(self, size_bytes: int) -> None:
        self._done_bytes += size_bytes
        if self._on_progress is not None:
            self._on_progress(self._done_bytes, self._total_bytes)


def _is_recent(body: Body) -> bool:
    """Say whether something was saved so lately that its files may be on their way."""
    saved = decode_time(body["time"])
    return saved is not None and time.time() - saved.timestamp() < UPLOAD_S


class _EventWriter:
    """Writes the events of one experiment, as one session whose segments appear whole, on any store.

    Args:
        target: where to.
        experiment_id: the experiment.
    """

    def __init__(self, target: Repository, experiment_id: str) -> None:
        self.session_id = new_session_id()
        self.intents: list[str] = []
        self.size_bytes = 0
        """Bytes of files that the events refer to which are not written yet."""
        self._target = target
        self._name = SegmentName(experiment_id, self.session_id, 0, 0)
        self._lines: list[bytes] = []
        self._count = 0

    def add(self, body: Body) -> None:
        """Take an event up, whose files are stored already."""
        self._lines.append(encode_line(body, place=self._name.place))
        self._count += 1
        if self.size_bytes >= PUBLISH_BYTES or sum(map(len, self._lines)) >= SEGMENT_BYTES:
            self._publish()

    def end(self, time: str) -> bool:
        """Write what is left and that the session is over, unless there were no events; say whether there were."""
        if not self._count:
            return False
        self.add({"type": "stop", "time": time, "status": "stopped", "events": self._count + 1})
        self._publish()
        return True

    def drop_intents(self) -> None:
        """Withdraw what was announced."""
        for intent in self.intents:
            drop_intent(self._target.store, intent)
        self.intents.clear()

    def _publish(self) -> None:
        data = b"".join(self._lines)
        if not data:
            return
        experiment_id, number = self._name.experiment_id, self._name.number
        name = SegmentName(experiment_id, self.session_id, number, len(data))
        self._target.store.put(name.key, data, durable=True)
        self._lines.clear()
        self.size_bytes = 0
        self.drop_intents()
        self._name = SegmentName(experiment_id, self.session_id, number + 1, 0)
