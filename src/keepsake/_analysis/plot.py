"""Learning curves, and params against metrics, drawn with matplotlib.

- Everything is drawn into the current axes, which are returned; nothing is shown, saved or configured. Axes that
  already hold another plot of ours are left alone: a new figure is begun then.
- matplotlib is imported on first use.
- A value that is missing or no finite number is a gap, never an error; a name that no checkpoint has is one.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from keepsake._analysis.history import points_of
from keepsake._analysis.interfaces import CheckpointLike, ExperimentLike, flatten_values
from keepsake._analysis.text import format_value
from keepsake._model.ids import short_id
from keepsake._model.values import Value, get_dotted
from keepsake.errors import ConfigError, InvalidInputError
from keepsake.notices import notice

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_GAP = math.nan
_LINE_STYLES = ("-", "--", ":", "-.")
_COLOURS = 10
"""As many as matplotlib's own cycle has; every further ten curves get another line style."""
_LEGEND_INSIDE = 10
_LEGEND_MOST = 40
_MARKED_POINTS = 100
_NAMED_POINTS = 20
_LISTED = 10
_LETTER_POINTS = 6.0
"""Width of a letter of a label, about."""
_LARGEST = 1e300
"""What is larger is left out, as infinities are: matplotlib adds margins, beyond which there is no number."""


class Measured(Protocol):
    """A checkpoint, or what was logged between two."""

    @property
    def step(self) -> int | None:
        """Its step, when it has one."""

    @property
    def metrics(self) -> Mapping[str, Value] | None:
        """What was measured, by name."""


@dataclass(frozen=True, slots=True)
class Curve:
    """One line of a plot; the points that have no value are NaN."""

    label: str
    xs: Sequence[float]
    ys: Sequence[float]
    by_step: bool
    """Whether `xs` are steps; they count the checkpoints otherwise."""


def plot_checkpoints(checkpoints: Sequence[CheckpointLike], metric: str, *, label: str, logy: bool = False) -> Axes:
    """Draw one metric of a row of checkpoints as a curve.

    Args:
        checkpoints: in the order in which they are joined.
        metric: its name; dots reach into nested metrics.
        label: what the legend calls the curve.
        logy: whether the y-axis is logarithmic.

    Raises:
        InvalidInputError: no checkpoint has the metric, or it is nowhere a number that can be drawn.
        ConfigError: matplotlib is not installed.
    """
    return _plot_curves([(label, checkpoints)], metric, logy=logy)


def plot_experiments(experiments: Sequence[ExperimentLike], metric: str, *, logy: bool = False) -> Axes:
    """Draw one metric of several experiments, a curve each, with what was logged between their checkpoints.

    Arguments and errors are as in `plot_checkpoints`.

    Experiments that do not have the metric are left out, with one notice.
    """
    _check_name("metric", metric)
    return _plot_curves([(experiment_label(one), points_of(one, metric)) for one in experiments], metric, logy=logy)


def scatter_experiments(
    experiments: Sequence[ExperimentLike], param: str, metric: str, *, logx: bool = False, logy: bool = False
) -> Axes:
    """Draw a param against a metric, a point an experiment: its best checkpoint, or its latest when there is no best.

    A param that is not a number everywhere is drawn as categories. Experiments without the param or the metric are
    left out, with one notice.

    Args:
        experiments: those to draw.
        param: name of the param on the x-axis; dots reach into nested params.
        metric: name of the metric on the y-axis, likewise.
        logx: whether the x-axis is logarithmic.
        logy: whether the y-axis is logarithmic.

    Raises:
        InvalidInputError: no experiment has the param, or the metric, or both at once as something that can be drawn;
            or `logx` for categories.
        ConfigError: matplotlib is not installed.
    """
    pyplot = _import_pyplot()
    chosen = [(one, _best_or_latest(one)) for one in experiments]
    _check_known("param", param, [one.params for one, _ in chosen])
    measured = [checkpoint.metrics for _, checkpoint in chosen if checkpoint is not None]
    _check_known("metric", metric, measured, where="no best or latest checkpoint")
    found = [
        (experiment_label(one), _find(one.params, param), _number(_find(checkpoint.metrics, metric), positive=logy))
        for one, checkpoint in chosen
        if checkpoint is not None
    ]
    kind, points = _place_points([point for point in found if point[1] is not _MISSING], param, logx=logx)
    if not points:
        raise InvalidInputError(f"no experiment has both {param!r} and {metric!r} as values that can be drawn")
    _say_left_out(len(experiments) - len(points), f"{param!r} or {metric!r}")
    axes = _axes_for(pyplot, f"keepsake scatter {param} {metric} {kind}")
    _draw_points(axes, points)
    _finish(axes, param, metric, logx=logx, logy=logy)
    if kind == "categories":
        _turn_long_categories(axes, {str(x) for _, x, _ in points})
    return axes


