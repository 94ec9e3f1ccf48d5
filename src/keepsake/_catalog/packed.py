"""Experiments that a catalog has nothing of, from packs of their journals, as long as that saves requests."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

from keepsake._catalog.fetch import one_ahead
from keepsake._catalog.survey import Segments
from keepsake._repository.packs import LEAST_SEGMENTS, list_packs, load_pack
from keepsake.errors import FormatError, NotFoundError, StoreError
from keepsake.stores.base import Store

_LEAST_USE = 0.25
"""A pack of which less is wanted is the last: older ones, read before the newer experiments were, hold still less."""


def read_packed(store: Store, wanted: Mapping[str, Segments]) -> Iterator[tuple[str, Mapping[str, bytes]]]:
    """Yield experiments of which a pack has every segment, each once, with the contents by key.

    Packs only save requests: what is not in one that can be read is fetched otherwise.

    Args:
        store: where they are.
        wanted: the experiments, with all of their segments.
    """
    if sum(map(len, wanted.values())) < LEAST_SEGMENTS:
        return
    owners = {name.key: experiment_id for experiment_id, segments in wanted.items() for name, _ in segments}
    done: set[str] = set()
    for contents in _load_ahead(store):
        inside = [owners[key] for key in contents if key in owners]
        for experiment_id in dict.fromkeys(inside):
            keys = [name.key for name, _ in wanted[experiment_id]]
            if experiment_id not in done and all(key in contents for key in keys):
                done.add(experiment_id)
                yield experiment_id, {key: contents[key] for key in keys}
        if len(inside) < _LEAST_USE * len(contents):
            return


def _load_ahead(store: Store) -> Iterator[Mapping[str, bytes]]:
    """Yield the contents of packs, the newest first; nothing for one that cannot be read.

    The next one comes while one is being read, which takes longer, even over a line of 50 ms.
    """
    with contextlib.suppress(StoreError), ThreadPoolExecutor(1, "keepsake-pack") as threads:
        for coming in one_ahead(_start(threads, store, key) for key in list_packs(store)):
            yield coming.result()


def _start(threads: ThreadPoolExecutor, store: Store, key: str) -> Future[Mapping[str, bytes]]:
    try:
        return threads.submit(_load, store, key)
    except RuntimeError:  # no thread can be started: at a limit of the system, or while the interpreter ends
        done: Future[Mapping[str, bytes]] = Future()
        done.set_result(_load(store, key))
        return done


def _load(store: Store, key: str) -> Mapping[str, bytes]:
    try:
        return load_pack(store, key)
    except (NotFoundError, FormatError, StoreError):
        return {}
