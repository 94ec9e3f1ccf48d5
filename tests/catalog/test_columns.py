"""Runs of columns come back as they were, and changing a block changes nothing else in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepsake._catalog.columns import (
    BLOCK,
    Run,
    begins_id,
    change_block,
    decode_run,
    encode_run,
    join_ids,
    make_beginnings_test,
    values_of,
)
from keepsake._catalog.encoding import CatalogDamagedError
from keepsake._catalog.fields import Column
from keepsake._catalog.state import head_of
from keepsake._model.events import ExperimentState
from keepsake._model.values import Value
from keepsake.testing import strategies

PLACES = st.integers(0, BLOCK - 1)
GROUPS = st.dictionaries(
    st.sampled_from(("params", "best.metrics")),
    st.dictionaries(st.sampled_from(("a", "b", "\ud800")), strategies.scalars(), max_size=3),
)


@given(st.dictionaries(PLACES, strategies.values(max_leaves=3)), strategies.values(max_leaves=3))
def test_a_run_comes_back_as_it_was(values: dict[int, Value], usual: Value) -> None:
    for rest in (None, usual):
        run: Run = [values.get(place, rest) for place in range(BLOCK)]
        data = encode_run(run)
        if data is None:
            assert run == [None] * BLOCK
        else:
            assert repr(decode_run(data)) == repr(run)


@pytest.mark.parametrize("usual", ["adam", [64, 32], {"torch": "2.1"}])
def test_what_most_experiments_share_is_stored_once(usual: Value) -> None:
    data = encode_run([usual] * BLOCK)
    assert data is not None
    assert len(data) < 3 * BLOCK


@given(st.lists(st.dictionaries(PLACES, st.none() | GROUPS, max_size=4), max_size=4))
def test_a_block_has_what_was_last_put_at_each_place(
    changes: list[dict[int, dict[str, dict[str, Value]] | None]],
) -> None:
    runs: dict[Column, Run] = {}
    expected: dict[int, dict[str, dict[str, Value]] | None] = {}
    for change in changes:
        change_block(runs, change)
        expected |= change
    for column, run in runs.items():
        for place in range(BLOCK):
            wanted = (expected.get(place) or {}).get(column.group, {}).get(column.key)
            assert repr(run[place]) == repr(wanted)


@pytest.mark.parametrize("data", [b"", b"{}", None, "text", 7, b'{"crc":"00000000","values":[]}'])
def test_what_is_no_run_is_noticed(data: object) -> None:
    with pytest.raises(CatalogDamagedError):
        decode_run(data)


def test_a_flipped_bit_is_noticed() -> None:
    data = bytearray(encode_run([0.5] * BLOCK) or b"")
    data[-20] ^= 1
    with pytest.raises(CatalogDamagedError):
        decode_run(bytes(data))


def test_joined_ids_are_found_by_their_beginning_only() -> None:
    ids = join_ids([{"id": "abcdef0123456789"}, {"id": "1234567"}, {"id": None}, {}, {"id": "fedcba9876543210"}])
    for prefix in ("abc", "abcdef01", "abcdef0123", "123", "1234567", "fed"):
        assert begins_id(ids, prefix), prefix
    for prefix in ("bcd", "012", "abcdef02", "456"):
        assert not begins_id(ids, prefix), prefix
    assert not begins_id(None, "abc")


@given(st.lists(st.text("01", min_size=8, max_size=10), max_size=5), st.lists(st.text("01", min_size=3, max_size=10)))
def test_many_beginnings_are_looked_for_as_each_is(ids: list[str], prefixes: list[str]) -> None:
    joined = join_ids({"id": one} for one in ids)
    test = make_beginnings_test(prefixes)
    assert test(joined) == any(begins_id(joined, prefix) for prefix in prefixes)
    assert not test(None)


def test_the_source_of_cells_is_in_no_column() -> None:
    notebook = {"path": "train.ipynb", "cell": 1, "cells": [{"number": 1, "source": "x = 1"}], "left_out": 0}
    created = {"time": "2026-11-23T22:10:11.123456Z", "environment": {"host": "box", "notebook": notebook}}
    state = ExperimentState("e" * 64, created, "s" * 32)
    assert values_of(state, head_of(state))["environment"] == {
        "host": "box",
        "notebook": {"path": "train.ipynb", "cell": 1, "left_out": 0},
    }
