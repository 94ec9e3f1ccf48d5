"""How values, times and whole experiments look in one line: for `repr`, tables and notices."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import timedelta

from keepsake._analysis.interfaces import CheckpointLike, ExperimentLike, flatten_values
from keepsake._model.ids import short_id
from keepsake._model.values import Value

_LONGEST_VALUE = 60
_LISTED_IDS = 8
_LISTED_NAMES = 10


def format_value(value: Value, *, longest: int = _LONGEST_VALUE) -> str:
    """Write a param or metric for people: on one line, floats with six digits, cut to `longest` characters."""
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, (dict, list)):
        value = json.dumps(value, ensure_ascii=False)
    text = str(value)
    if not text.isprintable():
        text = "".join(letter if letter.isprintable() else " " for letter in text)
    return text if len(text) <= longest else text[: longest - 1] + "…"


def format_duration(duration: timedelta | None) -> str:
    """Write a duration with its two largest units: `2h 05m`, `1d 03h`, `3m 07s`, `4.2s`; nothing for None."""
    if duration is None:
        return ""
    seconds = max(duration.total_seconds(), 0.0)
    if round(seconds, 1) < 60:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}m {rest:02}s"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours}h {minutes:02}m"
    return f"{hours // 24}d {hours % 24:02}h"


def format_bytes(size_bytes: int) -> str:
    """Write a size with three digits and a decimal unit: `999 B`, `1.23 MB`, `45.6 GB`."""
    if size_bytes < 1000:
        return f"{size_bytes} B"
    size = float(size_bytes)
    for unit in ("kB", "MB", "GB", "TB", "PB"):
        size /= 1000
        if size < 999.5 or unit == "PB":
            break
    decimals = 2 if size < 9.995 else 1 if size < 99.95 else 0
    return f"{size:.{decimals}f} {unit}"


def name_hint(name: str, known: Iterable[str], *, noun: str) -> str:
    """Say which names may have been meant: the nearest, else those that there are."""
    import difflib  # 3 ms, which a listing need not spend

    names = sorted(set(known))
    near = difflib.get_close_matches(name, names, n=3)
    if near:
        return f"did you mean {' or '.join(near)}?"
    shown = ", ".join(names[:_LISTED_NAMES]) + (" …" if len(names) > _LISTED_NAMES else "")
    return f"the {noun}s are: {shown}" if names else f"there are no {noun}s at all"


def checkpoint_summary(checkpoint: CheckpointLike | None) -> str:
    """Name a checkpoint with its step and primary metric: `835c46c (step 2, loss 0.94)`; nothing for None."""
    if checkpoint is None:
        return ""
    facts = _checkpoint_facts(checkpoint, "{} {}")
    return f"{short_id(checkpoint.id)} ({', '.join(facts)})" if facts else short_id(checkpoint.id)


def checkpoint_text(checkpoint: CheckpointLike) -> str:
    """Return the `repr` of a checkpoint: `Checkpoint(835c46c, step 2, loss=0.94)`."""
    return f"Checkpoint({', '.join([short_id(checkpoint.id), *_checkpoint_facts(checkpoint, '{}={}')])})"


def experiment_text(experiment: ExperimentLike) -> str:
    """Return the `repr` of an experiment: `Experiment(72467c5 'baseline', running, 3 checkpoints)`."""
    name = f" {experiment.name!r}" if experiment.name else ""
    return f"Experiment({short_id(experiment.id)}{name}, {experiment.status}, {_count(experiment.checkpoints)})"


def list_text(kind: str, noun: str, ids: Sequence[str]) -> str:
    """Return the `repr` of a list: `ExperimentList(2 experiments: 72467c5, 4ce0854)`."""
    count = f"{len(ids)} {noun}{'' if len(ids) == 1 else 's'}"
    shown = ", ".join(short_id(one) for one in ids[:_LISTED_IDS]) + (", …" if len(ids) > _LISTED_IDS else "")
    return f"{kind}({count}: {shown})" if ids else f"{kind}({count})"


def _count(checkpoints: Sequence[CheckpointLike]) -> str:
    return f"{len(checkpoints)} checkpoint{'' if len(checkpoints) == 1 else 's'}"


def _checkpoint_facts(checkpoint: CheckpointLike, pattern: str) -> list[str]:
    facts = [] if checkpoint.step is None else [f"step {checkpoint.step}"]
    metrics = flatten_values(checkpoint.metrics)
    if checkpoint.primary_metric is not None and checkpoint.primary_metric[0] in metrics:
        name = checkpoint.primary_metric[0]
        facts.append(pattern.format(name, format_value(metrics[name])))
    return facts
