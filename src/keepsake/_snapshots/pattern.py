"""One line of `.keepsakeignore`, compiled as git reads it (gitignore(5)), through pathspec.

pathspec says whether a file lies at or below anything that a list of patterns matches. A walk that prunes has to ask
something else: which one pattern matches this very path? So each line is compiled alone, and where pathspec's regular
expression would accept a path below the one that is matched, it is made to fail.

Brackets and blanks are put aside before pathspec sees the line, and put back as regular expressions of our own: its
releases differ from git, and 0.11 from 1.x, in escapes and classes within brackets and in which blanks they strip.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_HELD = "\0"
"""Stands for what was put aside; no file name and no valid line contains it."""

_MEMBER = r"\\.|\[:[a-z]+:\]"
_HOLD = re.compile(rf"\\\s|\s|\[[!^]?(?:{_MEMBER}|[^\\])(?:{_MEMBER}|[^\]\\])*\]|\\[^\s/]|\[", re.DOTALL)
_RANGE = re.compile(r"\[:([a-z]+):\]|(\\.|[^\\])(?:-(\\.|[^\\]))?", re.DOTALL)
_BELOW = re.compile(r"\(\?P<\w+>/\)")
"""pathspec's mark for "and everything below this directory"."""
_END = re.compile(r"(?<!\\)\$")
"""Also matches before a newline at the end, which a name may contain."""
_PLAIN_NAME = re.compile(r"[\w.$@~+-]+")

_CLASSES = {
    "alnum": "A-Za-z0-9",
    "alpha": "A-Za-z",
    "blank": r"\ \t",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": r"\ -~",
    "punct": r"!-/:-@\[-`{-~",
    "space": r"\s",
    "upper": "A-Z",
    "xdigit": "A-Fa-f0-9",
}


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled line."""

    text: str
    """The line as written."""
    line: int
    """Its number in `.keepsakeignore`; 0 for a rule of Keepsake's own."""
    regex: str
    """Matches a path, or its last component when `by_name`; to be compiled with `re.DOTALL`."""
    negated: bool
    directory_only: bool
    by_name: bool

    @property
    def name(self) -> str | None:
        """The one name that this matches, when it is a plain one."""
        plain = self.text.removeprefix("!").removesuffix("/")
        return plain if self.by_name and _PLAIN_NAME.fullmatch(plain) else None


def compile_pattern(text: str, line: int = 0) -> Pattern | None:
    """Compile one line; None for a comment or a blank one.

    Raises:
        ValueError: no path could ever match; the message says why. (git passes over such a line without a word, and
            what it was meant to keep out would be saved.)
    """
    body = _strip_blanks(text)
    if not body or body.startswith("#"):
        return None
    negated = body.startswith("!")
    body = body[negated:]
    directory_only = body.endswith("/")
    body = body[: len(body) - directory_only]
    by_name = "/" not in body
    body = body.removeprefix("/")
    _refuse_unmatchable(body)
    regex = _compile_body(body, by_name=by_name)
    return Pattern(text.strip("\r\n"), line, regex, negated, directory_only, by_name)


def escape_path(path: str) -> str:
    """Write `path` so that a pattern matches it and nothing else."""
    return re.sub(r"([\\*?\[\]]|[ \t]$|^[!#])", r"\\\1", path)


def _strip_blanks(text: str) -> str:
    """Remove the blanks at the end, as git does: spaces only, and not one behind a backslash."""
    text = text.rstrip("\n").removesuffix("\r")
    stripped = text.rstrip(" ")
    backslashes = len(stripped) - len(stripped.rstrip("\\"))
    return stripped + " " if backslashes % 2 and len(stripped) < len(text) else stripped


def _refuse_unmatchable(body: str) -> None:
    parts = body.split("/")
    if _HELD in body:
        raise ValueError("it contains a NUL character")
    if "" in parts:
        raise ValueError("it names nothing" if not body else "two slashes follow each other")
    if "." in parts or ".." in parts:
        raise ValueError("'.' and '..' match no name; patterns start at the project directory already")


def _compile_body(body: str, *, by_name: bool) -> str:
    from pathspec import GitIgnoreSpec

    held: list[str] = []

    def hold(match: re.Match[str]) -> str:
        held.append(_hold_regex(match.group()))
        return _HELD

    plain = _normalize_stars(_HOLD.sub(hold, body), by_name=by_name)
    if "\\" in plain:
        raise ValueError("a backslash stands before nothing that it could make ordinary")
    # The leading slash keeps '#' and '!' ordinary; a pattern by name then matches the last component alone.
    (compiled,) = GitIgnoreSpec.from_lines(["/" + plain]).patterns
    if compiled.regex is None:
        raise ValueError("it is no pattern")
    regex: str = _END.sub(r"\\Z", _BELOW.sub("(?!)", compiled.regex.pattern))
    pieces = regex.split(_HELD)
    joined = pieces[0] + "".join(one + piece for one, piece in zip(held, pieces[1:], strict=True))
    try:
        re.compile(joined)
    except re.error as error:
        raise ValueError(str(error)) from error
    return joined


def _normalize_stars(body: str, *, by_name: bool) -> str:
    """Write stars the one way on which all releases of pathspec agree with git."""
    if by_name:
        return re.sub(r"\*+", "*", body)
    parts = ["**" if len(part) > 1 and not part.strip("*") else re.sub(r"\*+", "*", part) for part in body.split("/")]
    if parts[-1] == "**":
        parts.append("*")  # "everything below", as the match of a path itself
    return "/".join(parts)


def _hold_regex(held: str) -> str:
    """Translate what was put aside: an escape, a blank or a bracket expression."""
    if held == "[":
        raise ValueError("a '[' is not closed; write '\\[' for the character itself")
    if held[0] == "[":
        return _bracket_regex(held)
    return re.escape(held[-1])


def _bracket_regex(bracket: str) -> str:
    negated = bracket[1] in "!^"
    members = "".join(_member_regex(match) for match in _RANGE.finditer(bracket[1 + negated : -1]))
    return f"(?!/)[{'^' if negated else ''}{members}]"


def _member_regex(match: re.Match[str]) -> str:
    name, first, last = match.groups()
    if name:
        if name not in _CLASSES:
            raise ValueError(f"there is no class [:{name}:]")
        return _CLASSES[name]
    if last is None:
        return re.escape(first[-1])
    if first[-1] > last[-1]:
        raise ValueError(f"the range {first}-{last} is empty")
    return f"{re.escape(first[-1])}-{re.escape(last[-1])}"
