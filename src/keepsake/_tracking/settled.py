"""Notes of what is settled: which manifests of a live session need no further work.

The courier writes them beside the session's lock file, so that the session at its end, and the courier's successor,
need not look at every chunk again. They go when the lock file goes. To lose one costs time and nothing else.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

from keepsake._tracking.lock import notes_path

_DIGEST_LETTERS = 64


def load_settled(locks: Path, session_id: str) -> set[str]:
    """Return the digests of the manifests of a session that are settled, as far as is known."""
    try:
        lines = notes_path(locks, session_id).read_bytes().split(b"\n")[:-1]
    except OSError:
        return set()
    return {line.decode("ascii", "replace") for line in lines if len(line) == _DIGEST_LETTERS}


def note_settled(locks: Path, session_id: str, digests: Iterable[str]) -> None:
    """Add manifests to the notes of a session. Failing is no error."""
    text = "".join(f"{digest}\n" for digest in digests).encode("ascii")
    with contextlib.suppress(OSError):
        descriptor = os.open(notes_path(locks, session_id), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(descriptor, text)
        finally:
            os.close(descriptor)
