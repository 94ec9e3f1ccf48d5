"""Ids and the prefixes that people type for them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepsake._model.ids import (
    ID_DIGITS,
    check_prefix,
    ids_nearest,
    is_id,
    new_id,
    new_session_id,
    resolve_prefix,
    short_id,
)
from keepsake.errors import AmbiguousPrefixError, InvalidInputError, NotFoundError

hex_digits = st.text("0123456789abcdef", min_size=ID_DIGITS, max_size=ID_DIGITS)
# Few digits, so that prefixes collide.
close_ids = st.text("ab", min_size=8, max_size=8).map(lambda start: start + "0" * (ID_DIGITS - 8))


def test_new_ids_are_whole_ids_and_all_different() -> None:
    ids = {new_id() for _ in range(100)}

    assert len(ids) == 100
    assert all(is_id(one) for one in ids)
    assert len({new_session_id() for _ in range(100)}) == 100


@pytest.mark.parametrize("text", ["", "abc", "A" * 64, "g" * 64, "a" * 63, "a" * 65, "a" * 63 + "\n", "٣" * 64])
def test_anything_else_is_no_id(text: str) -> None:
    assert not is_id(text)


@given(st.sets(close_ids, min_size=1), st.data())
def test_a_prefix_stands_for_the_only_id_that_it_begins(ids: set[str], data: st.DataObject) -> None:
    wanted = data.draw(st.sampled_from(sorted(ids)))
    prefix = wanted[: data.draw(st.integers(3, ID_DIGITS))]
    fitting = sorted(one for one in ids if one.startswith(prefix))

    if len(fitting) == 1:
        assert resolve_prefix(prefix, ids, noun="experiment") == wanted
    else:
        with pytest.raises(AmbiguousPrefixError) as caught:
            resolve_prefix(prefix, ids, noun="experiment")
        assert list(caught.value.candidates) == fitting


@given(st.sets(hex_digits), st.text("0123456789abcdef", min_size=3, max_size=ID_DIGITS))
def test_a_prefix_of_nothing_is_not_found(ids: set[str], prefix: str) -> None:
    others = {one for one in ids if not one.startswith(prefix)}

    with pytest.raises(NotFoundError, match=f"no checkpoint has an id that starts with '{prefix}'"):
        resolve_prefix(prefix, others, noun="checkpoint")


@given(st.sets(hex_digits, min_size=1))
def test_a_whole_id_stands_for_itself(ids: set[str]) -> None:
    for one in ids:
        assert resolve_prefix(one, ids, noun="experiment") == one
        assert resolve_prefix(f" {one.upper()}\n", ids, noun="experiment") == one


def test_the_candidates_of_an_ambiguous_prefix_are_shown_so_that_they_differ() -> None:
    ids = ["abc" + "0" * 20 + digit + "0" * 40 for digit in "123"]

    with pytest.raises(AmbiguousPrefixError, match="3 experiments have an id that starts with 'abc'") as caught:
        resolve_prefix("abc", ids, noun="experiment")
    assert all(one[:24] in caught.value.message for one in ids)


@pytest.mark.parametrize("prefix", ["", "ab", " ab "])
def test_too_short_a_beginning_is_refused(prefix: str) -> None:
    with pytest.raises(InvalidInputError, match="is too short to name an experiment\nhint: give at least 3 digits"):
        check_prefix(prefix, noun="experiment")


@pytest.mark.parametrize("prefix", ["x", "xyz", "abc/", "../abc", "ab c", "٣٣٣"])
def test_what_can_begin_no_id_is_not_found(prefix: str) -> None:
    with pytest.raises(NotFoundError, match="is not the id of"):
        check_prefix(prefix, noun="experiment")


@pytest.mark.parametrize(
    "typed", ["1234568", "023456", "01234567", "1023456", "0123465", "0f23456", "0123f456", "0123456f"]
)
def test_one_mistake_in_an_id_is_seen_through(typed: str) -> None:
    meant, other = "0123456" + "8" * 57, "fedcba9" + "8" * 57
    assert ids_nearest(typed, [other, meant]) == [meant]


@pytest.mark.parametrize("prefix", [None, 5, b"abcd", ["abc"]])
def test_a_prefix_that_is_no_string_is_refused(prefix: object) -> None:
    with pytest.raises(InvalidInputError, match="must be a string"):
        check_prefix(prefix, noun="experiment")  # type: ignore[arg-type]


def test_people_see_seven_digits() -> None:
    assert short_id("0123456789abcdef") == "0123456"
