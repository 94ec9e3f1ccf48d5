"""A store of format 1, seen as one of format 2: each experiment as a journal, each heartbeat as a heartbeat.

So whatever reads journals reads these, too. Chunks and manifests it shows none: `LegacyRepository` makes them of the
tarballs when they are asked for. Nothing can be written.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any, NoReturn

from keepsake._model.ids import is_id
from keepsake._model.keys import (
    HEARTBEATS,
    JOURNALS,
    heartbeat_key,
    parse_heartbeat_key,
    parse_segment_key,
)
from keepsake._model.lines import encode_line
from keepsake._repository.heartbeat import HEARTBEAT_TIMEOUT_S
from keepsake._repository.legacy.layout import (
    METADATA,
    OLD_HEARTBEATS,
    id_of_key,
    metadata_key,
    old_heartbeat_key,
    only_session,
    segment_name,
)
from keepsake._repository.legacy.metadata import decode_experiment, decode_object, decode_time
from keepsake.errors import CorruptionError, NotFoundError, UnsupportedVersionError
from keepsake.stores.base import ObjectInfo, Store


def refusal(url: str) -> UnsupportedVersionError:
    """Make the error for whoever wants to write to a repository of format 1."""
    return UnsupportedVersionError(
        f"the repository at {url} was written by Keepsake 0.x and can only be read",
        hint=f"`keepsake migrate {url} NEW` copies it to a new one, which can be written to",
    )


class LegacyView:
    """An `AppendStore` whose writing methods refuse.

    Args:
        store: what holds the repository of format 1.
    """

    def __init__(self, store: Store) -> None:
        self.inner = store

    @property
    def url(self) -> str:
        """Where this is."""
        return self.inner.url

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Yield what is shown and has a key that starts with `prefix`; a segment has the length of its JSON."""
        name = prefix.rpartition("/")[2]
        wanted = name.partition(".")[0]
        if prefix.startswith(JOURNALS) or JOURNALS.startswith(prefix):
            # Below `journals/`, two digits of the id stand before the name that begins with it.
            found = self._segments(wanted if prefix.count("/") > 1 else "")
            yield from (info for info in found if info.key.startswith(prefix))
        if prefix.startswith(HEARTBEATS) or HEARTBEATS.startswith(prefix):
            found = self._heartbeats(wanted if prefix.startswith(HEARTBEATS) else "")
            yield from (info for info in found if info.key.startswith(prefix))

    def _segments(self, id_prefix: str) -> Iterator[ObjectInfo]:
        for info in self.inner.list(METADATA + id_prefix):
            experiment_id = id_of_key(info.key)
            if experiment_id is not None:
                yield replace(info, key=segment_name(experiment_id, info.modified_ns).key)

    def _heartbeats(self, id_prefix: str) -> Iterator[ObjectInfo]:
        for info in self.inner.list(OLD_HEARTBEATS + id_prefix):
            experiment_id = id_of_key(info.key)
            if experiment_id is not None:
                yield self._heartbeat(experiment_id, info)

    def _heartbeat(self, experiment_id: str, info: ObjectInfo) -> ObjectInfo:
        """Show a heartbeat as old as it says that it is: a copy of a repository has fresh files and no running one."""
        modified_ns = info.modified_ns
        if modified_ns > time.time_ns() - HEARTBEAT_TIMEOUT_S * 1e9:
            try:
                said = decode_time(decode_object(self.inner.get(info.key)).get("last_heartbeat"))
            except (NotFoundError, CorruptionError):
                said = None  # removed, or being written: then it has just been alive
            if said is not None:
                modified_ns = min(modified_ns, int(said.timestamp() * 1e9))
        return replace(info, key=heartbeat_key(experiment_id, only_session(experiment_id)), modified_ns=modified_ns)

    def get(self, key: str) -> bytes:
        """Return what is shown under a key. Raises `CorruptionError` when its JSON cannot be read."""
        name = parse_segment_key(key)
        if name is not None:
            return b"".join(encode_line(body, place=name.place) for body in self.load_events(name.experiment_id))
        names = parse_heartbeat_key(key) if key.startswith(HEARTBEATS) else None
        if names is not None and is_id(names[0]):
            return encode_line(decode_object(self.inner.get(old_heartbeat_key(names[0]))))
        raise NotFoundError(f"there is no object {key} in {self.url}")

    def load_events(self, experiment_id: str) -> Sequence[dict[str, Any]]:
        """Read the events of one experiment.

        Raises:
            NotFoundError: there is none.
            CorruptionError: what is there is no experiment.
        """
        key = metadata_key(experiment_id)
        info = self.inner.head(key) if is_id(experiment_id) else None
        if info is None:
            raise NotFoundError(f"there is no object {key} in {self.url}")
        modified = datetime.fromtimestamp(info.modified_ns / 1e9, timezone.utc)
        try:
            return decode_experiment(self.inner.get(key), experiment_id, modified=modified)
        except CorruptionError:
            # It is written in place: a reader may have come in the middle of that.
            pass
        try:
            return decode_experiment(self.inner.get(key), experiment_id, modified=modified)
        except CorruptionError as error:
            raise CorruptionError(
                f"{key} in {self.url} is damaged: {error.message}",
                hint="a backup may have it; its files are not affected, but cannot be found without it",
            ) from error

    def get_range(self, key: str, start: int, stop: int) -> bytes:
        """Return bytes `start` to `stop` (exclusive) of what is shown under a key."""
        return self.get(key)[start:stop]

    def head(self, key: str) -> ObjectInfo | None:
        """Describe what is shown under a key; None when nothing is."""
        return next((info for info in self.list(key) if info.key == key), None)

    def sync(self, keys: Iterable[str]) -> None:
        """Do nothing: what is only read is where it was."""

    def refuse(self, *_: object, **__: object) -> NoReturn:
        """Raise the error for whoever wants to write."""
        raise refusal(self.url)

    put = create = delete = open_append = rename = refuse
