"""Reads filters and sort keys: text to a syntax tree, or an error that shows the place.

    filter      = conjunction { "or" conjunction }
    conjunction = negation { "and" negation }
    negation    = "not" negation | "(" filter ")" | comparison
    comparison  = name operator literal | name ["not"] "in" "(" literal { "," literal } ")" | name "is" ["not"] "null"
    name        = [ scope "." ] ( word { word } | "`" any text "`" )
    literal     = quoted text | anything up to `and`, `or`, `)` or the end; in parentheses also up to `,`

Names and bare literals may contain spaces, as Keepsake 0.x allowed, so words are told apart by where they stand and not
by a list of tokens. Keywords may be written in capitals.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from typing import NoReturn

from keepsake._catalog.fields import ALWAYS_FIELDS, CHECKPOINT_FIELDS, FIELDS, SCOPES, Name, kind_of
from keepsake._catalog.literals import Literal, expected_literal
from keepsake._catalog.syntax import OPERATORS, And, Comparison, Filter, Membership, Not, NullTest, Or
from keepsake.errors import UnreadableTextError

MAX_DEPTH = 50
"""Deepest nesting of parentheses and `not`; the reader recurses."""

_SPACE = re.compile(r"\s*")
_WORD = re.compile(r"[^\s()=!<>~,\"'`]+")
_OPERATOR = re.compile("|".join(map(re.escape, OPERATORS)))
_STRAY_OPERATOR = re.compile(r"(?:\A|\s)(?:" + "|".join(map(re.escape, OPERATORS)) + r")(?=\s|\Z)")
_NOT = re.compile(r"not(?=[\s(])", re.IGNORECASE)
_IN = re.compile(r"(not\s+)?in\s*\(", re.IGNORECASE)
_IS = re.compile(r"is(\s+not)?\s+(?:null|none)(?=[\s)]|\Z)", re.IGNORECASE)
_JOINT = re.compile(r"(and|or)(?=[\s(]|\Z)", re.IGNORECASE)
_CLOSING = {"(": ")", "[": "]", "{": "}"}

_AN_OPERATOR = "one of = != < <= > >= ~, or `in (…)`, `is null`, `is not null`"
_A_COMPARISON = "a comparison such as `params.lr < 0.01`, `not`, or `(`"


def parse_filter(text: str, now: datetime) -> Filter:
    """Read a filter.

    Args:
        text: what the user wrote.
        now: against which the times in it are checked; aware.

    Raises:
        UnreadableTextError: it cannot be read; the message shows the place, the hint what could stand there.
    """
    return _Reader(text, now, "filter").read_filter()


def parse_sort(text: str, now: datetime) -> list[tuple[Name, bool]]:
    """Read sort keys, `KEY`, `KEY-asc` or `KEY-desc`, separated by commas; return names and whether each is descending.

    Raises:
        UnreadableTextError: as in `parse_filter`.
    """
    return _Reader(text, now, "sort key").read_sort()


class _Reader:
    """A text and how far it has been read."""

    def __init__(self, text: str, now: datetime, noun: str) -> None:
        self._text = text
        self._now = now
        self._noun = noun
        self._at = 0
        self._depth = 0

    def read_filter(self) -> Filter:
        tree = self._read_or()
        if self._at < len(self._text):
            self._fail("there is nothing that this could close", "`and`, `or`, or the end")
        return tree

    def read_sort(self) -> list[tuple[Name, bool]]:
        keys = []
        while True:
            start = self._skip_space()
            name = self._read_name(_A_KEY)
            is_descending = False
            quoted = self._text[self._at - 1 : self._at] == "`"
            rest = re.compile(r"-(asc|desc)(?=\s*(?:,|\Z))", re.IGNORECASE).match(self._text, self._at)
            if quoted and rest:
                self._at, is_descending = rest.end(), rest[1].lower() == "desc"
            elif not quoted:
                path, dash, direction = name.path.rpartition("-")
                if dash and direction.lower() in ("asc", "desc"):
                    name, is_descending = name._replace(path=path), direction.lower() == "desc"
            if not name.path:
                self._fail("a name is missing", _A_KEY, at=start)
            keys.append((name, is_descending))
            self._skip_space()
            if self._at == len(self._text):
                return keys
            if self._text[self._at] != ",":
                self._fail("the sort key should end here", "`-desc`, `-asc`, a comma, or the end")
            self._at += 1

    # Structure

    def _read_or(self) -> Filter:
        parts = [self._read_and()]
        while self._take_joint("or"):
            parts.append(self._read_and())
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _read_and(self) -> Filter:
        parts = [self._read_negation()]
        while self._take_joint("and"):
            parts.append(self._read_negation())
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _take_joint(self, word: str) -> bool:
        self._skip_space()
        match = _JOINT.match(self._text, self._at)
        if match is None or match[1].lower() != word:
            return False
        self._at = match.end()
        return True

    def _read_negation(self) -> Filter:
        self._skip_space()
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self._fail(f"this is nested more than {MAX_DEPTH} deep", "fewer parentheses")
        try:
            match = _NOT.match(self._text, self._at)
            if match:
                self._at = match.end()
                return Not(self._read_negation())
            if self._text.startswith("(", self._at):
                return self._read_parentheses()
            return self._read_comparison()
        finally:
            self._depth -= 1

    def _read_parentheses(self) -> Filter:
        opened = self._at
        self._at += 1
        tree = self._read_or()
        self._skip_space()
        if not self._text.startswith(")", self._at):
            self._fail("this parenthesis is not closed", "`)` after it", at=opened)
        self._at += 1
        return tree

    def _read_comparison(self) -> Filter:
        name = self._read_name(_A_COMPARISON)
        self._skip_space()
        null_test = _IS.match(self._text, self._at)
        if null_test:
            self._at = null_test.end()
            return NullTest(name, bool(null_test[1]))
        membership = _IN.match(self._text, self._at)
        if membership:
            self._at = membership.end()
            return Membership(name, self._read_list(name), bool(membership[1]))
        operator = _OPERATOR.match(self._text, self._at)
        if not operator:
            self._fail("an operator is missing", _AN_OPERATOR)
        self._at = operator.end()
        symbol = "=" if operator[0] == "==" else operator[0]
        return Comparison(name, symbol, self._read_literal(name, symbol))

    # Names

    def _read_name(self, wanted: str) -> Name:
        start = self._skip_space()
        if self._text.startswith("`", start):
            return Name("", self._read_backticks())
        match = _WORD.match(self._text, start)
        if not match or _JOINT.fullmatch(match[0]):
            self._fail("a name is missing", wanted)
        self._at = match.end()
        scope, dot, rest = match[0].partition(".")
        scope = scope.lower()
        if dot and not rest and self._text.startswith("`", self._at):
            if scope not in SCOPES:
                self._fail(f"`{scope}.` is no scope", f"one of {', '.join(f'{one}.' for one in SCOPES)}", at=start)
            return self._checked(Name(scope, self._read_backticks()), start)
        text = self._read_words(start)
        if scope in SCOPES and rest:
            return self._checked(Name(scope, text[len(scope) + 1 :]), start)
        return Name("", text)

    def _read_words(self, start: int) -> str:
        """Read the words that follow the first one of a name, up to what cannot belong to it."""
        stop = self._at
        while True:
            self._skip_space()
            ends = any(pattern.match(self._text, self._at) for pattern in (_JOINT, _IN, _IS))
            match = None if ends else _WORD.match(self._text, self._at)
            if not match:
                self._at = stop
                return self._text[start:stop]
            self._at = stop = match.end()

    def _read_backticks(self) -> str:
        opened = self._at
        match = re.compile(r"`((?:[^`]|``)+)`(?!`)").match(self._text, opened)
        if not match:
            self._fail("this name in backticks is not closed, or empty", "a name and a backtick after it", at=opened)
        self._at = match.end()
        return match[1].replace("``", "`")

    def _checked(self, name: Name, start: int) -> Name:
        if name.scope == "experiment" and name.path not in FIELDS:
            self._fail(f"an experiment has no field {name.path!r}", f"one of {', '.join(sorted(FIELDS))}", at=start)
        return name

    # Literals

    def _read_list(self, name: Name) -> tuple[Literal, ...]:
        literals = []
        while True:
            literals.append(self._read_literal(name, "=", in_list=True))
            self._skip_space()
            end = self._text[self._at : self._at + 1]
            if end not in (",", ")"):
                self._fail("this list is not closed", "`,` and another value, or `)`")
            self._at += 1
            if end == ")":
                return tuple(literals)

    def _read_literal(self, name: Name, operator: str, *, in_list: bool = False) -> Literal:
        start = self._skip_space()
        quote = self._text[start : start + 1]
        literal = self._read_quoted(quote) if quote in ("'", '"') and quote else self._read_bare(in_list=in_list)
        if operator == "~":
            self._check_pattern(literal.text, start)
            return literal
        expected = expected_literal(kind_of(name), literal, self._now)
        if expected:
            self._fail(f"{literal.text!r} cannot be compared with {name.path}", expected, at=start)
        return literal

    def _read_quoted(self, quote: str) -> Literal:
        opened = self._at
        match = re.compile(rf"{quote}((?:[^{quote}\\]|\\.)*){quote}", re.DOTALL).match(self._text, opened)
        if not match:
            self._fail("this text is not closed", f"a {quote} at its end", at=opened)
        self._at = match.end()
        self._check_end()
        return Literal(re.sub(rf"\\([\\{quote}])", r"\1", match[1]), is_quoted=True)

    def _read_bare(self, *, in_list: bool) -> Literal:
        start = self._at
        stop = self._bare_end(in_list=in_list)
        text = self._text[start:stop].rstrip()
        if not text:
            self._fail("a value is missing", 'a number, a text, "a text in quotes", true, false or null')
        stray = _STRAY_OPERATOR.search(text)
        if stray:
            at = start + stray.end() - len(stray[0].strip())
            self._fail(
                "a value cannot have an operator in it", "`and` or `or` before the next name; or quote the value", at=at
            )
        self._at = start + len(text)
        return Literal(text)

    def _bare_end(self, *, in_list: bool) -> int:
        """Return where a bare literal ends; parentheses and brackets in it may hold anything."""
        closing: list[str] = []
        for at in range(self._at, len(self._text)):
            letter = self._text[at]
            if letter in _CLOSING:
                closing.append(_CLOSING[letter])
            elif closing:
                if letter == closing[-1]:
                    closing.pop()
            elif letter == ")" or (in_list and letter == ",") or self._joint_follows(at):
                return at
        return len(self._text)

    def _joint_follows(self, at: int) -> bool:
        return self._text[at].isspace() and _JOINT.match(self._text, at + 1) is not None

    def _check_end(self) -> None:
        at = self._skip_space()
        if at < len(self._text) and self._text[at] not in ")," and not _JOINT.match(self._text, at):
            self._fail("this cannot stand after a quoted text", "`and`, `or`, `)` or the end")

    def _check_pattern(self, pattern: str, start: int) -> None:
        try:
            re.compile(pattern)
        except (re.error, OverflowError, RecursionError, Warning) as error:
            self._fail(f"this is no regular expression: {error}", "one as Python's `re` module reads them", at=start)

    # Errors

    def _skip_space(self) -> int:
        match = _SPACE.match(self._text, self._at)
        self._at = match.end() if match else self._at
        return self._at

    def _fail(self, what: str, expected: str, *, at: int | None = None) -> NoReturn:
        place = self._at if at is None else at
        raise UnreadableTextError(
            f"this {self._noun} cannot be read: {what}\n{_show_place(self._text, place)}",
            at=place,
            hint=f"here could stand {expected}",
        )


_A_KEY = f"a name such as {', '.join(sorted(ALWAYS_FIELDS))}, params.NAME or best.{CHECKPOINT_FIELDS[1]}"
_SHOWN_COLUMNS = 70
"""How much of a long text is shown before the place; it fits a terminal of 80 columns."""


def _show_place(text: str, at: int) -> str:
    """Return the text on one line and under it a caret at the place."""
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    before, after = printable[:at], printable[at:]
    if len(before) > _SHOWN_COLUMNS:
        before = "…" + before[-_SHOWN_COLUMNS:]
    if len(after) > _SHOWN_COLUMNS:
        after = after[:_SHOWN_COLUMNS] + "…"
    return f"  {before}{after}\n  {' ' * sum(map(_columns_of, before))}^"


def _columns_of(letter: str) -> int:
    if unicodedata.combining(letter):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1
