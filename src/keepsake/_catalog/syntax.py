"""The syntax tree of a filter, and how it is written.

`format_filter` writes text that `parse_filter` reads back as the same tree.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

from keepsake._catalog.fields import SCOPES, Name
from keepsake._catalog.literals import Literal

OPERATORS = ("!=", "<=", ">=", "==", "=", "<", ">", "~")
"""As they are written; `==` means `=`. Where one begins with another, the longer one stands first."""
KEYWORDS = frozenset({"and", "or", "not", "in", "is", "null"})


@dataclass(frozen=True, slots=True)
class Comparison:
    """`NAME OPERATOR LITERAL`."""

    name: Name
    operator: str
    literal: Literal


@dataclass(frozen=True, slots=True)
class Membership:
    """`NAME in (LITERAL, …)`, or `NAME not in (…)`."""

    name: Name
    literals: tuple[Literal, ...]
    is_negated: bool = False


@dataclass(frozen=True, slots=True)
class NullTest:
    """`NAME is null`, or `NAME is not null`."""

    name: Name
    is_negated: bool = False


@dataclass(frozen=True, slots=True)
class Not:
    """`not …`."""

    inner: Filter


@dataclass(frozen=True, slots=True)
class And:
    """Two or more filters that must all hold."""

    parts: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Two or more filters of which one must hold."""

    parts: tuple[Filter, ...]


Filter: TypeAlias = Comparison | Membership | NullTest | Not | And | Or

_PLAIN_NAME = re.compile(r"[A-Za-z_][\w./-]*", re.ASCII)


def format_filter(tree: Filter) -> str:
    """Write a filter so that it is read back as the same tree."""
    if isinstance(tree, Comparison):
        return f"{format_name(tree.name)} {tree.operator} {format_literal(tree.literal)}"
    if isinstance(tree, Membership):
        literals = ", ".join(map(format_literal, tree.literals))
        return f"{format_name(tree.name)} {'not in' if tree.is_negated else 'in'} ({literals})"
    if isinstance(tree, NullTest):
        return f"{format_name(tree.name)} is {'not null' if tree.is_negated else 'null'}"
    if isinstance(tree, Not):
        return f"not ({format_filter(tree.inner)})"
    word = " and " if isinstance(tree, And) else " or "
    return word.join(
        f"({format_filter(part)})" if isinstance(part, (And, Or)) else format_filter(part) for part in tree.parts
    )


def format_name(name: Name) -> str:
    """Write a name, in backticks where it needs them."""
    is_plain = _PLAIN_NAME.fullmatch(name.path) and not KEYWORDS.intersection(re.split(r"[./-]", name.path.lower()))
    if is_plain and (name.scope or not name.path.startswith(tuple(f"{scope}." for scope in SCOPES))):
        path = name.path
    else:
        path = "`" + name.path.replace("`", "``") + "`"
    return f"{name.scope}.{path}" if name.scope else path


def format_literal(literal: Literal) -> str:
    """Write a literal, in quotes when it had some."""
    if not literal.is_quoted:
        return literal.text
    return '"' + literal.text.replace("\\", "\\\\").replace('"', '\\"') + '"'
