"""The choice of a codec for a chunk, by trying pieces from all over it.

Order-0 entropies of the byte planes say which item size fits best: one histogram for each byte of 8-byte items gives
those for 4 and 2 as sums. That one and plain zstd then have to show what they make of the sample. A chunk may be
gathered from several ranges or files, so no single place of it speaks for the rest. Imported on first use, as it needs
NumPy.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from keepsake._chunks import planes, zstd
from keepsake._chunks.planes import ITEM_SIZES, MIN_GAIN
from keepsake.stores.base import Buffer

PLAIN = 1
"""As an item size: compress the bytes as they stand."""

_PIECES, _PIECE_BYTES = 8, 8192
_MIN_PLANES_BYTES = 64


def choose_item_size(data: Buffer, *, level: int) -> int | None:
    """Return the item size to split `data` by, `PLAIN` for plain zstd at `level`, or None when little is to be won."""
    sample = _take_sample(data)
    best, best_size = None, len(sample) * (1 - MIN_GAIN)
    plain_size = len(zstd.compress(sample.data, level=level))
    if plain_size <= best_size:
        best, best_size = PLAIN, plain_size
    if len(sample) < _MIN_PLANES_BYTES:
        return best
    item_size = _fitting_item_size(sample)
    if sum(map(len, planes.encode_planes(sample.data, item_size))) < best_size * (1 - MIN_GAIN):
        return item_size
    return best


def _take_sample(data: Buffer) -> npt.NDArray[np.uint8]:
    """Return all of a short chunk, or pieces from places that are multiples of 8 bytes apart."""
    whole = np.frombuffer(data, np.uint8)
    if len(whole) <= _PIECES * _PIECE_BYTES:
        return whole
    starts = np.linspace(0, len(whole) - _PIECE_BYTES, _PIECES).astype(int) // 8 * 8
    return np.concatenate([whole[start : start + _PIECE_BYTES] for start in starts])


def _fitting_item_size(sample: npt.NDArray[np.uint8]) -> int:
    """Return the smallest item size whose planes have about the least entropy."""
    columns = sample[: len(sample) // 8 * 8].reshape(-1, 8)
    counts = np.stack([np.bincount(columns[:, index], minlength=256) for index in range(8)])
    bits = {size: _entropy_bits(counts.reshape(-1, size, 256).sum(axis=0)) for size in ITEM_SIZES}
    least = min(bits.values())
    return next(size for size in ITEM_SIZES if bits[size] <= least + 0.005 * sample.size * 8)


def _entropy_bits(counts: npt.NDArray[Any]) -> float:
    """Return the bits that an ideal order-0 coder needs for planes with these counts (one row a plane)."""
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.where(counts > 0, counts, totals) / totals
    return float(-(counts * np.log2(shares)).sum())
