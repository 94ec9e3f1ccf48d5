"""Byte planes put together again, as `planes` has split them.

NumPy merges twice as fast as Python does, and in several threads at once, but importing it takes as long as merging
a few hundred megabytes without it. So it is used where it is there, and else imported when that much was merged.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Sequence

from keepsake._chunks import zstd
from keepsake.errors import CorruptionError
from keepsake.stores.base import Buffer

KEPT, ZSTD = 0, 1
"""How a plane is written."""
PLANE_HEAD = struct.Struct("<BI")
"""Method and length of a plane."""

PLAIN_BYTES = 128 << 20
"""So much is merged without NumPy. Measured: 1 GB/s without, 2 GB/s with it, and 150 ms to import it."""
_BLOCK_ITEMS = 64 * 1024

_merged_plainly_bytes = 0
"""What this process has merged without NumPy."""


def decode_planes(payload: memoryview, item_size: int, size_bytes: int) -> memoryview:
    """Return the `size_bytes` that `encode_planes` has seen, in items of `item_size` bytes (2, 4 or 8).

    Raises:
        CorruptionError: the payload does not have the lengths that it must have, or a plane is damaged.
    """
    heads_bytes = item_size * PLANE_HEAD.size
    if len(payload) < heads_bytes:
        raise CorruptionError("a chunk of byte planes ends within its head")
    items, tail_bytes = divmod(size_bytes, item_size)
    heads = list(PLANE_HEAD.iter_unpack(payload[:heads_bytes]))
    if heads_bytes + sum(length for _, length in heads) + tail_bytes != len(payload):
        raise CorruptionError("the byte planes of a chunk do not add up to its length")
    planes, start = [], heads_bytes
    for method, length in heads:
        planes.append(_decode_plane(method, payload[start : start + length], items))
        start += length
    merged = _merge(planes, item_size, size_bytes)
    merged[items * item_size :] = payload[start:]
    return merged


def merge_plainly(planes: Sequence[Buffer], item_size: int, size_bytes: int) -> memoryview:
    """Return a buffer of `size_bytes` that begins with the items of which these are the planes; without NumPy."""
    merged = bytearray(size_bytes)
    for start in range(0, size_bytes // item_size, _BLOCK_ITEMS):
        for index, plane in enumerate(planes):
            part = plane[start : start + _BLOCK_ITEMS]
            first = start * item_size + index
            merged[first : (start + len(part)) * item_size : item_size] = part
    return memoryview(merged)


def _merge(planes: Sequence[Buffer], item_size: int, size_bytes: int) -> memoryview:
    global _merged_plainly_bytes
    if "numpy" not in sys.modules and _merged_plainly_bytes < PLAIN_BYTES:
        _merged_plainly_bytes += size_bytes  # of threads that add at once, one may not count
        return merge_plainly(planes, item_size, size_bytes)
    from keepsake._chunks.planes import merge_planes

    return merge_planes(planes, item_size, size_bytes)


def _decode_plane(method: int, body: memoryview, items: int) -> Buffer:
    if method == ZSTD:
        return zstd.decompress(body, size_bytes=items)
    if method != KEPT:
        raise CorruptionError(f"a byte plane claims to be coded by method {method}, which there is not")
    if len(body) != items:
        raise CorruptionError(f"a byte plane has {len(body)} bytes instead of {items}")
    return body
