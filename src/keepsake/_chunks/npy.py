"""Where the items of an array in NumPy's `.npy` format lie. See `numpy.lib.format` for the format."""

from __future__ import annotations

import re
import struct

from keepsake._chunks.structure import NoStructureError, Read, Tensor, read_limited

MAGIC = b"\x93NUMPY"
_SIMPLE_DTYPE = re.compile(rb"'descr':\s*'[<>|=]?([biufcmMSUV])(\d{1,6})")
_CHARACTER_BYTES = {b"U": 4}


def find_array(read: Read, start: int, stop: int) -> Tensor:
    """Return the items of the array that stands at bytes `start` to `stop` of the file.

    Raises:
        NoStructureError: it is none, or one of objects or records, whose bytes do not follow one item size.
    """
    header, items_start = read_header(read, start, stop)
    match = _SIMPLE_DTYPE.search(header)
    if match is None:
        raise NoStructureError("this array does not hold plain numbers")
    return Tensor(items_start, stop, int(match[2]) * _CHARACTER_BYTES.get(match[1], 1))


def read_header(read: Read, start: int, stop: int) -> tuple[bytes, int]:
    """Return the header of the array (a Python dictionary as text), and where its items start.

    Raises:
        NoStructureError: there is no array at `start`.
    """
    head = read_limited(read, start, start + 12, size_bytes=stop)
    if head[:6] != MAGIC or head[6] not in (1, 2, 3):
        raise NoStructureError("this is no .npy array")
    header_start = start + (10 if head[6] == 1 else 12)
    (length,) = struct.unpack_from("<H" if head[6] == 1 else "<I", head, 8)
    items_start = header_start + length
    return read_limited(read, header_start, items_start, size_bytes=stop), items_start
