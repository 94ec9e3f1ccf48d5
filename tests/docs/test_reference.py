"""The reference is what the code says."""

from __future__ import annotations

import pytest

from docs.write_reference import REFERENCE, reference_pages


@pytest.mark.parametrize("name", ["cli.md", "python.md"])
def test_the_reference_is_not_stale(name: str) -> None:
    written = (REFERENCE / name).read_text(encoding="utf-8")
    assert written == reference_pages()[name], "run: python docs/write_reference.py"
