"""What the local store costs, counted in system calls."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from keepsake.stores._temporary import is_temporary
from keepsake.stores.local import LocalStore


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


_CALLS = textwrap.dedent("""
    import os, sys
    from keepsake.stores.local import LocalStore
    calls = []
    names = "open write writev close replace rename link unlink fsync fstat stat lstat mkdir fchown fchmod pread utime"
    for name in names.split():
        def counted(*arguments, _call=getattr(os, name), _name=name, **options):
            calls.append(_name)
            return _call(*arguments, **options)
        setattr(os, name, counted)
    import keepsake.stores._files as files
    files._read_at = os.pread
    store = LocalStore(sys.argv[1])
    store.put("a/b/warm", b"", durable=True)
    def show(act):
        calls.clear()
        act()
        print(*calls)
    show(lambda: store.put("a/b/1", b"x"))
    show(lambda: store.put("a/b/2", [b"x", b"y"]))
    show(lambda: store.create("a/b/3", b"x"))
    show(lambda: store.get("a/b/1"))
    show(lambda: store.head("a/b/1"))
    show(lambda: store.put("a/b/4", b"x", durable=True))
    show(lambda: store.put("a/c/5", b"x"))
    appender = store.open_append("a/b/6")
    show(lambda: appender.append(b"x"))
    show(lambda: store.sync(["a/b/1", "a/b/2", "a/c/5"]))
    """)


def test_operations_make_few_system_calls(store: LocalStore) -> None:
    process = subprocess.run(
        [sys.executable, "-c", _CALLS, str(store.root)], capture_output=True, text=True, check=True
    )
    assert process.stdout.splitlines() == [
        "open write close replace",
        "open writev close replace",
        "open write close link unlink",
        "open fstat pread close",
        "lstat",
        "open write fsync close replace open fsync close",
        "open mkdir stat open write close replace",
        "write",
        # Two directories, and the one that names the new one of them.
        "open fsync close " * 3 + "open fsync close " * 2 + "open fsync close",
    ]


def test_a_durable_write_into_a_new_root_syncs_every_directory_on_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    fsync = os.fsync

    def record(descriptor: int) -> None:
        synced.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", record)
    store = LocalStore(tmp_path / "new" / "store")
    store.put("a/b/object", b"content", durable=True)
    file, *directories = synced
    assert is_temporary(Path(file).name)
    on_the_way = [tmp_path, tmp_path / "new", store.root, store.root / "a", store.root / "a" / "b"]
    assert sorted(directories) == sorted(map(str, on_the_way))
    synced.clear()
    store.put("a/b/object", b"again", durable=True)
    assert synced[1:] == [str(store.root / "a" / "b")]
