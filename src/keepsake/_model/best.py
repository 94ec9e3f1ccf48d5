"""Which of an experiment's checkpoints is the best."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from keepsake._model.values import Value, get_dotted


def find_best(primary: Iterable[tuple[str, str] | None], metrics: Iterable[Mapping[str, Value]]) -> int | None:
    """Return the place of the best checkpoint by the first primary metric among them.

    Missing values, values that are no numbers, NaN, and the infinity that is worst for the goal never win; of equals
    the earliest does.

    Args:
        primary: of each checkpoint name and goal of its primary metric, or None.
        metrics: of each checkpoint.

    Returns:
        Its place, or None when nothing is left, or no checkpoint has a primary metric.
    """
    name, goal = next((one for one in primary if one is not None), (None, None))
    if name is None:
        return None
    sign = 1.0 if goal == "maximize" else -1.0
    best, best_score = None, -math.inf
    for place, measured in enumerate(metrics):
        value = measured[name] if name in measured else _find_dotted(measured, name)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            continue
        score = _as_float(value) * sign
        if score > best_score:
            best, best_score = place, score
    return best


def _find_dotted(metrics: Mapping[str, Value], name: str) -> Value:
    try:
        return get_dotted(metrics, name)
    except KeyError:
        return None


def _as_float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
