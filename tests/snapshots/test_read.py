"""Reading saved files back, as the programs that people use do it."""

from __future__ import annotations

import io
import pickle
import shutil
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepsake._chunks.chunkstore import ChunkStore
from keepsake._model.keys import chunk_key
from keepsake._model.manifest import Entry, Extent
from keepsake._snapshots.read import BUFFER_BYTES, KEEP_BYTES, FileReader, open_entry
from keepsake._snapshots.save import save_snapshot
from keepsake._snapshots.scan import Found
from keepsake.errors import CorruptionError, InvalidInputError, NotFoundError
from keepsake.stores.local import LocalStore
from keepsake.stores.memory import MemoryStore
from keepsake.testing import RecordingStore

KIB = 1024
MIB = 1024 * KIB


def make_entry(chunks: ChunkStore, *parts: bytes, path: str = "models/best.pt") -> Entry:
    """Store a file whose chunks are `parts`."""
    return Entry(path, "file", extents=tuple(Extent(chunks.put(part), 0, len(part)) for part in parts))


def save_file(file: Path, chunks: ChunkStore) -> Entry:
    found = Found(file.name, "file", size_bytes=file.stat().st_size)
    (entry,) = save_snapshot(file.parent, [found], chunks).entries
    assert entry.kind == "file"
    return entry


def some_bytes(size: int, seed: int = 0) -> bytes:
    return np.random.default_rng(seed).bytes(size)


def test_a_file_is_read_back_whole(chunks: ChunkStore) -> None:
    entry = make_entry(chunks, b"abc", b"", b"defgh")
    with open_entry(entry, chunks) as file:
        assert file.name == "models/best.pt"
        assert file.mode == "rb"
        assert file.seekable()
        assert not file.writable()
        assert file.read() == b"abcdefgh"
        assert file.read() == b""
    assert file.closed


def test_an_empty_file_is_read_back(chunks: ChunkStore) -> None:
    with open_entry(make_entry(chunks), chunks) as file:
        assert file.read() == b""
        assert file.read(10) == b""
        assert file.seek(0, io.SEEK_END) == 0


def test_extents_may_lie_anywhere_in_a_chunk_and_repeat_it(chunks: ChunkStore) -> None:
    digest = chunks.put(b"0123456789")
    entry = Entry("x", "file", extents=(Extent(digest, 4, 7), Extent(digest, 0, 2), Extent(digest, 4, 7)))
    assert open_entry(entry, chunks).read() == b"45601456"


def test_seeking_beyond_the_end_reads_nothing(chunks: ChunkStore) -> None:
    file = open_entry(make_entry(chunks, b"abc"), chunks)
    assert file.seek(10) == 10
    assert file.read() == b""
    assert file.read(5) == b""


def test_what_a_raw_stream_refuses_is_refused(chunks: ChunkStore) -> None:
    reader = FileReader(make_entry(chunks, b"abc"), chunks)
    with pytest.raises(ValueError, match="negative"):
        reader.seek(-1)
    with pytest.raises(ValueError, match="whence"):
        reader.seek(0, 7)
    file = open_entry(make_entry(chunks, b"abc"), chunks)
    with pytest.raises(io.UnsupportedOperation):
        file.write(b"x")
    with pytest.raises(io.UnsupportedOperation):
        file.fileno()
    reader.close()
    reader.close()
    with pytest.raises(ValueError, match="closed"):
        reader.read(1)


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.sampled_from([0, 1, 7, 1000, 64 * KIB, 200 * KIB]), max_size=8),
    calls=st.lists(
        st.one_of(
            st.tuples(st.just("read"), st.integers(-1, 400 * KIB)),
            st.tuples(st.just("read1"), st.integers(0, 100 * KIB)),
            st.tuples(st.just("readinto"), st.integers(0, 400 * KIB)),
            st.tuples(st.just("peek"), st.integers(1, 10)),
            st.tuples(st.just("seek"), st.integers(0, 800 * KIB)),
            st.tuples(st.just("back"), st.integers(-50 * KIB, 50 * KIB)),
            st.tuples(st.just("end"), st.integers(-800 * KIB, 0)),
        ),
        max_size=12,
    ),
    threads=st.sampled_from([1, 2, 3]),
)
def test_it_reads_and_seeks_as_bytesio_does(sizes: list[int], calls: list[tuple[str, int]], threads: int) -> None:
    chunks = ChunkStore(MemoryStore())
    parts = [some_bytes(size, seed=index % 3) for index, size in enumerate(sizes)]
    model = io.BytesIO(b"".join(parts))
    reader = FileReader(make_entry(chunks, *parts), chunks, threads=threads)
    with io.BufferedReader(reader, BUFFER_BYTES) as file:
        for name, number in calls:
            if name == "read":
                assert file.read(number) == model.read(number)
            elif name == "read1":
                got = file.read1(number)
                assert got == model.read(len(got))
                assert got or not number or not model.read(1)
            elif name == "readinto":
                ours, theirs = bytearray(number), bytearray(number)
                assert file.readinto(ours) == model.readinto(theirs)
                assert ours == theirs
            elif name == "peek":
                at = model.tell()
                assert file.peek(number)[:1] == model.read(1)
                model.seek(at)
            elif name == "seek":
                assert file.seek(number) == model.seek(number)
            elif name == "back":
                target = max(0, model.tell() + number)
                assert file.seek(target - file.tell(), io.SEEK_CUR) == model.seek(target)
            else:
                target = max(-len(model.getvalue()), number)
                assert file.seek(target, io.SEEK_END) == model.seek(target, io.SEEK_END)
            assert file.tell() == model.tell()


