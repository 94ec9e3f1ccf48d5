"""The table of experiments that a terminal shows: one line an experiment, whatever its width.

A param or metric is a column under its own name, as filters and sort keys write it; what Keepsake itself knows stands
under capitals. What does not fit is left out column by column, the least important first, and a last line says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from keepsake._analysis.interfaces import CheckpointLike, ExperimentLike, flatten_values
from keepsake._analysis.text import format_value
from keepsake._model.ids import short_id
from keepsake._model.values import Value, get_dotted

_GAP = 2
_LONGEST_CELL = 20
_LONGEST_NAME = 200
_LONGEST_HEADING = 24
"""Of a param or metric, in a terminal."""
_MOST_METRICS = 3
"""With more primary metrics than these, each stands beside its value instead of above a column."""
_LEAST_PARAMS = 3
"""Other columns go before the params get fewer than these."""
_LEAVE_OUT = ("latest checkpoint", "step", "host", "user", "name", "best checkpoint")
"""What is left out where it does not fit, in this order."""


@dataclass(frozen=True, slots=True)
class _Column:
    heading: str
    cells: Sequence[str]
    part: str = ""
    """What is left out when this is: one of `_LEAVE_OUT`, or "" for what is always shown."""

    @property
    def width(self) -> int:
        return max(_cell_len(self.heading), max(map(_cell_len, self.cells), default=0)) + _GAP


_Columns: TypeAlias = list[_Column]


def experiments_table(
    experiments: Sequence[ExperimentLike], width: int | None = None, *, show_all: bool = False
) -> str:
    """Return a table, a line an experiment.

    Name, user and host are shown where they differ, and of the params those that differ.

    Args:
        experiments: in the order of the lines.
        width: columns of the terminal; None leaves nothing out.
        show_all: whether to show all params and metrics, also those that do not differ.
    """
    best, latest = [one.best() for one in experiments], [one.latest() for one in experiments]
    before = _facts(experiments)
    params = _params(experiments, show_all=show_all, is_cut=width is not None)
    after = _checkpoints("best", best, show_all=show_all, is_cut=width is not None) if any(best) else []
    after += _checkpoints("latest", latest, show_all=show_all, is_cut=width is not None)
    left_out: list[str] = []
    if width is not None and _total([*before, *params, *after]) > width + _GAP:
        before = _facts(experiments, is_short=True)
        before, kept, after, left_out = _fit(before, params, after, width + _GAP)
        if len(kept) < len(params):
            left_out.append("params" if not kept else f"{len(params) - len(kept)} of {len(params)} params")
        params = kept
    lines = _draw([*before, *params, *after])
    if left_out:
        lines.append(f"not shown: {', '.join(left_out)}; see --json")
    return "\n".join(lines)


def text_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table of texts, as wide as it takes."""
    columns = list(zip(*rows, strict=True)) or [()] * len(headings)
    return "\n".join(_draw([_Column(name.upper(), cells) for name, cells in zip(headings, columns, strict=True)]))


def _fit(
    before: _Columns, params: _Columns, after: _Columns, room: int
) -> tuple[_Columns, _Columns, _Columns, list[str]]:
    """Choose what fits: as much as does with a few params, then of the params as many as there is room for."""
    left_out: list[str] = []
    least = sum(column.width for column in params[:_LEAST_PARAMS])
    for part in _LEAVE_OUT:
        if _total([*before, *after]) + least <= room:
            break
        if part == "best checkpoint":
            # Rather the checkpoint than a param.
            least = 0
            if _total([*before, *after]) <= room:
                break
        if any(column.part == part for column in [*before, *after]):
            before, after = _without(part, before), _without(part, after)
            left_out.append(part)
    rest = room - _total([*before, *after])
    kept: _Columns = []
    for column in params:
        if column.width <= rest:
            kept.append(column)
            rest -= column.width
    return before, kept, after, left_out


def _without(part: str, columns: _Columns) -> _Columns:
    return [column for column in columns if column.part != part]


def _total(columns: Iterable[_Column]) -> int:
    return sum(column.width for column in columns)


