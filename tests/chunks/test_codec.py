"""The codecs: what goes in comes out, small, and nothing that is wrong gets through or costs memory."""

from __future__ import annotations

import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from keepsake._chunks.codec import (
    HEADER_BYTES,
    Codec,
    codec_of,
    decode_chunk,
    encode_chunk,
    encode_raw_header,
    is_raw,
    raw_length_of,
)
from keepsake.errors import CorruptionError, FormatError, UnsupportedVersionError

MAX = 64 * 1024 * 1024


def weights(count: int, dtype: str = "f4", seed: int = 0) -> bytes:
    numbers = np.random.default_rng(seed).standard_normal(count) * 0.02
    if dtype == "bf16":
        return (numbers.astype("<f4").view("<u4") >> 16).astype("<u2").tobytes()
    return numbers.astype(dtype).tobytes()


def header(codec: int, length: int, item_size: int = 0, reserved: int = 0, magic: bytes = b"KSC2") -> bytes:
    return struct.pack("<4sBBHQ", magic, codec, item_size, reserved, length)


def kept_planes(planes: list[bytes], tail: bytes = b"") -> bytes:
    return b"".join(struct.pack("<BI", 0, len(plane)) for plane in planes) + b"".join(planes) + tail


contents = st.one_of(
    st.binary(max_size=3000),
    st.builds(weights, st.integers(0, 40_000), st.sampled_from(["f2", "f4", "f8", "bf16", "i1", "i8"])),
    st.builds(lambda text, count: text.encode() * count, st.text(max_size=30), st.integers(0, 2000)),
    st.builds(lambda data, cut: data[cut:], st.just(weights(100_000)), st.integers(0, 9)),
)


@given(contents)
@example(b"")
@example(bytes(1_500_000))
def test_a_chunk_comes_back_as_it_was(data: bytes) -> None:
    obj = encode_chunk(data)
    assert bytes(decode_chunk(obj, max_bytes=len(data))) == data
    assert raw_length_of(obj[:HEADER_BYTES]) == len(data)
    assert len(obj) <= len(data) + HEADER_BYTES
    assert not is_raw(obj)


@pytest.mark.parametrize(
    ("name", "data", "codec", "item_size", "percent"),
    [
        ("fp32", weights(2**20), Codec.PLANES, 4, 84),
        ("fp16", weights(2**20, "f2"), Codec.PLANES, 2, 85),
        ("bf16", weights(2**20, "bf16"), Codec.PLANES, 2, 68),
        ("fp64", weights(2**18, "f8"), Codec.PLANES, 8, 89),
        ("fp32 cut at an odd place", weights(2**18)[3:], Codec.PLANES, 4, 84),
        ("ascending numbers", np.arange(2**18).tobytes(), Codec.PLANES, 8, 1),
        ("text", Path(__file__).read_bytes() * 3, Codec.ZSTD, 0, 30),
        ("zeros", bytes(2**21), Codec.ZSTD, 0, 1),
        ("noise", np.random.default_rng(0).bytes(2**21), Codec.STORED, 1, 101),
        ("few bytes", b"abc", Codec.STORED, 1, 700),
    ],
)
def test_content_decides_the_codec(name: str, data: bytes, codec: Codec, item_size: int, percent: int) -> None:
    obj = encode_chunk(data)
    assert (codec_of(obj), obj[5]) == (codec, item_size), name
    assert len(obj) <= len(data) * percent / 100


def test_a_chunk_gathered_from_different_things_is_judged_by_all_of_them() -> None:
    noise = np.random.default_rng(1).bytes(2**20)
    obj = encode_chunk(noise + bytes(2**20))
    assert len(obj) < 1.1 * 2**20


def test_raw_and_stored_chunks_are_not_copied() -> None:
    for obj in (encode_raw_header(5) + b"hello", header(Codec.STORED, 5, item_size=1) + b"hello"):
        data = decode_chunk(obj, max_bytes=5)
        assert isinstance(data, memoryview)
        assert data.obj is obj
        assert bytes(data) == b"hello"
    assert is_raw(encode_raw_header(5))


def test_an_unknown_codec_is_a_newer_version() -> None:
    obj = header(9, 3) + b"abc"
    with pytest.raises(UnsupportedVersionError, match="codec 9"):
        decode_chunk(obj, max_bytes=MAX)
    assert not is_raw(obj)
    assert raw_length_of(obj) == 3


