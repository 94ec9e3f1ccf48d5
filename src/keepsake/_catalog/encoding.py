"""How the catalog encodes what it keeps: with a checksum, as SQLite has none, and a wrong number is worse than none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keepsake._model.lines import decode_line, encode_line, is_whole
from keepsake.errors import FormatError


class CatalogDamagedError(Exception):
    """The catalog does not hold what it must: it is dropped and made anew. Nobody outside of it sees this."""


def encode_kept(document: Mapping[str, Any]) -> bytes:
    """Encode a document of at least one field."""
    return encode_line(document)


def check_kept(data: object) -> None:
    """Raise `CatalogDamagedError` when this is not what `encode_kept` returned, by its checksum."""
    if not isinstance(data, bytes) or not is_whole(data):
        raise CatalogDamagedError("a checksum is missing or wrong")


def decode_kept(data: object) -> dict[str, Any]:
    """Decode what `encode_kept` returned.

    Raises:
        CatalogDamagedError: this is something else.
    """
    try:
        return decode_line(data if isinstance(data, bytes) else b"")
    except FormatError as error:
        raise CatalogDamagedError(str(error)) from error
