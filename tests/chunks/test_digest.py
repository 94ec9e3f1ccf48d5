"""Digests and the numbers drawn from content."""

from __future__ import annotations

from keepsake._chunks.digest import DIGEST_DIGITS, digest_of, fraction_of


def test_a_digest_is_the_blake3_hash_in_hex() -> None:
    # The test vector for empty input of the BLAKE3 paper's repository.
    assert digest_of(b"") == "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"
    assert len(digest_of(b"x")) == DIGEST_DIGITS


def test_every_kind_of_buffer_has_the_same_digest() -> None:
    data = bytes(range(256)) * 40
    assert digest_of(data) == digest_of(bytearray(data)) == digest_of(memoryview(data)[:])


def test_fractions_are_spread_evenly() -> None:
    fractions = [fraction_of(str(number).encode()) for number in range(4000)]
    assert all(0 <= fraction < 1 for fraction in fractions)
    for tenth in range(10):
        assert 300 < sum(tenth / 10 <= fraction < (tenth + 1) / 10 for fraction in fractions) < 500
