"""What an image is, and how large, from its first bytes: PNG, JPEG, GIF and WebP, without an image library.

A file is known by its content. What a header says of width and height is passed on; no pixel is looked at.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import NamedTuple

IMAGE_HEAD_BYTES = 32
"""What tells the kind of an image, and the size of all but JPEG."""
_START_OF_FRAME = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD8)})


class Image(NamedTuple):
    """An image. The sides are None where the header cannot be read."""

    media_type: str
    width: int | None
    height: int | None


def media_type_of(head: bytes) -> str | None:
    """Return the media type of a file that begins so (`IMAGE_HEAD_BYTES` of it); None when it is no such image."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return None


def read_image(data: bytes) -> Image | None:
    """Describe the image that a file begins with; None when it is none.

    Args:
        data: the beginning of the file. A JPEG file may have its size behind embedded previews of 64 KiB and more.
    """
    media_type = media_type_of(data)
    if media_type is None:
        return None
    try:
        width, height = _READERS[media_type](data)
    except (struct.error, IndexError):
        return Image(media_type, None, None)
    return Image(media_type, width, height) if width > 0 and height > 0 else Image(media_type, None, None)


def _png_size(data: bytes) -> tuple[int, int]:
    # https://www.w3.org/TR/png-3/#11IHDR
    width, height = struct.unpack_from(">II", data, 16)
    return width, height


def _gif_size(data: bytes) -> tuple[int, int]:
    width, height = struct.unpack_from("<HH", data, 6)
    return width, height


def _webp_size(data: bytes) -> tuple[int, int]:
    # https://developers.google.com/speed/webp/docs/riff_container
    kind = data[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    width, height = struct.unpack_from("<HH", data, 26)
    return width & 0x3FFF, height & 0x3FFF


def _jpeg_size(data: bytes) -> tuple[int, int]:
    """Go from marker to marker to the first that begins a frame (ITU-T T.81, B.1.1)."""
    place = 2
    while True:
        while data[place] != 0xFF or data[place + 1] == 0xFF:
            place += 1
        marker = data[place + 1]
        place += 2
        if marker in _WITHOUT_LENGTH:
            continue
        if marker in _START_OF_FRAME:
            height, width = struct.unpack_from(">HH", data, place + 3)
            return width, height
        (length,) = struct.unpack_from(">H", data, place)
        place += length


_READERS: dict[str, Callable[[bytes], tuple[int, int]]] = {
    "image/png": _png_size,
    "image/jpeg": _jpeg_size,
    "image/gif": _gif_size,
    "image/webp": _webp_size,
}
