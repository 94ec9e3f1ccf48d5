"""What new files and directories of the local store look like to other users."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from keepsake.stores.local import LocalStore


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


_OTHER_GROUP = 54321


@pytest.mark.parametrize(("mode", "file_mode"), [(0o770, 0o660), (0o2775, 0o664), (0o700, 0o600), (0o777, 0o666)])
def test_files_and_directories_take_group_and_mode_from_the_root(store: LocalStore, mode: int, file_mode: int) -> None:
    store.root.mkdir()
    group = _OTHER_GROUP if os.getuid() == 0 else os.getgid()
    os.chown(store.root, -1, group)
    store.root.chmod(mode)
    before = os.umask(0o077)
    try:
        store.put("a/b/put", b"", durable=True)
        assert store.create("a/b/created", b"")
        store.open_append("c/d/journal").close()
    finally:
        os.umask(before)
    for path in store.root.rglob("*"):
        status = path.stat()
        expected = mode if path.is_dir() else file_mode
        assert (status.st_gid, oct(stat.S_IMODE(status.st_mode))) == (group, oct(expected)), path


def test_where_the_group_cannot_be_set_its_bits_are_not_set_either(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    store.root.mkdir()
    store.root.chmod(0o770)
    monkeypatch.setattr(store._directories.sharing(), "_group", _OTHER_GROUP)
    monkeypatch.setattr(os, "fchown", refuse)
    monkeypatch.setattr(os, "chown", refuse)
    before = os.umask(0o027)
    try:
        store.put("a/object", b"")
    finally:
        os.umask(before)
    assert stat.S_IMODE((store.root / "a/object").stat().st_mode) == 0o640
    assert stat.S_IMODE((store.root / "a").stat().st_mode) == 0o750