def experiment_label(experiment: ExperimentLike) -> str:
    """Return what a legend calls an experiment: its short id, after its name when it has one."""
    if not experiment.name:
        return short_id(experiment.id)
    return f"{format_value(experiment.name, longest=30)} ({short_id(experiment.id)})"


def _best_or_latest(experiment: ExperimentLike) -> CheckpointLike | None:
    best = experiment.best()
    return experiment.latest() if best is None else best


def _place_points(
    found: Sequence[tuple[str, Value, float]], param: str, *, logx: bool
) -> tuple[str, list[tuple[str, float | str, float]]]:
    """Turn params into places on the x-axis: numbers when all of them are, else categories, the numbers first."""
    usable = [point for point in found if not math.isnan(point[2])]
    if all(_is_number(x) for _, x, _ in usable):
        numbers = [(label, _number(x, positive=logx), y) for label, x, y in usable]
        return "numbers", [point for point in numbers if not math.isnan(point[1])]
    if logx:
        raise InvalidInputError(f"the axis of {param!r} cannot be logarithmic: its values are not all numbers")
    usable.sort(key=lambda point: _category_order(point[1]))
    return "categories", [(label, _category(x), y) for label, x, y in usable]


def _draw_points(axes: Axes, points: Sequence[tuple[str, float | str, float]]) -> None:
    axes.scatter([x for _, x, _ in points], [y for _, _, y in points])
    if len(points) <= _NAMED_POINTS:
        axes.margins(0.12)  # room for the names at the edges
        for label, x, y in points:
            place: Any = (x, y)
            axes.annotate(_plain(label), place, xytext=(4, 4), textcoords="offset points", fontsize="x-small")


def _turn_long_categories(axes: Axes, categories: Collection[str]) -> None:
    """Turn the labels of the x-axis where they would run into each other."""
    points_each = axes.get_window_extent().width / axes.figure.dpi * 72 / len(categories)
    if (max(map(len, categories)) + 2) * _LETTER_POINTS > points_each:
        for label in axes.get_xticklabels():
            label.set(rotation=30, horizontalalignment="right", rotation_mode="anchor")


def _plot_curves(rows: Sequence[tuple[str, Sequence[Measured]]], metric: str, *, logy: bool) -> Axes:
    pyplot = _import_pyplot()
    _check_known("metric", metric, [checkpoint.metrics for _, checkpoints in rows for checkpoint in checkpoints])
    curves = [_curve(label, checkpoints, metric, logarithmic=logy) for label, checkpoints in rows]
    drawn = [curve for curve in curves if not all(math.isnan(y) for y in curve.ys)]
    if not drawn:
        positive = " positive" if logy else ""
        raise InvalidInputError(f"the metric {metric!r} is no finite{positive} number anywhere")
    _say_left_out(len(curves) - len(drawn), repr(metric))
    axes = _axes_for(pyplot, f"keepsake curves {metric}")
    for curve in drawn:
        _draw_curve(axes, curve)
    _finish(axes, "step" if all(curve.by_step for curve in drawn) else "checkpoint", metric, logy=logy)
    _add_legend(axes)
    return axes


def _curve(label: str, checkpoints: Sequence[Measured], metric: str, *, logarithmic: bool) -> Curve:
    steps = [checkpoint.step for checkpoint in checkpoints]
    known = [step for step in steps if step is not None]
    by_step = len(known) == len(steps)
    ys = [_number(_find(checkpoint.metrics, metric), positive=logarithmic) for checkpoint in checkpoints]
    return Curve(label, known if by_step else range(len(steps)), ys, by_step)


