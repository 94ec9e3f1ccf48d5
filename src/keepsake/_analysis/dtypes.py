"""The types of tensor items: one name for each, whatever a format calls it, and the numbers that they stand for."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_SIZES = {
    "bool": 1, "uint8": 1, "int8": 1, "uint16": 2, "int16": 2, "uint32": 4, "int32": 4, "uint64": 8, "int64": 8,
    "float16": 2, "bfloat16": 2, "float32": 4, "float64": 8, "complex64": 8, "complex128": 16,
    "float8_e4m3fn": 1, "float8_e5m2": 1, "float8_e4m3fnuz": 1, "float8_e5m2fnuz": 1, "float8_e8m0fnu": 1,
    "qint8": 1, "quint8": 1, "qint32": 4,
}  # fmt: skip

SAFETENSORS_TYPES = {
    "BOOL": "bool", "U8": "uint8", "I8": "int8", "U16": "uint16", "I16": "int16", "U32": "uint32", "I32": "int32",
    "U64": "uint64", "I64": "int64", "F16": "float16", "BF16": "bfloat16", "F32": "float32", "F64": "float64",
    "C64": "complex64", "F8_E4M3": "float8_e4m3fn", "F8_E5M2": "float8_e5m2", "F8_E8M0": "float8_e8m0fnu",
    "F8_E4M3FNUZ": "float8_e4m3fnuz", "F8_E5M2FNUZ": "float8_e5m2fnuz",
}  # fmt: skip
"""What safetensors calls them."""

NPY_TYPES = {
    "b1": "bool", "u1": "uint8", "i1": "int8", "u2": "uint16", "i2": "int16", "u4": "uint32", "i4": "int32",
    "u8": "uint64", "i8": "int64", "f2": "float16", "f4": "float32", "f8": "float64", "c8": "complex64",
    "c16": "complex128",
}  # fmt: skip
"""What the header of a `.npy` file calls them, behind the letter of the byte order."""

TORCH_STORAGES = {
    "BoolStorage": "bool", "ByteStorage": "uint8", "CharStorage": "int8", "ShortStorage": "int16",
    "IntStorage": "int32", "LongStorage": "int64", "HalfStorage": "float16", "BFloat16Storage": "bfloat16",
    "FloatStorage": "float32", "DoubleStorage": "float64", "ComplexFloatStorage": "complex64",
    "ComplexDoubleStorage": "complex128", "QInt8Storage": "qint8", "QUInt8Storage": "quint8",
    "QInt32Storage": "qint32", "UntypedStorage": "uint8",
}  # fmt: skip
"""The classes by which a `torch.save` file names the type of a storage."""

_FLOAT8 = {"float8_e4m3fn": (4, 7), "float8_e5m2": (5, 15)}
"""Bits of the exponent, and its bias. https://arxiv.org/abs/2209.05433, table 1."""


def item_size_bytes(dtype: str) -> int:
    """Return how long an item is; 0 for a type that is not known."""
    return _SIZES.get(dtype, 0)


def has_numbers(dtype: str) -> bool:
    """Say whether `to_numbers` knows what the items stand for."""
    return dtype in _FLOAT8 or (item_size_bytes(dtype) > 0 and not dtype.startswith(("q", "float8")))


def to_numbers(bits: NDArray[Any], dtype: str) -> Any:
    """Return an array of the numbers that items stand for: float64, or complex128 for complex ones.

    Args:
        bits: the items as unsigned integers of their size, in this machine's byte order; those of `complex128` as
            pairs of them, along a last axis of length 2.
        dtype: their type.
    """
    import numpy as np

    if dtype == "bfloat16":
        # The upper half of a float32.
        bits, dtype = bits.astype(np.uint32) << np.uint32(16), "float32"
    if dtype in _FLOAT8:
        return _float8_numbers(dtype)[bits]
    if dtype == "bool":
        return (bits != 0).astype(np.float64)
    if dtype == "complex128":
        return np.ascontiguousarray(bits).view(np.complex128)[..., 0]
    with np.errstate(invalid="ignore"):  # a signalling NaN becomes a quiet one
        return bits.view(dtype).astype(np.complex128 if dtype == "complex64" else np.float64)


@functools.cache
def _float8_numbers(dtype: str) -> NDArray[np.float64]:
    """Return the number of each of the 256 patterns: of float8_e5m2 with infinities, of float8_e4m3fn with one NaN."""
    import numpy as np

    exponent_bits, bias = _FLOAT8[dtype]
    mantissa_bits = 7 - exponent_bits
    pattern = np.arange(256)
    exponent = (pattern >> mantissa_bits) & ((1 << exponent_bits) - 1)
    mantissa = (pattern & ((1 << mantissa_bits) - 1)) / (1 << mantissa_bits)
    numbers = np.where(exponent == 0, np.ldexp(mantissa, 1 - bias), np.ldexp(1 + mantissa, exponent - bias))
    if dtype == "float8_e5m2":
        numbers[exponent == 31] = np.where(mantissa[exponent == 31] == 0, np.inf, np.nan)
    else:
        numbers[(pattern & 0x7F) == 0x7F] = np.nan
    return np.where(pattern < 128, numbers, -numbers)