def _facts(experiments: Sequence[ExperimentLike], *, is_short: bool = False) -> _Columns:
    """Return the columns of what Keepsake knows of the experiments; times without year and seconds when short."""
    pattern = "%m-%d %H:%M" if is_short else "%Y-%m-%d %H:%M:%S"
    columns = [
        _Column("EXPERIMENT", [short_id(one.id) for one in experiments]),
        _Column("STARTED", [one.created.strftime(pattern) for one in experiments]),
        _Column("STATUS", [one.status for one in experiments]),
    ]
    for field in ("name", "user", "host"):
        values = [format_value(getattr(one, field) or "", longest=30) for one in experiments]
        if len(set(values)) > 1:
            columns.append(_Column(field.upper(), values, field))
    return columns


def _params(experiments: Sequence[ExperimentLike], *, show_all: bool, is_cut: bool) -> _Columns:
    """Return a column for each of the params that are not the same in all, or for all params.

    Those come first that the most experiments have.
    """
    params = [flatten_values(one.params) for one in experiments]
    counts: dict[str, int] = {}
    for one in params:
        for name in one:
            counts[name] = counts.get(name, 0) + 1
    names = sorted(counts, key=lambda name: (-counts[name], name))
    return [
        _Column(_heading(name, is_cut=is_cut), [_cell(one[name]) if name in one else "" for one in params])
        for name in names
        if show_all or len({repr(one[name]) if name in one else "" for one in params}) > 1
    ]


def _checkpoints(which: str, checkpoints: Sequence[CheckpointLike | None], *, show_all: bool, is_cut: bool) -> _Columns:
    """Return the columns of a checkpoint of each experiment: its id, its step and its metrics."""
    part = f"{which} checkpoint"

    def cells(text: Callable[[CheckpointLike], str]) -> list[str]:
        return ["" if one is None else text(one) for one in checkpoints]

    columns = [
        _Column(which.upper(), cells(lambda one: short_id(one.id)), part),
        _Column("STEP", cells(_step), "step" if which == "best" else part),
    ]
    shown = [[] if one is None else _shown_metrics(one, show_all=show_all) for one in checkpoints]
    names = list(dict.fromkeys(name for one in shown for name in one))
    if len(names) > _MOST_METRICS and not show_all:
        texts = [
            " ".join(f"{name}={_metric(one, name)}" for name in chosen)
            for one, chosen in zip(checkpoints, shown, strict=True)
        ]
        return [*columns, _Column("METRIC", texts, part)]
    return columns + [
        _Column(_heading(name, is_cut=is_cut), [_metric(one, name) for one in checkpoints], part) for name in names
    ]


def _step(checkpoint: CheckpointLike) -> str:
    return "" if checkpoint.step is None else str(checkpoint.step)


def _shown_metrics(checkpoint: CheckpointLike, *, show_all: bool) -> list[str]:
    """Return the names of the metrics to show: the primary one, or without one the first two."""
    names = list(checkpoint.metrics or {})
    if checkpoint.primary_metric is None:
        return names if show_all else names[:2]
    primary = checkpoint.primary_metric[0]
    return [primary, *(name for name in names if name != primary)] if show_all else [primary]


def _metric(checkpoint: CheckpointLike | None, name: str) -> str:
    try:
        return "" if checkpoint is None else _cell(get_dotted(checkpoint.metrics or {}, name))
    except KeyError:
        return ""


def _cell(value: Value) -> str:
    return f"{value:.4g}" if isinstance(value, float) else format_value(value, longest=_LONGEST_CELL)


def _heading(name: str, *, is_cut: bool) -> str:
    name = format_value(name, longest=_LONGEST_NAME)
    # Of a long dotted name, its end says the most.
    return name if not is_cut or len(name) <= _LONGEST_HEADING else f"…{name[1 - _LONGEST_HEADING :]}"


def _draw(columns: Sequence[_Column]) -> list[str]:
    widths = [column.width for column in columns]
    rows = [[column.heading for column in columns], *zip(*(column.cells for column in columns), strict=True)]
    return ["".join(map(_padded, row, widths)).rstrip() for row in rows]


def _padded(text: str, width: int) -> str:
    return text.ljust(width) if text.isascii() else text + " " * (width - _cell_len(text))


def _cell_len(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)
