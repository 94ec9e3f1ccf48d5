"""Text that people wrote: the source code of the standard library of the Python that runs this."""

from __future__ import annotations

import sysconfig
from collections.abc import Iterator
from pathlib import Path


def standard_library(size_bytes: int) -> bytes:
    """Return about `size_bytes` of source code, or all there is; the same with the same Python."""
    parts: list[bytes] = []
    length = 0
    for path in _sources(Path(sysconfig.get_path("stdlib"))):
        if length >= size_bytes:
            break
        parts.append(path.read_bytes())
        length += len(parts[-1])
    return b"".join(parts)[:size_bytes]


def _sources(directory: Path) -> Iterator[Path]:
    """Yield the files in the order of their paths, as they are asked for: what is installed beside them is large."""
    for path in sorted(directory.iterdir()):
        if path.is_dir() and not path.is_symlink():
            if path.name != "site-packages":
                yield from _sources(path)
        elif path.suffix == ".py":
            yield path
