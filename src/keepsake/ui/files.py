"""The files of the page: which there are, what they are, and each compressed once."""

from __future__ import annotations

import gzip
import hashlib
import threading
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent / "static"
ADDRESS = "/static/"
INDEX = f"{ADDRESS}index.html"
PAGES = ("charts", "scatter", "parallel", "e", "compare", "storage", "about")
"""What the addresses of the page begin with; all of them are answered with the index."""
MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
}
OTHER_TYPE = "text/plain; charset=utf-8"
_COMPRESSED = (".png", ".woff2")


@dataclass(frozen=True)
class PageFile:
    """A file as it is sent."""

    media_type: str
    tag: str
    data: bytes
    compressed: bytes | None
    """By gzip; None where that gains nothing."""


class PageFiles:
    """The files in a directory, by their addresses. One that was changed is read again; links are not followed.

    Args:
        root: the directory.
    """

    def __init__(self, root: Path = ROOT) -> None:
        self._root = root
        self._read: dict[str, tuple[int, int, PageFile]] = {}
        self._paths: dict[str, Path] = {}
        self._lock = threading.Lock()

    def find(self, address: str) -> PageFile | None:
        """Return what an address is answered with, None when there is nothing."""
        with self._lock:
            if address == "/" or address.split("/")[1] in PAGES:
                address = INDEX
            if address not in self._paths:
                self._paths = {
                    f"{ADDRESS}{path.relative_to(self._root).as_posix()}": path for path in _walk(self._root)
                }
            path = self._paths.get(address)
            return None if path is None else self._load(address, path)

    def _load(self, address: str, path: Path) -> PageFile | None:
        try:
            status = path.stat()
            read = self._read.get(address)
            if read is None or read[:2] != (status.st_mtime_ns, status.st_size):
                read = (status.st_mtime_ns, status.st_size, _make(path))
                self._read[address] = read
            return read[2]
        except OSError:
            return None


def _walk(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file() and not path.is_symlink()]


def _make(path: Path) -> PageFile:
    data = path.read_bytes()
    compressed = None if path.suffix in _COMPRESSED else gzip.compress(data, 9, mtime=0)
    tag = f'"{hashlib.sha256(data).hexdigest()[:20]}"'
    is_smaller = compressed is not None and len(compressed) < len(data)
    return PageFile(MEDIA_TYPES.get(path.suffix, OTHER_TYPE), tag, data, compressed if is_smaller else None)
