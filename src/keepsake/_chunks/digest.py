"""Digests: the BLAKE3 hash that names a chunk or a manifest, as 64 hex digits."""

from __future__ import annotations

from blake3 import blake3

from keepsake.stores.base import Buffer

DIGEST_DIGITS = 64


def digest_of(data: Buffer) -> str:
    """Return the digest of `data`. The GIL is released meanwhile, so that threads hash side by side."""
    return blake3(data).hexdigest()


def fraction_of(data: Buffer) -> float:
    """Return a number from 0 up to 1 that follows from `data` as if by chance, the same one each time."""
    return int.from_bytes(blake3(data).digest(7), "little") / 2**56
