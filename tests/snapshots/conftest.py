"""What the tests of snapshots share."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from keepsake._chunks.chunkstore import ChunkStore
from keepsake._snapshots.paths import ancestors
from keepsake.stores.memory import MemoryStore
from keepsake.testing import RecordingStore

_PREFIX = '''
import os

def drop_privileges():
    """Become nobody, since root may read everything."""
    if os.name == "posix" and os.getuid() == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)

'''


def _run_script(script: str, *arguments: object) -> str:
    command = [sys.executable, "-W", "error", "-c", _PREFIX + textwrap.dedent(script), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


@pytest.fixture
def run_script() -> Callable[..., str]:
    """Run a script in a process of its own and return what it prints; it may call `drop_privileges()`."""
    return _run_script


@pytest.fixture
def deep_path(tmp_path: Path) -> Iterator[str]:
    """A file in `tmp_path` that lies deeper than Python's stack, as a path relative to it."""
    path = "/".join(["d"] * 1100)
    for one in (*ancestors(path), path):
        os.mkdir(tmp_path / one)
    (tmp_path / path / "leaf").write_bytes(b"deep")
    yield f"{path}/leaf"
    # Neither pathlib nor shutil goes so deep.
    subprocess.run(["rm", "-rf", *(str(one) for one in tmp_path.iterdir())], check=True)


@pytest.fixture
def store() -> RecordingStore:
    """An empty store that counts what is asked of it."""
    return RecordingStore(MemoryStore())


@pytest.fixture
def chunks(store: RecordingStore) -> ChunkStore:
    """An empty chunk store, in `store`."""
    return ChunkStore(store)
