"""The local store on full, forbidden and failing disks: a clear error, and nothing half-written."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from keepsake.errors import PermissionDeniedError, ReadError, StoreError, WriteError
from keepsake.stores import _files
from keepsake.stores._oserrors import read_error, write_error
from keepsake.stores.local import LocalStore


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


def _files_of(store: LocalStore) -> list[str]:
    return sorted(str(path.relative_to(store.root)) for path in store.root.rglob("*") if not path.is_dir())


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[LocalStore]:
    """A store of 1 MB: a real small file system where one can be mounted, else a limit on the size of a file."""
    directory = tmp_path / "small"
    directory.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m,mode=755", "keepsake-test", str(directory)]
    if os.getuid() == 0 and subprocess.run(mount, capture_output=True, check=False).returncode == 0:
        try:
            yield LocalStore(directory / "store")
        finally:
            subprocess.run(["umount", str(directory)], check=True)
        return
    import resource
    import signal

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, limits[1]))
    try:
        yield LocalStore(directory / "store")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)


def test_on_a_full_disk_a_write_fails_and_leaves_nothing_behind(small_disk: LocalStore) -> None:
    small_disk.put("a/object", b"before")
    parts = [b"x" * 700_000] * 2
    for write in (small_disk.put, small_disk.create):
        with pytest.raises(WriteError, match="a/object") as caught:
            write("a/object", parts)
        assert caught.value.hint
        assert not caught.value.transient
    assert small_disk.get("a/object") == b"before"
    assert _files_of(small_disk) == ["a/object"]
    small_disk.put("a/second", b"x" * 500_000)
    assert small_disk.get("a/second") == b"x" * 500_000


def test_on_a_full_disk_an_append_that_fits_in_part_fails_and_ends_the_appender(small_disk: LocalStore) -> None:
    appender = small_disk.open_append("a/journal")
    appender.append(b"x" * 600_000)
    with pytest.raises(WriteError, match="a/journal") as caught:
        appender.append(b"y" * 600_000)
    assert caught.value.hint
    # A session waits for room when it is told that there is none.
    assert isinstance(caught.value.__cause__, OSError)
    assert caught.value.__cause__.errno in (errno.ENOSPC, errno.EFBIG)
    with pytest.raises(WriteError, match="closed"):
        appender.append(b"z")
    content = small_disk.get("a/journal")
    assert content.startswith(b"x" * 600_000)
    assert set(content[600_000:]) <= set(b"y")
    assert appender.size_bytes == len(content)
    small_disk.rename("a/journal", "a/sealed")


_WITHOUT_RIGHTS = """
import os, sys
from keepsake.errors import StoreError
from keepsake.stores._temporary import temporary_name
from keepsake.stores.local import LocalStore
store = LocalStore(sys.argv[1])
store.url, temporary_name()  # import what they need while that is allowed
if os.getuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
def attempt(operation):
    try:
        print(type(operation()).__name__)
    except StoreError as error:
        print(type(error).__name__, error.hint is not None, error.transient)
