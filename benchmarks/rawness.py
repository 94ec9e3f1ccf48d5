"""How much of a repository is raw: captured, and not encoded and synced yet."""

from __future__ import annotations

from pathlib import Path

from keepsake._chunks.codec import HEADER_BYTES, is_raw, raw_length_of
from keepsake.errors import NotFoundError
from keepsake.stores.local import LocalStore


def count_raw_bytes(repository: Path) -> int:
    """Return the length of all raw chunks, from a look at the head of every chunk."""
    store = LocalStore(repository)
    return sum(_raw_bytes(store, info.key) for info in store.list("chunks/"))


def _raw_bytes(store: LocalStore, key: str) -> int:
    try:
        header = store.get_range(key, 0, HEADER_BYTES)
    except NotFoundError:  # collected since it was listed
        return 0
    return raw_length_of(header) if is_raw(header) else 0
