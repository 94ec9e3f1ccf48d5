"""What Keepsake tells a person while their program runs: single lines on standard error.

A notice must never break or change the program that it talks to, so it is written directly (a warning turned into an
error by `-W error` would be one) and a closed or missing stream is no error.
"""

from __future__ import annotations

import sys

_said: set[str] = set()


def notice(text: str) -> None:
    """Print `text` to standard error, marked as coming from Keepsake."""
    _print(f"keepsake: {text}")


def notice_once(text: str) -> None:
    """Print `text` like `notice`, but only the first time that this process says it."""
    if first_time(text):
        notice(text)


def first_time(text: str) -> bool:
    """Say whether this process has not asked this about `text` before, nor said it with `notice_once`."""
    is_first = text not in _said
    _said.add(text)
    return is_first


def warn(text: str) -> None:
    """Print a warning to standard error."""
    _print(f"keepsake: warning: {text}")


def _print(text: str) -> None:
    stream = sys.stderr
    if stream is None:
        return
    try:
        stream.write(text + "\n")
        stream.flush()
    except (OSError, ValueError):
        # Closed or broken standard error: there is nobody left to tell.
        return
