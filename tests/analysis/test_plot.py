from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Iterator

import matplotlib as mpl
import numpy as np
import pytest

mpl.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.lines import Line2D

from keepsake._analysis.plot import plot_checkpoints, plot_experiments, scatter_experiments
from keepsake.errors import InvalidInputError
from keepsake.experiment import LogEntry
from tests.analysis.subjects import START, Point, Run, hex_id, losses


@pytest.fixture(autouse=True)
def closed_figures() -> Iterator[None]:
    yield
    plt.close("all")


def ys_of(line: Line2D) -> list[float]:
    return [float(y) for y in np.asarray(line.get_ydata())]


def test_checkpoints_are_drawn_against_their_steps_in_the_current_axes() -> None:
    _, (left, right) = plt.subplots(1, 2)
    plt.sca(left)
    axes = plot_checkpoints(losses(0.9, 0.5, 0.3), "loss", label="72467c5")
    assert axes is left
    assert not right.get_lines()
    (line,) = axes.get_lines()
    assert np.asarray(line.get_xdata()).tolist() == [0, 10, 20]
    assert ys_of(line) == [0.9, 0.5, 0.3]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("step", "loss")
    assert axes.get_yscale() == "linear"


def test_the_x_axis_counts_checkpoints_unless_every_one_has_a_step() -> None:
    checkpoints = losses(0.9, 0.5)
    checkpoints[1].step = None
    axes = plot_checkpoints(checkpoints, "loss", label="a")
    assert np.asarray(axes.get_lines()[0].get_xdata()).tolist() == [0, 1]
    assert axes.get_xlabel() == "checkpoint"


@pytest.mark.parametrize("bad", [None, "n/a", [1.0], math.nan, math.inf, 10**400, {"deep": 1}])
def test_what_is_no_finite_number_is_a_gap(bad: object) -> None:
    axes = plot_checkpoints(losses(0.9, bad, 0.3), "loss", label="a")  # type: ignore[arg-type]
    ys = ys_of(axes.get_lines()[0])
    assert math.isnan(ys[1])
    assert [ys[0], ys[2]] == [0.9, 0.3]


def test_a_checkpoint_without_the_metric_is_a_gap() -> None:
    axes = plot_checkpoints([*losses(0.9), Point(None, step=5), Point({"acc": 1}, step=6)], "loss", label="a")
    assert [math.isnan(y) for y in ys_of(axes.get_lines()[0])] == [False, True, True]


def test_a_point_between_two_gaps_is_marked_in_the_longest_curve() -> None:
    values = [0.5] * 150
    assert plot_checkpoints(losses(*values), "loss", label="a").get_lines()[0].get_marker() == ""
    gappy = losses(*values[:50], None, 0.4, None, *values[50:])
    assert plot_checkpoints(gappy, "loss", label="b").get_lines()[1].get_marker() == "."


def test_nested_metrics_are_reached_by_dotted_names() -> None:
    axes = plot_checkpoints([Point({"val": {"loss": 0.5}}), Point({"val": {"loss": 0.25}})], "val.loss", label="a")
    assert ys_of(axes.get_lines()[0]) == [0.5, 0.25]


def test_a_name_that_is_no_text_is_refused() -> None:
    runs = [Run(hex_id(1), logs=[LogEntry(START, 0, {"loss": 1})])]
    with pytest.raises(InvalidInputError, match="the name of a metric must be a string, not list"):
        plot_experiments(runs, ["loss", "acc"])  # type: ignore[arg-type]


def test_an_unknown_metric_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InvalidInputError, match=r"has a metric 'lost'\nhint: the metrics are: acc, val\.loss$"):
        plot_checkpoints([Point({"acc": 1, "val": {"loss": 2}})], "lost", label="a")
    with pytest.raises(InvalidInputError, match="there are no metrics at all"):
        plot_checkpoints([], "loss", label="a")
    assert not plt.get_fignums(), "a refused plot left a figure behind"


def test_a_metric_that_is_nowhere_a_number_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="'loss' is no finite number anywhere"):
        plot_checkpoints(losses("high", None), "loss", label="a")
    with pytest.raises(InvalidInputError, match="no finite positive number"):
        plot_checkpoints(losses(-1.0, 0), "loss", label="a", logy=True)


