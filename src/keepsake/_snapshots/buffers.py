"""Buffers that captured files are read into, used again: touching fresh memory costs as much as reading."""

from __future__ import annotations

from keepsake._chunks.layout import KIB, LARGE_TENSOR_BYTES, MIB

_SIZES = (256 * KIB, MIB, 4 * MIB + LARGE_TENSOR_BYTES, 16 * MIB + LARGE_TENSOR_BYTES)
"""Few, so that a buffer fits the next task too: the longest chunks of each kind that `layout` cuts."""


class Buffers:
    """The buffers of one capture. May be used by several threads at once."""

    def __init__(self) -> None:
        self._free: list[bytearray] = []

    def take(self, size_bytes: int) -> bytearray:
        """Return a buffer of at least this length, with anything in it."""
        try:
            buffer = self._free.pop()
        except IndexError:
            buffer = bytearray()
        if len(buffer) < size_bytes:
            buffer = bytearray(next((size for size in _SIZES if size >= size_bytes), size_bytes))
        return buffer

    def give_back(self, buffer: bytearray) -> None:
        """Let another task have the buffer."""
        self._free.append(buffer)
