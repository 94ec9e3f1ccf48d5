"""Cursors: text that names a state of a catalog, so that what has changed since can be said.

    made.change.running.digits

`made` names the file of the catalog, `change` its last change in hexadecimal, `digits` says how long the shown ids are.
`running` has the numbers of the experiments that run, in hexadecimal with `-` between them, since one may end without
a change of the catalog; of very many only a digest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from typing import NamedTuple

MAX_RUNNING = 200
"""Of more running experiments, a cursor has the digest."""


class Cursor(NamedTuple):
    """A cursor, taken apart."""

    made: str
    change: int
    running: str
    digits: int

    def __str__(self) -> str:
        return f"{self.made}.{self.change:x}.{self.running}.{self.digits}"


def parse_cursor(text: str) -> Cursor | None:
    """Take a cursor apart; None when this is none."""
    try:
        made, change, running, digits = text.split(".")
        return Cursor(made, int(change, 16), running, int(digits))
    except ValueError:
        return None


def format_running(running: Collection[int]) -> str:
    """Write down which experiments run."""
    text = "-".join(f"{number:x}" for number in sorted(running))
    return text if len(running) <= MAX_RUNNING else f"~{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def parse_running(text: str) -> frozenset[int] | None:
    """Return which experiments ran; None when the text does not say each."""
    try:
        return frozenset(int(number, 16) for number in text.split("-") if number)
    except ValueError:
        return None
