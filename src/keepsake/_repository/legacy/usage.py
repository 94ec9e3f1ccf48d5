"""What a repository of format 1 takes, without reading it: the lengths of its tarballs, packed and unpacked."""

from __future__ import annotations

import struct

from keepsake._model.events import references
from keepsake._repository.legacy.layout import METADATA, TARBALLS, id_of_key
from keepsake._repository.legacy.repository import LegacyRepository
from keepsake._repository.usage import ExperimentUsage, Usage
from keepsake.stores.base import ObjectInfo

_TRAILER_BYTES = 4
"""A gzip file ends with its unpacked length modulo 2^32 (RFC 1952, section 2.3.1)."""

_MOST_PACKED = 1032
"""Deflate packs no more into a byte: 258 bytes in two bits (RFC 1951, section 3.2.5)."""


def measure_legacy_usage(repository: LegacyRepository) -> Usage:
    """Add up what a repository holds.

    Returns:
        Figures whose logical bytes are those of the tarballs when unpacked: a little more than the files in them.
        Nothing is shared, and nothing can be reclaimed in a repository that is only read.
    """
    store = repository.view.inner
    tarballs = {id_of_key(info.key): info for prefix in TARBALLS for info in store.list(prefix)}
    stored_bytes = sum(info.size_bytes for info in (*tarballs.values(), *store.list(METADATA)))
    experiments: list[ExperimentUsage] = []
    for state in repository.list_experiments().experiments:
        owners = [owner_id for body in (state.created, *state.checkpoints) for owner_id in references(body)]
        mine = [tarballs[owner_id] for owner_id in owners if owner_id in tarballs]
        if mine:
            logical_bytes = sum(_unpacked_bytes(repository, info) for info in mine)
            experiments.append(ExperimentUsage(state.id, logical_bytes, sum(info.size_bytes for info in mine), 0))
    return Usage(sum(one.logical_bytes for one in experiments), stored_bytes, 0, tuple(experiments))


def _unpacked_bytes(repository: LegacyRepository, info: ObjectInfo) -> int:
    """Return the unpacked length of a tarball, the packed one when it has been cut off.

    Of one of 4 GiB and more, it is the least that it can be.
    """
    start = max(0, info.size_bytes - _TRAILER_BYTES)
    trailer = repository.view.inner.get_range(info.key, start, info.size_bytes)
    length = struct.unpack("<I", trailer)[0] if len(trailer) == _TRAILER_BYTES else 0
    # Packing makes nothing much longer, so what seems to have grown is longer by multiples of 4 GiB.
    while length < info.size_bytes * 0.99:
        length += 1 << 32
    return int(length) if length <= info.size_bytes * _MOST_PACKED else info.size_bytes
