"""Layouts: every byte once, tensors cut where they are, and nothing that a header claims is believed."""

from __future__ import annotations

import io
import json
import struct
import time
import tracemalloc
import zipfile
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepsake._chunks.layout import (
    GATHERED_BYTES,
    GIB,
    KIB,
    LARGE_TENSOR_BYTES,
    MAX_GATHERED_BYTES,
    MIB,
    Layout,
    Piece,
    Stretch,
    plan_layout,
)
from keepsake._chunks.structure import MAX_HEADER_BYTES


def plan(data: bytes) -> Layout:
    return plan_layout(len(data), lambda start, stop: data[start:stop])


def ranges_of(layout: Layout) -> list[tuple[int, int]]:
    return sorted(
        piece_range
        for cut in layout.cuts
        for piece_range in (cut.ranges if isinstance(cut, Piece) else ((cut.start, cut.stop),))
    )


def assert_covers(layout: Layout, size_bytes: int) -> None:
    stop = 0
    for start, next_stop in ranges_of(layout):
        assert start == stop
        assert next_stop > start
        stop = next_stop
    assert stop == size_bytes


def safetensors_file(tensors: dict[str, tuple[str, bytes]], *, metadata: str = "") -> bytes:
    header: dict[str, object] = {"__metadata__": {"note": metadata}} if metadata else {}
    offset = 0
    for name, (dtype, data) in tensors.items():
        header[name] = {"dtype": dtype, "shape": [], "data_offsets": [offset, offset + len(data)]}
        offset += len(data)
    encoded = json.dumps(header).encode()
    return struct.pack("<Q", len(encoded)) + encoded + b"".join(data for _, data in tensors.values())


