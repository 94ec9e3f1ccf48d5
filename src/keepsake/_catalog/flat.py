"""Columns as a table shows them: a column a value, nested ones apart, large ones left out, each with its name."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from keepsake._catalog.columns import BLOCK, Run
from keepsake._catalog.fields import ALWAYS_FIELDS, CHECKPOINT_FIELDS, FIELDS, Column, Name
from keepsake._catalog.syntax import format_name
from keepsake._model.values import Value

SHOWN_KEYS: Mapping[str, Sequence[str] | None] = {
    "experiment": (
        "created",
        "status",
        "duration",
        "name",
        "tags",
        "notes",
        "num_checkpoints",
        "path",
        "project",
        "error",
    ),
    "environment": None,
    "params": None,
    "best": ("id", "step", "created"),
    "best.metrics": None,
    "latest": ("id", "step", "created"),
    "latest.metrics": None,
    "primary": ("name", "goal"),
}
"""The groups that are shown and their keys, in this order; None for all that there are."""
HIDDEN = frozenset({Column("environment", "python_packages")})
"""Too large for a table."""
FIRST_OF_ENVIRONMENT = ("user", "host", "command", "python_version", "git")
MAX_LETTERS = 2_000
"""Longer texts are cut: a table cannot show them, and nothing keeps a note from being a book."""

_GROUPS = tuple(SHOWN_KEYS)


def flatten_runs(runs: Mapping[Column, Run]) -> dict[Column, Run]:
    """Return the runs of a block as they are shown."""
    flat: dict[Column, Run] = {}
    for column, run in runs.items():
        if not _is_shown(column):
            continue
        if any(isinstance(value, (dict, str)) for value in run):
            _flatten(column, run, flat)
        else:
            _merge(flat, column, run)
    return flat


def order_columns(columns: Collection[Column]) -> list[Column]:
    """Return the columns in the order in which they are shown; within a group by name where there is no other order."""
    return sorted(columns, key=_rank)


def column_name(column: Column, known: Collection[Column]) -> str:
    """Return the name of a column in the filter language, not to be taken for that of another one in `known`."""
    group, key = column
    if group == "params":
        return format_name(Name("params", key))
    scope, _, metrics = group.partition(".")
    if metrics:
        is_fact = key in CHECKPOINT_FIELDS or key.startswith("metrics.")
        return format_name(Name(scope, f"metrics.{key}" if is_fact else key))
    if group == "environment" and key.startswith("git."):
        return format_name(Name("git", key[len("git.") :]))
    if FIELDS.get(key) != column:
        return format_name(Name(group, key)) if group != "primary" else f"primary.{key}"
    is_taken = key not in ALWAYS_FIELDS and any(
        Column(other, key) in known for other in ("params", "best.metrics", "latest.metrics")
    )
    return f"experiment.{key}" if is_taken else key


def _is_shown(column: Column) -> bool:
    if column.group not in SHOWN_KEYS or column in HIDDEN:
        return False
    keys = SHOWN_KEYS[column.group]
    return keys is None or column.key in keys


def _flatten(column: Column, run: Run, flat: dict[Column, Run]) -> None:
    whole: Run = [None] * BLOCK
    parts: dict[Column, Run] = {}
    for place, value in enumerate(run):
        if isinstance(value, dict):
            for key, leaf in _leaves(column.key, value):
                parts.setdefault(Column(column.group, key), [None] * BLOCK)[place] = _cut(leaf)
        else:
            whole[place] = _cut(value)
    for part, values in (*parts.items(), (column, whole)):
        if values.count(None) < BLOCK:
            _merge(flat, part, values)


def _leaves(prefix: str, values: Mapping[str, Value]) -> Iterator[tuple[str, Value]]:
    for key, value in values.items():
        name = f"{prefix}.{key}"
        if isinstance(value, dict):
            yield from _leaves(name, value)
        elif value is not None:
            yield name, value


def _merge(flat: dict[Column, Run], column: Column, run: Run) -> None:
    present = flat.get(column)
    # `{"a.b": 1}` and `{"a": {"b": 1}}` have one name; a filter finds the former first.
    flat[column] = run if present is None else [b if a is None else a for a, b in zip(present, run, strict=True)]


def _cut(value: Value) -> Value:
    return value[:MAX_LETTERS] + "…" if isinstance(value, str) and len(value) > MAX_LETTERS else value


def _rank(column: Column) -> tuple[int, int, str]:
    group, key = column
    keys = FIRST_OF_ENVIRONMENT if group == "environment" else SHOWN_KEYS[group] or ()
    first = key.partition(".")[0] if group == "environment" else key
    return _GROUPS.index(group), keys.index(first) if first in keys else len(keys), key