def test_a_logarithmic_axis_leaves_gaps_where_values_are_not_positive() -> None:
    axes = plot_checkpoints(losses(1.0, 0.0, -1, 0.1), "loss", label="a", logy=True)
    assert axes.get_yscale() == "log"
    assert [math.isnan(y) for y in ys_of(axes.get_lines()[0])] == [False, True, True, False]


def test_each_experiment_is_a_curve_named_by_its_short_id_and_name() -> None:
    runs = [Run(hex_id(1), checkpoints=losses(0.9, 0.5)), Run(hex_id(2), checkpoints=losses(0.8), name="wide")]
    axes = plot_experiments(runs, "loss")
    legend = axes.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["0000001", "wide (0000002)"]


def test_experiments_without_the_metric_are_left_out_with_one_notice(capsys: pytest.CaptureFixture[str]) -> None:
    runs = [Run(hex_id(1), checkpoints=losses(0.9)), Run(hex_id(2)), Run(hex_id(3), checkpoints=[Point({"acc": 1})])]
    axes = plot_experiments(runs, "loss")
    assert len(axes.get_lines()) == 1
    assert capsys.readouterr().err == (
        "keepsake: 2 experiments have no 'loss' that can be drawn, and are not in the plot\n"
    )


def test_a_second_metric_gets_a_figure_of_its_own_and_the_same_one_does_not() -> None:
    checkpoints = [Point({"loss": 1, "acc": 2})]
    first = plot_checkpoints(checkpoints, "loss", label="a")
    assert plot_checkpoints(checkpoints, "loss", label="b") is first
    second = plot_checkpoints(checkpoints, "acc", label="a")
    assert second.figure is not first.figure
    assert len(first.get_lines()) == 2
    assert len(second.get_lines()) == 1


def test_axes_that_the_user_prepared_are_drawn_into_whatever_they_are_called() -> None:
    _, axes = plt.subplots()
    axes.set_ylabel("Loss (nats)")
    assert plot_checkpoints(losses(1.0), "loss", label="a") is axes


def test_a_legend_of_many_curves_stands_beside_the_axes_and_names_the_first() -> None:
    few = plot_experiments([Run(hex_id(n), checkpoints=losses(n)) for n in range(10)], "loss").get_legend()
    plt.figure()
    many = plot_experiments([Run(hex_id(n), checkpoints=losses(n)) for n in range(50)], "loss")
    legend = many.get_legend()
    assert few is not None
    assert legend is not None
    assert len(few.get_texts()) == 10
    assert len(legend.get_texts()) == 40
    assert legend.get_title().get_text() == "first 40 of 50"
    many.figure.canvas.draw()
    assert legend.get_window_extent().x0 >= many.get_window_extent().x1
    looks = {(line.get_color(), line.get_linestyle()) for line in many.get_lines()[:40]}
    assert len(looks) == 40, "two of the first 40 curves look the same"


def test_names_with_dollars_and_underscores_are_shown_as_they_are() -> None:
    axes = plot_experiments([Run(hex_id(1), checkpoints=[Point({"$x^": 1})], name="_$\\frac")], "$x^")
    axes.figure.canvas.draw()
    legend = axes.get_legend()
    assert legend is not None
    assert legend.get_texts()[0].get_text() == " _\\$\\frac (0000001)"


def scatter_runs() -> list[Run]:
    return [
        Run(hex_id(1), {"lr": 0.1, "optim": {"name": "adam"}}, losses(0.9, 0.2, 0.4), best_index=1),
        Run(hex_id(2), {"lr": 0.01, "optim": {"name": "sgd"}}, losses(0.8, 0.6)),
    ]


def test_a_scatter_takes_the_best_checkpoint_and_else_the_latest() -> None:
    axes = scatter_experiments(scatter_runs(), "lr", "loss")
    assert np.asarray(axes.collections[0].get_offsets()).tolist() == [[0.1, 0.2], [0.01, 0.6]]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("lr", "loss")
    assert [text.get_text() for text in axes.texts] == ["0000001", "0000002"]