attempt(lambda: store.put("a/object", b"new"))
attempt(lambda: store.create("a/created", b"new"))
attempt(lambda: store.open_append("a/journal"))
attempt(lambda: store.delete("a/object"))
attempt(lambda: store.rename("a/object", "a/renamed"))
attempt(lambda: store.put("new/object", b"new"))
attempt(lambda: store.get("closed/object"))
attempt(lambda: store.head("closed/object"))
attempt(lambda: list(store.list()))
attempt(lambda: list(store.list("names/")))
attempt(lambda: store.list_level("names/"))
attempt(lambda: store.get("a/object"))
"""


@pytest.fixture
def reachable_store() -> Iterator[LocalStore]:
    """A store that other users can pass to, unlike the temporary directories of a test run."""
    with tempfile.TemporaryDirectory(dir="/tmp") as directory:
        Path(directory).chmod(0o755)
        yield LocalStore(Path(directory) / "store")


def test_what_is_forbidden_is_a_permission_error_and_a_listing_is_never_silently_short(
    reachable_store: LocalStore,
) -> None:
    store = reachable_store
    store.put("a/object", b"content")
    store.put("closed/object", b"content")
    store.put("names/object", b"content")
    for directory, mode in (("a", 0o555), ("closed", 0o000), ("names", 0o444), (".", 0o555)):
        (store.root / directory).chmod(mode)
    try:
        process = subprocess.run(
            [sys.executable, "-c", _WITHOUT_RIGHTS, str(store.root)], capture_output=True, text=True, check=True
        )
    finally:
        for directory in (".", "a", "closed", "names"):
            (store.root / directory).chmod(0o755)
    assert process.stdout.splitlines() == ["PermissionDeniedError True False"] * 11 + ["bytes"]
    assert _files_of(store) == ["a/object", "closed/object", "names/object"]


def test_on_a_read_only_file_system_reading_works_and_writing_is_a_permission_error(
    small_disk: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_disk.put("a/object", b"content")
    mount = str(small_disk.root.parent)
    if os.path.ismount(mount):
        subprocess.run(["mount", "-o", "remount,ro", mount], check=True)
    else:
        monkeypatch.setattr(os, "open", _open_read_only)
    with pytest.raises(PermissionDeniedError, match="a/object") as caught:
        small_disk.put("a/object", b"new")
    assert "read-only" in str(caught.value.hint)
    assert small_disk.get("a/object") == b"content"


def _open_read_only(path: str, flags: int, mode: int = 0o777, _open: Callable[..., int] = os.open) -> int:
    if flags & os.O_CREAT:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))
    return _open(path, flags, mode)


@pytest.mark.parametrize(
    ("code", "kind", "transient"),
    [
        (errno.EACCES, PermissionDeniedError, False),
        (errno.EPERM, PermissionDeniedError, False),
        (errno.EROFS, PermissionDeniedError, False),
        (errno.ENOSPC, WriteError, False),
        (errno.EDQUOT, WriteError, False),
        (errno.EFBIG, WriteError, False),
        (errno.EIO, WriteError, True),
        (errno.ESTALE, WriteError, True),
        (errno.EINTR, WriteError, True),
        (errno.EMFILE, WriteError, True),
    ],
)
def test_what_the_system_reports_becomes_an_error_that_says_what_to_do(
    code: int, kind: type[StoreError], transient: bool
) -> None:
    error = write_error(OSError(code, os.strerror(code)), "a/object", "file:///store")
    assert type(error) is kind
    assert error.transient is transient
    assert error.message == f"cannot write a/object in file:///store: {os.strerror(code)}"
    reading = read_error(OSError(code, os.strerror(code)), "a/object", "file:///store")
    assert type(reading) is (kind if kind is PermissionDeniedError else ReadError)
    assert code == errno.EINTR or error.hint


def test_a_disk_that_fails_is_a_transient_error(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    store.put("a/object", b"before")
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(WriteError, match="Input/output error") as caught:
        store.put("a/object", b"after", durable=True)
    assert caught.value.transient
    with pytest.raises(WriteError):
        store.sync(["a/object"])
    assert store.get("a/object") == b"before"
    assert _files_of(store) == ["a/object"]


def test_short_writes_are_carried_on(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    whole_write, whole_writev = os.write, os.writev
    monkeypatch.setattr(os, "write", lambda descriptor, data: whole_write(descriptor, memoryview(data)[:7]))
    monkeypatch.setattr(os, "writev", lambda descriptor, buffers: whole_writev(descriptor, [buffers[0][:3]]))
    data = bytes(range(200))
    store.put("a/one", data)
    store.put("a/many", [data[:1], data[1:90], b"", memoryview(data)[90:]])
    appender = store.open_append("a/journal")
    appender.append(data)
    appender.append(data)
    assert store.get("a/journal") == data * 2
    assert appender.size_bytes == 400
    assert store.get("a/one") == data
    assert store.get("a/many") == data


def test_short_reads_are_carried_on(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = os.pread
    monkeypatch.setattr(_files, "_read_at", lambda descriptor, size, offset: whole(descriptor, min(size, 7), offset))
    store.put("a/object", bytes(range(200)))
    assert store.get("a/object") == bytes(range(200))
    assert store.get_range("a/object", 50, 150) == bytes(range(50, 150))


def test_closing_an_appender_whose_descriptor_somebody_closed_is_no_error(store: LocalStore) -> None:
    appender = store.open_append("a/journal")
    os.close(appender._descriptor)  # type: ignore[attr-defined]
    with pytest.raises(StoreError):
        appender.append(b"line")
    appender.close()
