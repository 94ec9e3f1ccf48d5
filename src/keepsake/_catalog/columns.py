"""Columns: the values that can be filtered and sorted by, a run of experiments in a row, encoded small.

Experiments are numbered, and 256 numbers in a row are a block. Of every name there is one encoded run of values a
block, if any experiment in it has one. Changing an experiment writes the runs of one block anew; reading a name of a
hundred thousand experiments reads 400 of them, about 3 KB each.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from keepsake._catalog.encoding import CatalogDamagedError, decode_kept, encode_kept
from keepsake._catalog.fields import Column
from keepsake._model.events import Body, ExperimentState, find_end, metrics_of
from keepsake._model.notebook import without_cells
from keepsake._model.times import parse_time
from keepsake._model.values import Value
from keepsake.errors import CorruptionError

BLOCK = 256
"""Experiments in a block. Smaller ones make reading slower, larger ones writing."""

CHECKPOINT_IDS = Column("checkpoints", "ids")
"""The beginnings of the ids of all checkpoints of an experiment, one after another."""
_FEW = 4
ID_DIGITS = 8
"""How much of each. Of a million checkpoints, few share eight digits with another."""

Groups: TypeAlias = dict[str, Any]
"""The values of one experiment: a dictionary for each group of columns."""
Run: TypeAlias = list[Value]
"""The values of one column in a block, None where there is none."""


def values_of(state: ExperimentState, head: Mapping[str, Any]) -> Groups:
    """Return what can be filtered and sorted by of one experiment, by group and key.

    Args:
        state: the experiment.
        head: as `state.head_of` returns it. The status is the one that it has when it does not run.
    """
    created = state.created
    facts = {"id": state.id, "created": created["time"], "status": head["ended"]}
    facts |= {field: head[field] for field in ("name", "notes", "tags", "num_checkpoints")}
    facts |= {field: created.get(field) for field in ("project", "path", "keepsake_version")}
    facts["error"] = _error_text(state)
    groups: Groups = {
        "experiment": facts,
        "params": created.get("params"),
        "environment": without_cells(state.environment()),
        CHECKPOINT_IDS.group: {CHECKPOINT_IDS.key: join_ids(state.checkpoints)},
    }
    primary = state.primary_metric()
    if primary is not None:
        groups["primary"] = {"name": primary[0], "goal": primary[1]}
    for group in ("best", "latest"):
        body = head[group]
        if body is not None:
            groups[group] = {"created": body["time"]} | {field: body.get(field) for field in ("id", "step", "path")}
            groups[f"{group}.metrics"] = metrics_of(body)
    if head["latest"] is not None:
        facts["duration"] = _seconds_between(created["time"], head["latest"]["time"])
    return {group: values for group, values in groups.items() if isinstance(values, dict)}


def _error_text(state: ExperimentState) -> str | None:
    """Return type and message of what ended a failed experiment, on one line as Python prints it."""
    end = find_end(state)
    error = end.get("error") if end is not None else None
    if not isinstance(error, dict):
        return None
    return ": ".join(str(error[part]) for part in ("type", "message") if error.get(part)) or None


def join_ids(checkpoints: Iterable[Body]) -> str:
    """Return the beginnings of the ids of checkpoints, `ID_DIGITS` each."""
    ids = (body.get("id") for body in checkpoints)
    return "".join([f"{one:{ID_DIGITS}.{ID_DIGITS}}" for one in ids if isinstance(one, str)])


def begins_id(ids: object, prefix: str) -> bool:
    """Say whether among joined ids is one that `prefix` begins, as far as they go."""
    beginning = prefix[:ID_DIGITS]
    return (
        isinstance(ids, str)
        and beginning in ids
        and any(ids.startswith(beginning, start) for start in range(0, len(ids), ID_DIGITS))
    )


def make_beginnings_test(prefixes: Sequence[str]) -> Callable[[object], bool]:
    """Return a test of joined ids: whether among them is one that any of the prefixes begins, as far as they go."""
    by_length: defaultdict[int, set[str]] = defaultdict(set)
    for prefix in prefixes:
        by_length[min(len(prefix), ID_DIGITS)].add(prefix[:ID_DIGITS])

    def test(ids: object) -> bool:
        if not isinstance(ids, str):
            return False
        return any(
            not wanted.isdisjoint([ids[start : start + length] for start in range(0, len(ids), ID_DIGITS)])
            for length, wanted in by_length.items()
        )

    # Looking for a few in the whole text is faster than taking it to pieces.
    return test if len(prefixes) > _FEW else lambda ids: any(begins_id(ids, prefix) for prefix in prefixes)


def change_block(runs: dict[Column, Run], changes: Mapping[int, Groups | None]) -> None:
    """Put other values into the runs of a block.

    Args:
        runs: of all columns of the block; changed, and added to.
        changes: the new values by the experiment's place in the block; None takes it out.
    """
    for run in runs.values():
        for place in changes:
            run[place] = None
    by_group: defaultdict[str, dict[str, Run]] = defaultdict(dict)
    for (group, key), run in runs.items():
        by_group[group][key] = run
    for place, groups in changes.items():
        for group, values in (groups or {}).items():
            columns = by_group[group]
            for key, value in values.items():
                if value is not None:
                    if key not in columns:
                        columns[key] = runs[Column(group, key)] = [None] * BLOCK
                    columns[key][place] = value


def decode_run(data: object) -> Run:
    """Decode what `encode_run` returned. Raises `CatalogDamagedError` when it is something else."""
    document = decode_kept(data)
    values: list[Value] = document["values"]
    if "codes" in document:
        values = [values[code] for code in document["codes"]]
    if "places" in document:
        found, values = values, [None] * BLOCK
        for place, value in zip(document["places"], found, strict=True):
            values[place] = value
    if len(values) != BLOCK:
        raise CatalogDamagedError(f"a run of {len(values)} values")
    return values


def encode_run(run: Run) -> bytes | None:
    """Encode a run; None when there is no value in it."""
    missing = run.count(None)
    if missing == BLOCK:
        return None
    document: dict[str, Any] = {}
    values = run
    if missing > BLOCK // 2:
        document["places"] = [place for place, value in enumerate(run) if value is not None]
        values = [value for value in run if value is not None]
    if any(isinstance(value, (str, list, dict)) for value in (values[0], values[-1])):
        # Of texts and of what is large, most experiments of a project have one of a few.
        keys = [value if isinstance(value, str) else (repr(value),) for value in values]
        distinct = dict(zip(keys, values, strict=True))
        if len(distinct) <= len(values) // 2:
            codes = {key: code for code, key in enumerate(distinct)}
            document["codes"] = [codes[key] for key in keys]
            values = list(distinct.values())
    return encode_kept(document | {"values": values})


def _seconds_between(start: str, stop: str) -> float | None:
    try:
        return (parse_time(stop) - parse_time(start)).total_seconds()
    except CorruptionError:
        return None
