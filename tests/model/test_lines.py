"""Lines: every change to one is noticed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepsake._model.lines import decode_line, encode_line
from keepsake.errors import CorruptionError
from keepsake.testing import strategies

documents = strategies.params().filter(bool).filter(lambda document: "crc" not in document)


@given(documents)
def test_what_was_encoded_comes_back_with_or_without_its_newline(document: dict[str, Any]) -> None:
    line = encode_line(document)

    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert repr(decode_line(line)) == repr(decode_line(line[:-1])) == repr(document)
    assert next(iter(json.loads(line))) == "crc"


@given(documents, st.data())
def test_a_flipped_bit_is_corruption(document: dict[str, Any], data: st.DataObject) -> None:
    line = bytearray(encode_line(document)[:-1])
    line[data.draw(st.integers(0, len(line) - 1))] ^= 1 << data.draw(st.integers(0, 7))

    with pytest.raises(CorruptionError):
        decode_line(bytes(line))


@given(documents, st.data())
def test_a_truncated_line_is_corruption(document: dict[str, Any], data: st.DataObject) -> None:
    line = encode_line(document)

    with pytest.raises(CorruptionError):
        decode_line(line[: data.draw(st.integers(0, len(line) - 2))])


@given(st.binary(max_size=60))
def test_other_bytes_are_corruption(data: bytes) -> None:
    with pytest.raises(CorruptionError):
        decode_line(data)
