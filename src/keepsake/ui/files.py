"""The files of the page: which there are, what they are, and each compressed once."""

from __future__ import annotations

import base64
import gzip
import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from keepsake.ui.bundle import SCRIPTS, join_modules, needed_modules

ROOT = Path(__file__).parent / "static"
ADDRESS = "/static/"
INDEX = "index.html"
ICON = "icon.svg"
VIEWS = {
    "charts": "views/charts.js",
    "scatter": "views/scatter.js",
    "parallel": "views/parallel.js",
    "e": "views/experiment.js",
    "compare": "views/compare.js",
    "storage": "views/storage.js",
    "about": "views/about.js",
}
"""What the addresses of the page begin with, and the module of the view: all are answered with the index."""
AHEAD = {"charts": ("vendor/uplot.js",)}
"""What a view imports on demand, and needs in any case: fetched with it, it runs while the server looks for curves."""
APP = "app.js"
SCRIPTS_MARK = "<!-- scripts -->"
"""Where the index names its scripts: the page's, and before it the one of the view that its address shows, with what
else that view needs. What is named first is asked for first, and answered before the experiments keep a server busy."""
VIEW_STYLES = ("vendor/uplot.css", "css/charts.css", "css/pages.css")
"""What all views but the landing page need, which `app.js` fetches when one of them is seen later."""
PRELOAD_REST = '<link rel="preload" href="/api/v1/experiments?part=rest" as="fetch" crossorigin="anonymous">'
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
    """The files in a directory, by their addresses, the index, and joined scripts. Links are not followed.

    A file that was changed is read again. The index and scripts are made once.

    Args:
        root: the directory.
    """

    def __init__(self, root: Path = ROOT) -> None:
        self._root = root
        self._read: dict[str, tuple[int, int, PageFile]] = {}
        self._paths: dict[str, Path] = {}
        self._made: dict[str, PageFile] = {}
        self._lock = threading.Lock()

    def find(self, address: str) -> PageFile | None:
        """Return what an address is answered with, None when there is nothing."""
        with self._lock:
            view = address.split("/")[1]
            if address == "/" or view in VIEWS:
                return self._make_once(view, self._make_index)
            if address.startswith(SCRIPTS) and f"{ADDRESS}{address.removeprefix(SCRIPTS)}" in self._known():
                return self._make_once(address.removeprefix(SCRIPTS), self._make_script)
            # Browsers ask for this one of pages that name no icon, like the one that only leads on.
            path = self._known().get(f"{ADDRESS}{ICON}" if address == "/favicon.ico" else address)
            return None if path is None else self._load(address, path)

    def _known(self) -> dict[str, Path]:
        if not self._paths:
            self._paths = {f"{ADDRESS}{path.relative_to(self._root).as_posix()}": path for path in _walk(self._root)}
        return self._paths

    def _make_once(self, name: str, make: Callable[[str], PageFile]) -> PageFile | None:
        if name not in self._made:
            try:
                self._made[name] = make(name)
            except OSError:
                return None
        return self._made[name]

    def _make_index(self, view: str) -> PageFile:
        names = [*AHEAD.get(view, ()), VIEWS[view], APP] if view else [APP]
        links = [f'<script defer src="{SCRIPTS}{name}"></script>' for name in names]
        if view:  # the landing page asks for these later
            links += [f'<link rel="stylesheet" href="{ADDRESS}{name}">' for name in VIEW_STYLES]
            links.append(PRELOAD_REST)
        text = self._read_text(INDEX).replace(SCRIPTS_MARK, "\n".join(links))
        return _make(INDEX, put_icon(text, self._read_text(ICON)).encode())

    def _make_script(self, name: str) -> PageFile:
        """Join a module with what it needs, but for what the page has already."""
        page = needed_modules(APP, self._read_text)
        names = page if name == APP else [one for one in needed_modules(name, self._read_text) if one not in page]
        return _make(name, join_modules(names, self._read_text, run=APP if name == APP else None).encode())

    def _read_text(self, name: str) -> str:
        return (self._root / name).read_text(encoding="utf-8")

    def _load(self, address: str, path: Path) -> PageFile | None:
        try:
            status = path.stat()
            read = self._read.get(address)
            if read is None or read[:2] != (status.st_mtime_ns, status.st_size):
                read = (status.st_mtime_ns, status.st_size, _make(path.name, path.read_bytes()))
                self._read[address] = read
            return read[2]
        except OSError:
            return None


def put_icon(index: str, icon: str) -> str:
    """Return the index with the icon in it: browsers ask for one anew when the address changes, so at every key."""
    return index.replace(f"{ADDRESS}{ICON}", f"data:image/svg+xml;base64,{base64.b64encode(icon.encode()).decode()}")


def _walk(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file() and not path.is_symlink()]


def _make(name: str, data: bytes) -> PageFile:
    suffix = Path(name).suffix
    compressed = None if suffix in _COMPRESSED else gzip.compress(data, 9, mtime=0)
    tag = f'"{hashlib.sha256(data).hexdigest()[:20]}"'
    is_smaller = compressed is not None and len(compressed) < len(data)
    return PageFile(MEDIA_TYPES.get(suffix, OTHER_TYPE), tag, data, compressed if is_smaller else None)
