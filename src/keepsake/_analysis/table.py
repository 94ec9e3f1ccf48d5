"""The table of experiments that a terminal shows: one line an experiment, whatever its width.

What does not fit is left out column by column, params one by one, and a last line says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from keepsake._analysis.interfaces import CheckpointLike, ExperimentLike, flatten_values
from keepsake._analysis.text import format_value
from keepsake._model.ids import short_id
from keepsake._model.values import Value, get_dotted

_GAP = 2
_PARAMS_WIDTH = 14
"""Other columns go before the params get less than this."""
_LEAVE_OUT = ("latest checkpoint", "host", "user", "name", "params", "best checkpoint")
"""What is left out where it does not fit, in this order."""


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
    columns = _columns(experiments, is_narrow=width is not None and width < 120, show_all=show_all)
    params = _params(experiments, show_all=show_all)
    if any(params):
        columns = _insert_params(columns, [", ".join(one) for one in params])
    left_out: list[str] = []
    if width is not None:
        for heading in _LEAVE_OUT:
            if heading in columns and _least_width(columns) > width:
                del columns[heading]
                left_out.append(heading)
        if "params" in columns:
            room = _widths(columns)["params"] + width - _total_width(columns)
            columns["params"] = [_join_params(one, max(room, _PARAMS_WIDTH)) for one in params]
            if any(cell.endswith("…") for cell in columns["params"]):
                left_out.append("some params")
    lines = _draw(columns)
    if left_out:
        lines.append(f"not shown: {', '.join(left_out)}; a wider terminal or --json has everything")
    return "\n".join(lines)


def text_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table of texts, as wide as it takes."""
    columns = list(zip(*rows, strict=True)) or [()] * len(headings)
    return "\n".join(_draw(dict(zip(headings, columns, strict=True))))


def _columns(experiments: Sequence[ExperimentLike], *, is_narrow: bool, show_all: bool) -> dict[str, list[str]]:
    pattern = "%m-%d %H:%M" if is_narrow else "%Y-%m-%d %H:%M:%S"
    columns = {
        "experiment": [short_id(one.id) for one in experiments],
        "started": [one.created.strftime(pattern) for one in experiments],
        "status": [one.status for one in experiments],
    }
    for field in ("name", "user", "host"):
        values = [format_value(getattr(one, field) or "", longest=30) for one in experiments]
        if len(set(values)) > 1:
            columns[field] = values
    best = [one.best() for one in experiments]
    if any(best):
        columns["best checkpoint"] = [_checkpoint_text(one, show_all=show_all) for one in best]
    columns["latest checkpoint"] = [_checkpoint_text(one.latest(), show_all=show_all) for one in experiments]
    return columns


def _insert_params(columns: dict[str, list[str]], params: list[str]) -> dict[str, list[str]]:
    """Return the columns with the params before the checkpoints."""
    before = {heading: cells for heading, cells in columns.items() if "checkpoint" not in heading}
    after = {heading: cells for heading, cells in columns.items() if "checkpoint" in heading}
    return {**before, "params": params, **after}


def _draw(columns: Mapping[str, Sequence[str]]) -> list[str]:
    from rich.cells import set_cell_size

    widths = _widths(columns)
    rows = [[heading.upper() for heading in columns], *zip(*columns.values(), strict=True)]
    gap = " " * _GAP
    return [gap.join(map(set_cell_size, row, widths.values())).rstrip() for row in rows]


def _widths(columns: Mapping[str, Sequence[str]]) -> dict[str, int]:
    from rich.cells import cell_len

    return {heading: max(len(heading), *map(cell_len, cells)) for heading, cells in columns.items()}


def _total_width(columns: Mapping[str, Sequence[str]]) -> int:
    return sum(_widths(columns).values()) + _GAP * (len(columns) - 1)


def _least_width(columns: Mapping[str, Sequence[str]]) -> int:
    """Return how wide the table is with as few params as it may have."""
    params_width = _widths(columns).get("params", 0)
    return _total_width(columns) - max(params_width - _PARAMS_WIDTH, 0)


def _params(experiments: Sequence[ExperimentLike], *, show_all: bool) -> list[list[str]]:
    """Return for each experiment `name=value` of the params that are not the same in all, or of all of them."""
    params = [flatten_values(one.params) for one in experiments]
    names = sorted({name for one in params for name in one})
    shown = [name for name in names if show_all or len({repr(one[name]) if name in one else "" for one in params}) > 1]
    return [[f"{name}={format_value(one[name], longest=20)}" for name in shown if name in one] for one in params]


def _join_params(params: Sequence[str], room: int) -> str:
    """Join as many as there is room for; the first is cut when it is too long by itself."""
    text = ", ".join(params)
    if len(text) <= room:
        return text
    kept = len(params) - 1
    while kept > 1 and len(", ".join(params[:kept])) + 3 > room:
        kept -= 1
    text = ", ".join(params[:kept])
    return f"{text}, …" if len(text) + 3 <= room else f"{text[: room - 1]}…"


def _checkpoint_text(checkpoint: CheckpointLike | None, *, show_all: bool) -> str:
    if checkpoint is None:
        return ""
    metrics = checkpoint.metrics or {}
    names = list(metrics) if show_all else list(metrics)[:2]
    if checkpoint.primary_metric is not None:
        primary = checkpoint.primary_metric[0]
        names = [primary, *(name for name in names if name != primary)] if show_all else [primary]
    facts = [f"step {checkpoint.step}"]
    facts += [f"{name}={_short(value)}" for name in names if (value := _find(metrics, name)) is not None]
    return f"{short_id(checkpoint.id)} {' '.join(facts)}"


def _short(value: Value) -> str:
    return f"{value:.4g}" if isinstance(value, float) else format_value(value, longest=12)


def _find(metrics: Mapping[str, Value], name: str) -> Value:
    try:
        return get_dotted(metrics, name)
    except KeyError:
        return None
