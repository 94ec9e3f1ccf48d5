"""Where the tensors of a safetensors file lie.

The format: the length of a header (8 bytes, little endian), the header (JSON: for each tensor its dtype, shape and
offsets behind the header), the tensors. https://huggingface.co/docs/safetensors
"""

from __future__ import annotations

import json
import re
import struct
from typing import Any

from keepsake._chunks.structure import MAX_HEADER_BYTES, NoStructureError, Read, Tensor, read_limited

_MAX_JSON_TOKENS = 1_000_000
"""A bound for what parsing a header may take: some 60 bytes a token."""
_LENGTH = struct.Struct("<Q")
_BITS = re.compile(r"[A-Z]+(\d{1,3})")


def is_safetensors(head: bytes, size_bytes: int) -> bool:
    """Say whether a file that begins with `head` (16 bytes) may be one."""
    if len(head) < 16 or head[8:9] != b"{":
        return False
    (length,) = _LENGTH.unpack_from(head)
    return bool(2 <= length <= min(size_bytes - _LENGTH.size, MAX_HEADER_BYTES))


def find_tensors(read: Read, size_bytes: int) -> list[Tensor]:
    """Return the tensors, in any order."""
    rows, data_start = read_header(read, size_bytes)
    return [_tensor(row, data_start) for row in rows.values()]


def read_header(read: Read, size_bytes: int) -> tuple[dict[str, dict[str, Any]], int]:
    """Return the row of each tensor by its name (`dtype`, `shape`, `data_offsets`), and where the offsets count from.

    The rows are as the file has them: any value may be of any type.

    Raises:
        NoStructureError: the header is too long, or leaves the file.
    """
    (length,) = _LENGTH.unpack(read(0, _LENGTH.size))
    data_start = _LENGTH.size + length
    header = read_limited(read, _LENGTH.size, data_start, size_bytes=size_bytes)
    if sum(map(header.count, (b",", b"[", b"{"))) > _MAX_JSON_TOKENS:
        raise NoStructureError("the header has more parts than any model")
    return {name: row for name, row in json.loads(header).items() if name != "__metadata__"}, data_start


def _tensor(row: dict[str, Any], data_start: int) -> Tensor:
    start, stop = row["data_offsets"]
    if type(start) is not int or type(stop) is not int:
        raise NoStructureError("an offset is not a whole number")
    return Tensor(data_start + start, data_start + stop, _item_size(row["dtype"]))


def _item_size(dtype: str) -> int:
    """Return the bytes of an item: `F32` has 4, `BF16` 2, `F8_E4M3` 1; 0 for what does not say."""
    if dtype == "BOOL":
        return 1
    match = _BITS.match(dtype)
    return int(match[1]) // 8 if match else 0
