"""What people may call an experiment: its name, its tags, and notes about it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from keepsake.errors import InvalidInputError


def check_annotations(name: object, tags: object, notes: object) -> dict[str, Any]:
    """Return those that are given, as an event carries them. Raises `InvalidInputError` for what they cannot be."""
    given = {"name": check_text("name", name), "tags": check_tags(tags), "notes": check_text("notes", notes)}
    return {field: value for field, value in given.items() if value}


def check_text(field: str, value: object) -> str | None:
    """Return `value` when it is a string or None."""
    if value is not None and not isinstance(value, str):
        raise InvalidInputError(f"{field} must be a string, not {type(value).__name__}")
    return value


def check_tags(tags: object) -> list[str]:
    """Return tags as a list without repetitions."""
    if isinstance(tags, str) or not isinstance(tags, Iterable):
        raise InvalidInputError(f"tags must be a list of strings, not {tags!r}")
    words = list(tags)
    for word in words:
        if not isinstance(word, str) or not word:
            raise InvalidInputError(f"a tag must be a non-empty string, not {word!r}")
    return list(dict.fromkeys(words))
