"""The local store: the suites, and what only a disk has: files, users, limits, crashes."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from keepsake.errors import (
    InvalidInputError,
    NotFoundError,
    PermissionDeniedError,
    ReadError,
    StoreError,
    WriteError,
)
from keepsake.stores import _files
from keepsake.stores._files import rename_under_claim, rename_unless_exists
from keepsake.stores._oserrors import read_error, write_error
from keepsake.stores._temporary import is_temporary, temporary_name
from keepsake.stores.base import AppendStore
from keepsake.stores.local import LocalStore
from keepsake.testing import AppendStoreTests


class TestLocalStore(AppendStoreTests):
    @pytest.fixture
    def append_store(self, tmp_path: Path) -> AppendStore:
        return LocalStore(tmp_path / "made on demand" / "store")


class TestLocalStoreOnAFileSystemWithoutLinks(AppendStoreTests):
    """Everything holds where `link` is not supported, as on FAT; the answer of the system is the only thing changed."""

    @pytest.fixture
    def append_store(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AppendStore:
        monkeypatch.setattr("keepsake.stores.local.rename_unless_exists", rename_under_claim)
        return LocalStore(tmp_path / "store")


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


def _files_of(store: LocalStore) -> list[str]:
    return sorted(str(path.relative_to(store.root)) for path in store.root.rglob("*") if not path.is_dir())


# The root.


def test_nothing_is_made_before_the_first_write(store: LocalStore) -> None:
    assert list(store.list()) == []
    assert store.head("a/object") is None
    store.delete("a/object")
    store.sync(["a/object"])
    assert not store.root.exists()


def test_a_relative_root_is_fixed_when_the_store_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = LocalStore("store")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    store.put("a", b"")
    assert (tmp_path / "store" / "a").exists()


def test_the_root_of_a_file_system_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="root of a file system"):
        LocalStore("/")


def test_a_root_that_is_a_file_is_a_write_error(tmp_path: Path) -> None:
    (tmp_path / "store").write_bytes(b"something else")
    store = LocalStore(tmp_path / "store")
    for write in (lambda: store.put("a/object", b""), lambda: store.open_append("a/journal")):
        with pytest.raises(WriteError, match="Not a directory"):
            write()
    assert (tmp_path / "store").read_bytes() == b"something else"


def test_a_root_that_vanished_is_made_again(store: LocalStore) -> None:
    store.put("a/b/object", b"first", durable=True)
    store.root.rename(store.root.with_name("away"))
    assert list(store.list()) == []
    store.put("a/b/object", b"second", durable=True)
    assert store.get("a/b/object") == b"second"


# Files that are not ours.


def test_symbolic_links_are_no_objects(store: LocalStore, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"secret")
    store.put("a/object", b"content")
    (store.root / "a" / "file").symlink_to(outside / "secret")
    (store.root / "a" / "directory").symlink_to(outside)
    (store.root / "a" / "loop").symlink_to(store.root)
    (store.root / "a" / "dangling").symlink_to("nowhere")
    assert [info.key for info in store.list()] == ["a/object"]
    assert store.head("a/file") is None
    for key in ("a/file", "a/dangling"):
        with pytest.raises(NotFoundError):
            store.get(key)


def test_putting_over_a_symbolic_link_replaces_the_link(store: LocalStore, tmp_path: Path) -> None:
    target = tmp_path / "outside"
    target.write_bytes(b"untouched")
    store.put("a/object", b"")
    (store.root / "a" / "link").symlink_to(target)
    store.put("a/link", b"content")
    assert target.read_bytes() == b"untouched"
    assert store.get("a/link") == b"content"


def test_pipes_directories_and_odd_names_are_no_objects(store: LocalStore) -> None:
    store.put("a/object", b"content")
    os.mkfifo(store.root / "a" / "pipe")
    (store.root / "a" / "directory").mkdir()
    (store.root / "a" / "näme").write_bytes(b"")
    (store.root / "näme").mkdir()
    (store.root / "näme" / "object").write_bytes(b"")
    (store.root / "a" / ".nfs000000000123").write_bytes(b"deleted elsewhere")
    os.close(os.open(os.fsencode(store.root) + b"/a/\xff\xfe", os.O_CREAT))
    assert [info.key for info in store.list()] == ["a/object"]
    with pytest.raises(NotFoundError):
        store.get("a/pipe")


def test_a_key_below_an_object_is_absent_and_cannot_be_written(store: LocalStore) -> None:
    store.put("a/object", b"content")
    assert store.head("a/object/below") is None
    store.delete("a/object/below")
    store.sync(["a/object/below"])
    with pytest.raises(NotFoundError):
        store.get("a/object/below")
    with pytest.raises(WriteError, match="a/object/below"):
        store.put("a/object/below", b"")
    (store.root / "a" / "directory" / "inner").mkdir(parents=True)
    with pytest.raises(WriteError, match="a/directory"):
        store.put("a/directory", b"")
    assert _files_of(store) == ["a/object"]


# Temporary files.


def test_temporary_names_are_unique_recognised_and_say_where_they_come_from() -> None:
    names = {temporary_name() for _ in range(1000)}
    assert len(names) == 1000
    assert all(is_temporary(name) and str(os.getpid()) in name.split(".") for name in names)
    assert max(map(len, names)) <= 143
    assert not is_temporary("repository.json")


def test_temporary_names_differ_in_a_forked_child() -> None:
    before = temporary_name()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, temporary_name().encode())
        os._exit(0)
    os.waitpid(child, 0)
    of_child = os.read(reader, 1000).decode()
    os.close(reader)
    os.close(writer)
    assert str(child) in of_child.split(".")
    assert of_child.rsplit(".", 1)[0] != before.rsplit(".", 1)[0]


def test_temporary_files_are_listed_apart_and_can_be_deleted(store: LocalStore) -> None:
    store.put("a/object", b"content")
    left_behind = store.root / "a" / temporary_name()
    left_behind.write_bytes(b"half")
    assert [info.key for info in store.list()] == ["a/object"]
    (info,) = store.list_temporary()
    assert (info.key, info.size_bytes) == (f"a/{left_behind.name}", 4)
    store.delete(info.key)
    assert _files_of(store) == ["a/object"]


def test_a_write_of_something_else_than_bytes_leaves_nothing_behind(store: LocalStore) -> None:
    store.put("a/object", b"before")
    with pytest.raises(TypeError):
        store.put("a/object", ["text"])  # type: ignore[list-item]
    assert store.get("a/object") == b"before"
    assert _files_of(store) == ["a/object"]


# Creating without links.


def test_a_claim_left_by_a_dead_process_does_not_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_files, "_CLAIM_TIMEOUT_S", 0.05)
    source, target = tmp_path / ".tmp.source", tmp_path / "target"
    source.write_bytes(b"content")
    (tmp_path / ".tmp.claim.target").touch()
    assert rename_under_claim(str(source), str(target))
    assert [path.name for path in tmp_path.iterdir()] == ["target"]


def test_where_links_are_refused_creating_goes_on_under_a_claim(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(source: str, target: str) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    store = LocalStore(tmp_path / "store")
    assert store.create("a/object", b"first")
    assert not store.create("a/object", b"second")
    assert store.get("a/object") == b"first"
    assert _files_of(store) == ["a/object"]


def test_a_link_that_was_made_although_its_answer_was_lost_counts(tmp_path: Path) -> None:
    source, target = tmp_path / ".tmp.source", tmp_path / "target"
    source.write_bytes(b"content")
    os.link(source, target)
    assert rename_unless_exists(str(source), str(target))
    assert [path.name for path in tmp_path.iterdir()] == ["target"]


# Several processes.

_CREATE = """
import sys
from keepsake.stores.local import LocalStore
store = LocalStore(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
print(sum(store.create(f"a/{number}", sys.argv[2].encode() * 500) for number in range(100)))
"""


def test_of_many_creating_processes_exactly_one_wins(store: LocalStore) -> None:
    processes = [_start(_CREATE, str(store.root), str(number)) for number in range(4)]
    _let_go(processes)
    wins = [int(process.communicate(timeout=60)[0]) for process in processes]
    assert sum(wins) == 100
    winners = Counter(store.get(f"a/{number}") for number in range(100))
    assert winners == Counter({b"%d" % number * 500: count for number, count in enumerate(wins) if count})
    assert list(store.list_temporary()) == []


_REPLACE = """
import itertools, sys
from keepsake.stores.local import LocalStore
store = LocalStore(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
for number in itertools.count():
    letter = b"abcdefgh"[number % 8 : number % 8 + 1]
    store.put("a/object", [letter * 100_000, letter * 50_000])
    store.put(f"b/{number % 40}", letter * 30_000)
"""


def test_a_killed_writer_leaves_whole_objects_and_a_reader_beside_it_sees_no_mix(store: LocalStore) -> None:
    for attempt in range(8):
        process = _start(_REPLACE, str(store.root))
        _let_go([process])
        until = time.monotonic() + 0.05 + 0.013 * attempt
        while time.monotonic() < until:
            if store.head("a/object") is not None:
                assert _is_one_letter(store.get("a/object"), 150_000)
        process.kill()
        process.communicate()
        for info in store.list():
            assert _is_one_letter(store.get(info.key), 150_000 if info.key == "a/object" else 30_000)
    assert store.head("b/0") is not None
    assert all(is_temporary(info.key.rsplit("/", 1)[1]) for info in store.list_temporary())


def _is_one_letter(data: bytes, size_bytes: int) -> bool:
    return len(data) == size_bytes and data == data[:1] * size_bytes


def _start(script: str, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _let_go(processes: list[subprocess.Popen[str]]) -> None:
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()


def test_a_listing_beside_a_deleter_shows_what_stays_exactly_once(store: LocalStore) -> None:
    kept = {f"{number % 5}/kept{number}" for number in range(50)}
    for key in kept:
        store.put(key, b"")
    stopped = threading.Event()

    def churn() -> None:
        number = 0
        while not stopped.is_set():
            store.put(f"{number % 5}/going{number}", b"")
            store.delete(f"{number % 5}/going{number}")
            number += 1

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        for _ in range(100):
            listed = [info.key for info in store.list() if "kept" in info.key]
            assert sorted(listed) == sorted(kept)
    finally:
        stopped.set()
        thread.join()


# Full, forbidden and failing disks.


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
attempt(lambda: store.get("a/object"))
"""


@pytest.fixture
def reachable_store() -> Iterator[LocalStore]:
    """A store that other users can pass to, unlike the temporary directories of a test run."""
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o755)
        yield LocalStore(Path(directory) / "store")


def test_what_is_forbidden_is_a_permission_error_and_a_listing_is_never_silently_short(
    reachable_store: LocalStore,
) -> None:
    store = reachable_store
    store.put("a/object", b"content")
    store.put("closed/object", b"content")
    for directory, mode in (("a", 0o555), ("closed", 0o000), (".", 0o555)):
        (store.root / directory).chmod(mode)
    try:
        process = subprocess.run(
            [sys.executable, "-c", _WITHOUT_RIGHTS, str(store.root)], capture_output=True, text=True, check=True
        )
    finally:
        for directory in (".", "a", "closed"):
            (store.root / directory).chmod(0o755)
    assert process.stdout.splitlines() == ["PermissionDeniedError True False"] * 9 + ["bytes"]
    assert _files_of(store) == ["a/object", "closed/object"]


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
    assert store.get("a/one") == data
    assert store.get("a/many") == data


def test_short_reads_are_carried_on(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = os.pread
    monkeypatch.setattr(_files, "_read_at", lambda descriptor, size, offset: whole(descriptor, min(size, 7), offset))
    store.put("a/object", bytes(range(200)))
    assert store.get("a/object") == bytes(range(200))
    assert store.get_range("a/object", 50, 150) == bytes(range(50, 150))


# Sharing.

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


# What it costs, in system calls.

_CALLS = textwrap.dedent("""
    import os, sys
    from keepsake.stores.local import LocalStore
    calls = []
    watched = ("os.", "open")
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


def test_closing_an_appender_whose_descriptor_somebody_closed_is_no_error(store: LocalStore) -> None:
    appender = store.open_append("a/journal")
    os.close(appender._descriptor)  # type: ignore[attr-defined]
    with pytest.raises(StoreError):
        appender.append(b"line")
    appender.close()
