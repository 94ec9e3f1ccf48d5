"""Ids of experiments, checkpoints and sessions, and the prefixes people type for them."""

from __future__ import annotations

from collections.abc import Iterable

from keepsake.errors import AmbiguousPrefixError, InvalidInputError, NotFoundError

ID_DIGITS = 64
SESSION_ID_DIGITS = 32
SHORT_ID_DIGITS = 7
MIN_PREFIX_DIGITS = 3

_HEX_DIGITS = frozenset("0123456789abcdef")


def new_id() -> str:
    """Return a fresh random id of an experiment or checkpoint."""
    import secrets  # 4 ms, which a listing need not spend

    return secrets.token_hex(ID_DIGITS // 2)


def new_session_id() -> str:
    """Return a fresh random id of a session."""
    import secrets  # 4 ms, which a listing need not spend

    return secrets.token_hex(SESSION_ID_DIGITS // 2)


def short_id(full_id: str) -> str:
    """Return the form of an id that is shown to people."""
    return full_id[:SHORT_ID_DIGITS]


def is_id(text: str) -> bool:
    """Say whether `text` is a whole id, as experiments and checkpoints have."""
    return len(text) == ID_DIGITS and _HEX_DIGITS.issuperset(text)


def resolve_prefix(prefix: str, ids: Iterable[str], *, noun: str) -> str:
    """Return the one id that `prefix` begins.

    Args:
        prefix: at least three hex digits; upper case is accepted.
        ids: the ids to choose from.
        noun: what the ids are of, for messages ("experiment", "checkpoint").

    Raises:
        InvalidInputError: `prefix` is not a string, or too short.
        NotFoundError: nothing fits.
        AmbiguousPrefixError: several ids fit; they are in `.candidates`.
    """
    wanted = check_prefix(prefix, noun=noun)
    found: list[str] = []
    for candidate in ids:
        if candidate == wanted:
            return candidate
        if candidate.startswith(wanted):
            found.append(candidate)
    if not found:
        raise NotFoundError(
            f"no {noun} has an id that starts with {prefix!r}",
            hint="`keepsake ls` shows what is there",
        )
    if len(found) > 1:
        found.sort()
        shown = ", ".join(_distinct_prefixes(found)[:8]) + (", …" if len(found) > 8 else "")
        raise AmbiguousPrefixError(
            f"{len(found)} {noun}s have an id that starts with {prefix!r}: {shown}",
            candidates=found,
            hint="give more digits",
        )
    return found[0]


def check_prefix(prefix: str, *, noun: str) -> str:
    """Return `prefix` in lower case.

    Raises:
        InvalidInputError: it is not a string, or too short.
        NotFoundError: it is not hexadecimal: no id begins so.
    """
    if not isinstance(prefix, str):
        raise InvalidInputError(f"the id of {_with_article(noun)} must be a string, not {type(prefix).__name__}")
    wanted = prefix.strip().lower()
    if not _HEX_DIGITS.issuperset(wanted):
        raise NotFoundError(
            f"{prefix!r} is not the id of {_with_article(noun)}, nor the beginning of one",
            hint="ids are hexadecimal: digits, and letters from a to f",
        )
    if len(wanted) < MIN_PREFIX_DIGITS:
        raise InvalidInputError(
            f"{prefix!r} is too short to name {_with_article(noun)}",
            hint=f"give at least {MIN_PREFIX_DIGITS} digits of the id",
        )
    return wanted


def ids_nearest(prefix: str, ids: Iterable[str]) -> list[str]:
    """Return the ids that begin almost as `prefix` does: with a digit that is wrong, missing, too many, or swapped.

    Args:
        prefix: hex digits; of more than are shown to people, only those count.
        ids: the ids to choose from.
    """
    wanted = prefix.strip().lower()[:SHORT_ID_DIGITS]
    beginnings = set(_almost(wanted))
    lengths = sorted({len(one) for one in beginnings})
    return sorted(one for one in ids if any(one[:length] in beginnings for length in lengths))


def _almost(digits: str) -> Iterable[str]:
    """Yield what somebody may have meant who typed these digits with one mistake."""
    for place in range(len(digits)):
        before, rest = digits[:place], digits[place + 1 :]
        for other in _HEX_DIGITS:
            yield before + other + rest
            yield before + other + digits[place:]
        if len(digits) > MIN_PREFIX_DIGITS:
            yield before + rest
        if rest:
            yield before + rest[0] + digits[place] + rest[1:]


def _with_article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def _distinct_prefixes(ids: list[str]) -> list[str]:
    """Shorten sorted ids to at least the usual length, but so that no two look the same."""
    for digits in range(SHORT_ID_DIGITS, ID_DIGITS):
        shortened = [one[:digits] for one in ids]
        if len(set(shortened)) == len(ids):
            return shortened
    return ids
