"""How a chunk is encoded: a 16-byte head that says all that a reader needs, then the payload.

    magic "KSC2" | codec u8 | item size u8 | two zero bytes | raw length u64, little endian | payload

The item size is 2, 4 or 8 for planes, 1 for stored chunks and 0 for others. The codec is chosen by trying a sample of
the content, never by file name. Nothing here trusts what it decodes: a claimed length is checked against the caller's
limit and the frame's own before anything is allocated. That the decoded bytes are the right ones is the digest's
business.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from enum import IntEnum

from keepsake.errors import CorruptionError, UnsupportedVersionError
from keepsake.stores.base import Buffer

HEADER_BYTES = 16
MAX_CHUNK_BYTES = 64 * 1024 * 1024
"""No chunk is longer; one that claims to be is damaged. The longest that are cut today have 16.25 MiB."""

_MAGIC = b"KSC2"
_HEADER = struct.Struct("<4sBBHQ")
_LARGE_BYTES = 1024 * 1024


class Codec(IntEnum):
    """How the payload follows from the chunk."""

    RAW = 0
    """As captured, unchanged; not synced yet, and to be encoded when there is time."""
    STORED = 1
    """Unchanged for good: nothing is to be won."""
    ZSTD = 2
    """One zstd frame."""
    PLANES = 3
    """Byte planes by item size, see `planes`."""


_ITEM_SIZES = {Codec.RAW: (0,), Codec.STORED: (1,), Codec.ZSTD: (0,), Codec.PLANES: (2, 4, 8)}
"""What goes with a codec. Raw and stored chunks differ, so that no single byte turns one into the other unseen."""


def encode_raw_header(length: int) -> bytes:
    """Return the head of a raw chunk of `length` bytes; the chunk follows unchanged."""
    return _HEADER.pack(_MAGIC, Codec.RAW, 0, 0, length)


def encode_chunk(data: Buffer) -> bytes:
    """Return `data` as a chunk object, in the codec that promises to make it smallest."""
    from keepsake._chunks import planes, sample, zstd

    level = zstd.TEXT_LEVEL if len(data) <= _LARGE_BYTES else zstd.TABLE_LEVEL
    item_size = sample.choose_item_size(data, level=level)
    if item_size is None:
        return _join(Codec.STORED, 1, len(data), [data])
    if item_size == sample.PLAIN:
        obj = _join(Codec.ZSTD, 0, len(data), [zstd.compress(data, level=level)])
    else:
        obj = _join(Codec.PLANES, item_size, len(data), planes.encode_planes(data, item_size))
    if len(obj) - HEADER_BYTES > len(data) * (1 - planes.MIN_GAIN):
        return _join(Codec.STORED, 1, len(data), [data])
    return obj


def decode_chunk(obj: Buffer, *, max_bytes: int) -> bytes | memoryview:
    """Return what a chunk object holds; for raw and stored ones a view of `obj`.

    Args:
        obj: the whole object.
        max_bytes: how long the chunk may be; what claims more is refused unread.

    Raises:
        UnsupportedVersionError: a codec that this version does not know.
        CorruptionError: anything else that is wrong.
    """
    codec = codec_of(obj)
    _, item_size, length = _parse_header(obj)
    if item_size not in _ITEM_SIZES[codec]:
        raise CorruptionError(f"a chunk claims items of {item_size} bytes, which do not go with codec {codec.name}")
    if length > max_bytes:
        raise CorruptionError(f"a chunk claims to hold {length} bytes, where at most {max_bytes} can be")
    payload = memoryview(obj)[HEADER_BYTES:]
    if codec is Codec.PLANES:
        from keepsake._chunks.merging import decode_planes

        return decode_planes(payload, item_size, length)
    if codec is Codec.ZSTD:
        from keepsake._chunks import zstd

        return zstd.decompress(payload, size_bytes=length)
    if len(payload) != length:
        raise CorruptionError(f"a chunk has {len(payload)} bytes where its head says {length}")
    return payload


def codec_of(header: Buffer) -> Codec:
    """Return the codec that a chunk object's first 16 bytes (or more) name. Raises as `decode_chunk` does."""
    number = _parse_header(header)[0]
    try:
        return Codec(number)
    except ValueError:
        raise UnsupportedVersionError(
            f"a chunk is encoded by codec {number}, which this Keepsake does not know", hint="use a newer Keepsake"
        ) from None


def is_raw(header: Buffer) -> bool:
    """Say whether a chunk object with these first 16 bytes is raw; one of an unknown codec is not."""
    return _parse_header(header)[0] == Codec.RAW


def raw_length_of(header: Buffer) -> int:
    """Return the length of the decoded chunk as its first 16 bytes (or more) claim, whatever its codec."""
    return _parse_header(header)[2]


def _parse_header(obj: Buffer) -> tuple[int, int, int]:
    """Return the number of the codec, the item size and the raw length."""
    if len(obj) < HEADER_BYTES:
        raise CorruptionError(f"a chunk object of {len(obj)} bytes is shorter than its head")
    magic, number, item_size, reserved, length = _HEADER.unpack_from(obj)
    if magic != _MAGIC or reserved != 0:
        raise CorruptionError("this is not a chunk object: it begins with something else")
    return number, item_size, length


def _join(codec: Codec, item_size: int, length: int, payload: Sequence[Buffer]) -> bytes:
    return b"".join([_HEADER.pack(_MAGIC, codec, item_size, 0, length), *payload])
