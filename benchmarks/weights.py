"""Files of random weights, any length, written in safetensors format piece by piece."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np

ITEM_BYTES = 4
_STEP_ITEMS = 4 * 2**20


def write_gpt2_like(path: Path, size_bytes: int) -> int:
    """Write fp32 weights with the shapes of GPT-2 (124 million items are 498 MB), narrower for a smaller file.

    Returns:
        Length of the file in bytes.
    """
    width = 768
    while width > 64 and sum(a * b for _, (a, b) in gpt2_shapes(width)) * ITEM_BYTES > size_bytes:
        width -= 64
    write_safetensors(path, list(gpt2_shapes(width)))
    return path.stat().st_size


def gpt2_shapes(width: int) -> Iterator[tuple[str, tuple[int, int]]]:
    """Yield the names and shapes of GPT-2's tensors; vectors have a length of 1 in the other dimension."""
    yield "wte.weight", (50257, width)
    yield "wpe.weight", (1024, width)
    for layer in range(12):
        for name, inner, outer in (
            ("attn.c_attn", 1, 3),
            ("attn.c_proj", 1, 1),
            ("mlp.c_fc", 1, 4),
            ("mlp.c_proj", 4, 1),
        ):
            yield f"h.{layer}.{name}.weight", (inner * width, outer * width)
            yield f"h.{layer}.{name}.bias", (1, outer * width)
        for norm in ("ln_1", "ln_2"):
            yield f"h.{layer}.{norm}.weight", (1, width)
            yield f"h.{layer}.{norm}.bias", (1, width)
    yield "ln_f.weight", (1, width)
    yield "ln_f.bias", (1, width)


def write_large(path: Path, size_bytes: int) -> None:
    """Write fp32 weights of about this length, in tensors of 64 MiB."""
    count = -(-size_bytes // (64 * 2**20))
    write_safetensors(path, [(f"layers.{number}.weight", (4096, 4096)) for number in range(count)])


def write_unstructured(path: Path, size_bytes: int) -> None:
    """Write random bytes, which no format explains."""
    generator = np.random.default_rng(0)
    with path.open("wb") as file:
        for start in range(0, size_bytes, 16 * 2**20):
            file.write(generator.bytes(min(16 * 2**20, size_bytes - start)))


def write_safetensors(path: Path, shapes: list[tuple[str, tuple[int, int]]]) -> None:
    """Write normally distributed weights; the same file every time."""
    header, stop = {}, 0
    for name, shape in shapes:
        start, stop = stop, stop + shape[0] * shape[1] * ITEM_BYTES
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [start, stop]}
    encoded = json.dumps(header).encode("ascii")
    encoded += b" " * (-len(encoded) % 8)
    generator = np.random.default_rng(0)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(encoded)) + encoded)
        for left in range(stop // ITEM_BYTES, 0, -_STEP_ITEMS):
            values = generator.standard_normal(min(left, _STEP_ITEMS), dtype=np.float32)
            file.write((values * np.float32(0.02)).data)
