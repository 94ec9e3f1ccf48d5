"""Keys: built and taken apart again, and nothing else taken for one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepsake._model import keys
from keepsake._model.keys import SegmentName, parse_heartbeat_key, parse_segment_key
from keepsake.stores.base import is_key

experiment_ids = st.text("0123456789abcdef", min_size=64, max_size=64)
session_ids = st.text("0123456789abcdef", min_size=32, max_size=32)
segments = st.builds(
    SegmentName, experiment_ids, session_ids, st.integers(0, 10**6), st.none() | st.integers(0, 10**12)
)


@given(segments)
def test_a_segments_key_says_what_it_was_built_from(segment: SegmentName) -> None:
    assert parse_segment_key(segment.key) == segment


@given(segments)
def test_a_segments_key_is_a_key_under_the_prefixes_of_its_experiment(segment: SegmentName) -> None:
    assert is_key(segment.key)
    for digits in (0, 1, 2, 3, 64):
        assert segment.key.startswith(keys.journals_prefix(segment.experiment_id[:digits]))


@given(segments, experiment_ids)
def test_a_whole_id_as_prefix_selects_no_other_experiment(segment: SegmentName, other: str) -> None:
    assert segment.key.startswith(keys.journals_prefix(other)) == (segment.experiment_id == other)


@given(segments, segments)
def test_different_segments_have_different_keys(one: SegmentName, other: SegmentName) -> None:
    assert (one.key == other.key) == (one == other)


@pytest.mark.parametrize(
    "name",
    """
    x a.b.0.open a.b.0.open.json a.b.x.open.jsonl a.b.0.half.jsonl a.0.open.jsonl a.b.c.0.open.jsonl a.b.-1.open.jsonl
    a.b.0.-5.jsonl a.b.0..jsonl a.b..open.jsonl .jsonl
    """.split(),  # noqa: SIM905
)
def test_what_else_lies_among_the_journals_is_no_segment(name: str) -> None:
    assert parse_segment_key(f"journals/ab/{name}") is None


@given(experiment_ids, session_ids)
def test_a_heartbeats_key_says_what_it_was_built_from(experiment_id: str, session_id: str) -> None:
    key = keys.heartbeat_key(experiment_id, session_id)

    assert is_key(key)
    assert parse_heartbeat_key(key) == (experiment_id, session_id)


@pytest.mark.parametrize("name", ["", "x", "a.json", ".json", "a..json", ".b.json", "a.b.jsonl", "a.b"])
def test_what_else_lies_among_the_heartbeats_is_no_heartbeat(name: str) -> None:
    assert parse_heartbeat_key(f"heartbeats/{name}") is None


@given(st.text("0123456789abcdef", min_size=64, max_size=64))
def test_a_digest_is_read_from_its_keys(digest: str) -> None:
    for key in (keys.chunk_key(digest), keys.manifest_key(digest), f"{keys.chunk_key(digest)}.0a1b2c"):
        assert is_key(key)
        assert keys.digest_of_key(key) == digest


@given(st.integers(0, keys.SPREAD_PLACES - 1), st.text("0123456789abcdef", min_size=1))
def test_a_spread_name_stands_between_the_parts_of_the_names(place: int, rest: str) -> None:
    name = keys.spread_name(place) + rest
    assert keys.place_of_name(name) == place
    assert keys.spread_name(place) < name
    assert place == keys.SPREAD_PLACES - 1 or name < keys.spread_name(place + 1)


def test_chunks_and_journals_have_spread_names_and_other_things_do_not() -> None:
    digest = "ab12" + "0" * 60
    assert keys.place_of_name(keys.chunk_key(digest).removeprefix(keys.CHUNKS)) == 0xAB12
    segment = SegmentName(digest, "session", 1, None)
    assert keys.place_of_name(segment.key.removeprefix(keys.JOURNALS)) == 0xAB12
    assert keys.place_of_name("ab/cd12.jsonl") is None
    assert keys.place_of_name("2026-11-27T10-00-00Z.ab12.json") is None
