"""Places: a disk that fails, or that this user may not look at, is no surprise."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from keepsake._repository.repository import Repository
from keepsake._tracking.place import Place
from keepsake.stores.local import LocalStore

_WITHOUT_RIGHTS = """
import os, pathlib, sys
from keepsake._repository.repository import Repository
from keepsake._tracking.place import find_staging
from keepsake.stores.memory import MemoryStore
home = Repository(MemoryStore(), "a" * 32)
if os.getuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
print(find_staging(pathlib.Path(sys.argv[1]), home))
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no mode bits")
def test_staging_in_a_directory_that_this_user_may_not_enter_is_none() -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as directory:
        closed = Path(directory) / "closed"
        (closed / "staging").mkdir(parents=True)
        closed.chmod(0)
        try:
            process = subprocess.run(
                [sys.executable, "-c", _WITHOUT_RIGHTS, str(closed / "staging")],
                capture_output=True,
                text=True,
                check=False,
            )
        finally:
            closed.chmod(0o700)
    assert (process.stdout, process.stderr) == ("None\n", "")


def test_a_repository_is_made_although_there_is_no_room_for_its_gitignore(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_text", refuse)
    place = Place(tmp_path, LocalStore(tmp_path / ".keepsake"), locks=tmp_path, staging=tmp_path)
    assert isinstance(place.open_home(create=True), Repository)
