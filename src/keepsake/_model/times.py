"""Times as events carry them: aware UTC in memory, fixed-width text in journals, so that text sorts as time does."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from keepsake.errors import CorruptionError

_WIDTH = len("2026-01-02T03:04:05.123456Z")
_TICK = timedelta(microseconds=1)


def format_time(moment: datetime) -> str:
    """Write an aware datetime as UTC text of fixed width, with microseconds."""
    if moment.tzinfo is not timezone.utc:
        moment = moment.astimezone(timezone.utc)
    return moment.isoformat(timespec="microseconds")[: _WIDTH - 1] + "Z"


def parse_time(text: str) -> datetime:
    """Read what `format_time` wrote, as an aware UTC datetime. Raises `CorruptionError` for anything else."""
    if not isinstance(text, str) or len(text) != _WIDTH or not text.endswith("Z"):
        raise CorruptionError(f"not a time: {text!r}")
    try:
        return datetime.fromisoformat(text[:-1]).replace(tzinfo=timezone.utc)
    except ValueError as error:
        raise CorruptionError(f"not a time: {text!r}") from error


def now_text() -> str:
    """Return the present time as text."""
    return format_time(datetime.now(timezone.utc))


class Clock:
    """Times that never repeat and never go back, whatever the machine's clock does; not for several threads at once."""

    def __init__(self, after: str = "") -> None:
        """Start a clock whose first time is later than `after` (as `format_time` writes it)."""
        self._last = parse_time(after) if after else datetime.min.replace(tzinfo=timezone.utc)

    @property
    def last(self) -> str:
        """The last time that was given out, or what the clock started after."""
        return format_time(self._last)

    def now(self) -> str:
        """Return the present time, or the last one and a microsecond when that is later."""
        self._last = max(datetime.now(timezone.utc), self._last + _TICK)
        return format_time(self._last)


class LocalTime(datetime):
    """An aware datetime in local time that may be compared with naive ones, which then count as local too."""

    @classmethod
    def from_text(cls, text: str) -> LocalTime:
        """Read what `format_time` wrote."""
        moment = parse_time(text).astimezone()
        return cls(*moment.timetuple()[:6], moment.microsecond, moment.tzinfo, fold=moment.fold)

    def __lt__(self, other: Any) -> bool:
        return super().__lt__(_aware(other))

    def __le__(self, other: Any) -> bool:
        return super().__le__(_aware(other))

    def __gt__(self, other: Any) -> bool:
        return super().__gt__(_aware(other))

    def __ge__(self, other: Any) -> bool:
        return super().__ge__(_aware(other))

    def __eq__(self, other: object) -> bool:
        return super().__eq__(_aware(other))

    __hash__ = datetime.__hash__

    def __sub__(self, other: Any) -> Any:
        return super().__sub__(_aware(other))

    def __rsub__(self, other: Any) -> Any:
        return datetime.__sub__(_aware(other), self) if isinstance(other, datetime) else NotImplemented


def _aware(moment: Any) -> Any:
    is_naive = isinstance(moment, datetime) and moment.tzinfo is None
    return moment.astimezone() if is_naive else moment
