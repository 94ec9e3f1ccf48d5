"""JSON for other programs: what `--json` prints, and everything that is served.

JSON has no NaN and no infinities. They are written as the strings "NaN", "Infinity" and "-Infinity", as the JSON form
of protocol buffers has them (https://protobuf.dev/programming-guides/json), which Python's `float()` and JavaScript's
`Number()` both read back.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

_AS_THEY_ARE = frozenset((int, bool, type(None)))


def json_text(document: Any, *, indent: int | None = None) -> str:
    """Return a document of dictionaries, lists and values as strict JSON.

    Args:
        document: what to write. Anything that is no JSON type (a time, a path) is written as its text.
        indent: spaces a level; None writes one line.
    """
    separators = (",", ":") if indent is None else None
    text = _plain(document)
    return json.dumps(text, indent=indent, separators=separators, ensure_ascii=False, allow_nan=False, default=str)


def _plain(thing: Any) -> Any:
    if type(thing) in _AS_THEY_ARE:
        return thing
    if isinstance(thing, float):
        if math.isnan(thing):
            return "NaN"
        return thing if math.isfinite(thing) else ("Infinity" if thing > 0 else "-Infinity")
    if isinstance(thing, str):
        # Names of files may hold bytes that are no text; a lone surrogate cannot be written as UTF-8.
        return thing.encode("utf-8", "replace").decode() if not thing.isascii() else thing
    if isinstance(thing, Mapping):
        return {str(name): _plain(value) for name, value in thing.items()}
    if isinstance(thing, (list, tuple)):
        if _AS_THEY_ARE.issuperset(map(type, thing)):
            return thing
        return [_plain(value) for value in thing]
    return thing