def test_a_small_read_in_the_middle_fetches_two_chunks_at_most() -> None:
    store = RecordingStore(MemoryStore())
    chunks = ChunkStore(store)
    parts = [some_bytes(4 * MIB, seed) for seed in range(5)]
    entry = make_entry(chunks, *parts)
    whole = b"".join(parts)
    for start in (0, 4 * MIB - 1000, 10 * MIB, 20 * MIB - 64 * KIB):
        store.clear()
        with open_entry(entry, chunks) as file:
            file.seek(start)
            assert file.read(64 * KIB) == whole[start : start + 64 * KIB]
        assert store.count("get") <= 2


def test_what_lies_between_tensors_is_fetched_once() -> None:
    store = RecordingStore(MemoryStore())
    chunks = ChunkStore(store)
    names, tensors = some_bytes(8 * KIB), [some_bytes(MIB, seed) for seed in range(4)]
    digests = [chunks.put(tensor) for tensor in tensors]
    skeleton = chunks.put(names)
    extents: list[Extent] = []
    for number, digest in enumerate(digests):
        extents += [Extent(skeleton, number * KIB, (number + 1) * KIB), Extent(digest, 0, MIB)]
    store.clear()
    with open_entry(Entry("m.pt", "file", extents=tuple(extents)), chunks) as file:
        for number in (3, 1, 0, 2, 3):
            file.seek(number * (MIB + KIB))
            assert file.read(KIB) == names[number * KIB : (number + 1) * KIB]
            assert file.read(MIB) == tensors[number]
    keys = [one.key for one in store.select("get")]
    assert keys.count(chunk_key(skeleton)) == 1
    assert len(keys) == 1 + 5  # what was read whole is not kept


def test_who_reads_on_gets_every_chunk_once() -> None:
    store = RecordingStore(MemoryStore())
    chunks = ChunkStore(store)
    parts = [some_bytes(MIB, seed) for seed in range(12)]
    entry = make_entry(chunks, *parts)
    store.clear()
    target = io.BytesIO()
    with open_entry(entry, chunks) as file:
        file.read(2 * MIB + 10)
        shutil.copyfileobj(file, target)
    assert target.getvalue() == b"".join(parts)[2 * MIB + 10 :]
    keys = [one.key for one in store.select("get")]
    assert sorted(keys) == sorted(chunk_key(extent.digest) for extent in entry.extents)


def test_who_reads_on_gets_chunks_ahead_and_who_jumps_does_not() -> None:
    store = RecordingStore(MemoryStore())
    chunks = ChunkStore(store)
    entry = make_entry(chunks, *(some_bytes(MIB, seed) for seed in range(8)))
    store.clear()
    reader = FileReader(entry, chunks)
    for position in (0, 4 * MIB, 2 * MIB):
        reader.seek(position)
        reader.read(10)
    assert store.count("get") == 3
    reader.seek(0)
    reader.read(4 * MIB)
    reader.read(1)
    deadline = time.monotonic() + 10
    while store.count("get") < 7 and time.monotonic() < deadline:
        time.sleep(0.001)
    assert {one.key for one in store.select("get")} == {chunk_key(extent.digest) for extent in entry.extents[:7]}
    reader.close()


