"""Cursors come back as they were written, and what is none is told apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepsake._catalog.cursor import MAX_RUNNING, Cursor, format_running, parse_cursor, parse_running


@given(st.integers(0, 10**9), st.sets(st.integers(0, 10**6), max_size=MAX_RUNNING), st.integers(12, 64))
def test_a_cursor_is_read_back_as_it_was(change: int, running: set[int], digits: int) -> None:
    cursor = Cursor("0123456789ABCDEF", change, format_running(running), digits)
    assert parse_cursor(str(cursor)) == cursor
    assert parse_running(cursor.running) == frozenset(running)


def test_of_very_many_that_run_a_cursor_says_only_whether_they_are_the_same() -> None:
    many = range(MAX_RUNNING + 1)
    assert parse_running(format_running(many)) is None
    assert len(format_running(many)) < 20
    assert format_running(many) != format_running(range(1, MAX_RUNNING + 2))


@given(st.text())
def test_any_text_may_be_asked_for(text: str) -> None:
    cursor = parse_cursor(text)
    if cursor is not None:
        parse_running(cursor.running)


@pytest.mark.parametrize("text", ["", "a.b", "a.x..12", "a.1..", "a.1..12.3"])
def test_what_is_no_cursor_is_none(text: str) -> None:
    assert parse_cursor(text) is None
