"""Saving snapshots: real files come back bit for bit, files in use are no trouble, and it costs what it must."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from keepsake._chunks.chunkstore import ChunkStore
from keepsake._chunks.layout import KIB, LONG_STRETCH_BYTES, MIB
from keepsake._model.manifest import Entry, Manifest, decode_manifest, encode_manifest
from keepsake._snapshots import capture
from keepsake._snapshots.bundle import MAX_BUNDLE_BYTES
from keepsake._snapshots.save import save_snapshot
from keepsake._snapshots.scan import Found
from keepsake._snapshots.source import SourceFile, UnreadableError
from keepsake.errors import StoreError, WriteError
from keepsake.stores.local import LocalStore
from keepsake.stores.memory import MemoryStore
from keepsake.testing import FaultyStore, RecordingStore


def noise(length: int, seed: int = 0) -> bytes:
    return np.random.default_rng(seed).bytes(length)


def find_files(directory: Path) -> list[Found]:
    paths = sorted(path for path in directory.rglob("*") if path.is_file())
    return [
        Found(str(path.relative_to(directory)), "file", os.access(path, os.X_OK), path.stat().st_size) for path in paths
    ]


def content_of(entry: Entry, chunks: ChunkStore) -> bytes:
    return b"".join(bytes(chunks.get(extent.digest)[extent.start : extent.stop]) for extent in entry.extents)


def assert_saved(manifest: Manifest, directory: Path, chunks: ChunkStore) -> None:
    """Every file of the directory stands in the manifest, and its chunks hold it."""
    assert [entry.path for entry in manifest.entries] == [one.path for one in find_files(directory)]
    for entry in manifest.entries:
        assert entry.kind == "file", entry
        assert content_of(entry, chunks) == (directory / entry.path).read_bytes(), entry.path


def entry_of(manifest: Manifest, path: str) -> Entry:
    entry = manifest.find(path)
    assert entry is not None
    return entry


# Real files


def tensors(*dtypes: torch.dtype) -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    made = {}
    for dtype in dtypes:
        for number, length in enumerate((7, 5000, 90_000, 1_200_000)):
            made[f"{dtype}.{number}"] = (torch.randn(length) * 20).to(dtype)
    return made


def write_torch(directory: Path) -> None:
    model = torch.nn.Sequential(torch.nn.Linear(300, 400), torch.nn.BatchNorm1d(400), torch.nn.Linear(400, 30))
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.randn(8, 300)).sum().backward()
    optimizer.step()
    state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3}
    torch.save(state, directory / "new.pt")
    torch.save(state, directory / "old.pt", _use_new_zipfile_serialization=False)
    torch.save(tensors(torch.bfloat16, torch.int64), directory / "mixed.pt")


def write_safetensors(directory: Path) -> None:
    for dtype in (torch.float32, torch.bfloat16, torch.float16, torch.float64, torch.int8):
        save_file(tensors(dtype), directory / f"{dtype}.safetensors")


def write_numpy(directory: Path) -> None:
    rng = np.random.default_rng(0)
    arrays: dict[str, Any] = {
        "a": rng.standard_normal(200_000),
        "b": rng.integers(0, 9, 70),
        "c": rng.standard_normal((30, 4, 5)),
    }
    np.savez(directory / "plain.npz", **arrays)
    np.savez_compressed(directory / "compressed.npz", **arrays)
    np.save(directory / "a.npy", arrays["a"])
    np.save(directory / "objects.npy", np.array([{"a": 1}, None] * 100_000, dtype=object))


def write_keras(directory: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import keras

        model = keras.Sequential([keras.Input((400,)), keras.layers.Dense(900), keras.layers.Dense(10)])
        model.save(directory / "model.keras")
        model.save(directory / "model.h5")


def write_h5(directory: Path) -> None:
    with h5py.File(directory / "data.h5", "w") as file:
        file["a"] = np.random.default_rng(0).standard_normal((500, 600))
        file.create_dataset("b", data=np.arange(300_000), chunks=(1000,), compression="gzip")


@pytest.mark.parametrize("settled", [False, True], ids=["raw", "settled"])
@pytest.mark.parametrize("write", [write_torch, write_safetensors, write_numpy, write_keras, write_h5])
def test_files_of_real_libraries_come_back_bit_for_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunks: ChunkStore, write: Callable[[Path], None], settled: bool
) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    write(tmp_path)
    manifest = save_snapshot(tmp_path, find_files(tmp_path), chunks)
    if settled:
        chunks.settle(manifest.digests())
    assert_saved(manifest, tmp_path, chunks)


# Any files

file_contents = st.one_of(
    st.just(b""),
    st.binary(max_size=200),
    st.builds(noise, st.integers(0, 1_200_000), st.integers(0, 5)),
    st.builds(lambda length: b"PK\x03\x04" + noise(length), st.integers(0, 600_000)),
    st.builds(lambda length: b"abcd" * length, st.integers(0, 500_000)),
)


@given(
    st.dictionaries(st.from_regex(r"[a-z]{1,6}(/[A-Z]{1,3})?", fullmatch=True), file_contents, max_size=12), st.data()
)
@settings(max_examples=40)
def test_any_tree_comes_back_and_a_second_save_writes_nothing(
    tmp_path_factory: pytest.TempPathFactory, tree: dict[str, bytes], draw: st.DataObject
) -> None:
    directory = tmp_path_factory.mktemp("tree")
    for path, data in tree.items():
        if not any(other.startswith(f"{path}/") for other in tree):
            (directory / path).parent.mkdir(exist_ok=True)
            (directory / path).write_bytes(data)
    store = RecordingStore(MemoryStore())
    manifest = save_snapshot(directory, find_files(directory), ChunkStore(store), threads=draw.draw(st.integers(1, 3)))
    assert_saved(manifest, directory, ChunkStore(store))
    store.clear()
    assert save_snapshot(directory, find_files(directory), ChunkStore(store), threads=2) == manifest
    assert store.bytes_written() == 0


def test_names_in_any_encoding_are_saved(tmp_path: Path, chunks: ChunkStore) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9")).write_bytes(b"latin")
    (tmp_path / "Übung 1.txt").write_bytes(b"utf-8")
    manifest = save_snapshot(tmp_path, find_files(tmp_path), chunks)
    assert decode_manifest(encode_manifest(manifest)) == manifest
    assert_saved(manifest, tmp_path, chunks)


def test_links_directories_and_mode_bits_are_entries(tmp_path: Path, chunks: ChunkStore) -> None:
    (tmp_path / "run.sh").write_bytes(b"#!/bin/sh\n")
    found = [
        Found("run.sh", "file", executable=True, size_bytes=10),
        Found("link", "link", target="../elsewhere"),
        Found("empty", "directory"),
        Found("secret", "missing", reason="may not be looked at"),
    ]
    manifest = save_snapshot(tmp_path, found, chunks)
    assert manifest.entries[:3] == (
        Entry("empty", "directory"),
        Entry("link", "link", target="../elsewhere"),
        Entry("run.sh", "file", executable=True, extents=entry_of(manifest, "run.sh").extents),
    )
    assert entry_of(manifest, "secret") == Entry("secret", "missing", reason="may not be looked at")


def test_nothing_found_is_an_empty_manifest(tmp_path: Path, chunks: ChunkStore) -> None:
    assert save_snapshot(tmp_path, [], chunks) == Manifest(())


# What it costs


def test_short_files_share_chunks_and_an_edit_stores_one_bundle(
    tmp_path: Path, store: RecordingStore, chunks: ChunkStore
) -> None:
    for number in range(400):
        (tmp_path / f"module_{number}.py").write_bytes(noise(900, number))
    save_snapshot(tmp_path, find_files(tmp_path), chunks)
    assert 10 < store.count("put") < 45
    store.clear()
    (tmp_path / "module_7.py").write_bytes(b"edited")
    save_snapshot(tmp_path, find_files(tmp_path), chunks)
    assert store.count("put") == 1
    assert store.bytes_written() < 100 * 900


def test_a_new_file_moves_no_boundary_of_other_bundles(
    tmp_path: Path, store: RecordingStore, chunks: ChunkStore
) -> None:
    for number in range(200):
        (tmp_path / f"{number:03}").write_bytes(noise(500, number))
    save_snapshot(tmp_path, find_files(tmp_path), chunks)
    store.clear()
    (tmp_path / "000a").write_bytes(b"new")
    save_snapshot(tmp_path, find_files(tmp_path), chunks)
    assert store.count("put") <= 2


def test_a_bundle_has_a_limit(tmp_path: Path, store: RecordingStore, chunks: ChunkStore) -> None:
    for number in range(40):
        (tmp_path / f"{number:02}").write_bytes(noise(900 * KIB, number))
    manifest = save_snapshot(tmp_path, find_files(tmp_path), chunks)
    assert max(operation.size_bytes for operation in store.select("put")) <= MAX_BUNDLE_BYTES + 16
    assert_saved(manifest, tmp_path, chunks)


def test_a_short_file_with_structure_is_not_bundled(tmp_path: Path, store: RecordingStore, chunks: ChunkStore) -> None:
    (tmp_path / "a.txt").write_bytes(b"text")
    np.save(tmp_path / "b.npy", np.zeros(50_000))
    manifest = save_snapshot(tmp_path, find_files(tmp_path), chunks)
    assert entry_of(manifest, "a.txt").extents[0].digest not in {
        extent.digest for extent in entry_of(manifest, "b.npy").extents
    }
    assert store.count("put") == 3


def test_every_chunk_is_looked_up_once_and_written_once(
    tmp_path: Path, store: RecordingStore, chunks: ChunkStore
) -> None:
    save_file({"a": torch.randn(5 * 1024 * 1024)}, tmp_path / "m.safetensors")
    manifest = save_snapshot(tmp_path, find_files(tmp_path), chunks)
    keys = [operation.key for operation in store.select("put")]
    assert len(keys) == len(set(keys)) == len(manifest.digests()) == 6
    assert store.count("head") == 6
    assert store.count() == 12


def test_thousands_of_equal_chunks_are_stored_once(tmp_path: Path, store: RecordingStore, chunks: ChunkStore) -> None:
    np.save(tmp_path / "zeros.npy", np.zeros(8_000_000))
    save_snapshot(tmp_path, find_files(tmp_path), chunks, threads=1)
    assert store.count("put") == 3


@pytest.mark.parametrize("name", ["m.safetensors", "m.bin"])
def test_memory_stays_bounded_while_gigabytes_are_captured(tmp_path: Path, name: str) -> None:
    # The file is sparse, and equal chunks are stored once, so this neither writes nor keeps the 2 GB that it reads.
    script = """
        import json, resource, struct, sys
        from pathlib import Path
        import numpy
        from keepsake._chunks import fastcdc
        from keepsake._chunks.chunkstore import ChunkStore
        from keepsake._snapshots.save import save_snapshot
        from keepsake._snapshots.scan import Found
        from keepsake.stores.local import LocalStore

        directory, name, size = Path(sys.argv[1]), sys.argv[2], 2**31
        with open(directory / name, "wb") as file:
            if name.endswith(".safetensors"):
                header = json.dumps({"a": {"dtype": "F32", "shape": [], "data_offsets": [0, size]}}).encode()
                file.write(struct.pack("<Q", len(header)) + header)
            file.truncate(file.tell() + size)
            size = (directory / name).stat().st_size
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        chunks = ChunkStore(LocalStore(directory / "repository"))
        manifest = save_snapshot(directory, [Found(name, "file", size_bytes=size)], chunks)
        assert manifest.size_bytes == size
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    """
    if name == "m.bin":
        script = script.replace("2**31", "2**30 + 2**27")  # cutting by content takes longer
    command = [sys.executable, "-c", textwrap.dedent(script), str(tmp_path), name]
    more_kib = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert more_kib < 100 * KIB


# Files in use


class ChangingSource(SourceFile):
    """A file that something happens to while it is read, in the first attempts; the file itself is real."""

    __slots__ = ("path",)

    happens: Callable[[str], None]
    times = 0
    opened = 0

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path
        type(self).opened += 1

    def read_into(self, view: memoryview, start: int) -> None:
        super().read_into(view, start)
        if type(self).times:
            type(self).times -= 1
            type(self).happens(self.path)


def watch(monkeypatch: pytest.MonkeyPatch, happens: Callable[[str], object], times: int) -> type[ChangingSource]:
    class Source(ChangingSource):
        __slots__ = ()

    Source.happens = staticmethod(happens)  # type: ignore[assignment]
    Source.times = times
    monkeypatch.setattr(capture, "SourceFile", Source)
    return Source


def append(path: str) -> None:
    with open(path, "ab") as file:
        file.write(b"more")


def truncate(path: str) -> None:
    os.truncate(path, os.stat(path).st_size // 2)


def overwrite(path: str) -> None:
    with open(path, "r+b") as file:
        file.write(b"other")
    status = os.stat(path)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))  # however coarse the clock of the file system is


SIZES = [1000, LONG_STRETCH_BYTES + 5]


@pytest.mark.parametrize("size_bytes", SIZES)
@pytest.mark.parametrize("happens", [append, truncate, overwrite])
def test_a_file_that_changes_while_it_is_read_is_tried_again(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    chunks: ChunkStore,
    happens: Callable[[str], None],
    size_bytes: int,
) -> None:
    (tmp_path / "log").write_bytes(noise(size_bytes))
    found = find_files(tmp_path)
    source = watch(monkeypatch, happens, times=1)
    manifest = save_snapshot(tmp_path, found, chunks)
    assert source.times == 0
    assert_saved(manifest, tmp_path, chunks)


@pytest.mark.parametrize("size_bytes", SIZES)
def test_a_file_that_keeps_changing_is_missing_after_three_attempts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunks: ChunkStore, size_bytes: int
) -> None:
    (tmp_path / "log").write_bytes(noise(size_bytes))
    (tmp_path / "quiet").write_bytes(b"quiet")
    found = find_files(tmp_path)
    watch(monkeypatch, lambda path: append(path) if path.endswith("log") else None, times=10**6)
    manifest = save_snapshot(tmp_path, found, chunks)
    assert entry_of(manifest, "log") == Entry("log", "missing", reason="changed while it was read")
    assert content_of(entry_of(manifest, "quiet"), chunks) == b"quiet"


def test_a_file_that_changes_is_opened_three_times_at_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunks: ChunkStore
) -> None:
    (tmp_path / "log").write_bytes(noise(1000))
    source = watch(monkeypatch, append, times=10**6)
    save_snapshot(tmp_path, find_files(tmp_path), chunks)
    assert source.opened == 3


@pytest.mark.parametrize("size_bytes", SIZES)
def test_a_file_that_vanished_is_missing_and_the_others_are_saved(
    tmp_path: Path, chunks: ChunkStore, size_bytes: int
) -> None:
    for name in ("gone", "here"):
        (tmp_path / name).write_bytes(noise(size_bytes))
    found = find_files(tmp_path)
    (tmp_path / "gone").unlink()
    manifest = save_snapshot(tmp_path, found, chunks)
    assert entry_of(manifest, "gone") == Entry("gone", "missing", reason="vanished before it was read")
    assert content_of(entry_of(manifest, "here"), chunks) == noise(size_bytes)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no mode bits")
def test_a_file_that_may_not_be_read_is_missing_with_the_reason(tmp_path: Path, chunks: ChunkStore) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    found = find_files(tmp_path)
    (tmp_path / "secret").chmod(0)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)  # root may read everything
    try:
        manifest = save_snapshot(tmp_path, found, chunks)
    finally:
        os.seteuid(user)
    assert entry_of(manifest, "secret") == Entry("secret", "missing", reason="may not be read: permission denied")


def test_an_error_of_the_disk_is_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunks: ChunkStore
) -> None:
    def fail(descriptor: int, buffers: object, offset: int) -> int:
        raise OSError(5, "Input/output error")

    (tmp_path / "broken").write_bytes(b"data")
    found = find_files(tmp_path)
    monkeypatch.setattr(os, "preadv", fail)
    manifest = save_snapshot(tmp_path, found, chunks)
    assert entry_of(manifest, "broken").reason == "could not be read: Input/output error"


def test_a_file_that_a_network_file_system_has_lost_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunks: ChunkStore
) -> None:
    (tmp_path / "stale").write_bytes(b"data")
    found = find_files(tmp_path)
    before = open_descriptors()

    def fail(descriptor: int) -> os.stat_result:
        raise OSError(116, "Stale file handle")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fstat", fail)
        manifest = save_snapshot(tmp_path, found, chunks)
    assert entry_of(manifest, "stale").reason == "could not be read: Stale file handle"
    assert open_descriptors() == before


def replace_by_pipe(path: Path) -> None:
    os.mkfifo(path)


def replace_by_link(path: Path) -> None:
    path.symlink_to("/etc/passwd")


def replace_by_directory(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize("size_bytes", SIZES)
@pytest.mark.parametrize("replace", [replace_by_pipe, replace_by_link, replace_by_directory])
def test_what_took_the_place_of_a_file_is_neither_followed_nor_waited_for(
    tmp_path: Path, chunks: ChunkStore, replace: Callable[[Path], None], size_bytes: int
) -> None:
    replace(tmp_path / "file")
    manifest = save_snapshot(tmp_path, [Found("file", "file", size_bytes=size_bytes)], chunks)
    assert entry_of(manifest, "file") == Entry("file", "missing", reason="is no longer a regular file")


def test_a_file_that_was_replaced_while_it_was_read_is_saved_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunks: ChunkStore
) -> None:
    data = noise(2 * MIB)
    (tmp_path / "m.pt").write_bytes(data)
    (tmp_path / "new").write_bytes(b"new")
    found = [Found("m.pt", "file", size_bytes=len(data))]
    watch(monkeypatch, lambda path: os.replace(tmp_path / "new", path), times=1)
    assert content_of(entry_of(save_snapshot(tmp_path, found, chunks), "m.pt"), chunks) == data


@pytest.mark.parametrize("size_bytes", [0, 10, 300_000, 5 * MIB])
def test_a_file_of_another_length_than_when_it_was_found_is_saved_as_it_is(
    tmp_path: Path, chunks: ChunkStore, size_bytes: int
) -> None:
    for real_bytes in (0, 10, 300_000, 5 * MIB):
        (tmp_path / "file").write_bytes(noise(real_bytes))
        manifest = save_snapshot(tmp_path, [Found("file", "file", size_bytes=size_bytes)], chunks)
        assert_saved(manifest, tmp_path, chunks)


def test_a_file_named_through_a_link_is_read_where_it_is(tmp_path: Path, chunks: ChunkStore) -> None:
    (tmp_path / "real").write_bytes(b"data")
    (tmp_path / "link").symlink_to("real")
    found = Found("link", "file", size_bytes=4, source=str(tmp_path / "real"))
    assert content_of(entry_of(save_snapshot(tmp_path, [found], chunks), "link"), chunks) == b"data"


# Failing stores and interruptions


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0


def assert_nothing_left(descriptors_before: int) -> None:
    assert open_descriptors() == descriptors_before
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("keepsake-worker")]


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("at", [1, 4])
def test_a_failing_store_is_raised_and_leaves_no_file_open(tmp_path: Path, at: int, threads: int) -> None:
    for number in range(4):
        (tmp_path / f"{number}.bin").write_bytes(noise(3 * MIB, number))
    faulty = FaultyStore(MemoryStore())
    faulty.fail("put", at=at, error=WriteError("no space left"))
    before = open_descriptors()
    with pytest.raises(WriteError, match="no space left"):
        save_snapshot(tmp_path, find_files(tmp_path), ChunkStore(faulty), threads=threads)
    assert_nothing_left(before)


def test_an_interruption_stops_the_save_and_leaves_no_file_open(tmp_path: Path) -> None:
    for number in range(4):
        (tmp_path / f"{number}.bin").write_bytes(noise(3 * MIB, number))
    faulty = FaultyStore(MemoryStore())
    faulty.fail("put", at=3, error=KeyboardInterrupt())
    before = open_descriptors()
    with pytest.raises(KeyboardInterrupt):
        save_snapshot(tmp_path, find_files(tmp_path), ChunkStore(faulty))
    assert_nothing_left(before)


def test_a_store_that_fails_for_one_bundle_is_no_missing_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"data")
    faulty = FaultyStore(MemoryStore())
    faulty.fail(times=None)
    with pytest.raises(StoreError):
        save_snapshot(tmp_path, find_files(tmp_path), ChunkStore(faulty))


def test_many_saves_at_once_into_one_repository(tmp_path: Path) -> None:
    directory = tmp_path / "project"
    directory.mkdir()
    for number in range(60):
        (directory / f"{number}").write_bytes(noise(40_000, number))
    (directory / "large").write_bytes(noise(3 * MIB))
    found = find_files(directory)
    manifests: list[Manifest] = []

    def save() -> None:
        manifests.append(save_snapshot(directory, found, ChunkStore(LocalStore(tmp_path / "repository"))))

    threads = [threading.Thread(target=save) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(manifests) == 6
    assert len(set(manifests)) == 1
    assert_saved(manifests[0], directory, ChunkStore(LocalStore(tmp_path / "repository")))


# The file itself


def test_a_source_reads_any_range_and_refuses_what_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"0123456789")
    source = SourceFile(str(tmp_path / "file"))
    assert source.read(2, 5) == b"234"
    assert source.read(10, 10) == b""
    with pytest.raises(UnreadableError, match="changed"):
        source.read(5, 11)
    source.check_unchanged()
    source.close()
    source.close()


def test_a_source_reads_where_the_system_has_no_positional_read(tmp_path: Path) -> None:
    # As on Windows: the module is loaded with an `os` that lacks `preadv`.
    script = """
        import os, sys, threading
        del os.preadv
        from keepsake._snapshots.source import SourceFile
        source = SourceFile(sys.argv[1])
        wrong = []
        def read():
            for place in range(0, 99_000, 99):
                if source.read(place, place + 4) != (place).to_bytes(8, "little")[:4]:
                    wrong.append(place)
        threads = [threading.Thread(target=read) for _ in range(4)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        print(wrong)
    """
    data = bytearray(100_000)
    for place in range(0, 99_000, 99):
        data[place : place + 4] = place.to_bytes(4, "little")
    (tmp_path / "file").write_bytes(data)
    command = [sys.executable, "-c", textwrap.dedent(script), str(tmp_path / "file")]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout == "[]\n"