@pytest.mark.parametrize(
    "obj",
    [
        b"",
        b"KSC2",
        header(Codec.RAW, 3, magic=b"KSC3") + b"abc",
        header(Codec.RAW, 3, reserved=1) + b"abc",
        header(Codec.RAW, 4) + b"abc",
        header(Codec.STORED, 2, item_size=1) + b"abc",
        header(Codec.STORED, 3) + b"abc",
        header(Codec.RAW, 3, item_size=1) + b"abc",
        header(Codec.STORED, MAX + 1, item_size=1) + b"abc",
        header(Codec.ZSTD, 3) + b"abc",
        header(Codec.ZSTD, 3),
        header(Codec.PLANES, 8, item_size=4) + b"abc",
        header(Codec.PLANES, 8, item_size=3) + kept_planes([b"ab", b"cd", b"ef"], b"gh"),
        header(Codec.PLANES, 8, item_size=0) + b"abcdefgh",
        header(Codec.PLANES, 4, item_size=2) + kept_planes([b"ab", b"c"]),
        header(Codec.PLANES, 4, item_size=2) + kept_planes([b"ab", b"cd"], b"e"),
        header(Codec.PLANES, 5, item_size=2) + kept_planes([b"ab", b"cd"]),
        header(Codec.PLANES, 4, item_size=2) + kept_planes([b"abc", b"d"]),
        header(Codec.PLANES, 2, item_size=2) + struct.pack("<BIBI", 7, 1, 0, 1) + b"ab",
        header(Codec.PLANES, 2, item_size=2) + struct.pack("<BIBI", 1, 1, 0, 1) + b"ab",
    ],
)
def test_what_does_not_add_up_is_damage(obj: bytes) -> None:
    with pytest.raises(CorruptionError):
        decode_chunk(obj, max_bytes=MAX)


def test_planes_that_are_kept_decode_by_hand() -> None:
    obj = header(Codec.PLANES, 5, item_size=2) + kept_planes([b"ac", b"bd"], b"e")
    assert bytes(decode_chunk(obj, max_bytes=5)) == b"abcde"


@given(st.sampled_from([weights(600), b"text " * 300, bytes(3000)]), st.data())
def test_damage_never_raises_anything_foreign(data: bytes, draw: st.DataObject) -> None:
    obj = bytearray(encode_chunk(data))
    for _ in range(draw.draw(st.integers(1, 3))):
        obj[draw.draw(st.integers(0, len(obj) - 1))] = draw.draw(st.integers(0, 255))
    cut = draw.draw(st.integers(0, len(obj)))
    try:
        decoded = decode_chunk(bytes(obj[:cut]), max_bytes=MAX)
    except FormatError:
        return
    assert len(decoded) <= MAX


@pytest.mark.parametrize(("codec", "item_size"), [(Codec.STORED, 1), (Codec.ZSTD, 0), (Codec.PLANES, 2)])
def test_a_false_claim_of_length_allocates_nothing(codec: Codec, item_size: int) -> None:
    import zstandard

    frame = zstandard.ZstdCompressor().compress(bytes(1000))
    obj = header(codec, MAX, item_size=item_size) + frame
    decode_chunk(encode_chunk(weights(500)), max_bytes=MAX)  # so that all imports are done
    tracemalloc.start()
    try:
        with pytest.raises(CorruptionError):
            decode_chunk(obj, max_bytes=MAX)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_a_second_frame_behind_the_first_is_damage() -> None:
    import zstandard

    frame = zstandard.ZstdCompressor().compress(b"hello")
    assert decode_chunk(header(Codec.ZSTD, 5) + frame, max_bytes=5) == b"hello"
    with pytest.raises(CorruptionError):
        decode_chunk(header(Codec.ZSTD, 5) + frame + frame, max_bytes=10)


@pytest.mark.parametrize("data", [weights(300), b"text " * 90, b"noise"], ids=["planes", "zstd", "stored"])
@pytest.mark.parametrize("raw", [True, False])
def test_every_change_of_one_byte_of_the_head_is_seen(data: bytes, raw: bool) -> None:
    obj = encode_raw_header(len(data)) + data if raw else encode_chunk(data)
    for place in range(HEADER_BYTES):
        for flip in range(1, 256):
            damaged = bytearray(obj)
            damaged[place] ^= flip
            try:
                decoded = decode_chunk(damaged, max_bytes=MAX)
            except FormatError:
                continue
            assert bytes(decoded) != data, f"a flip of {flip:#x} at byte {place} changes nothing"


def test_encoding_the_same_bytes_twice_gives_the_same_object() -> None:
    assert encode_chunk(weights(50_000)) == encode_chunk(bytearray(weights(50_000)))
