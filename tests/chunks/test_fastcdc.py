"""Content-defined cutting: the laws of the cuts, and what they are for."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepsake._chunks.digest import digest_of
from keepsake._chunks.fastcdc import MAX_FACTOR, MIN_FACTOR, find_cuts

AVERAGE = 4096


def random_bytes(seed: int, length: int) -> bytes:
    return np.random.default_rng(seed).bytes(length)


def chunks_of(data: bytes, average_bytes: int = AVERAGE) -> list[bytes]:
    cuts = find_cuts(data, average_bytes=average_bytes, last=True)
    return [data[start:stop] for start, stop in zip([0, *cuts], cuts, strict=False)]


def cuts_in_windows(data: bytes, window_bytes: int) -> list[int]:
    """Cut as a reader does that sees one window at a time."""
    cuts: list[int] = []
    start = 0
    while start < len(data):
        stop = min(start + window_bytes, len(data))
        found = find_cuts(data[start:stop], average_bytes=AVERAGE, last=stop == len(data))
        cuts += [start + cut for cut in found]
        start = cuts[-1]
    return cuts


contents = st.one_of(
    st.builds(random_bytes, st.integers(0, 2**32), st.integers(0, 200_000)),
    st.builds(lambda pattern, count: pattern * count, st.binary(min_size=1, max_size=40), st.integers(0, 5000)),
    st.builds(
        lambda seed, length: bytes(length) + random_bytes(seed, length), st.integers(0, 99), st.integers(0, 60_000)
    ),
)


@given(contents)
def test_the_chunks_are_the_data_and_keep_their_limits(data: bytes) -> None:
    chunks = chunks_of(data)
    assert b"".join(chunks) == data
    assert all(len(chunk) >= AVERAGE // MIN_FACTOR for chunk in chunks[:-1])
    assert all(0 < len(chunk) <= AVERAGE * MAX_FACTOR for chunk in chunks)


@given(contents, st.integers(AVERAGE * MAX_FACTOR, 120_000))
def test_the_cuts_do_not_depend_on_how_the_data_is_read(data: bytes, window_bytes: int) -> None:
    assert cuts_in_windows(data, window_bytes) == find_cuts(data, average_bytes=AVERAGE, last=True)


def test_an_edit_changes_only_the_chunks_around_it() -> None:
    data = random_bytes(0, 400_000)
    known = {digest_of(chunk) for chunk in chunks_of(data)}
    new_bytes = []
    for seed in range(60):
        place, length = random.Random(seed).randrange(400_000), random.Random(seed).randrange(1, 400)
        inserted = random_bytes(seed, length)
        edits = (data[:place] + inserted + data[place:], data[:place] + data[place + length :])
        new_bytes += [sum(len(chunk) for chunk in chunks_of(one) if digest_of(chunk) not in known) for one in edits]
    # Where the old cuts are found again is a matter of chance, so this is a law of the mean.
    assert sum(new_bytes) / len(new_bytes) < 5 * AVERAGE
    assert max(new_bytes) < 20 * AVERAGE


def test_cuts_lie_beyond_the_blocks_in_which_they_are_looked_for() -> None:
    data = random_bytes(3, 3_000_000)
    cuts = find_cuts(data, average_bytes=256 * 1024, last=True)
    assert cuts[-1] == len(data)
    assert cuts == find_cuts(bytearray(data), average_bytes=256 * 1024, last=True)
    resumed = find_cuts(data[cuts[1] :], average_bytes=256 * 1024, last=True)
    assert [cut + cuts[1] for cut in resumed] == cuts[2:]


def test_chunks_have_about_the_average_length() -> None:
    chunks = chunks_of(random_bytes(1, 4_000_000))
    assert 0.8 * AVERAGE < 4_000_000 / len(chunks) < 1.4 * AVERAGE


@pytest.mark.parametrize("levels", [8, 1000])
def test_tables_of_repeated_values_are_cut_by_content_too(levels: int) -> None:
    numbers = np.random.default_rng(0).integers(0, levels, 500_000)
    chunks = chunks_of(numbers.astype(np.float32 if levels == 8 else np.int64).tobytes())
    longest = sum(len(chunk) == AVERAGE * MAX_FACTOR for chunk in chunks)
    assert longest < len(chunks) / 10


def test_nothing_is_cut_from_nothing() -> None:
    assert find_cuts(b"", average_bytes=AVERAGE, last=True) == []
    assert find_cuts(b"ab", average_bytes=AVERAGE, last=False) == []
    assert find_cuts(b"ab", average_bytes=AVERAGE, last=True) == [2]
