"""How much of what is drawn by chance, or counted through, the tests try: enough for every day, or more on request."""

from __future__ import annotations

import os

THOROUGH = os.environ.get("KEEPSAKE_TEST_DEPTH") == "thorough"
"""Set it to "thorough" before a release, or after a change to what writes: the suite then takes three times as long."""


def depth(usual: int, thorough: int) -> int:
    """Return how many rounds, examples or seconds a test takes."""
    return thorough if THOROUGH else usual
