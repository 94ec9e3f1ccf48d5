"""The filter language: which experiments a filter keeps, and in which order a sort key puts them.

Values come column by column, a column a name, so that a filter over a hundred thousand experiments reads the few names
that it speaks of. Where the columns are is the caller's business.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import compress
from typing import Protocol

from keepsake._catalog.fields import ALWAYS_FIELDS, CHECKPOINT_FIELDS, FIELDS, Column, Name, kind_of
from keepsake._catalog.matching import compare, is_null, make_membership_test, sort_key
from keepsake._catalog.parse import parse_filter, parse_sort
from keepsake._catalog.syntax import And, Filter, Membership, Not, NullTest, Or, format_name
from keepsake._model.values import Value, get_dotted
from keepsake.errors import InvalidInputError

_LISTED_NAMES = 8
"""Params and metrics that are named where nothing looks like what was written."""


class Columns(Protocol):
    """The values of a number of experiments."""

    @property
    def size(self) -> int:
        """How many experiments there are."""

    def keys(self, group: str) -> Collection[str]:
        """Return the keys of the columns of a group."""

    def values(self, column: Column) -> Sequence[Value]:
        """Return the values of a column that is there, one an experiment; None where one has none."""


@dataclass(frozen=True)
class Query:
    """What is wanted of a listing, parsed."""

    filters: tuple[Filter, ...] = ()
    """All of them must hold."""
    sort: tuple[tuple[Name, bool], ...] = ()
    """Names, each with whether it is descending; the first counts most."""

    @classmethod
    def parse(cls, filters: Iterable[str], sort: str | None, now: datetime) -> Query:
        """Read what a user wrote. Raises `InvalidInputError` that shows the place when it cannot be read."""
        keys = parse_sort(sort, now) if sort is not None else []
        return cls(tuple(parse_filter(text, now) for text in filters), tuple(keys))

    def names(self) -> list[Name]:
        """Return the names that the filters speak of, each once."""
        return list(dict.fromkeys(name for tree in self.filters for name in _names_of(tree)))


def select(query: Query, columns: Columns, order: Sequence[int], now: datetime) -> list[int]:
    """Return the places of the experiments that the query keeps, in its order.

    Args:
        query: what is wanted.
        columns: the values.
        order: the places to choose from, in the order that holds where the sort keys say nothing.
        now: what relative times count from.

    Raises:
        InvalidInputError: no experiment has anything under the name of a sort key; the hint names the nearest ones.
    """
    places = list(order)
    for tree in query.filters:
        kept = evaluate(tree, columns, now)
        places = list(compress(places, map(kept.__getitem__, places)))
    for name, is_descending in reversed(query.sort):
        places = _sorted(places, name, columns, is_descending=is_descending)
    return places


def evaluate(tree: Filter, columns: Columns, now: datetime) -> list[bool]:
    """Say of each experiment whether the filter holds."""
    if isinstance(tree, And):
        return [all(row) for row in zip(*(evaluate(part, columns, now) for part in tree.parts), strict=True)]
    if isinstance(tree, Or):
        return [any(row) for row in zip(*(evaluate(part, columns, now) for part in tree.parts), strict=True)]
    if isinstance(tree, Not):
        return [not holds for holds in evaluate(tree.inner, columns, now)]
    values = find_values(tree.name, columns)
    if values is None:
        values = [None] * columns.size
    if isinstance(tree, NullTest):
        return [is_null(value) is not tree.is_negated for value in values]
    if isinstance(tree, Membership):
        test = make_membership_test(kind_of(tree.name), tree.literals, now)
        return [test(value) is not tree.is_negated for value in values]
    return compare(kind_of(tree.name), tree.operator, tree.literal, now, values)


def find_values(name: Name, columns: Columns) -> Sequence[Value] | None:
    """Return the value that each experiment has under a name; None when nothing is known by it at all."""
    found = [values for values in _candidates(name, columns) if values is not None]
    if not found:
        return None
    return functools.reduce(
        lambda first, second: [b if a is None else a for a, b in zip(first, second, strict=True)], found
    )


def is_known(name: Name, columns: Columns) -> bool:
    """Say whether a name is that of a field, or any experiment has something under it."""
    return (name.scope in ("", "experiment") and name.path in FIELDS) or find_values(name, columns) is not None


def name_nearest(name: Name, columns: Columns) -> list[str]:
    """Return the names under which there is something, as they can be written, that look most like this one."""
    import difflib  # 3 ms, which a filter without mistakes need not spend

    metrics = {*columns.keys("best.metrics"), *columns.keys("latest.metrics")}
    if name.scope:
        known = [Name("params", key) for key in columns.keys("params")] + [Name("metrics", key) for key in metrics]
    else:
        known = [Name("", key) for key in {*columns.keys("params"), *metrics, *FIELDS}]
    return difflib.get_close_matches(format_name(name), sorted(map(format_name, known)), n=3)


def _candidates(name: Name, columns: Columns) -> Iterable[Sequence[Value] | None]:
    """Yield where the values of a name may stand; of each experiment the first that there is counts."""
    scope, path = name
    field = FIELDS.get(path) if scope in ("", "experiment") else None
    if field is not None and (scope == "experiment" or path in ALWAYS_FIELDS):
        yield _find(field, columns)
        return
    if scope in ("best", "latest"):
        if path in CHECKPOINT_FIELDS:
            yield _find(Column(scope, path), columns)
        else:
            yield _dotted(f"{scope}.metrics", path.removeprefix("metrics."), columns)
        return
    if scope in ("", "metrics"):
        yield _dotted("best.metrics", path, columns)
        yield _dotted("latest.metrics", path, columns)
    if scope in ("", "params"):
        yield _dotted("params", path, columns)
    if scope == "environment":
        yield _dotted("environment", path, columns)
    if scope == "git":
        yield _dotted("environment", f"git.{path}", columns)
    if scope == "packages":
        yield _package(path, columns)
    if field is not None:
        yield _find(field, columns)


def _find(column: Column, columns: Columns) -> Sequence[Value] | None:
    return columns.values(column) if column.key in columns.keys(column.group) else None


def _dotted(group: str, path: str, columns: Columns) -> Sequence[Value] | None:
    """Return the values at a dotted place of a group of columns, as `get_dotted` finds them."""
    keys = [key for key in columns.keys(group) if path == key or path.startswith(f"{key}.")]
    if not keys:
        return None
    found = [columns.values(Column(group, key)) for key in keys]
    if keys == [path]:
        return found[0]
    rows = (
        {key: value for key, value in zip(keys, row, strict=True) if value is not None}
        for row in zip(*found, strict=True)
    )
    return [_get(row, path) for row in rows]


def _get(row: dict[str, Value], path: str) -> Value:
    try:
        return get_dotted(row, path)
    except KeyError:
        return None


def _package(name: str, columns: Columns) -> Sequence[Value] | None:
    """Return the version of a distribution, whose name may be written in any way that pip accepts."""
    packages = _find(FIELDS["python_version"]._replace(key="python_packages"), columns)
    if packages is None:
        return None
    wanted = _normalize(name)
    versions: dict[int, Value] = {}
    for recorded in packages:
        # Most experiments of a project share one dictionary.
        if id(recorded) not in versions:
            found = recorded.items() if isinstance(recorded, dict) else ()
            versions[id(recorded)] = next((version for key, version in found if _normalize(key) == wanted), None)
    return [versions[id(recorded)] for recorded in packages]


def _normalize(name: str) -> str:
    # https://packaging.python.org/en/latest/specifications/name-normalization/
    return re.sub(r"[-_.]+", "-", name).lower()


def _sorted(places: Sequence[int], name: Name, columns: Columns, *, is_descending: bool) -> list[int]:
    values = find_values(name, columns)
    if values is None:
        if columns.size and not is_known(name, columns):
            near = name_nearest(name, columns)
            raise InvalidInputError(
                f"no experiment has {format_name(name)!r} to sort by",
                hint=f"did you mean {' or '.join(near)}?" if near else _list_names(columns),
            )
        return list(places)
    kind = kind_of(name)
    keys = {place: sort_key(kind, values[place]) for place in places}
    present = [place for place in places if keys[place] is not None]
    present.sort(key=lambda place: keys[place], reverse=is_descending)  # type: ignore[arg-type, return-value]
    return present + [place for place in places if keys[place] is None]


def _list_names(columns: Columns) -> str:
    """Say what there is to name, where nothing looks like what was written."""
    own = sorted({*columns.keys("params"), *columns.keys("best.metrics"), *columns.keys("latest.metrics")})
    shown = ", ".join(format_name(Name("", key)) for key in own[:_LISTED_NAMES])
    more = " and more" if len(own) > _LISTED_NAMES else ""
    always = f"there is always {', '.join(sorted(ALWAYS_FIELDS))}"
    return f"{always}; and here {shown}{more}" if own else always


def _names_of(tree: Filter) -> Iterable[Name]:
    if isinstance(tree, (And, Or)):
        for part in tree.parts:
            yield from _names_of(part)
    elif isinstance(tree, Not):
        yield from _names_of(tree.inner)
    else:
        yield tree.name