def test_what_is_kept_is_bounded(chunks: ChunkStore) -> None:
    parts = [some_bytes(8 * MIB, seed) for seed in range(2)]
    digests = [chunks.put(part) for part in parts]
    extents = tuple(Extent(digests[number % 2], 0, 8 * MIB) for number in range(4))
    reader = FileReader(Entry("m", "file", extents=extents), chunks)
    for position in range(0, 32 * MIB, MIB):
        reader.seek(position)
        reader.read(100)
    assert sum(map(len, reader._fetcher._kept.values())) <= KEEP_BYTES
    reader.close()
    assert not reader._fetcher._kept


def test_torch_loads_what_it_saved(tmp_path: Path, chunks: ChunkStore) -> None:
    import torch

    state = {f"layer{number}.weight": torch.randn(300, 300) for number in range(5)} | {"bias": torch.arange(7)}
    torch.save(state, tmp_path / "model.pt")
    with open_entry(save_file(tmp_path / "model.pt", chunks), chunks) as file:
        loaded = torch.load(file)
    assert all(torch.equal(loaded[name], state[name]) for name in state)


def test_torch_loads_with_every_chunk_fetched_once(tmp_path: Path) -> None:
    import torch

    store = RecordingStore(MemoryStore())
    chunks = ChunkStore(store)
    torch.save({f"layer{number}": torch.randn(700, 1000) for number in range(12)}, tmp_path / "model.pt")
    entry = save_file(tmp_path / "model.pt", chunks)
    store.clear()
    with open_entry(entry, chunks) as file:
        torch.load(file)
    keys = [one.key for one in store.select("get")]
    assert sorted(keys) == sorted({chunk_key(extent.digest) for extent in entry.extents})


def test_safetensors_loads_what_it_saved(tmp_path: Path, chunks: ChunkStore) -> None:
    import safetensors.torch
    import torch

    state = {"a": torch.randn(400, 300), "b": torch.ones(3, dtype=torch.bfloat16)}
    safetensors.torch.save_file(state, tmp_path / "model.safetensors")
    with open_entry(save_file(tmp_path / "model.safetensors", chunks), chunks) as file:
        loaded = safetensors.torch.load(file.read())
    assert all(torch.equal(loaded[name], state[name]) for name in state)


def test_numpy_loads_what_it_saved(tmp_path: Path, chunks: ChunkStore) -> None:
    array = np.random.default_rng(0).normal(size=(1000, 200))
    np.save(tmp_path / "x.npy", array)
    np.savez(tmp_path / "x.npz", array=array, other=np.arange(5))
    with open_entry(save_file(tmp_path / "x.npy", chunks), chunks) as file:
        assert np.array_equal(np.load(file), array)
    with open_entry(save_file(tmp_path / "x.npz", chunks), chunks) as file, np.load(file) as loaded:
        assert np.array_equal(loaded["array"], array)
        assert np.array_equal(loaded["other"], np.arange(5))


def test_zip_and_pickle_and_text_work_on_it(tmp_path: Path, chunks: ChunkStore) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", "a" * 100_000)
        archive.writestr("b.txt", "b")
    with open_entry(save_file(tmp_path / "x.zip", chunks), chunks) as file, zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None
        assert archive.read("b.txt") == b"b"
    (tmp_path / "x.pkl").write_bytes(pickle.dumps({"a": list(range(10_000))}))
    with open_entry(save_file(tmp_path / "x.pkl", chunks), chunks) as file:
        assert pickle.load(file) == {"a": list(range(10_000))}
    (tmp_path / "x.txt").write_text("one\ntwo\n")
    with io.TextIOWrapper(open_entry(save_file(tmp_path / "x.txt", chunks), chunks)) as text:
        assert list(text) == ["one\n", "two\n"]


@pytest.mark.parametrize("how", ["small", "large", "all"])
def test_a_damaged_chunk_is_an_error_that_names_file_and_chunk(how: str) -> None:
    store = MemoryStore()
    chunks = ChunkStore(store)
    parts = [some_bytes(MIB, seed) for seed in range(3)]
    entry = make_entry(chunks, *parts)
    key = chunk_key(entry.extents[1].digest)
    data = bytearray(store.get(key))
    data[-1] ^= 1
    store.put(key, bytes(data))
    with open_entry(entry, chunks) as file:
        file.seek(MIB - 10)
        assert file.read(10) == parts[0][-10:]
        with pytest.raises(CorruptionError, match=rf"'models/best.pt'.*{entry.extents[1].digest}"):
            file.read({"small": 10, "large": 2 * MIB, "all": -1}[how])
        file.seek(2 * MIB)
        assert file.read() == parts[2]


