"""Filters that Hypothesis draws, experiments to try them on, and an evaluator that is too simple to be wrong."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from hypothesis import strategies as st

from keepsake._catalog.fields import FIELDS, Column, Name, kind_of
from keepsake._catalog.literals import Literal
from keepsake._catalog.matching import make_test
from keepsake._catalog.syntax import And, Comparison, Filter, Membership, Not, NullTest, Or
from keepsake._model.values import Value, get_dotted
from keepsake.testing import strategies

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=timezone.utc)

PATHS = (
    "lr",
    "loss",
    "optim.lr",
    "optim",
    "val/loss",
    "a b",
    "tags",
    "name",
    "step",
    "and",
    "x`y",
    "params.lr",
    "é",
    "num",
)
GROUPS = ("params", "best.metrics", "latest.metrics")
_CONTAINERS: list[Value] = [
    [],
    [64, 32],
    ["a", "b"],
    {},
    {"lr": 0.1},
    {"lr": None},
    {"lr": [1, {"a": 2}]},
    [["a"], None],
]


def names() -> st.SearchStrategy[Name]:
    """Draw names: bare ones and ones of every scope that may have any path."""
    scopes = st.sampled_from(("", "params", "metrics", "best", "latest", "environment", "git", "packages"))
    paths = st.sampled_from(PATHS) | st.text(min_size=1, max_size=6)
    fields = st.sampled_from(sorted(FIELDS.keys() - {"created", "started", "duration", "status"}))
    return st.builds(Name, scopes, paths).filter(_is_plain) | fields.map(lambda field: Name("experiment", field))


def literals() -> st.SearchStrategy[Literal]:
    """Draw literals: bare ones that cannot be taken for anything else, and any text in quotes."""
    bare = (
        "1",
        "-2.5",
        "1e-3",
        "nan",
        "inf",
        "null",
        "true",
        "False",
        "adam",
        "0.1",
        "a b c",
        "[64, 32]",
        '{"a": 1}',
        "7d",
    )
    return st.sampled_from(bare).map(Literal) | st.text(max_size=6).map(lambda text: Literal(text, is_quoted=True))


def filters() -> st.SearchStrategy[Filter]:
    """Draw filters, up to a few levels deep."""
    symbols = st.sampled_from(("=", "!=", "<", "<=", ">", ">="))
    patterns = st.sampled_from(
        (Literal("^a"), Literal("a|b"), Literal("[0-9]+"), Literal(r"\d (x|y)$", is_quoted=True))
    )
    leaves: st.SearchStrategy[Filter] = st.one_of(
        st.builds(Comparison, names(), symbols, literals()),
        st.builds(Comparison, names(), st.just("~"), patterns),
        st.builds(Membership, names(), st.lists(literals(), min_size=1, max_size=3).map(tuple), st.booleans()),
        st.builds(NullTest, names(), st.booleans()),
    )
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            inner.map(Not),
            st.lists(inner, min_size=2, max_size=3).map(lambda parts: And(tuple(parts))),
            st.lists(inner, min_size=2, max_size=3).map(lambda parts: Or(tuple(parts))),
        ),
        max_leaves=6,
    )


def rows() -> st.SearchStrategy[list[dict[Column, Value]]]:
    """Draw experiments, as values by column."""
    keys = st.sampled_from(("lr", "loss", "optim", "optim.lr", "tags", "name", "num", "val/loss"))
    columns = st.builds(Column, st.sampled_from(GROUPS), keys) | st.sampled_from(sorted(set(FIELDS.values())))
    values: st.SearchStrategy[Value] = strategies.scalars() | st.sampled_from(_CONTAINERS)
    return st.lists(st.dictionaries(columns, values, max_size=6), max_size=4)


class Rows:
    """Experiments as `query.Columns`, each a dictionary of values by column."""

    def __init__(self, rows: Sequence[Mapping[Column, Value]]) -> None:
        self.rows = rows
        self.size = len(rows)

    def keys(self, group: str) -> Collection[str]:
        return dict.fromkeys(column.key for row in self.rows for column in row if column.group == group)

    def values(self, column: Column) -> Sequence[Value]:
        return [row.get(column) for row in self.rows]


def holds(tree: Filter, row: Mapping[Column, Value]) -> bool:
    """Say whether a filter holds for one experiment, by the rules one at a time."""
    if isinstance(tree, And):
        return all(holds(part, row) for part in tree.parts)
    if isinstance(tree, Or):
        return any(holds(part, row) for part in tree.parts)
    if isinstance(tree, Not):
        return not holds(tree.inner, row)
    value = look_up(tree.name, row)
    if isinstance(tree, NullTest):
        return (value is None or value == []) != tree.is_negated
    kind = kind_of(tree.name)
    if isinstance(tree, Membership):
        return any(make_test(kind, "=", literal, NOW)(value) for literal in tree.literals) != tree.is_negated
    return make_test(kind, tree.operator, tree.literal, NOW)(value)


def look_up(name: Name, row: Mapping[Column, Value]) -> Value:
    """Return what an experiment has under a name, by the rules one at a time."""
    scope, path = name
    groups: dict[str, dict[str, Any]] = {}
    for column, value in row.items():
        if value is not None:
            groups.setdefault(column.group, {})[column.key] = value
    field = FIELDS.get(path) if scope in ("", "experiment") else None
    if scope == "experiment" or (
        scope == "" and path in ("created", "started", "step", "user", "host", "command", "id")
    ):
        assert field is not None
        return row.get(field)
    if scope in ("best", "latest") and path in ("id", "step", "created", "path"):
        return row.get(Column(scope, path))
    places = {
        "": [("best.metrics", path), ("latest.metrics", path), ("params", path)],
        "params": [("params", path)],
        "metrics": [("best.metrics", path), ("latest.metrics", path)],
        "best": [("best.metrics", path)],
        "latest": [("latest.metrics", path)],
        "environment": [("environment", path)],
        "git": [("environment", f"git.{path}")],
        "packages": [],
    }[scope]
    for group, place in places:
        try:
            found = get_dotted(groups.get(group, {}), place)
        except KeyError:
            continue
        if found is not None:
            return found
    return row.get(field) if field is not None else None


def _is_plain(name: Name) -> bool:
    # Times, durations and statuses take literals of their own; `best.metrics.x` is another way to write `best.x`.
    return kind_of(name) in ("value", "id", "version") and not name.path.startswith("metrics.")
