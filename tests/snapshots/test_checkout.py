"""Checking snapshots out."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from keepsake._chunks.chunkstore import ChunkStore
from keepsake._model.keys import chunk_key
from keepsake._model.manifest import Entry, Extent, Manifest
from keepsake._snapshots.checkout import CheckoutResult, plan_checkout, run_checkout
from keepsake.errors import (
    ConflictError,
    CorruptionError,
    NotFoundError,
    StoreError,
    WriteError,
)
from keepsake.stores.memory import MemoryStore
from keepsake.testing import FaultyStore, RecordingStore

MIB = 1024 * 1024


class Source:
    """A chunk store, and how files are put into it."""

    def __init__(self) -> None:
        self.store = RecordingStore(MemoryStore())
        self.chunks = ChunkStore(self.store)

    def file(self, path: str, *parts: bytes, executable: bool = False) -> Entry:
        extents = tuple(Extent(self.chunks.put(part), 0, len(part)) for part in parts)
        return Entry(path, "file", executable=executable, extents=extents)

    def bundle(self, files: dict[str, bytes]) -> list[Entry]:
        digest = self.chunks.put(b"".join(files.values()))
        entries, start = [], 0
        for path, data in files.items():
            entries.append(Entry(path, "file", extents=(Extent(digest, start, start + len(data)),)))
            start += len(data)
        return entries

    def damage(self, entry: Entry, number: int = 0) -> None:
        key = chunk_key(entry.extents[number].digest)
        self.store.put(key, self.store.get(key)[:-1] + b"!")

    def lose(self, entry: Entry) -> None:
        self.store.delete(chunk_key(entry.extents[0].digest))

    def checkout(self, target: Path, *entries: Entry, threads: int = 2) -> CheckoutResult:
        return run_checkout(plan_checkout([Manifest(entries)]), self.chunks, target, threads=threads)


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "new" / "target"


def tree(directory: Path) -> dict[str, bytes]:
    """Every file below a directory, hidden ones included, with its content."""
    return {str(one.relative_to(directory)): one.read_bytes() for one in directory.rglob("*") if one.is_file()}


def test_files_links_and_empty_directories_are_written(source: Source, target: Path) -> None:
    result = source.checkout(
        target,
        source.file("a/b/x.bin", b"one", b"two"),
        source.file("run.sh", b"#!", executable=True),
        source.file("empty"),
        Entry("a/link", "link", target="b/x.bin"),
        Entry("broken", "link", target="/nowhere"),
        Entry("logs/today", "directory"),
    )
    assert result == CheckoutResult(files=3, size_bytes=8, links=2, missing=(), refused_links=())
    assert (target / "a/b/x.bin").read_bytes() == b"onetwo"
    assert (target / "empty").read_bytes() == b""
    assert os.readlink(target / "a/link") == "b/x.bin"
    assert os.readlink(target / "broken") == "/nowhere"
    assert (target / "logs/today").is_dir()
    assert not list(target.rglob("*.tmp"))


@pytest.mark.skipif(os.name == "nt", reason="Windows has no mode bits")
@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_the_executable_bit_is_restored_as_far_as_the_umask_allows(source: Source, target: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        source.checkout(target, source.file("run.sh", b"#!", executable=True), source.file("x", b"x"))
    finally:
        os.umask(before)
    assert stat.S_IMODE((target / "run.sh").stat().st_mode) == 0o777 & ~umask
    assert stat.S_IMODE((target / "x").stat().st_mode) == 0o666 & ~umask


def test_each_chunk_is_fetched_once_whatever_lies_in_it(source: Source, target: Path) -> None:
    files = {f"d{number % 3}/f{number}": bytes([number]) * number for number in range(40)}
    shared = source.file("weights.bin", b"a" * MIB, b"b" * MIB, b"a" * MIB)
    entries = [*source.bundle(files), shared, Entry("copy.bin", "file", extents=shared.extents)]
    source.store.clear()
    source.checkout(target, *sorted(entries, key=lambda entry: entry.path))
    assert source.store.count("get") == 3
    weights = b"a" * MIB + b"b" * MIB + b"a" * MIB
    assert tree(target) == files | {"weights.bin": weights, "copy.bin": weights}


def test_memory_holds_as_many_chunks_as_there_are_threads(source: Source, target: Path) -> None:
    entry = source.file("x", *(bytes([number]) * 1000 for number in range(50)))
    under_way, most, lock = 0, 0, threading.Lock()

    class Counting:
        def get(self, digest: str) -> bytes | memoryview:
            nonlocal under_way, most
            with lock:
                under_way += 1
                most = max(most, under_way)
            return source.chunks.get(digest)

    def on_progress(_: int) -> None:
        nonlocal under_way
        with lock:
            under_way -= 1

    run_checkout(plan_checkout([Manifest((entry,))]), Counting(), target, threads=3, on_progress=on_progress)
    assert most <= 3
    assert under_way == 0


def test_progress_adds_up_to_the_length_of_the_files(source: Source, target: Path) -> None:
    entries = (source.file("a", b"x" * 1000, b"y" * 500), source.file("b", b"z"), source.file("c"))
    seen: list[int] = []
    run_checkout(plan_checkout([Manifest(entries)]), source.chunks, target, on_progress=seen.append)
    assert sum(seen) == 1501


def test_what_is_there_is_replaced_and_what_is_not_in_the_snapshot_stays(source: Source, target: Path) -> None:
    (target / "a").mkdir(parents=True)
    (target / "a" / "x").write_bytes(b"old and longer")
    (target / "a" / "x").chmod(0o444)
    (target / "a" / "mine").write_bytes(b"mine")
    source.checkout(target, source.file("a/x", b"new"))
    assert tree(target) == {"a/x": b"new", "a/mine": b"mine"}


def test_checking_out_twice_gives_the_same(source: Source, target: Path) -> None:
    entries = (source.file("a/x", b"x"), Entry("link", "link", target="a"), Entry("z", "directory"))
    for _ in range(2):
        source.checkout(target, *entries)
    assert tree(target) == {"a/x": b"x"}
    assert os.readlink(target / "link") == "a"


def test_an_open_reader_of_the_old_file_keeps_it(source: Source, target: Path) -> None:
    target.mkdir(parents=True)
    (target / "x").write_bytes(b"old")
    with (target / "x").open("rb") as reader:
        source.checkout(target, source.file("x", b"new"))
        assert reader.read() == b"old"


def test_missing_entries_are_reported(source: Source, target: Path) -> None:
    missing = Entry("data/gone", "missing", reason="vanished before it was read")
    result = source.checkout(target, missing, source.file("x", b"x"))
    assert result.missing == (missing,)
    assert result.files == 1
    assert tree(target) == {"x": b"x"}


def test_an_empty_plan_makes_the_target(source: Source, target: Path) -> None:
    assert source.checkout(target).files == 0
    assert list(target.iterdir()) == []


def test_the_target_may_be_a_link_to_a_directory(source: Source, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "alias").symlink_to("real")
    source.checkout(tmp_path / "alias", source.file("a/x", b"x"))
    assert tree(tmp_path / "real") == {"a/x": b"x"}


def test_a_target_that_is_a_file_is_refused(source: Source, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(WriteError, match="file"):
        source.checkout(tmp_path / "file", source.file("x", b"x"))


# Never outside of the target


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_bytes(b"precious")
    return outside


def test_a_link_in_the_target_is_not_followed_to_a_directory(source: Source, target: Path, outside: Path) -> None:
    target.mkdir(parents=True)
    (target / "a").symlink_to(outside)
    with pytest.raises(ConflictError, match="'a' cannot be written"):
        source.checkout(target, source.file("0", b"x"), source.file("a/precious", b"gotcha"))
    assert tree(outside) == {"precious": b"precious"}
    assert [one.name for one in target.iterdir()] == ["a"]  # nothing was written, "0" neither


def test_not_even_a_link_within_the_target_is_followed(source: Source, target: Path) -> None:
    (target / "real").mkdir(parents=True)
    (target / "a").symlink_to("real")
    with pytest.raises(ConflictError, match="never followed"):
        source.checkout(target, source.file("a/b/x", b"x"))


def test_a_link_where_a_file_belongs_is_replaced_and_not_written_through(
    source: Source, target: Path, outside: Path
) -> None:
    target.mkdir(parents=True)
    (target / "x").symlink_to(outside / "precious")
    source.checkout(target, source.file("x", b"new"))
    assert not (target / "x").is_symlink()
    assert (target / "x").read_bytes() == b"new"
    assert tree(outside) == {"precious": b"precious"}


def test_a_link_of_the_snapshot_itself_is_not_followed(source: Source, target: Path, outside: Path) -> None:
    earlier = Manifest((Entry("a", "link", target=str(outside)),))
    run_checkout(plan_checkout([earlier]), source.chunks, target)
    with pytest.raises(ConflictError):
        source.checkout(target, source.file("a/precious", b"gotcha"))
    with pytest.raises(CorruptionError):
        source.checkout(target, Entry("a", "link", target=str(outside)), source.file("a/precious", b"gotcha"))
    assert tree(outside) == {"precious": b"precious"}


@pytest.mark.parametrize("path", ["../outside/precious", "/tmp/keepsake-escape", "a/../../outside/precious"])
def test_a_path_that_leaves_the_target_writes_nothing(source: Source, target: Path, outside: Path, path: str) -> None:
    with pytest.raises(CorruptionError):
        source.checkout(target, source.file("0", b"x"), source.file(path, b"gotcha"))
    assert tree(outside) == {"precious": b"precious"}
    assert not target.exists()


def test_a_directory_that_is_swapped_for_a_link_meanwhile_is_not_followed(
    source: Source, target: Path, outside: Path
) -> None:
    """The attack that checking first and writing later does not withstand."""
    entries = [source.file(f"d{number:03}/precious", bytes([number])) for number in range(100)]

    class Swapping:
        count = 0

        def get(self, digest: str) -> bytes | memoryview:
            chunk = source.chunks.get(digest)
            directory = target / f"d{self.count:03}"
            directory.rename(target / f"moved{self.count:03}")
            directory.symlink_to(outside)
            self.count += 1
            return chunk

    plan = plan_checkout([Manifest(tuple(entries))])
    with contextlib.suppress(ConflictError):
        run_checkout(plan, Swapping(), target, threads=1)
    assert tree(outside) == {"precious": b"precious"}


@pytest.mark.parametrize(
    ("there", "wanted"), [("directory", "file"), ("directory", "link"), ("file", "directory"), ("file", "below")]
)
def test_what_stands_in_the_way_is_found_before_anything_is_written(
    source: Source, target: Path, there: str, wanted: str
) -> None:
    target.mkdir(parents=True)
    if there == "directory":
        (target / "x").mkdir()
        (target / "x" / "mine").write_bytes(b"mine")
    else:
        (target / "x").write_bytes(b"mine")
    before = tree(target)
    entry = {
        "file": source.file("x", b"new"),
        "link": Entry("x", "link", target="y"),
        "directory": Entry("x", "directory"),
        "below": source.file("x/y", b"new"),
    }[wanted]
    with pytest.raises(ConflictError, match="'x' cannot be written"):
        source.checkout(target, source.file("0", b"x"), entry)
    assert tree(target) == before


# When something fails


def test_a_damaged_chunk_spoils_its_files_and_no_others(source: Source, target: Path) -> None:
    good, bad = source.file("good", b"g" * 100), source.file("bad", b"x", b"b" * 100, b"y")
    bundle = source.bundle({"c/1": b"one", "c/2": b"two"})
    source.damage(bad, 1)
    source.damage(bundle[0])
    target.mkdir(parents=True)
    (target / "bad").write_bytes(b"old")
    with pytest.raises(CorruptionError, match=r"3 of 4 files cannot be checked out: 'bad', 'c/1', 'c/2'\."):
        source.checkout(target, bad, *bundle, good)
    assert tree(target) == {"good": b"g" * 100, "bad": b"old"}


def test_a_missing_chunk_spoils_its_files_and_no_others(source: Source, target: Path) -> None:
    good, bad = source.file("good", b"g"), source.file("bad", b"b")
    source.lose(bad)
    with pytest.raises(NotFoundError, match="1 of 2 files cannot be checked out: 'bad'"):
        source.checkout(target, bad, good)
    assert tree(target) == {"good": b"g"}


def test_a_manifest_that_asks_for_more_than_a_chunk_has_is_damage(source: Source, target: Path) -> None:
    entry = Entry("x", "file", extents=(Extent(source.chunks.put(b"abc"), 0, 4),))
    with pytest.raises(CorruptionError, match="which has 3"):
        source.checkout(target, entry, source.file("y", b"y"))
    assert tree(target) == {"y": b"y"}


def test_a_store_that_is_down_ends_the_checkout(target: Path) -> None:
    store = FaultyStore(MemoryStore())
    chunks = ChunkStore(store)
    extents = [(f"f{number}", (Extent(chunks.put(bytes([number])), 0, 1),)) for number in range(50)]
    recording = RecordingStore(store)
    store.fail("get", error=StoreError("it is down"), times=None)
    plan = plan_checkout([Manifest(tuple(Entry(path, "file", extents=one) for path, one in extents))])
    with pytest.raises(StoreError, match="it is down"):
        run_checkout(plan, ChunkStore(recording), target)
    assert recording.count("get") < 20
    assert tree(target) == {}


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is Linux's")
def test_a_full_disk_leaves_no_part_of_a_file(source: Source, tmp_path: Path, run_script: Callable[..., str]) -> None:
    script = """
        import resource, sys, signal
        from pathlib import Path
        from keepsake._chunks.chunkstore import ChunkStore
        from keepsake._model.manifest import Entry, Extent, Manifest
        from keepsake._snapshots.checkout import plan_checkout, run_checkout
        from keepsake.errors import WriteError
        from keepsake.stores.memory import MemoryStore

        chunks = ChunkStore(MemoryStore())
        small, large = chunks.put(b"s" * 1000), chunks.put(b"l" * 1_000_000)
        entries = (
            Entry("a", "file", extents=(Extent(small, 0, 1000),)),
            Entry("big", "file", extents=(Extent(small, 0, 1000), Extent(large, 0, 1_000_000))),
        )
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        target = Path(sys.argv[1])
        try:
            run_checkout(plan_checkout([Manifest(entries)]), chunks, target, threads=1)
        except WriteError as error:
            print("big" in error.message, error.hint is not None)
        print(sorted(one.name for one in target.iterdir()))
    """
    assert run_script(script, tmp_path / "target") == "True True\n['a']\n"


def test_a_target_that_may_not_be_written_is_an_error_with_the_path(run_script: Callable[..., str]) -> None:
    script = """
        import os, shutil, tempfile
        from pathlib import Path
        from keepsake._chunks.chunkstore import ChunkStore
        from keepsake._model.manifest import Entry, Extent, Manifest
        from keepsake._snapshots.checkout import plan_checkout, run_checkout
        from keepsake.errors import PermissionDeniedError
        from keepsake.stores.memory import MemoryStore

        place = Path(tempfile.mkdtemp(dir="/tmp"))
        place.chmod(0o755)
        chunks = ChunkStore(MemoryStore())
        plan = plan_checkout([Manifest((Entry("a/x", "file", extents=(Extent(chunks.put(b"x"), 0, 1),)),))])
        run_checkout(plan, chunks, place / "first")
        place.chmod(0o555)
        child = os.fork()
        if not child:
            drop_privileges()
            try:
                run_checkout(plan, chunks, place / "second")
            except PermissionDeniedError as error:
                os._exit(0 if str(place / "second") in error.message else 2)
            os._exit(1)
        print(os.waitpid(child, 0)[1])
        shutil.rmtree(place)
    """
    assert run_script(script) == "0\n"


def test_an_interrupted_checkout_leaves_no_part_of_a_file(source: Source, target: Path) -> None:
    entries = (source.file("a", b"a"), source.file("b", b"b", b"c", b"d"))

    def on_progress(_: int) -> None:
        if (target / "a").exists() and list(target.glob("*.tmp")):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_checkout(plan_checkout([Manifest(entries)]), source.chunks, target, threads=1, on_progress=on_progress)
    assert tree(target) == {"a": b"a"}


def test_a_file_system_without_links_is_reported(source: Source, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def symlink(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "symlink", symlink)
    result = source.checkout(target, Entry("link", "link", target="x"), source.file("x", b"x"))
    assert result.refused_links == ("link",)
    assert result.links == 0
    assert tree(target) == {"x": b"x"}


# Unusual names


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_names_of_any_length_and_encoding_are_written(source: Source, target: Path) -> None:
    long_name = "n" * 255
    paths = ["caf\udce9", "new\nline", "back\\slash", f"{'p' * 150}/{'q' * 150}", f"{long_name}/{long_name}"]
    source.checkout(target, *(source.file(path, path.encode(errors="surrogateescape")) for path in sorted(paths)))
    for path in paths:
        assert (target / path).read_bytes() == path.encode(errors="surrogateescape")


@pytest.mark.skipif(os.name == "nt", reason="Windows limits the length of a path")
def test_a_path_longer_than_the_system_takes_at_once_is_written(source: Source, target: Path) -> None:
    path = "/".join(["n" * 200] * 30)
    source.checkout(target, source.file(f"{path}/x", b"x"))
    descriptor = os.open(target, os.O_RDONLY)
    for name in path.split("/"):
        lower = os.open(name, os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = lower
    with os.fdopen(os.open("x", os.O_RDONLY, dir_fd=descriptor), "rb") as file:
        assert file.read() == b"x"
    os.close(descriptor)


def test_many_directories_need_few_descriptors(source: Source, target: Path) -> None:
    files = {f"d{number:04}/s/x": b"x" for number in range(400)}
    entries = source.bundle(files)
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    most = 0

    def on_progress(_: int) -> None:
        nonlocal most
        if before:
            most = max(most, len(os.listdir("/proc/self/fd")))

    run_checkout(plan_checkout([Manifest(tuple(entries))]), source.chunks, target, on_progress=on_progress)
    assert tree(target) == files
    assert most <= before + 80
    assert not before or len(os.listdir("/proc/self/fd")) <= before


def test_names_that_differ_in_case_are_both_written_where_that_works(source: Source, target: Path) -> None:
    target.mkdir(parents=True)
    (target / "probe").touch()
    if (target / "PROBE").exists():
        with pytest.raises(ConflictError, match="the same file"):
            source.checkout(target, source.file("A/x", b"1"), source.file("a/x", b"2"))
        assert tree(target) == {"probe": b""}
    else:
        source.checkout(target, source.file("A/x", b"1"), source.file("a/x", b"2"))
        assert tree(target) == {"A/x": b"1", "a/x": b"2", "probe": b""}
