"""The JSON of format 1, decoded to the events that would have told the same. Pure.

- Numbers come back as they were written: a float without a fraction is a whole number there. One too large for 64 bits
  was a float.
- NaN and infinities stand there as the strings `[NaN]`, `[+Infinity]` and `[-Infinity]`. A list or dictionary that
  holds one of them stands there as a string of Python's JSON, with `NaN` and `Infinity` in it.
- Strings come back as they are, also `"null"` and `"None"`, which Keepsake 0.x itself took for None.
- Any field but the id may be missing or null. A time that is missing is taken from what is near.
- What has no place in an event stands in its field `format_1`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from keepsake._model.events import FORMAT_1
from keepsake._model.ids import is_id
from keepsake._model.times import format_time
from keepsake.errors import CorruptionError

_FLOATS = {"[NaN]": float("nan"), "[+Infinity]": float("inf"), "[-Infinity]": float("-inf")}
_TICK = timedelta(microseconds=1)
_INT64 = range(-(2**63), 2**63)
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(?:[Zz]|([+-])(\d\d):?(\d\d))", re.ASCII)
_ENVIRONMENT = ("user", "host", "command", "python_version", "python_packages")
_KNOWN = frozenset({"id", "params", "path", "checkpoints", "keepsake_version", "replicate_version", *_ENVIRONMENT})


def decode_experiment(data: bytes, experiment_id: str, *, modified: datetime) -> list[dict[str, Any]]:
    """Decode an experiment and its checkpoints.

    Args:
        data: the object.
        experiment_id: the id that its key names.
        modified: when the object was written, for an experiment that does not say when it was created.

    Returns:
        The bodies of its events, in the order of their times: the experiment, then its checkpoints. Where there are
        files, `manifests` holds the id of the experiment or checkpoint that they belong to.

    Raises:
        CorruptionError: this is not an experiment, or not this one.
    """
    document = decode_object(data)
    if document.get("id") != experiment_id:
        raise CorruptionError(f"it is of the experiment {document.get('id')!r}")
    checkpoints = document.get("checkpoints") or []
    if not isinstance(checkpoints, list):
        raise CorruptionError("its checkpoints are not a list")
    for number, checkpoint in enumerate(checkpoints):
        if not isinstance(checkpoint, dict) or not _is_id(checkpoint.get("id")):
            raise CorruptionError(f"checkpoint {number} has no id")
    times = [_find_time(checkpoint.get("created")) for checkpoint in checkpoints]
    created = _find_time(document.get("created")) or min(filter(None, times), default=None) or modified
    bodies = [_experiment_event(document, experiment_id, created)]
    last: datetime | None = None
    for moment, checkpoint in sorted(zip(_fill(times, created), checkpoints, strict=True), key=lambda pair: pair[0]):
        # Events of equal times have no order of their own.
        last = moment if last is None or moment > last else last + _TICK
        bodies.append(_checkpoint_event(checkpoint, last))
    return bodies


def _fill(times: Iterable[datetime | None], created: datetime) -> Iterator[datetime]:
    """Yield the times, and for one that is missing the one before."""
    last = created
    for moment in times:
        last = moment or last
        yield last


def decode_object(data: bytes) -> dict[str, Any]:
    """Decode a JSON object. Raises `CorruptionError` when it is none."""
    try:
        document = json.loads(data, parse_int=_read_int)
    except (ValueError, RecursionError) as error:
        raise CorruptionError(f"it is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise CorruptionError("it is not a JSON object")
    return document


def decode_time(text: object) -> datetime | None:
    """Return a time of RFC 3339 with up to nine digits of a second, to the microsecond; None when it is none."""
    match = _TIME.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        return None
    date, clock, fraction, sign, hours, minutes = match.groups()
    try:
        moment = datetime.fromisoformat(f"{date}T{clock}").replace(tzinfo=timezone.utc)
        offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0)) * (-1 if sign == "-" else 1)
        return moment.replace(microsecond=int((fraction or "0")[:6].ljust(6, "0"))) - offset
    except (ValueError, OverflowError):
        return None


def _experiment_event(document: Mapping[str, Any], experiment_id: str, created: datetime) -> dict[str, Any]:
    environment = {name: document[name] for name in _ENVIRONMENT if document.get(name)}
    event = {
        "type": "experiment",
        "time": format_time(created),
        "id": experiment_id,
        "params": _values(document.get("params"), "params"),
        "environment": environment,
        # The name of the program was Replicate before it was Keepsake.
        "keepsake_version": document.get("keepsake_version") or document.get("replicate_version") or None,
        FORMAT_1: {name: value for name, value in document.items() if name not in _KNOWN},
    }
    return event | _files(document, experiment_id)


def _checkpoint_event(checkpoint: Mapping[str, Any], created: datetime) -> dict[str, Any]:
    step = checkpoint.get("step", 0)
    event = {
        "type": "checkpoint",
        "time": format_time(created),
        "id": checkpoint["id"],
        "step": step if type(step) is int else None,
        "metrics": _values(checkpoint.get("metrics"), "metrics"),
    }
    pair = checkpoint.get("primary_metric")
    if isinstance(pair, dict) and isinstance(pair.get("name"), str):
        goal = "maximize" if pair.get("goal") == "maximize" else "minimize"
        event["primary_metric"] = {"name": pair["name"], "goal": goal}
    return event | _files(checkpoint, checkpoint["id"])


def _files(document: Mapping[str, Any], owner_id: str) -> dict[str, Any]:
    path = document.get("path")
    return {"path": path, "manifests": [owner_id]} if isinstance(path, str) and path else {}


def _values(values: object, noun: str) -> dict[str, Any]:
    if not isinstance(values, dict | None):
        raise CorruptionError(f"its {noun} are not an object")
    return {name: _value(value) for name, value in (values or {}).items()}


def _value(value: Any) -> Any:
    if isinstance(value, str):
        if value in _FLOATS:
            return _FLOATS[value]
        if value[:1] in ("[", "{") and ("NaN" in value or "Infinity" in value):
            return _unpacked(value)
    return value


def _unpacked(text: str) -> Any:
    """Return the list or dictionary that the text is in Python's JSON; if it is not, it was a text."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _read_int(text: str) -> int | float:
    # A number of more digits than any Python reads is a float, as every one beyond 64 bits.
    number = int(text) if len(text) <= 20 else None
    return number if number is not None and number in _INT64 else float(text)


def _is_id(text: object) -> bool:
    return isinstance(text, str) and is_id(text)


def _find_time(text: object) -> datetime | None:
    """Return a time; None for the year 1, which is how Go says that there is none, and for the last one there is."""
    moment = decode_time(text)
    return moment if moment is not None and 1 < moment.year < 9999 else None