def test_a_scatter_has_logarithmic_axes_on_demand() -> None:
    axes = scatter_experiments(scatter_runs(), "lr", "loss", logx=True, logy=True)
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")


def test_a_param_that_is_no_number_is_drawn_as_categories() -> None:
    axes = scatter_experiments(scatter_runs()[::-1], "optim.name", "loss")
    axes.figure.canvas.draw()
    assert [label.get_text() for label in axes.get_xticklabels()] == ["adam", "sgd"]


@pytest.mark.parametrize("values", [(1, "auto"), (True, False), (None, 3), ([8, 8], [16, 16])])
def test_a_param_of_mixed_or_nested_values_is_drawn_as_categories(values: tuple[object, object]) -> None:
    runs = [Run(hex_id(n), {"p": value}, losses(n)) for n, value in enumerate(values)]  # type: ignore[dict-item]
    axes = scatter_experiments(runs, "p", "loss")
    axes.figure.canvas.draw()
    assert len({label.get_text() for label in axes.get_xticklabels()}) == 2
    with pytest.raises(InvalidInputError, match="cannot be logarithmic"):
        scatter_experiments(runs, "p", "loss", logx=True)


def test_categories_that_are_numbers_stand_in_their_order() -> None:
    values = [None, 1e-05, 0.01, 10, 2, "auto"]
    runs = [Run(hex_id(n), {"p": value}, losses(n)) for n, value in enumerate(values)]
    axes = scatter_experiments(runs, "p", "loss")
    axes.figure.canvas.draw()
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1e-05", "0.01", "2", "10", "None", "auto"]


@pytest.mark.parametrize(("count", "rotation"), [(3, 0.0), (12, 30.0)])
def test_categories_do_not_run_into_each_other(count: int, rotation: float) -> None:
    runs = [Run(hex_id(n), {"day": f"2024-01-{n + 1:02}"}, losses(n)) for n in range(count)]
    axes = scatter_experiments(runs, "day", "loss")
    axes.figure.canvas.draw()
    assert {label.get_rotation() for label in axes.get_xticklabels()} == {rotation}
    assert len(axes.get_xticklabels()) == count


def test_a_scatter_leaves_out_what_lacks_param_or_metric_with_one_notice(capsys: pytest.CaptureFixture[str]) -> None:
    lame = [Run(hex_id(3), {"lr": 1}), Run(hex_id(4), None, losses(1)), Run(hex_id(5), {"lr": 1}, losses("bad"))]
    axes = scatter_experiments([*scatter_runs(), *lame], "lr", "loss")
    assert len(np.asarray(axes.collections[0].get_offsets())) == 2
    assert capsys.readouterr().err.count("keepsake: 3 experiments have no 'lr' or 'loss'") == 1
    scatter_experiments([*scatter_runs(), lame[0]], "lr", "loss")
    assert "1 experiment has no 'lr' or 'loss' that can be drawn, and is not in the plot" in capsys.readouterr().err


def test_a_scatter_refuses_unknown_names_and_lists_the_known_ones() -> None:
    with pytest.raises(InvalidInputError, match=r"has a param 'rl'\nhint: the params are: lr, optim\.name"):
        scatter_experiments(scatter_runs(), "rl", "loss")
    with pytest.raises(
        InvalidInputError, match=r"no best or latest .* has a metric 'acc'\nhint: the metrics are: loss"
    ):
        scatter_experiments(scatter_runs(), "lr", "acc")
    apart = [Run(hex_id(1), {"lr": 1}), Run(hex_id(2), {}, losses(1))]
    with pytest.raises(InvalidInputError, match="no experiment has both 'lr' and 'loss'"):
        scatter_experiments(apart, "lr", "loss")


def test_plotting_without_matplotlib_names_the_extra() -> None:
    script = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "from keepsake._analysis.plot import plot_experiments\n"
        "from keepsake.errors import ConfigError\n"
        "try: plot_experiments([], 'loss')\n"
        "except ConfigError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "plotting needs matplotlib" in done.stdout
    assert "pip install '.[plot]'" in done.stdout
