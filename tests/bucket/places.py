"""What a test of buckets looks at: staging, the bucket itself, and another machine."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

import keepsake
from keepsake._model.keys import CHUNKS, JOURNALS, MANIFESTS
from keepsake._repository.repository import Repository
from keepsake.stores.local import LocalStore


def content(seed: int, size_bytes: int = 300_000) -> bytes:
    """Return bytes that do not compress."""
    return random.Random(seed).randbytes(size_bytes)


def staging() -> Repository:
    """Return the one staging repository of this user."""
    (root,) = (Path(os.environ["XDG_CACHE_HOME"]) / "keepsake" / "staging").iterdir()
    return Repository.open(LocalStore(root))


def staged_keys() -> set[str]:
    """Return what waits in staging: journals, manifests and chunks."""
    store = staging().store
    return {info.key for prefix in (JOURNALS, MANIFESTS, CHUNKS) for info in store.list(prefix)}


def bucket() -> Repository:
    """Return the repository as it is in the bucket, whatever is staged for it."""
    return keepsake.Project().find_place().open_home()


def move_to_another_machine(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Go on as somebody who has nothing of the bucket at hand."""
    (directory / "tmp").mkdir(parents=True)
    monkeypatch.setenv("XDG_CACHE_HOME", str(directory / "cache"))
    monkeypatch.setenv("TMPDIR", str(directory / "tmp"))
