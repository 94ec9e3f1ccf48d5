"""A repository of format 1, with the reading methods of one of format 2; nothing of it is ever written.

Its journals and heartbeats come from a view of its store. A manifest is asked for by the id of the checkpoint or
experiment whose files it holds, and is made by unpacking their tarball.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from keepsake._chunks.digest import digest_of
from keepsake._model.events import Event
from keepsake._model.ids import SESSION_ID_DIGITS, is_id, short_id
from keepsake._model.manifest import Manifest
from keepsake._repository.journal import Journal
from keepsake._repository.legacy.cache import UnpackedChunks
from keepsake._repository.legacy.layout import metadata_key, only_session, tarball_keys
from keepsake._repository.legacy.view import LegacyView, refusal
from keepsake._repository.repository import Repository
from keepsake.errors import CorruptionError, NotFoundError
from keepsake.stores.base import ObjectInfo, Store


class LegacyRepository(Repository):
    """A repository of format 1.

    Args:
        store: what holds it.
    """

    version = 1

    def __init__(self, store: Store) -> None:
        self.view = LegacyView(store)
        # It has no id; its place tells it from others on this machine, which is what ids are for.
        super().__init__(self.view, digest_of(store.url.encode("utf-8", "surrogateescape"))[:SESSION_ID_DIGITS])
        self.chunks: UnpackedChunks = UnpackedChunks(self.view)

    def check_writable(self) -> None:
        """Raise `UnsupportedVersionError`, whose hint says how to migrate."""
        raise refusal(self.store.url)

    def load_journal(self, experiment_id: str, *, with_logs: bool = True) -> Journal:  # noqa: ARG002 (it has none)
        """Read every event of one experiment."""
        journal = Journal(experiment_id)
        try:
            bodies = self.view.load_events(experiment_id)
        except NotFoundError:
            return journal
        except CorruptionError as error:
            journal.problems.append((metadata_key(experiment_id), error))
            return journal
        session_id = only_session(experiment_id)
        journal.events += [Event(body["time"], session_id, (0, number), body) for number, body in enumerate(bodies)]
        journal.counts[session_id] = len(bodies)
        return journal

    def iterate_journals(self, *, with_logs: bool = True) -> Iterator[Journal]:  # noqa: ARG002 (there are none)
        """Read the journals of all experiments, one experiment at a time."""
        return map(self.load_journal, self.experiment_ids())

    def find_tarball(self, owner_id: str) -> ObjectInfo:
        """Describe the tarball of an experiment or checkpoint. Raises `NotFoundError` when it is not there."""
        keys = tarball_keys(owner_id) if is_id(owner_id) else ()
        for info in map(self.view.inner.head, keys):
            if info is not None:
                return info
        raise NotFoundError(
            f"the files of {short_id(owner_id)} are missing: {' or '.join(keys)} in {self.store.url}",
            hint="Keepsake 0.x leaves a checkpoint whose files were deleted, or were never uploaded",
        )

    def load_manifest(self, digest: str) -> Manifest:
        """Return what the tarball of an experiment or checkpoint holds.

        Args:
            digest: the id of the experiment or checkpoint, as its event refers to it.

        Raises:
            NotFoundError: there is no tarball.
            CorruptionError: it is damaged, or was tampered with.
        """
        manifest = self._load_unpacked(digest)
        self.chunks.remember(manifest, partial(self._load_unpacked, digest, again=True))
        return manifest

    def load_recent(self, digest: str) -> Manifest:
        """Return what the tarball holds now: while its experiment runs, it may be replaced."""
        return self.load_manifest(digest)

    def _load_unpacked(self, owner_id: str, *, again: bool = False) -> Manifest:
        return self.chunks.cache.load(self.view.inner, self.find_tarball(owner_id), owner_id, again=again)
