"""What a notebook shows of experiments and checkpoints: tables with small curves in them.

The rules of `html` hold here, too. Of a long list, only the experiments that are shown are read whole.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

from keepsake._analysis.details import DetailedExperiment, notebook_summary
from keepsake._analysis.diffwords import printable
from keepsake._analysis.history import history, points_of
from keepsake._analysis.html import Html, column_html, numbered_table_html, row_html, shown_rows, table_html
from keepsake._analysis.interfaces import CheckpointLike, ExperimentLike, flatten_values
from keepsake._analysis.sparkline import sparkline_html
from keepsake._analysis.text import format_duration, format_value
from keepsake._model.best import find_best
from keepsake._model.ids import short_id
from keepsake._model.notebook import Notebook, find_notebook
from keepsake._model.values import Value

_MOST_PARAMS = 12
_MOST_CHECKPOINTS = 20
"""Checkpoints that are shown with their experiment; a list of them shows more."""
_LONGEST_NAME = 40
_LONGEST_PARAM = 30
"""Of a name and a param in a row of a list."""
_LONGEST_TEXT = 400
_PRE = "margin:4px 0;padding:4px 8px;border:1px solid rgba(128,128,128,0.25);overflow-x:auto;line-height:1.3"
_NO_CHECKPOINTS = "no checkpoints"


def experiments_html(experiments: Sequence[ExperimentLike], *, title: str = "") -> Html:
    """Return a list of experiments as a table: a curve, the best checkpoint, the params that differ, the latest one.

    What tells experiments apart stands to the left, where it is seen without scrolling. The best of all is in bold.

    Args:
        experiments: the experiments.
        title: what stands before their number.
    """
    before = f"{title}: " if title else ""
    if not experiments:
        return Html(table_html((), [], caption=f"{before}no experiments"))
    best = [one.best() for one in experiments]
    pairs = {tuple(one.primary_metric) for one in best if one is not None and one.primary_metric is not None}
    common = next(iter(pairs))[0] if len(pairs) == 1 else None
    winner = _best_of_all(best) if common is not None and len(experiments) > 1 else None
    params = [flatten_values(one.params) for one in experiments]
    shown, differ = _telling_params(params)
    strong = () if winner is None else (winner,)
    rows = {
        number: [
            _short(experiments[number].id, is_best=number == winner),
            format_value(experiments[number].name or "", longest=_LONGEST_NAME),
            experiments[number].status, _primary_curve(experiments[number]), _result(best[number], common),
            *(_value(params[number], name, longest=_LONGEST_PARAM) for name in shown),
            _result(experiments[number].latest(), common), _time(experiments[number]),
        ]
        for number in shown_rows(len(experiments), strong)
    }  # fmt: skip
    caption = f"{before}{_count(len(experiments), 'experiment')}"
    if differ > len(shown):
        caption += f"; {len(shown)} of {differ} params that differ are shown"
    columns = [
        "id",
        "name",
        "status",
        format_value(common or ""),
        "best",
        *map(format_value, shown),
        "latest",
        "created",
    ]
    columns = [format_value(column) for column in columns]
    table = numbered_table_html(*_without_empty(columns, rows), count=len(experiments), caption=caption, strong=strong)
    return row_html([table])


def experiment_html(experiment: DetailedExperiment) -> Html:
    """Return one experiment: what is known of it, its params, its curves and its checkpoints, the best one in bold."""
    error = experiment.error
    status = experiment.status + (f": {error.get('type')}: {error.get('message')}" if error else "")
    facts = {
        "id": experiment.id, "name": experiment.name or "", "created": _time(experiment), "status": status,
        "duration": format_duration(experiment.duration), "tags": ", ".join(experiment.tags),
        "notes": experiment.notes or "", "user": experiment.user or "", "host": experiment.host or "",
        "command": experiment.command or "", "path": experiment.path or "",
    }  # fmt: skip
    rows = [[name, format_value(text, longest=_LONGEST_TEXT)] for name, text in facts.items() if text]
    parts = [table_html((), rows, caption="Experiment", wraps=True)]
    params = [[format_value(name), format_value(value)] for name, value in flatten_values(experiment.params).items()]
    if params:
        parts.append(table_html((), params, caption="Params"))
    below = [_metrics_html(experiment)] if experiment.logs else []
    if experiment.checkpoints or not below:
        below.append(
            _checkpoints_table(
                experiment.checkpoints, experiment.best(), with_curves=not below, most_rows=_MOST_CHECKPOINTS
            )
        )
    notebook = find_notebook(experiment.environment)
    if notebook is not None and notebook.cells:
        below.append(_cells_html(notebook))
    return Html(f"<div>{row_html(parts)}</div>{column_html(below)}")


def project_html(directory: str, repository: str, experiments: Sequence[ExperimentLike]) -> Html:
    """Return a project: where it is, where its repository is, and its experiments."""
    places = {"directory": directory, "repository": repository}
    rows = [[name, format_value(text, longest=_LONGEST_TEXT)] for name, text in places.items()]
    return Html(
        f"<div>{row_html([table_html((), rows, caption='Project', wraps=True)])}</div>{experiments_html(experiments)}"
    )


def checkpoints_html(checkpoints: Sequence[CheckpointLike], *, best: CheckpointLike | None = None) -> Html:
    """Return checkpoints as a table with their metrics, a curve above each of them; `best` is in bold."""
    return row_html([_checkpoints_table(checkpoints, best)])


def checkpoint_html(checkpoint: CheckpointLike) -> Html:
    """Return one checkpoint: what is known of it, and its metrics, the primary one in bold."""
    facts = [["id", checkpoint.id], ["created", _time(checkpoint)]]
    facts += [] if checkpoint.step is None else [["step", str(checkpoint.step)]]
    facts += [["path", format_value(checkpoint.path, longest=_LONGEST_TEXT)]] if checkpoint.path else []
    metrics = flatten_values(checkpoint.metrics)
    primary = checkpoint.primary_metric
    names = {primary[0]: f"{primary[0]} ({primary[1]})"} if primary is not None else {}
    rows = [[format_value(names.get(name, name)), format_value(value)] for name, value in metrics.items()]
    strong = {number for number, name in enumerate(metrics) if name in names}
    parts = [table_html((), facts, caption="Checkpoint", wraps=True)]
    if rows:
        parts.append(table_html((), rows, caption="Metrics", strong=strong))
    return row_html(parts)


def _checkpoints_table(
    checkpoints: Sequence[CheckpointLike],
    best: CheckpointLike | None,
    *,
    with_curves: bool = True,
    most_rows: int | None = None,
) -> Html:
    if not checkpoints:
        return table_html((), [], caption=_NO_CHECKPOINTS)
    metrics = [flatten_values(one.metrics) for one in checkpoints]
    names = list(dict.fromkeys(name for values in metrics for name in values))
    place = next((number for number, one in enumerate(checkpoints) if best is not None and one.id == best.id), None)
    strong = () if place is None else (place,)
    count = len(checkpoints)
    numbers = shown_rows(count, strong) if most_rows is None else shown_rows(count, strong, most=most_rows)
    rows = {
        number: [
            _short(checkpoints[number].id, is_best=number == place),
            "" if checkpoints[number].step is None else str(checkpoints[number].step),
            _time(checkpoints[number]), format_value(checkpoints[number].path or ""),
            *(_value(metrics[number], name) for name in names),
        ]
        for number in numbers
    }  # fmt: skip
    curves: list[str] = ["", "", "", "", *([""] * len(names))]
    if with_curves:
        for column, name in enumerate(names, 4):
            primary = best is not None and best.primary_metric is not None and best.primary_metric[0] == name
            values = [one.get(name) for one in metrics]
            curves[column] = sparkline_html(
                values, label=f"curve of {format_value(name)}", best=place if primary else None
            )
    if any(curves):
        rows = {-1: curves} | rows
    table = _without_empty(["id", "step", "created", "path", *map(format_value, names)], rows)
    return numbered_table_html(*table, count=count, caption=_count(count, "checkpoint"), strong=strong)


def _metrics_html(experiment: ExperimentLike) -> Html:
    """Return a row a metric, of all that was measured: at checkpoints and between them."""
    measured = [flatten_values(one.metrics) for one in history(experiment)]
    best = experiment.best()
    primary = best.primary_metric if best is not None else None
    rows = []
    for name in dict.fromkeys(name for values in measured for name in values):
        points = points_of(experiment, name)
        values = [flatten_values(one.metrics).get(name) for one in points]
        numbers = [one for one in values if isinstance(one, (int, float)) and not isinstance(one, bool)]
        # NaN is no end of a range.
        known = [one for one in numbers if not isinstance(one, float) or not math.isnan(one)]
        is_primary = best is not None and primary is not None and primary[0] == name
        place = next((at for at, one in enumerate(points) if best and one.checkpoint_id == best.id), None)
        curve = sparkline_html(values, label=f"curve of {format_value(name)}", best=place if is_primary else None)
        ends = [format_value(one) for one in (min(known), max(known))] if known else ["", ""]
        last = next((one for one in reversed(values) if one is not None), None)
        goal = f" ({primary[1]})" if is_primary and primary is not None else ""
        rows.append(
            [format_value(name) + goal, curve, "" if last is None else format_value(last), *ends, str(len(values))]
        )
    return table_html(["metric", "", "latest", "smallest", "largest", "points"], rows, caption="Metrics")


def _cells_html(notebook: Notebook) -> Html:
    """Return the cells of a notebook, folded up."""
    title = escape(f"Notebook: {notebook_summary(notebook)}, {_count(len(notebook.cells), 'cell')}")
    cells = "".join(
        f'<div>In [{cell.number}]:</div><pre style="{_PRE}">{_escaped_lines(cell.source)}</pre>'
        for cell in notebook.cells
    )
    return Html(f"<details><summary>{title}</summary>{cells}</details>")


def _escaped_lines(source: str) -> str:
    return "\n".join(escape(printable(line)) for line in source.rstrip().split("\n"))


def _without_empty(
    columns: Sequence[str], rows: Mapping[int, Sequence[str]]
) -> tuple[list[str], dict[int, Sequence[str]]]:
    """Leave out the columns in which no row has anything."""
    kept = [number for number in range(len(columns)) if any(row[number] for row in rows.values())]
    return [columns[number] for number in kept], {place: [row[at] for at in kept] for place, row in rows.items()}


def _short(full_id: str, *, is_best: bool) -> str:
    return f"{short_id(full_id)} (best)" if is_best else short_id(full_id)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _time(one: ExperimentLike | CheckpointLike) -> str:
    return one.created.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _value(values: Mapping[str, Value], name: str, *, longest: int = 60) -> str:
    return format_value(values[name], longest=longest) if name in values else ""


def _result(checkpoint: CheckpointLike | None, common: str | None) -> str:
    """Return the primary metric of a checkpoint and its step: `0.94 (step 2)`; with its name if others have another."""
    if checkpoint is None:
        return ""
    step = "" if checkpoint.step is None else f"step {checkpoint.step}"
    name = checkpoint.primary_metric[0] if checkpoint.primary_metric is not None else common
    metrics = flatten_values(checkpoint.metrics)
    if name is None or name not in metrics:
        return step or short_id(checkpoint.id)
    value = format_value(metrics[name]) if name == common else f"{format_value(name)} {format_value(metrics[name])}"
    return f"{value} ({step})" if step else value


def _best_of_all(best: Sequence[CheckpointLike | None]) -> int | None:
    """Return the number of the experiment with the best checkpoint of all; their primary metric is the same."""
    pairs = ((one.primary_metric[0], one.primary_metric[1]) for one in best if one and one.primary_metric)
    return find_best(pairs, [(one.metrics or {}) if one is not None else {} for one in best])


def _telling_params(params: Sequence[Mapping[str, Value]]) -> tuple[list[str], int]:
    """Return the names of the params that tell experiments apart, at most so many, and how many there are."""
    names = dict.fromkeys(name for values in params for name in values)
    differing = [name for name in names if len({repr(values[name]) if name in values else "" for values in params}) > 1]
    telling = differing if len(params) > 1 else list(names)
    return telling[:_MOST_PARAMS], len(telling)


def _primary_curve(experiment: ExperimentLike) -> Html:
    """Return the curve of the primary metric that the best, else the latest checkpoint names."""
    best = experiment.best()
    checkpoint = best or experiment.latest()
    if checkpoint is None or checkpoint.primary_metric is None:
        return Html("")
    name = checkpoint.primary_metric[0]
    points = points_of(experiment, name)
    place = next((at for at, one in enumerate(points) if best is not None and one.checkpoint_id == best.id), None)
    return sparkline_html(
        [flatten_values(one.metrics).get(name) for one in points], label=f"curve of {format_value(name)}", best=place
    )
