"""Intents: the writer's side of collecting safely, beside any number of collectors and without locks.

Chunks and manifests that nothing refers to yet look like garbage to a collector. So a writer, before the event that
refers to them,

1. creates an intent, an object with every digest that the event will reach;
2. then lists the garbage lists, and looks up every digest;
3. stores again what has gone meanwhile, and under a fresh key what stands on a garbage list;
4. appends the event, and deletes the intent.

A collector marks what intents and journals reach after it has published its garbage list. So either it sees the intent,
or the writer sees its list. `tests/repository/test_collect_model.py` has the model that this order was checked with.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from keepsake._model.keys import GARBAGE, INTENTS, chunk_key, copy_key, intent_key, intents_prefix, manifest_key
from keepsake._model.lines import decode_line, encode_line
from keepsake._model.manifest import Manifest
from keepsake._model.times import now_text
from keepsake._repository.repository import Repository
from keepsake.errors import CorruptionError, NotFoundError, StoreError
from keepsake.stores.base import ObjectInfo, Store

MAX_ROUNDS = 20
"""A snapshot that collectors took something of this often in a row was not collected by chance."""

INTENT_LIFETIME_S = 7 * 24 * 3600.0
"""An intent that is older was left by a writer that died: no checkpoint takes a week to save."""

LIST_LIFETIME_S = 2 * 24 * 3600.0
"""A garbage list that is older was left by a collector that died: none acts on one for more than a day."""


def save_with_intent(
    repository: Repository, session_id: str, save: Callable[[Repository], Manifest]
) -> tuple[str, str]:
    """Save a snapshot so that no collector takes any of it before the event that refers to it is written.

    Args:
        repository: where to.
        session_id: the session that will write the event.
        save: saves the chunks and returns the manifest; called again when something has gone.

    Returns:
        The digest of the manifest, and the key of the intent: drop it after the event.
    """
    for _ in range(MAX_ROUNDS):
        manifest = save(repository)
        digest = repository.save_manifest(manifest)
        intent = create_intent(repository.store, session_id, [digest, *sorted(manifest.digests())])
        try:
            if secure(repository, intent, [digest], manifest.digests()):
                return digest, intent
        except BaseException:
            drop_intent(repository.store, intent)
            raise
        drop_intent(repository.store, intent)
    raise StoreError(f"collectors keep deleting what is being saved to {repository.store.url}", transient=True)


def create_intent(store: Store, session_id: str, digests: Iterable[str]) -> str:
    """Announce that an event will refer to the given manifests and chunks; return the intent's key."""
    key = intent_key(session_id, os.urandom(8).hex())
    store.put(
        key, encode_line({"time": now_text(), "session": session_id, "digests": list(digests)}, place=key.encode())
    )
    return key


def drop_intent(store: Store, key: str) -> None:
    """Delete an intent whose event is written, or will not be. Failing is no error: it expires."""
    with contextlib.suppress(StoreError):
        store.delete(key)


def drop_intents(store: Store, session_id: str) -> None:
    """Delete what a session that has died leaves announced: it will not write the events."""
    for info in list(store.list(intents_prefix(session_id))):
        drop_intent(store, info.key)


def secure(repository: Repository, intent: str, manifest_digests: Iterable[str], chunk_digests: Iterable[str]) -> bool:
    """See to it that everything named has a copy that no collector is about to delete.

    Args:
        repository: where.
        intent: the key of the intent that names all of it; it was created just now.
        manifest_digests: of the manifests.
        chunk_digests: of the chunks.

    Returns:
        False when something is gone altogether and must be saved again.
    """
    store = repository.store
    condemned = list_condemned(store, intent)
    for digest in manifest_digests:
        if not _secure_object(store, manifest_key(digest), condemned):
            return False
    return all(_secure_object(store, chunk_key(digest), condemned) for digest in chunk_digests)


def written_s(store: Store, key: str) -> float:
    """Return when an object was written, by the clock that the store stamps all objects with; 0 when it is not there.

    Of an object that was written just now, it is the time. That of this machine may be wrong by days.
    """
    info = store.head(key)
    return info.modified_ns / 1e9 if info is not None else 0.0


def list_condemned(store: Store, intent: str) -> set[str]:
    """Return the keys on all garbage lists, but for those of collectors that died.

    Args:
        store: where.
        intent: the key of an intent that was created just now.

    Raises:
        CorruptionError: a list is damaged, so that nobody can say what its collector will delete.
    """
    listed = list(store.list(GARBAGE))
    now_s = written_s(store, intent) if listed else 0.0
    infos = (info for info in listed if now_s - info.modified_ns / 1e9 <= LIST_LIFETIME_S)
    documents = _read_lines(store, infos, "garbage list", "when no collector is running, delete it")
    return {str(key) for document in documents for key in document.get("keys", [])}


def list_intended(store: Store, *, now_s: float) -> set[str]:
    """Return the digests that intents name, but for those of writers that died a week ago.

    Raises:
        CorruptionError: an intent is damaged.
    """
    infos = (info for info in store.list(INTENTS) if now_s - info.modified_ns / 1e9 <= INTENT_LIFETIME_S)
    documents = _read_lines(store, infos, "intent", "when nothing is being saved, delete it")
    return {str(digest) for document in documents for digest in document.get("digests", [])}


def _read_lines(store: Store, infos: Iterable[ObjectInfo], noun: str, hint: str) -> Iterator[dict[str, Any]]:
    """Yield the documents of objects that are one line each; one that has gone meanwhile has done its duty."""
    for info in infos:
        try:
            yield decode_line(store.get(info.key), place=info.key.encode())
        except NotFoundError:
            continue
        except CorruptionError as error:
            raise CorruptionError(f"{noun} {info.key} in {store.url} is damaged: {error.message}", hint=hint) from error


def _secure_object(store: Store, key: str, condemned: set[str]) -> bool:
    if key not in condemned and store.head(key) is not None:
        return True
    copies = [info.key for info in store.list(key + ".")]
    if any(copy not in condemned for copy in copies):
        return True
    for copy in (key, *copies):
        try:
            data = store.get(copy)
        except NotFoundError:
            continue
        store.put(copy_key(key, os.urandom(8).hex()), data, durable=True)
        return True
    return False
