"""Columns as a table shows them: a column a value, nested ones apart, large ones left out, each with its name."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import cast

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
ID_COLUMNS = frozenset({Column("best", "id"), Column("latest", "id")})
SHOWN_ID_DIGITS = 12
HIDDEN = frozenset({Column("environment", "python_packages")})
"""Too large for a table."""
FIRST_OF_ENVIRONMENT = ("user", "host", "command", "python_version", "git")
MAX_LETTERS = 2_000
"""Longer texts are cut: a table cannot show them, and nothing keeps a note from being a book."""

_GROUPS = tuple(SHOWN_KEYS)


def flatten_run(column: Column, run: Run) -> dict[Column, Run]:
    """Return the run of a column of a block as it is shown: nothing, itself, or the runs of what is nested in it."""
    if not is_shown(column):
        return {}
    kinds = set(map(type, run))
    if column in ID_COLUMNS:
        return {column: [value[:SHOWN_ID_DIGITS] if isinstance(value, str) else None for value in run]}
    if dict in kinds:
        return _flatten(column, run)
    if list in kinds or (str in kinds and _longest(run) > MAX_LETTERS):
        return {column: list(map(_shown_value, run))}
    return {column: run}


def merge_runs(runs: dict[Column, Run], more: Mapping[Column, Run]) -> None:
    """Add the runs of another column. `{"a.b": 1}` and `{"a": {"b": 1}}` have one name; what is written so wins."""
    for column, run in more.items():
        present = runs.get(column)
        if present is not None:
            run = [b if a is None else a for a, b in zip(present, run, strict=True)]
        runs[column] = run


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


def is_shown(column: Column) -> bool:
    """Say whether a column is shown, as it is or as those that are nested in it."""
    if column.group not in SHOWN_KEYS or column in HIDDEN:
        return False
    keys = SHOWN_KEYS[column.group]
    return keys is None or column.key in keys


def _flatten(column: Column, run: Run) -> dict[Column, Run]:
    whole: Run = [None if isinstance(value, dict) else _shown_value(value) for value in run]
    runs = {} if whole.count(None) == BLOCK else {column: whole}
    leaves: dict[int, list[tuple[str, Value]]] = {}
    parts: dict[str, Run] = {}
    for place, value in enumerate(run):
        if isinstance(value, dict):
            # Experiments with the same surroundings share one dictionary.
            if id(value) not in leaves:
                leaves[id(value)] = list(_leaves(column.key, value))
            for key, leaf in leaves[id(value)]:
                if key not in parts:
                    parts[key] = [None] * BLOCK
                parts[key][place] = leaf
    return runs | {Column(column.group, key): part for key, part in parts.items()}


def _leaves(prefix: str, values: Mapping[str, Value]) -> Iterator[tuple[str, Value]]:
    for key, value in values.items():
        name = f"{prefix}.{key}"
        if isinstance(value, dict):
            yield from _leaves(name, value)
        elif value is not None:
            yield name, _shown_value(value)


def _longest(run: Run) -> int:
    """Return the length of the longest text in a run."""
    if set(map(type, run)) <= {str, type(None)}:
        return max(map(len, cast("Iterable[str]", filter(None, run))), default=0)
    return max([len(value) for value in run if isinstance(value, str)])


def _shown_value(value: Value) -> Value:
    if isinstance(value, str) and len(value) > MAX_LETTERS:
        return value[:MAX_LETTERS] + "…"
    return None if value == [] else value


def _rank(column: Column) -> tuple[int, int, str]:
    group, key = column
    keys = FIRST_OF_ENVIRONMENT if group == "environment" else SHOWN_KEYS[group] or ()
    first = key.partition(".")[0] if group == "environment" else key
    return _GROUPS.index(group), keys.index(first) if first in keys else len(keys), key
