"""Curves drawn with letters, for a terminal; uniplot is imported on first use."""

from __future__ import annotations

from collections.abc import Sequence

from keepsake._analysis.history import metric_names, points_of
from keepsake._analysis.interfaces import ExperimentLike, flatten_values
from keepsake._analysis.text import name_hint
from keepsake._model.ids import short_id
from keepsake.errors import ConfigError, InvalidInputError

HEIGHT = 20
MOST_CURVES = 6
"""More than this cannot be told apart; the latest experiments are drawn."""
_MARGIN = 14
"""Columns beside the drawing, for the numbers of the y-axis."""
_LARGEST = 1e150
"""What is larger is left out, as infinities are: uniplot squares what an axis spans."""


def draw_curves(
    experiments: Sequence[ExperimentLike], metric: str, *, width: int, color: bool, logy: bool = False
) -> str:
    """Draw a metric of each experiment over its steps.

    Args:
        experiments: in the order of the legend.
        metric: its name.
        width: columns that there are.
        color: whether to use colour.
        logy: whether the y-axis is logarithmic; values of 0 and less are left out then.

    Raises:
        InvalidInputError: no experiment has the metric, or it is nowhere a number that can be drawn.
        ConfigError: uniplot is not installed.
    """
    curves = {short_id(one.id): _points(one, metric, positive=logy) for one in experiments}
    drawn = [(label, points) for label, points in curves.items() if points][-MOST_CURVES:]
    if not drawn:
        raise _nothing_to_draw(experiments, metric, positive=logy)
    try:
        from uniplot import plot_to_string
    except ImportError as error:
        raise ConfigError(
            "drawing in the terminal needs uniplot, which is not installed",
            hint="pip install 'keepsake[plot]', or write a picture with -o FILE.png",
        ) from error
    xs = [[x for x, _ in points] for _, points in drawn]
    ys = [[y for _, y in points] for _, points in drawn]
    text = plot_to_string(
        xs=xs,
        ys=ys,
        **_limits("x", xs),
        **({} if logy else _limits("y", ys)),
        legend_labels=[label for label, _ in drawn],
        title=metric,
        lines=True,
        color=color,
        # Without colour, only letters tell one curve from another.
        character_set="block" if color else "ascii",
        width=max(width - _MARGIN, 20),
        height=HEIGHT,
        y_as_log=logy,
    )
    left_out = sum(map(bool, curves.values())) - len(drawn)
    return f"{text}\n{left_out} more are not drawn: choose with ids or --filter" if left_out > 0 else str(text)


def _nothing_to_draw(experiments: Sequence[ExperimentLike], metric: str, *, positive: bool) -> InvalidInputError:
    names = {name for one in experiments for name in metric_names(one)}
    if metric not in names:
        message = f"no experiment has the metric {metric!r}"
        return InvalidInputError(message, hint=name_hint(metric, names, noun="metric"))
    if positive:
        message = f"the metric {metric!r} is no finite number above 0 anywhere"
        return InvalidInputError(message, hint="a linear axis has room for 0 and less, too")
    return InvalidInputError(f"the metric {metric!r} is no number that can be drawn anywhere")


def _limits(axis: str, curves: Sequence[Sequence[float]]) -> dict[str, float]:
    """Return from where to where an axis goes when everything lies at one place, of which uniplot makes no axis."""
    low, high = min(map(min, curves)), max(map(max, curves))
    size = max(abs(low), abs(high))
    if high - low > 1e-12 * size:
        return {}
    room = 1e-3 * size or 1.0
    return {f"{axis}_min": low - room, f"{axis}_max": high + room}


def _points(experiment: ExperimentLike, metric: str, *, positive: bool) -> list[tuple[float, float]]:
    points = []
    for number, entry in enumerate(points_of(experiment, metric)):
        value = flatten_values(entry.metrics).get(metric)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= _LARGEST:
            continue
        if value > 0 or not positive:
            points.append((float(number if entry.step is None else entry.step), float(value)))
    return points
