"""Times: text that sorts as time does, and clocks that never go back."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepsake._model.times import Clock, format_time, parse_time
from keepsake.errors import CorruptionError

offsets = st.timedeltas(timedelta(hours=-23), timedelta(hours=23)).map(timezone)
moments = st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1), timezones=st.just(timezone.utc) | offsets)


@given(moments)
def test_a_time_comes_back_in_utc(moment: datetime) -> None:
    again = parse_time(format_time(moment))

    assert again == moment
    assert again.tzinfo is timezone.utc


@given(moments, moments)
def test_text_sorts_as_time_does(one: datetime, other: datetime) -> None:
    assert (format_time(one) < format_time(other)) == (one < other)


@given(st.text(max_size=30))
def test_other_text_is_corruption(text: str) -> None:
    with pytest.raises(CorruptionError, match="not a time"):
        parse_time(text)


@pytest.mark.parametrize("text", ["2026-13-01T00:00:00.000000Z", "2026-01-02T03:04:05.123456+", "2026-01-02", None, 5])
def test_what_is_nearly_a_time_is_corruption_too(text: object) -> None:
    with pytest.raises(CorruptionError):
        parse_time(text)  # type: ignore[arg-type]


def test_a_clock_starts_later_than_what_was_read_even_from_the_future() -> None:
    clock = Clock("9000-01-01T00:00:00.000000Z")

    assert clock.now() == "9000-01-01T00:00:00.000001Z" == clock.last
    assert clock.now() == "9000-01-01T00:00:00.000002Z"


def test_a_clock_gives_no_time_twice() -> None:
    clock = Clock()
    times = [clock.now() for _ in range(1000)]

    assert sorted(set(times)) == times
