"""Lines that are decoded at once are what they are one by one, or are left to be decoded one by one."""

from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepsake._model.lines import decode_line, decode_lines, encode_line
from keepsake.errors import UnsupportedVersionError
from keepsake.testing import strategies
from keepsake.testing.strategies import Scalar

DOCUMENTS = st.lists(st.dictionaries(st.text(max_size=4), strategies.scalars(), min_size=1, max_size=3), max_size=4)
PLACE = b"place"


@given(DOCUMENTS)
def test_whole_lines_are_what_they_are_one_by_one(documents: list[dict[str, Scalar]]) -> None:
    lines = [encode_line(document, place=PLACE) for document in documents]
    at_once = decode_lines(b"".join(lines), place=PLACE)
    assert repr(at_once) == repr({number: decode_line(line, place=PLACE) for number, line in enumerate(lines)})


@given(DOCUMENTS.filter(bool), st.data())
def test_a_changed_byte_anywhere_leaves_it_to_one_by_one(
    documents: list[dict[str, Scalar]], data: st.DataObject
) -> None:
    whole = bytearray(b"".join(encode_line(document, place=PLACE) for document in documents))
    at = data.draw(st.integers(0, len(whole) - 2))
    whole[at] ^= data.draw(st.integers(1, 255))
    assert decode_lines(bytes(whole), place=PLACE) is None


def test_lines_of_another_place_or_of_no_json_are_left_to_one_by_one() -> None:
    line = encode_line({"a": 1}, place=PLACE)
    assert decode_lines(line, place=b"another") is None
    assert decode_lines(b"", place=PLACE) == {}
    for wrong in (b"\n", b"{}\n", line + b"\n"):
        assert decode_lines(wrong, place=PLACE) is None


def test_a_newer_marker_is_an_error_only_one_by_one() -> None:
    body = b'{"a":{"$newer":1}}'
    line = b'{"crc":"%08x",%s\n' % (zlib.crc32(body), body[1:])
    assert decode_lines(line) is None
    with pytest.raises(UnsupportedVersionError):
        decode_line(line)


@given(st.lists(st.tuples(st.sampled_from(["log", "stop"]), st.integers()), max_size=8), st.booleans())
def test_lines_that_are_passed_over_are_verified_and_the_last_of_them_decoded(
    kinds: list[tuple[str, int]], is_damaged: bool
) -> None:
    documents = [{"type": kind, "value": value} for kind, value in kinds]
    data = b"".join(encode_line(document, place=PLACE) for document in documents)
    logs = [document for document in documents if document["type"] == "log"]
    kept = {
        number: document
        for number, document in enumerate(documents)
        if document["type"] != "log" or document is logs[-1]
    }
    assert decode_lines(data, place=PLACE, passing=b'"type":"log",') == kept
    if is_damaged and logs:
        assert decode_lines(data.replace(b'"log"', b'"lag"', 1), place=PLACE, passing=b'"type":"log",') is None
