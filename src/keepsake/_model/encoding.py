"""JSON as Keepsake stores it: one line of strict ASCII, from which every value comes back exactly, type included.

Nearly every document is plain JSON. What JSON cannot say is written as a marker, an object with a single key that
starts with `$`:

    {"$float": "nan" | "inf" | "-inf"}      a float that JSON has no number for
    {"$int": "-0x1f…"}                      a whole number of more digits than a Python may be set to read
    {"$text": ["…", "…"]}                   text in which lone surrogates meet, which JSON would join
    {"$dict": [[key, value], …]}            a dictionary with a key that starts with `$`, or that needs `$text`

So no dictionary of a user's can be taken for a marker. Most documents need none and never leave the C code: markers are
looked for only where the text says that there may be one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

from keepsake.errors import CorruptionError, InternalError, UnsupportedVersionError

_MAX_DECIMAL_BITS = 2000
"""Longer whole numbers are written in hexadecimal. Python refuses decimal ones of more digits than it is set to, which
is 640 (2,126 bits) at the least: https://docs.python.org/3/library/stdtypes.html#int-max-str-digits."""

_MEETING_SURROGATES = re.compile("[\ud800-\udbff](?=[\udc00-\udfff])")
_FLOATS = {"nan": float("nan"), "inf": float("inf"), "-inf": float("-inf")}


def encode_json(document: Mapping[str, Any]) -> bytes:
    """Encode a document of JSON types as one line of ASCII, without a newline.

    Args:
        document: a mapping with string keys whose values are `keepsake._model.values.Value`s.

    Raises:
        InternalError: the document holds something else; `to_value` should have refused it.
    """
    plain = document if type(document) is dict else dict(document)
    try:
        text = _encode(plain)
        if '"$' in text or "\\ud" in text:
            text = _encode(_mark(plain))
    except ValueError:
        # A float or whole number that JSON cannot carry.
        text = _encode_marked(plain)
    except (TypeError, RecursionError) as error:
        raise InternalError(f"this document cannot be stored: {error}") from error
    return text.encode("ascii")


def decode_json(data: bytes | str) -> dict[str, Any]:
    """Decode what `encode_json` wrote.

    Raises:
        CorruptionError: this is not a JSON object, or one of its markers is malformed.
        UnsupportedVersionError: it holds a marker that only a newer Keepsake knows.
    """
    try:
        text = data if isinstance(data, str) else data.decode("utf-8")
        document = (_decode_markers if '"$' in text else _decode)(text)
    except (ValueError, RecursionError) as error:
        raise CorruptionError(f"not a JSON object: {error}") from error
    if type(document) is not dict:
        raise CorruptionError(f"not a JSON object but {type(document).__name__}")
    return document


def _encode_marked(document: dict[str, Any]) -> str:
    try:
        return _encode(_mark(document))
    except (TypeError, ValueError, RecursionError) as error:
        raise InternalError(f"this document cannot be stored: {error}") from error


def _mark(value: Any) -> Any:
    """Replace all that JSON cannot say by markers."""
    if isinstance(value, dict):
        if any(key.startswith("$") or _MEETING_SURROGATES.search(key) for key in value):
            return {"$dict": [[_mark(key), _mark(item)] for key, item in value.items()]}
        return {key: _mark(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_mark(item) for item in value]
    if isinstance(value, float) and (value - value) != 0.0:
        return {"$float": "nan" if value != value else "inf" if value > 0 else "-inf"}
    if isinstance(value, int) and value.bit_length() > _MAX_DECIMAL_BITS:
        return {"$int": hex(value)}
    if isinstance(value, str) and _MEETING_SURROGATES.search(value):
        return {"$text": _split_surrogates(value)}
    return value


def _split_surrogates(text: str) -> list[str]:
    """Cut the text wherever a high surrogate stands before a low one."""
    cuts = [0, *(match.end() for match in _MEETING_SURROGATES.finditer(text)), len(text)]
    return [text[start:stop] for start, stop in pairwise(cuts)]


def _unmark(found: dict[str, Any]) -> Any:
    """Turn a marker back into what it stands for; every other object stays as it is."""
    marker = next((key for key in found if key.startswith("$")), None)
    if marker is None:
        return found
    if len(found) > 1:
        raise CorruptionError(f"the marker {marker!r} stands among other keys")
    reader = _READERS.get(marker)
    if reader is None:
        raise UnsupportedVersionError(f"the marker {marker!r} is unknown here", hint="use a newer Keepsake")
    try:
        return reader(found[marker])
    except (TypeError, ValueError, KeyError) as error:
        raise CorruptionError(f"the marker {marker!r} is malformed: {error!r}") from error


def _read_int(content: Any) -> int:
    return int(content, 16)


def _read_text(content: Any) -> str:
    if type(content) is not list:
        raise TypeError("not a list")
    return "".join(content)


def _read_dict(content: Any) -> dict[str, Any]:
    if type(content) is not list or not all(type(pair) is list and len(pair) == 2 for pair in content):
        raise TypeError("not a list of pairs")
    if not all(type(pair[0]) is str for pair in content):
        raise TypeError("a key is no string")
    return dict(content)


_READERS: dict[str, Callable[[Any], Any]] = {
    "$float": _FLOATS.__getitem__,
    "$int": _read_int,
    "$text": _read_text,
    "$dict": _read_dict,
}


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


# Built once: json.dumps and json.loads would build new ones at each call, because of their arguments.
_encode = json.JSONEncoder(ensure_ascii=True, allow_nan=False, check_circular=False, separators=(",", ":")).encode
_decode = json.JSONDecoder(parse_constant=_refuse_constant).decode
_decode_markers = json.JSONDecoder(parse_constant=_refuse_constant, object_hook=_unmark).decode
