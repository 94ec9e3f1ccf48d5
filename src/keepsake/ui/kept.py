"""An encoded table kept beside the catalog, so that a server that starts has it at once when nothing has changed.

One line that says what it is, one with the length of the first part and a checksum of both, and the parts. It may be
deleted at any time; what is not whole counts as not there.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import zlib
from pathlib import Path

from keepsake._version import __version__

VERSION = 3
"""Counts up when the same experiments are encoded differently."""
MIN_EXPERIMENTS = 500
"""Fewer are encoded as fast as they are read."""


def load_table(catalog: Path, cursor: str) -> tuple[bytes, bytes] | None:
    """Return the two parts of the table that was kept beside a catalog, if it is the one of this cursor."""
    try:
        with _path(catalog).open("rb") as file:
            if file.readline(10_000) != _head(cursor):
                return None
            length, _, checksum = file.readline(100).strip().partition(b" ")
            data = file.read()
    except OSError:
        return None
    if checksum != _checksum(data):
        return None
    return data[: int(length)], data[int(length) :]


def keep_table(catalog: Path, cursor: str, parts: tuple[bytes, bytes]) -> None:
    """Keep the two parts of a table beside a catalog, in place of the one that is there; failing to is no error."""
    with contextlib.suppress(OSError):
        handle, name = tempfile.mkstemp(dir=catalog.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                data = b"".join(parts)
                file.write(_head(cursor) + b"%d %s\n" % (len(parts[0]), _checksum(data)) + data)
            Path(name).replace(_path(catalog))
        except BaseException:
            Path(name).unlink()
            raise


def _path(catalog: Path) -> Path:
    return catalog.with_suffix(".table")


def _head(cursor: str) -> bytes:
    return f"table {VERSION} of keepsake {__version__} at {cursor}\n".encode()


def _checksum(data: bytes) -> bytes:
    return b"%08x" % zlib.crc32(data)
