"""Text that people wrote: the source code of the standard library of the Python that runs this."""

from __future__ import annotations

import sysconfig
from pathlib import Path


def standard_library(size_bytes: int) -> bytes:
    """Return about `size_bytes` of source code, or all there is; the same with the same Python."""
    root = Path(sysconfig.get_path("stdlib"))
    parts: list[bytes] = []
    length = 0
    for path in sorted(root.rglob("*.py")):
        if "site-packages" in path.parts or length >= size_bytes:
            continue
        parts.append(path.read_bytes())
        length += len(parts[-1])
    return b"".join(parts)[:size_bytes]
