"""An encoded table kept beside the catalog, so that a server that starts has it at once when nothing has changed.

One line that says what it is, and the body. It may be deleted at any time; what is not whole counts as not there.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import zlib
from pathlib import Path

from keepsake._version import __version__

VERSION = 1
"""Counts up when the same experiments are encoded differently."""
MIN_EXPERIMENTS = 500
"""Fewer are encoded as fast as they are read."""


def load_table(catalog: Path, cursor: str) -> bytes | None:
    """Return the table that was kept beside a catalog, if it is the one of this cursor."""
    try:
        with _path(catalog).open("rb") as file:
            if file.readline(10_000) != _head(cursor):
                return None
            checksum = file.read(8)
            body = file.read()
    except OSError:
        return None
    return body if checksum == _checksum(body) else None


def keep_table(catalog: Path, cursor: str, body: bytes) -> None:
    """Keep a table beside a catalog, in place of the one that is there; failing to is no error."""
    with contextlib.suppress(OSError):
        handle, name = tempfile.mkstemp(dir=catalog.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(_head(cursor) + _checksum(body) + body)
            Path(name).replace(_path(catalog))
        except BaseException:
            Path(name).unlink()
            raise


def _path(catalog: Path) -> Path:
    return catalog.with_suffix(".table")


def _head(cursor: str) -> bytes:
    return f"table {VERSION} of keepsake {__version__} at {cursor}\n".encode()


def _checksum(body: bytes) -> bytes:
    return f"{zlib.crc32(body):08x}".encode()