def test_a_missing_chunk_is_an_error_that_names_file_and_chunk() -> None:
    store = MemoryStore()
    chunks = ChunkStore(store)
    entry = make_entry(chunks, b"abc")
    store.delete(chunk_key(entry.extents[0].digest))
    with pytest.raises(NotFoundError, match=r"'models/best.pt'.*is missing") as raised:
        open_entry(entry, chunks).read()
    assert entry.extents[0].digest in str(raised.value)


def test_a_manifest_that_asks_for_more_than_a_chunk_has_is_an_error(chunks: ChunkStore) -> None:
    entry = Entry("x", "file", extents=(Extent(chunks.put(b"abc"), 0, 2**62),))
    with pytest.raises(CorruptionError, match=r"'x'.*which has 3"):
        open_entry(entry, chunks).read(10)


def test_what_is_not_a_file_is_not_opened_and_the_reason_named(chunks: ChunkStore) -> None:
    with pytest.raises(NotFoundError, match="vanished before it was read"):
        open_entry(Entry("x", "missing", reason="vanished before it was read"), chunks)
    with pytest.raises(InvalidInputError, match="symbolic link to 'y'"):
        open_entry(Entry("x", "link", target="y"), chunks)
    with pytest.raises(InvalidInputError, match="directory"):
        open_entry(Entry("x", "directory"), chunks)


FORKED = """
    import os, sys, warnings
    warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 on warns of forking with threads: the point here
    from keepsake._chunks.chunkstore import ChunkStore
    from keepsake._model.manifest import Entry, Extent
    from keepsake._snapshots.read import open_entry
    from keepsake.stores.local import LocalStore

    chunks = ChunkStore(LocalStore(sys.argv[1]))
    parts = [bytes([number]) * (1 << 20) for number in range(8)]
    entry = Entry("x", "file", extents=tuple(Extent(chunks.put(part), 0, len(part)) for part in parts))
    file = open_entry(entry, chunks)
    assert file.read(3 << 20) == b"".join(parts[:3])  # threads are there, chunks are on their way
    children = []
    for number in range(3):
        child = os.fork()
        if not child:
            ok = file.read() == b"".join(parts[3:])
            file.seek(number << 20)
            ok = ok and file.read(2 << 20) == b"".join(parts[number : number + 2])
            file.close()
            os._exit(0 if ok else 1)
        children.append(child)
    print([os.waitpid(child, 0)[1] for child in children], file.read() == b"".join(parts[3:]))
"""


def test_a_forked_child_reads_on_by_itself(tmp_path: Path, run_script: Callable[..., str]) -> None:
    assert run_script(FORKED, tmp_path / "repository") == "[0, 0, 0] True\n"


LOADED = """
    import sys, warnings
    import torch
    warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 on warns of forking with threads: the point here
    from keepsake._chunks.chunkstore import ChunkStore
    from keepsake._model.manifest import Entry, Extent
    from keepsake._snapshots.read import open_entry
    from keepsake.stores.local import LocalStore

    class Lines(torch.utils.data.Dataset):
        def __init__(self, file):
            self.file = file

        def __len__(self):
            return 40

        def __getitem__(self, number):
            self.file.seek(number * 100_000)
            return self.file.read(100_000)[0]

    chunks = ChunkStore(LocalStore(sys.argv[1]))
    parts = [bytes([number]) * 100_000 for number in range(40)]
    entry = Entry("x", "file", extents=tuple(Extent(chunks.put(part), 0, len(part)) for part in parts))
    file = open_entry(entry, chunks)
    file.read(2_000_000)
    loader = torch.utils.data.DataLoader(Lines(file), batch_size=4, num_workers=2, multiprocessing_context="fork")
    print(torch.cat(list(loader)).tolist() == list(range(40)))
"""


def test_workers_of_a_data_loader_share_an_open_file(tmp_path: Path, run_script: Callable[..., str]) -> None:
    assert run_script(LOADED, tmp_path / "repository") == "True\n"


def test_a_store_on_disk_is_read_the_same(tmp_path: Path) -> None:
    chunks = ChunkStore(LocalStore(tmp_path))
    entry = make_entry(chunks, b"abc", b"def")
    chunks.settle([extent.digest for extent in entry.extents])
    assert open_entry(entry, chunks).read() == b"abcdef"