def zip_file(members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


def npy_file(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def chunks_of(data: bytes) -> set[bytes]:
    """The chunks of fixed pieces (not those that content decides)."""
    return {
        b"".join(data[start:stop] for start, stop in cut.ranges) for cut in plan(data).cuts if isinstance(cut, Piece)
    }


def test_large_tensors_are_cut_from_their_own_start() -> None:
    first, second = bytes(9 * MIB), np.random.default_rng(0).bytes(LARGE_TENSOR_BYTES)
    data = safetensors_file({"a": ("F32", first), "b": ("BF16", second)})
    layout = plan(data)
    start = len(data) - len(first) - len(second)
    assert layout.has_structure
    assert layout.cuts == (
        Piece(((0, start),)),
        Piece(((start, start + 4 * MIB),)),
        Piece(((start + 4 * MIB, start + 8 * MIB),)),
        Piece(((start + 8 * MIB, start + 9 * MIB),)),
        Piece(((start + 9 * MIB, len(data)),)),
    )


def test_the_last_piece_of_a_tensor_takes_in_what_is_too_little_for_a_chunk() -> None:
    data = safetensors_file({"a": ("U8", bytes(4 * MIB + LARGE_TENSOR_BYTES - 1))})
    assert [cut.size_bytes for cut in plan(data).cuts[1:] if isinstance(cut, Piece)] == [
        4 * MIB + LARGE_TENSOR_BYTES - 1
    ]


def test_small_tensors_are_gathered_by_item_size_across_everything_between_them() -> None:
    rng = np.random.default_rng(0)
    members = {}
    for number in range(300):
        members[f"w{number}.npy"] = npy_file(rng.standard_normal(1000).astype("f4"))
        members[f"n{number}.npy"] = npy_file(rng.integers(0, 9, 100))
    data = zip_file(members)
    pieces = [cut for cut in plan(data).cuts if isinstance(cut, Piece)]
    # 300 tensors of 4,000 bytes, 300 of 800 bytes, and one skeleton of headers and names.
    assert len(pieces) <= 300 * 4800 / GATHERED_BYTES * 2 + 4
    for piece in pieces:
        lengths = {stop - start for start, stop in piece.ranges}
        assert not {4000, 800} <= lengths, "tensors of different item sizes share a chunk"
        assert piece.size_bytes <= MAX_GATHERED_BYTES
    assert_covers(plan(data), len(data))


def test_changing_adapters_do_not_store_the_small_frozen_matrices_beside_them_again() -> None:
    frozen = [np.random.default_rng(seed).bytes(128 * KIB) for seed in range(20)]

    def model(epoch: int) -> bytes:
        tensors: dict[str, tuple[str, bytes]] = {}
        for number, matrix in enumerate(frozen):
            tensors[f"{number}.base"] = ("BF16", matrix)
            tensors[f"{number}.adapter"] = ("BF16", np.random.default_rng(1000 * epoch + number).bytes(4 * KIB))
        return safetensors_file(tensors)

    before, after = chunks_of(model(1)), chunks_of(model(2))
    assert sum(map(len, before)) == sum(map(len, after)) > 20 * (128 + 4) * KIB
    assert sum(map(len, after - before)) == 20 * 4 * KIB


def test_a_tensor_that_comes_or_goes_moves_no_boundary_but_its_own() -> None:
    rng = np.random.default_rng(0)
    tensors = {f"layer{number}": ("F32", rng.bytes(20_000)) for number in range(200)}
    before = chunks_of(safetensors_file(tensors))
    longer = {"new": ("F32", rng.bytes(20_000)), **tensors}
    del longer["layer100"]
    new = chunks_of(safetensors_file(longer, metadata="a longer header" * 9)) - before
    assert sum(map(len, new)) < 0.4 * 200 * 20_000
    assert len(new) < len(before) / 2


def test_long_other_bytes_are_cut_by_content_and_short_ones_are_skeleton() -> None:
    data = zip_file({"a.npy": npy_file(np.zeros(100_000)), "notes.bin": bytes(2 * MIB), "more.txt": b"x" * 1000})
    layout = plan(data)
    stretches = [cut for cut in layout.cuts if isinstance(cut, Stretch)]
    assert len(stretches) == 1
    assert stretches[0].stop - stretches[0].start > 2 * MIB
    assert_covers(layout, len(data))


def test_a_file_without_known_structure_is_one_stretch() -> None:
    assert plan(b"hello" * 1000) == Layout((Stretch(0, 5000, 256 * KIB),), has_structure=False)
    assert plan(b"") == Layout((), has_structure=False)


def test_huge_files_have_longer_chunks() -> None:
    header = json.dumps({"a": {"dtype": "F32", "shape": [], "data_offsets": [0, 20 * GIB]}}).encode()
    head = struct.pack("<Q", len(header)) + header
    size_bytes = len(head) + 20 * GIB

    def read(start: int, stop: int) -> bytes:
        return (head[start:stop] + bytes(stop - start))[: stop - start]

    layout = plan_layout(size_bytes, read)
    assert {cut.size_bytes for cut in layout.cuts if isinstance(cut, Piece)} == {len(head), 16 * MIB}
    assert plan_layout(2 * GIB, lambda start, stop: bytes(stop - start)).cuts == (Stretch(0, 2 * GIB, MIB),)


@pytest.mark.parametrize(
    ("array", "item_size_known"),
    [
        (np.zeros(100), True),
        (np.zeros((5, 6), "F"), True),
        (np.array(["ab", "cd"]), True),
        (np.zeros(9, "complex64"), True),
        (np.array([{}, 1], dtype=object), False),
        (np.zeros(5, [("a", "f4"), ("b", "i8")]), False),
    ],
)
def test_arrays_of_plain_items_have_structure(array: np.ndarray, item_size_known: bool) -> None:
    data = npy_file(array)
    assert plan(data).has_structure == item_size_known
    assert_covers(plan(data), len(data))


def test_compressed_members_are_other_bytes() -> None:
    data = zip_file({"a.npy": npy_file(np.zeros(100_000))}, zipfile.ZIP_DEFLATED)
    assert not plan(data).has_structure


def test_an_archive_in_an_archive_is_not_looked_into() -> None:
    inner = zip_file({"a.npy": npy_file(np.zeros(100_000))})
    for _ in range(5):
        inner = zip_file({"inner.zip": inner})
    assert not plan(inner).has_structure


def safetensors_header(header: object, length: int | None = None) -> bytes:
    encoded = json.dumps(header).encode()
    return struct.pack("<Q", len(encoded) if length is None else length) + encoded + bytes(100)


def row(start: object, stop: object, dtype: object = "F32") -> dict[str, object]:
    return {"dtype": dtype, "shape": [1], "data_offsets": [start, stop]}


def patched(data: bytes, old: bytes, new: bytes) -> bytes:
    assert old in data
    return data.replace(old, new)


ARCHIVE = zip_file({"a/data.pkl": b"X\x01\x00\x00\x000q\x00h\x01K\x19tQ.", "a/data/0": bytes(100), "b.npy": bytes(300)})

HOSTILE: dict[str, Callable[[], bytes]] = {
    "a header that is longer than the file": lambda: safetensors_header({}, 10**9),
    "a header of 2**63 bytes": lambda: safetensors_header({}, 2**63),
    "ten gigabytes in a kilobyte": lambda: safetensors_header({"a": row(0, 10 * GIB)}),
    "tensors that overlap": lambda: safetensors_header({"a": row(0, 60), "b": row(40, 100)}),
    "a tensor that ends before it starts": lambda: safetensors_header({"a": row(60, 40)}),
    "a tensor before the data": lambda: safetensors_header({"a": row(-20, 40)}),
    "offsets that are no whole numbers": lambda: safetensors_header({"a": row(0.5, 1.5)}),
    "offsets that are words": lambda: safetensors_header({"a": row("0", "9")}),
    "offsets that are truth values": lambda: safetensors_header({"a": row(False, True)}),
    "a dtype that is a list": lambda: safetensors_header({"a": row(0, 9, [])}),
    "a header that is a list": lambda: safetensors_header([{}]),
    "a header that is no JSON": lambda: struct.pack("<Q", 50) + b"{" * 80,
    "a header nested a million deep": lambda: struct.pack("<Q", 10**6 + 4) + b'{"a":' + b"[" * 10**6,
    "a header of a million parts": lambda: struct.pack("<Q", 4_000_005) + b'{"a":[' + b"[]," * 1_333_333 + bytes(100),
    "a number of a million digits": lambda: struct.pack("<Q", 10**6 + 6) + b'{"a":' + b"9" * 10**6 + b"}" + bytes(100),
    "an archive that is cut off": lambda: ARCHIVE[:-30],
    "an archive without its beginning": lambda: b"PK\x03\x04" + ARCHIVE[50:],
    "a member that lies elsewhere": lambda: patched(ARCHIVE, b"PK\x03\x04", b"PK\x03\x05"),
    "a million members": lambda: b"PK\x03\x04" + _end_of_directory(b"PK\x01\x02" * 250_000),
    "a directory longer than the limit": lambda: b"PK\x03\x04" + _end_of_directory(bytes(MAX_HEADER_BYTES + 1)),
    "an array of a long header": lambda: b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**32 - 1) + bytes(500),
    "an array of an unknown version": lambda: b"\x93NUMPY\x09\x00" + bytes(500),
    "the mere beginning of an array": lambda: b"\x93NUMPY",
    "an item size of a thousand digits": lambda: (
        b"\x93NUMPY\x01\x00" + struct.pack("<H", 1100) + b"'descr': '<f" + b"8" * 1100
    ),
}


def _end_of_directory(directory: bytes) -> bytes:
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 65535, 65535, len(directory), 4, 0)
    return directory + end


