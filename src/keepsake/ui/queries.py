"""What stands behind the `?` of an address, read and checked."""

from __future__ import annotations

import math
from collections.abc import Sequence

from starlette.requests import Request

from keepsake.errors import InvalidInputError


def text_of(request: Request, name: str) -> str:
    """Return a text that must be there."""
    text = request.query_params.get(name, "")
    if not text:
        raise InvalidInputError(f"{name}= is missing")
    return text


def list_of(request: Request, name: str) -> list[str]:
    """Return the distinct texts that are separated by commas, in order."""
    parts = ",".join(request.query_params.getlist(name)).split(",")
    return list(dict.fromkeys(part.strip() for part in parts if part.strip()))


def choice_of(request: Request, name: str, choices: Sequence[str]) -> str:
    """Return one of several words, the first of them when none is given."""
    text = request.query_params.get(name) or choices[0]
    if text not in choices:
        raise InvalidInputError(f"{name} must be one of {', '.join(choices)}, not {text!r}")
    return text


def number_of(request: Request, name: str) -> float | None:
    """Return a finite number, None when it is not given."""
    text = request.query_params.get(name)
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InvalidInputError(f"{name} must be a number, not {text!r}")
    return number


def count_of(request: Request, name: str, default: int, *, most: int) -> int:
    """Return a whole number from 1 to `most`."""
    text = request.query_params.get(name)
    if not text:
        return default
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text[:9]) <= most:
        raise InvalidInputError(f"{name} must be a whole number from 1 to {most}, not {text!r}")
    return int(text)
