"""Encoding: every value comes back exactly, as one line of strict ASCII JSON."""

from __future__ import annotations

import json
import math
import struct
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from keepsake._model.encoding import decode_json, encode_json
from keepsake.errors import CorruptionError, FormatError, InternalError, UnsupportedVersionError
from keepsake.testing import strategies

any_text = st.text(st.characters(codec=None, exclude_categories=()), max_size=8)
meeting_surrogates = st.lists(st.sampled_from(["\ud800", "\udbff", "\udc00", "\udfff", "a", "🦀", "$"])).map("".join)
markers = st.sampled_from(["$float", "$int", "$text", "$dict", "$", "$$float", "a$", "loss"])
texts = any_text | meeting_surrogates | markers
leaves = strategies.scalars() | texts | st.integers(-(2**3000), 2**3000) | st.integers(2**20000, 2**20001)
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4), max_leaves=12
)


def exactly(value: Any) -> Any:
    """Describe a value so that only the same one of the same type is equal, NaN included."""
    if isinstance(value, dict):
        return "dict", [(key, exactly(item)) for key, item in value.items()]
    if isinstance(value, list):
        return "list", [exactly(item) for item in value]
    if isinstance(value, float):
        return "float", "nan" if math.isnan(value) else struct.pack("<d", value)
    return type(value).__name__, value


@given(st.dictionaries(texts, values, max_size=5))
@example({"$float": "nan"})
@example({"a": {"$dict": [["$float", 1]]}})
@example({"a": 1.0, "b": 1, "c": True, "d": "null", "e": -0.0, "f": None})
@example({"\ud800": "\udc00", "\ud800\udc00": "\ud800\udc00"})
@example({"a": 10**5000, "b": math.inf})
def test_what_was_encoded_comes_back_exactly(document: dict[str, Any]) -> None:
    assert exactly(decode_json(encode_json(document))) == exactly(document)


@given(st.dictionaries(texts, values, max_size=5))
def test_the_encoding_is_one_line_of_strict_ascii_json(document: dict[str, Any]) -> None:
    line = encode_json(document)

    assert line.isascii()
    assert b"\n" not in line
    json.loads(line, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))


@given(st.dictionaries(texts, values, max_size=5))
def test_text_and_bytes_decode_to_the_same(document: dict[str, Any]) -> None:
    line = encode_json(document)

    assert exactly(decode_json(line.decode())) == exactly(decode_json(line))


def test_plain_documents_look_like_plain_json() -> None:
    document = {"loss": 0.5, "step": 3, "tags": ["a", None], "name": "é🦀"}

    assert encode_json(document) == b'{"loss":0.5,"step":3,"tags":["a",null],"name":"\\u00e9\\ud83e\\udd80"}'


def test_markers_stand_for_what_json_cannot_say() -> None:
    assert encode_json({"a": math.nan, "b": -math.inf}) == b'{"a":{"$float":"nan"},"b":{"$float":"-inf"}}'
    assert encode_json({"a": {"$float": 1}}) == b'{"a":{"$dict":[["$float",1]]}}'


def test_a_number_with_more_digits_than_python_reads_comes_back() -> None:
    assert decode_json(encode_json({"n": -(10**5000)})) == {"n": -(10**5000)}


@given(st.binary(max_size=40) | st.text(max_size=40))
@example(b"")
@example(b"[]")
@example(b'"text"')
@example(b'{"a":NaN}')
@example(b'{"a":Infinity}')
@example(b'{"a":1}{}')
@example(b"\xff")
@example(b'{"a":' * 100_000)
@example(b'{"a":' + b"9" * 5000 + b"}")
@example(b'{"$dict":1,"$dict":"')
def test_anything_else_is_corruption(data: bytes | str) -> None:
    try:
        document = decode_json(data)
    except FormatError as error:
        assert isinstance(error, (CorruptionError, UnsupportedVersionError))  # noqa: PT017
    else:
        assert isinstance(document, dict)


@pytest.mark.parametrize(
    "text",
    [
        '{"a":{"$float":"1.5"}}',
        '{"a":{"$float":1}}',
        '{"a":{"$float":[]}}',
        '{"a":{"$int":"many"}}',
        '{"a":{"$int":17}}',
        '{"a":{"$text":"ab"}}',
        '{"a":{"$text":[1]}}',
        '{"a":{"$dict":{}}}',
        '{"a":{"$dict":[["a"]]}}',
        '{"a":{"$dict":[[1,2]]}}',
        '{"a":{"$dict":[[["a"],2]]}}',
        '{"a":{"$float":"nan","b":1}}',
        '{"$float":"nan"}',
        "[1]",
        '{"a":NaN}',
    ],
)
def test_a_malformed_marker_or_document_is_corruption(text: str) -> None:
    with pytest.raises(CorruptionError):
        decode_json(text)


def test_a_marker_from_the_future_asks_for_a_newer_keepsake() -> None:
    with pytest.raises(UnsupportedVersionError, match=r"\$complex"):
        decode_json('{"a":{"$complex":[1,2]}}')


@pytest.mark.parametrize("thing", [object(), b"bytes", {1, 2}, 1j])
def test_what_is_no_value_is_a_mistake_of_ours(thing: object) -> None:
    with pytest.raises(InternalError):
        encode_json({"a": thing})
    with pytest.raises(InternalError):
        encode_json({"a": thing, "b": math.nan})


def test_nesting_without_end_is_an_error_and_no_crash() -> None:
    endless: list[Any] = []
    endless.append(endless)

    with pytest.raises(InternalError):
        encode_json({"a": endless})