def _draw_curve(axes: Axes, curve: Curve) -> None:
    style = _LINE_STYLES[len(axes.get_lines()) // _COLOURS % len(_LINE_STYLES)]
    # A point between two gaps, or alone, has no line to be seen by.
    marker = "." if len(curve.xs) <= _MARKED_POINTS or _has_lone_points(curve.ys) else ""
    axes.plot(curve.xs, curve.ys, linestyle=style, marker=marker, label=_plain(curve.label))


def _has_lone_points(ys: Sequence[float]) -> bool:
    padded = [_GAP, *ys, _GAP]
    return any(
        not math.isnan(here) and math.isnan(before) and math.isnan(after)
        for before, here, after in zip(padded, ys, padded[2:], strict=False)
    )


def _add_legend(axes: Axes) -> None:
    """Name the curves: inside when they are few, beside the axes when many, only the first of very many."""
    handles, labels = axes.get_legend_handles_labels()
    title = None if len(labels) <= _LEGEND_MOST else f"first {_LEGEND_MOST} of {len(labels)}"
    if len(labels) <= _LEGEND_INSIDE:
        axes.legend(handles, labels)
        return
    axes.legend(
        handles[:_LEGEND_MOST], labels[:_LEGEND_MOST], title=title, fontsize="x-small",
        loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0.0,
    )  # fmt: skip


def _finish(axes: Axes, xlabel: str, ylabel: str, *, logx: bool = False, logy: bool = False) -> None:
    axes.set_xlabel(_plain(xlabel))
    axes.set_ylabel(_plain(ylabel))
    if logx:
        axes.set_xscale("log")
    if logy:
        axes.set_yscale("log")


def _plain(text: str) -> str:
    """Return a label that matplotlib neither reads as mathematics nor, for its underscore, leaves out of legends."""
    text = text.replace("$", r"\$")
    return f" {text}" if text.startswith("_") else text


def _axes_for(pyplot: Any, title: str) -> Axes:
    """Return the current axes, or those of a new figure when the current ones hold another plot of ours.

    Axes remember what they hold in their group id, a text that matplotlib keeps with every artist for its user.
    """
    axes: Axes = pyplot.gca()
    held = axes.get_gid()
    if held is not None and held.startswith("keepsake ") and held != title:
        axes = pyplot.figure().gca()
    axes.set_gid(title)
    return axes


def _import_pyplot() -> Any:
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise ConfigError(
            "plotting needs matplotlib, which is not installed",
            hint="pip install '.[plot]' in the checkout of Keepsake, or pip install matplotlib",
        ) from error
    return pyplot


_MISSING: Any = object()


def _find(values: Mapping[str, Value] | None, name: str) -> Any:
    try:
        return get_dotted(values or {}, name)
    except KeyError:
        return _MISSING


def _is_number(value: Value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _number(value: Value, *, positive: bool) -> float:
    """Return a value as a place on an axis, NaN when it has none; a logarithmic axis needs a `positive` one."""
    if not isinstance(value, (bool, int, float)) or not abs(value) <= _LARGEST or (positive and value <= 0):
        return _GAP
    return float(value)


def _category(value: Value) -> str:
    return _plain(format_value(value, longest=24))


def _category_order(value: Value) -> tuple[bool, float, str]:
    """Return by what categories are sorted: numbers by their size, then everything else by its text."""
    number = _number(value, positive=False)
    is_text = math.isnan(number)
    return is_text, 0.0 if is_text else number, _category(value)


def _check_name(noun: str, name: object) -> None:
    if not isinstance(name, str):
        raise InvalidInputError(f"the name of a {noun} must be a string, not {type(name).__name__}")


def _check_known(
    noun: str, name: str, values: Sequence[Mapping[str, Value] | None], *, where: str = "nothing here"
) -> None:
    """Raise an error that says where and lists the names there are, unless one of `values` has `name`."""
    _check_name(noun, name)
    if any(_find(one, name) is not _MISSING for one in values):
        return
    known = sorted({known for one in values for known in flatten_values(one)})
    listed = ", ".join(known[:_LISTED]) + (f" and {len(known) - _LISTED} more" if len(known) > _LISTED else "")
    raise InvalidInputError(
        f"{where} has a {noun} {name!r}",
        hint=f"the {noun}s are: {listed}" if known else f"there are no {noun}s at all",
    )


def _say_left_out(count: int, names: str) -> None:
    if count:
        has, are = ("experiment has", "is") if count == 1 else ("experiments have", "are")
        notice(f"{count} {has} no {names} that can be drawn, and {are} not in the plot")
