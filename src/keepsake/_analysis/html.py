"""What a notebook shows of experiments and checkpoints: HTML tables with small curves in them.

- Everything that comes from a user is escaped where a table is put together, so that no caller can forget it; what is
  HTML already is marked by its type, `Html`.
- No scripts, no links, nothing that is fetched: a notebook that is opened years later, or mailed, shows the same.
- Colours are those of the page (`currentColor`, and borders of a translucent grey), so dark and light both read well.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from html import escape

from keepsake._analysis.interfaces import CheckpointLike, ExperimentLike, flatten_values
from keepsake._analysis.text import checkpoint_summary, format_duration, format_value
from keepsake._model.ids import short_id
from keepsake._model.values import Value

MOST_ROWS = 200
"""Rows that a table shows before it leaves out its middle."""
_MOST_PARAMS = 12
_CELL = "padding:2px 10px;border-bottom:1px solid rgba(128,128,128,.25);text-align:left;vertical-align:top"
_HEAD = _CELL.replace("1px solid", "2px solid") + ";font-weight:600"
_TABLE = "border-collapse:collapse;color:inherit;background:transparent;font-size:90%"
_CURVE_WIDTH = 120
_CURVE_HEIGHT = 24
_CURVE_POINTS = 240
"""More points than this are thinned: a curve has 120 pixels."""


class Html(str):
    """Text that is HTML already and must not be escaped again."""

    __slots__ = ()


def table_html(
    columns: Sequence[str], rows: Sequence[Sequence[str]], *, caption: str = "", strong: Collection[int] = ()
) -> Html:
    """Return a table.

    Args:
        columns: the headings; none for a table of name and value.
        rows: the cells; each is escaped unless it is `Html`. Of more than `MOST_ROWS` the middle is left out, but for
            rows in bold.
        caption: a line above the table.
        strong: numbers of the rows in bold.
    """
    head = "".join(f'<th style="{_HEAD}">{_cell(column)}</th>' for column in columns)
    parts = [f'<table style="{_TABLE}">']
    if caption:
        parts.append(f'<caption style="caption-side:top;text-align:left;color:inherit">{_cell(caption)}</caption>')
    if head:
        parts.append(f"<thead><tr>{head}</tr></thead>")
    parts.append("<tbody>")
    previous = -1
    for number in _shown_rows(len(rows), strong):
        if number > previous + 1:
            parts.append(_gap(number - previous - 1, len(rows[number])))
        parts.append(_row(rows[number], number in strong))
        previous = number
    parts.append("</tbody></table>")
    return Html("".join(parts))


def sparkline_html(values: Sequence[Value], *, label: str) -> Html:
    """Return a small curve of the numbers among `values` as inline SVG; nothing for fewer than two of them.

    What is no finite number is a gap. `label` is what a screen reader says.
    """
    ys = _thin([_finite(value) for value in values])
    known = [y for y in ys if y is not None]
    if len(known) < 2:
        return Html("")
    low, high = min(known), max(known)
    # Halved before they are subtracted: the span of two huge numbers may be more than a float holds.
    span = (high / 2 - low / 2) or 1.0
    width, height = _CURVE_WIDTH - 4, _CURVE_HEIGHT - 4
    strokes: list[str] = []
    pen = "M"
    for number, y in enumerate(ys):
        if y is None:
            pen = "M"
            continue
        across = 2 + width * number / (len(ys) - 1)
        strokes.append(f"{pen}{across:.1f} {2 + height * (1 - (y / 2 - low / 2) / span):.1f}")
        pen = "L"
    return Html(
        f'<svg role="img" aria-label="{escape(label)}" width="{_CURVE_WIDTH}" height="{_CURVE_HEIGHT}" '
        f'viewBox="0 0 {_CURVE_WIDTH} {_CURVE_HEIGHT}"><path d="{"".join(strokes)}" fill="none" '
        'stroke="currentColor" stroke-width="1.5" stroke-linejoin="round" stroke-linecap="round"/></svg>'
    )


def experiments_html(experiments: Sequence[ExperimentLike]) -> Html:
    """Return a list of experiments as a table: the params that differ, the best and latest checkpoints, a curve."""
    if not experiments:
        return Html("<p>no experiments</p>")
    params = [flatten_values(one.params) for one in experiments]
    shown, differ = _telling_params(params)
    rows = [
        [
            short_id(one.id), one.name or "", _time(one), one.status,
            *(_value(values, name) for name in shown),
            checkpoint_summary(one.best()), checkpoint_summary(one.latest()), _primary_curve(one.checkpoints),
        ]
        for one, values in zip(experiments, params, strict=True)
    ]  # fmt: skip
    columns = ["id", "name", "created", "status", *shown, "best", "latest", ""]
    count = f"{len(experiments)} experiment{'' if len(experiments) == 1 else 's'}"
    if differ > len(shown):
        count += f"; {len(shown)} of {differ} params that differ are shown"
    return table_html(*_without_empty(columns, rows), caption=count)


def experiment_html(experiment: ExperimentLike) -> Html:
    """Return one experiment: what is known of it, its params and its checkpoints, the best one in bold."""
    facts = [
        ["id", experiment.id], ["name", experiment.name or ""], ["created", _time(experiment)],
        ["status", experiment.status], ["duration", format_duration(experiment.duration)],
        ["user", experiment.user or ""], ["host", experiment.host or ""],
        ["command", experiment.command or ""], ["path", experiment.path or ""],
    ]  # fmt: skip
    params = [[name, format_value(value)] for name, value in flatten_values(experiment.params).items()]
    parts = [table_html((), [fact for fact in facts if fact[1]], caption="Experiment")]
    if params:
        parts.append(table_html((), params, caption="Params"))
    parts.append(checkpoints_html(experiment.checkpoints, best=experiment.best()))
    return column_html(parts)


def checkpoints_html(checkpoints: Sequence[CheckpointLike], *, best: CheckpointLike | None = None) -> Html:
    """Return checkpoints as a table with their metrics, a curve above each of them; `best` is in bold."""
    if not checkpoints:
        return Html("<p>no checkpoints</p>")
    metrics = [flatten_values(one.metrics) for one in checkpoints]
    names = list(dict.fromkeys(name for values in metrics for name in values))
    columns = ["id", "step", "created", "path", *names]
    curves = [sparkline_html([values.get(name) for values in metrics], label=f"curve of {name}") for name in names]
    rows = [
        [
            f"{short_id(one.id)} (best)" if best is not None and one.id == best.id else short_id(one.id),
            "" if one.step is None else str(one.step), _time(one), one.path or "",
            *(_value(values, name) for name in names),
        ]
        for one, values in zip(checkpoints, metrics, strict=True)
    ]  # fmt: skip
    strong = {number for number, one in enumerate(checkpoints) if best is not None and one.id == best.id}
    if any(curves):
        rows.insert(0, ["", "", "", "", *curves])
        strong = {number + 1 for number in strong}
    count = f"{len(checkpoints)} checkpoint{'' if len(checkpoints) == 1 else 's'}"
    return table_html(*_without_empty(columns, rows), caption=count, strong=strong)


def checkpoint_html(checkpoint: CheckpointLike) -> Html:
    """Return one checkpoint: what is known of it, and its metrics, the primary one in bold."""
    facts = [["id", checkpoint.id], ["created", _time(checkpoint)]]
    facts += [] if checkpoint.step is None else [["step", str(checkpoint.step)]]
    facts += [["path", checkpoint.path]] if checkpoint.path else []
    metrics = flatten_values(checkpoint.metrics)
    primary = checkpoint.primary_metric
    names = {primary[0]: f"{primary[0]} ({primary[1]})"} if primary is not None else {}
    rows = [[names.get(name, name), format_value(value)] for name, value in metrics.items()]
    strong = {number for number, name in enumerate(metrics) if name in names}
    parts = [table_html((), facts, caption="Checkpoint")]
    if rows:
        parts.append(table_html((), rows, caption="Metrics", strong=strong))
    return column_html(parts)


def column_html(parts: Sequence[Html]) -> Html:
    """Put tables below each other, each as wide as it needs."""
    style = "display:flex;flex-direction:column;align-items:flex-start;gap:12px"
    return Html(f'<div style="{style}">{"".join(parts)}</div>')


def _cell(text: str) -> str:
    return text if isinstance(text, Html) else escape(text)


def _row(cells: Sequence[str], is_strong: bool) -> str:
    style = f"{_CELL};font-weight:600" if is_strong else _CELL
    return "<tr>" + "".join(f'<td style="{style}">{_cell(cell)}</td>' for cell in cells) + "</tr>"


def _shown_rows(count: int, strong: Collection[int]) -> Sequence[int]:
    if count <= MOST_ROWS:
        return range(count)
    half = MOST_ROWS // 2
    return sorted({*range(half), *strong, *range(count - half, count)})


def _gap(rows: int, columns: int) -> str:
    noun = "row" if rows == 1 else "rows"
    return f'<tr><td style="{_CELL}" colspan="{columns}">… {rows} more {noun} …</td></tr>'


def _without_empty(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[list[str], list[list[str]]]:
    """Leave out the columns in which no row has anything."""
    kept = [number for number in range(len(columns)) if any(row[number] for row in rows)]
    return [columns[number] for number in kept], [[row[number] for number in kept] for row in rows]


def _time(one: ExperimentLike | CheckpointLike) -> str:
    return one.created.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _value(values: Mapping[str, Value], name: str) -> str:
    return format_value(values[name]) if name in values else ""


def _telling_params(params: Sequence[Mapping[str, Value]]) -> tuple[list[str], int]:
    """Return the names of the params that tell experiments apart, at most so many, and how many there are."""
    names = dict.fromkeys(name for values in params for name in values)
    differing = [name for name in names if len({repr(values[name]) if name in values else "" for values in params}) > 1]
    telling = differing if len(params) > 1 else list(names)
    return telling[:_MOST_PARAMS], len(telling)


def _primary_curve(checkpoints: Sequence[CheckpointLike]) -> Html:
    """Return the curve of the primary metric that the latest checkpoint names."""
    name = next((one.primary_metric[0] for one in reversed(checkpoints) if one.primary_metric is not None), None)
    if name is None:
        return Html("")
    return sparkline_html([flatten_values(one.metrics).get(name) for one in checkpoints], label=f"curve of {name}")


def _thin(ys: Sequence[float | None]) -> Sequence[float | None]:
    return ys[:: -(-len(ys) // _CURVE_POINTS)] if len(ys) > _CURVE_POINTS else ys


def _finite(value: Value) -> float | None:
    if not isinstance(value, (bool, int, float)):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
