"""Byte planes are put together alike with NumPy and without, and NumPy is loaded only where it gains something."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepsake._chunks import merging
from keepsake._chunks.codec import decode_chunk, encode_chunk
from keepsake._chunks.merging import merge_plainly
from keepsake._chunks.planes import ITEM_SIZES, merge_planes, split_planes
from tests.chunks.test_codec import weights


@given(st.binary(max_size=3000), st.sampled_from(ITEM_SIZES))
def test_both_ways_to_merge_give_what_was_split(data: bytes, item_size: int) -> None:
    planes = [plane.tobytes() for plane in split_planes(data, item_size)]
    whole = len(data) // item_size * item_size
    for merge in (merge_plainly, merge_planes):
        merged = merge(planes, item_size, len(data))
        assert len(merged) == len(data)
        assert merged[:whole] == data[:whole]


def test_more_than_a_block_is_merged_without_numpy() -> None:
    data = weights(merging._BLOCK_ITEMS * 2 + 17)
    planes = [plane.data for plane in split_planes(data, 4)]
    assert merge_plainly(planes, 4, len(data)) == data


_READING = """
import sys
from pathlib import Path
from keepsake._chunks import merging
from keepsake._chunks.codec import Codec, codec_of, decode_chunk
obj, wanted, limit_bytes = Path(sys.argv[1]).read_bytes(), Path(sys.argv[2]).read_bytes(), int(sys.argv[3])
assert codec_of(obj) is Codec.PLANES
merging.PLAIN_BYTES = limit_bytes
for times in range(3):
    assert decode_chunk(obj, max_bytes=len(wanted)) == wanted
    print("numpy" in sys.modules)
"""


@pytest.mark.parametrize(("chunks", "loaded"), [(3, [False, False, False]), (1, [False, True, True])])
def test_numpy_is_loaded_when_much_was_merged_without_it(chunks: int, loaded: list[bool], tmp_path: Path) -> None:
    data = weights(50_000)
    (tmp_path / "object").write_bytes(encode_chunk(data))
    (tmp_path / "data").write_bytes(data)
    assert decode_chunk(encode_chunk(data), max_bytes=len(data)) == data
    arguments = [str(tmp_path / "object"), str(tmp_path / "data"), str(chunks * len(data))]
    done = subprocess.run([sys.executable, "-c", _READING, *arguments], check=True, capture_output=True, text=True)
    assert done.stdout.split() == list(map(str, loaded))
