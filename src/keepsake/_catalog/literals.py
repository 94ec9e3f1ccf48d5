"""Literals of the filter language: numbers, texts, lists, times and durations, read from how they are written."""

from __future__ import annotations

import functools
import json
import re
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

from keepsake._catalog.fields import STATUSES, Kind
from keepsake._model.times import format_time
from keepsake._model.values import Value

_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_SPAN = re.compile(r"(?:\d+(?:\.\d+)?[smhdw])+", re.ASCII)
_SPAN_PART = re.compile(r"(\d+(?:\.\d+)?)([smhdw])", re.ASCII)
_AGO = re.compile(r"(.*\S)\s+ago", re.DOTALL)
_NUMBER = re.compile(r"[-+]?(?:\d[\d_]*)?\.?\d+(?:e[-+]?\d+)?|[-+]?\d+\.(?:e[-+]?\d+)?", re.ASCII | re.IGNORECASE)
_SPECIAL_FLOATS = {"nan", "inf", "+inf", "-inf", "infinity", "+infinity", "-infinity"}
_CONSTANTS: dict[str, Value] = {"null": None, "none": None, "true": True, "false": False}
_MOMENT = re.compile(
    r"(\d{4}-\d{2}-\d{2})(?:[T ]+(\d{2}:\d{2})(:\d{2}(?:\.\d{1,6})?)?)?\s*(Z|[-+]\d{2}:?\d{2})?",
    re.ASCII | re.IGNORECASE,
)


class Literal(NamedTuple):
    """A literal as it is written."""

    text: str
    """Without its quotes."""
    is_quoted: bool = False

    @property
    def value(self) -> Value:
        """What it stands for: always a text when it is quoted."""
        return self.text if self.is_quoted else read_value(self.text)


class Period(NamedTuple):
    """A stretch of time, as texts that sort like times."""

    start: str
    stop: str


def read_value(text: str) -> Value:
    """Return what a bare literal stands for: null, a boolean, a number, a JSON list or object, else itself."""
    lower = text.lower()
    if lower in _CONSTANTS:
        return _CONSTANTS[lower]
    if _NUMBER.fullmatch(text) or lower in _SPECIAL_FLOATS:
        return _number(text)
    if text.startswith(("[", "{")):
        try:
            found: Value = json.loads(text)
        except (ValueError, RecursionError):
            return text
        return found
    return text


def read_span_s(text: str) -> float | None:
    """Return the seconds of `90s`, `1h30m`, `7d`; None for anything else."""
    compact = "".join(text.split()).lower()
    if not _SPAN.fullmatch(compact):
        return None
    return sum(float(number) * _UNITS_S[unit] for number, unit in _SPAN_PART.findall(compact))


def read_period(text: str, now: datetime) -> Period | None:
    """Return the time that a literal means, None when it means none.

    A date is that whole day, a minute or second that whole minute or second, in local time unless it says otherwise.

    Args:
        text: `2026-01-31`, `2026-01-31 12:30`, with seconds, with `T`, with `Z` or an offset; or `7d ago`.
        now: what `ago` counts from; aware.
    """
    ago = _AGO.fullmatch(text)
    if ago:
        span_s = read_span_s(ago[1])
        return None if span_s is None else _instant(now, span_s)
    match = _MOMENT.fullmatch(text)
    if not match:
        return None
    day, minute, second, offset = match.groups()
    zone = "" if offset is None else "+00:00" if offset in "Zz" else f"{offset[:3]}:{offset[-2:]}"
    length = timedelta(days=1)
    if minute is not None:
        length = timedelta(minutes=1) if second is None else timedelta(seconds=1)
        if second is not None and "." in second:
            length, second = timedelta(microseconds=1), second.ljust(10, "0")
    try:
        start = datetime.fromisoformat(f"{day}T{minute or '00:00'}{second or ':00'}{zone}")
        # Added before the zone is: a day on which clocks change has 23 or 25 hours.
        stop = start + length
        return Period(_time_text(start), _time_text(stop))
    except (ValueError, OverflowError, OSError):
        return None


def expected_literal(kind: Kind, literal: Literal, now: datetime) -> str | None:
    """Return None when the literal can be compared with values of this kind, else what could stand in its place."""
    if kind == "time" and literal.value is not None and read_period(literal.text, now) is None:
        return "a time: 2026-01-31, 2026-01-31 12:30, 2026-01-31T12:30:00Z, or 7d ago, 12h ago, 30m ago"
    if kind == "duration" and literal.value is not None and read_seconds(literal) is None:
        return "a duration: a number of seconds, or 90s, 30m, 1h30m, 7d"
    if kind == "status" and literal.value is not None and literal.text.lower() not in STATUSES:
        return f"one of {', '.join(STATUSES)}"
    return None


def read_seconds(literal: Literal) -> float | None:
    """Return the length of a duration in seconds, which may be written as a number or with units."""
    value = literal.value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    return read_span_s(literal.text)


@functools.lru_cache(maxsize=4096)
def release_of(version: str) -> tuple[int, ...]:
    """Return the numbers of a version, without zeros at the end: `2.10.0+cpu` gives (2, 10)."""
    match = re.match(r"\s*v?(\d{1,9}(?:\.\d{1,9})*)", version, re.ASCII)
    numbers = [int(part) for part in match[1].split(".")] if match else []
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def _number(text: str) -> int | float | str:
    try:
        return int(text)
    except ValueError:
        try:
            return float(text)
        except ValueError:
            return text


def _instant(now: datetime, span_s: float) -> Period:
    try:
        start = now - timedelta(seconds=span_s)
    except OverflowError:
        start = datetime.min.replace(tzinfo=timezone.utc)
    text = format_time(start)
    return Period(text, text)


def _time_text(moment: datetime) -> str:
    return format_time(moment.astimezone(timezone.utc))