@pytest.mark.parametrize("name", HOSTILE)
def test_a_header_that_lies_costs_neither_bytes_nor_memory_nor_time(name: str) -> None:
    data = HOSTILE[name]()
    plan(zip_file({"a": b""}))  # so that all imports are done
    started = time.process_time()
    tracemalloc.start()
    try:
        layout = plan(data)
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert_covers(layout, len(data))
    assert peak_bytes < 5 * len(data) + 10 * MIB
    assert time.process_time() - started < 5


def test_a_lying_archive_is_told_from_an_honest_one() -> None:
    assert plan(ARCHIVE).has_structure, "or the tests of hostile archives test nothing"


@given(
    st.sampled_from(
        [ARCHIVE, safetensors_file({"a": ("F32", bytes(400)), "b": ("F16", bytes(100))}), npy_file(np.zeros(99))]
    ),
    st.data(),
)
def test_any_damage_leaves_every_byte_in_the_layout_once(data: bytes, draw: st.DataObject) -> None:
    damaged = bytearray(data)
    for _ in range(draw.draw(st.integers(0, 4))):
        damaged[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.integers(0, 255))
    damaged = damaged[: draw.draw(st.integers(0, len(data)))]
    assert_covers(plan(bytes(damaged)), len(damaged))


sizes = st.one_of(st.integers(0, 5000), st.integers(LARGE_TENSOR_BYTES - 9, LARGE_TENSOR_BYTES + 9))


@given(st.lists(st.tuples(st.sampled_from(["F32", "BF16", "I64", "F8_E4M3", "BOOL", "?"]), sizes), max_size=12))
def test_any_tensors_leave_every_byte_in_the_layout_once(tensors: list[tuple[str, int]]) -> None:
    named = {str(number): (dtype, bytes(length)) for number, (dtype, length) in enumerate(tensors)}
    data = safetensors_file(named)
    layout = plan(data)
    assert_covers(layout, len(data))
    assert layout.has_structure == any(length for _, length in tensors)


@given(st.binary(max_size=300), st.sampled_from([b"", b"PK\x03\x04", b"\x93NUMPY\x01\x00", b"\x20" + bytes(7) + b"{"]))
def test_any_bytes_have_a_layout(data: bytes, magic: bytes) -> None:
    assert_covers(plan(magic + data), len(magic + data))


def test_trouble_with_reading_is_no_trouble_with_the_format() -> None:
    data = safetensors_file({"a": ("F32", bytes(5000))})

    def read(start: int, stop: int) -> bytes:
        if start >= len(data) - 5000:
            raise OSError("gone")
        return data[start:stop]

    with pytest.raises(OSError, match="gone"):
        plan_layout(len(data), read)
