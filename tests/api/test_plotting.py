"""Curves and scatters: what is drawn, from which experiments and checkpoints."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import matplotlib as mpl
import pytest

import keepsake
from keepsake.errors import InvalidInputError
from tests.api.runs import LOSSES, STEPS, make_run, only_experiment

mpl.use("Agg")

from matplotlib import pyplot


@pytest.fixture(autouse=True)
def figures() -> Iterator[None]:
    pyplot.close("all")
    yield
    pyplot.close("all")


def curves(axes: Any) -> list[list[tuple[float, float]]]:
    """Return the points of each curve, gaps left out."""
    drawn = ([(x, y) for x, y in zip(*line.get_data(), strict=True) if not math.isnan(y)] for line in axes.get_lines())
    return [[(float(x), float(y)) for x, y in points] for points in drawn]


def points(axes: Any) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for part in axes.collections for x, y in part.get_offsets()]


WHOLE = [(float(step), loss) for step, loss in zip(STEPS, LOSSES, strict=True)]


def test_an_experiment_draws_one_of_its_metrics_over_the_steps() -> None:
    experiment = keepsake.experiments.get(make_run().short_id())
    axes = experiment.plot(metric="loss")
    assert curves(axes) == [WHOLE]
    assert (axes.get_ylabel(), axes.get_xlabel()) == ("loss", "step")


def test_the_metric_of_a_plot_is_the_primary_one_by_default() -> None:
    experiment = make_run()
    for axes in (experiment.plot(), experiment.checkpoints.plot(), keepsake.experiments.list().plot()):
        assert axes.get_ylabel() == "loss"


def test_without_a_primary_metric_a_plot_needs_the_name_of_one() -> None:
    experiment = make_run(primary_metric=None, params={"lr": 1})
    everything = keepsake.experiments.list()
    draws: list[Callable[[], object]] = [
        experiment.plot, experiment.checkpoints.plot, everything.plot, lambda: everything.scatter("lr"),
    ]  # fmt: skip
    for draw in draws:
        with pytest.raises(InvalidInputError, match="no primary metric") as caught:
            draw()
        assert "loss" in str(caught.value.hint)


def test_a_list_of_experiments_draws_a_curve_for_each() -> None:
    make_run()
    make_run((5.0, 4.0))
    axes = keepsake.experiments.list().plot(metric="loss")
    assert curves(axes) == [WHOLE, [(0.0, 5.0), (10.0, 4.0)]]


def test_the_legend_names_the_experiments() -> None:
    first, second = make_run(), make_run(name="baseline")
    legend = keepsake.experiments.list().plot("loss").get_legend()
    assert legend is not None
    labels = [text.get_text() for text in legend.get_texts()]
    assert labels[0] == first.short_id()
    assert "baseline" in labels[1]
    assert second.short_id() in labels[1]


def test_experiments_without_the_metric_are_left_out_of_a_plot_of_several() -> None:
    make_run()
    keepsake.init().checkpoint(accuracy=1.0)
    assert len(curves(keepsake.experiments.list().plot("loss"))) == 1


def test_plots_are_linear_unless_logy_is_given() -> None:
    make_run()
    experiment, everything = only_experiment(), keepsake.experiments.list()
    for plot in (experiment.plot, experiment.checkpoints.plot, everything.plot):
        assert plot("loss").get_yscale() == "linear"
        pyplot.close("all")
        assert plot("loss", logy=True).get_yscale() == "log"
        pyplot.close("all")


def test_the_checkpoints_of_an_experiment_draw_what_the_experiment_draws() -> None:
    make_run()
    experiment = only_experiment()
    from_checkpoints = curves(experiment.checkpoints.plot("loss"))
    pyplot.close("all")
    assert from_checkpoints == curves(experiment.plot("loss")) == [WHOLE]


@pytest.mark.parametrize("part", [slice(-2, None), slice(None, None, 2)])
def test_a_slice_of_the_checkpoints_draws_its_part(part: slice) -> None:
    make_run()
    assert curves(only_experiment().checkpoints[part].plot("loss")) == [WHOLE[part]]


def test_the_example_slices_draw_the_last_twenty_and_every_fifth() -> None:
    make_run(tuple(float(number) for number in range(1, 41)))
    checkpoints = only_experiment().checkpoints
    assert len(curves(checkpoints[-20:].plot("loss"))[0]) == 20
    pyplot.close("all")
    assert [x for x, _ in curves(checkpoints[::5].plot("loss"))[0]] == [float(x) for x in range(0, 400, 50)]


def test_values_that_are_no_finite_numbers_are_gaps() -> None:
    make_run((1.0, math.nan, None, math.inf, 2.0))
    assert curves(only_experiment().plot("loss")) == [[(0.0, 1.0), (40.0, 2.0)]]


def test_an_unknown_metric_is_an_error_that_lists_the_known_ones() -> None:
    experiment = make_run(params={"lr": 1})
    everything = keepsake.experiments.list()
    draws: list[Callable[[str], object]] = [
        experiment.plot, experiment.checkpoints.plot, everything.plot, lambda name: everything.scatter("lr", name),
    ]  # fmt: skip
    for draw in draws:
        with pytest.raises(InvalidInputError, match="'accuracy'") as caught:
            draw("accuracy")
        assert "loss" in str(caught.value.hint)


def test_a_scatter_draws_a_metric_against_a_param() -> None:
    for lr in (0.1, 0.01):
        make_run((lr * 2,), params={"learning_rate": lr})
    axes = keepsake.experiments.list().scatter(param="learning_rate", metric="loss")
    assert points(axes) == [(0.1, 0.2), (0.01, 0.02)]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("learning_rate", "loss")
    assert (axes.get_xscale(), axes.get_yscale()) == ("linear", "linear")


def test_a_scatter_takes_the_best_checkpoint_or_else_the_latest() -> None:
    make_run((3.0, 1.0, 2.0), params={"lr": 1})
    make_run((3.0, 1.0, 2.0), params={"lr": 2}, primary_metric=None)
    assert points(keepsake.experiments.list().scatter("lr", "loss")) == [(1.0, 1.0), (2.0, 2.0)]


def test_the_metric_of_a_scatter_is_the_primary_one_by_default() -> None:
    make_run((3.0, 1.0), params={"lr": 1})
    axes = keepsake.experiments.list().scatter("lr")
    assert points(axes) == [(1.0, 1.0)]
    assert axes.get_ylabel() == "loss"


def test_both_axes_of_a_scatter_may_be_logarithmic() -> None:
    make_run(params={"lr": 1})
    axes = keepsake.experiments.list().scatter("lr", "loss", logx=True)
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "linear")
    pyplot.close("all")
    axes = keepsake.experiments.list().scatter("lr", "loss", logy=True)
    assert (axes.get_xscale(), axes.get_yscale()) == ("linear", "log")


def test_nested_params_and_metrics_are_addressed_with_dots() -> None:
    keepsake.init(params={"optim": {"lr": 0.5}}).checkpoint(metrics={"val": {"loss": 2.0}})
    experiments = keepsake.experiments.list()
    assert points(experiments.scatter("optim.lr", "val.loss")) == [(0.5, 2.0)]
    pyplot.close("all")
    assert curves(experiments.plot("val.loss")) == [[(0.0, 2.0)]]


def test_an_unknown_param_is_an_error_that_lists_the_known_ones() -> None:
    make_run(params={"lr": 1})
    with pytest.raises(InvalidInputError, match="'rate'") as caught:
        keepsake.experiments.list().scatter("rate", "loss")
    assert "lr" in str(caught.value.hint)


def test_a_primary_metric_that_differs_is_an_error_that_names_them() -> None:
    make_run()
    make_run(primary_metric=("accuracy", "maximize"))
    with pytest.raises(InvalidInputError, match="accuracy, loss"):
        keepsake.experiments.list().plot()


def test_the_old_argument_plot_only_is_accepted() -> None:
    experiment = make_run()
    assert curves(experiment.plot("loss", False, True)) == [WHOLE]
    pyplot.close("all")
    assert curves(experiment.checkpoints.plot("loss", plot_only=True)) == [WHOLE]


def test_what_was_logged_is_drawn_between_the_checkpoints() -> None:
    experiment = keepsake.init()
    for step in range(4):
        experiment.log({"loss": 1 / (step + 1)}, step=step)
    experiment.checkpoint(step=4, metrics={"loss": 0.1, "accuracy": 0.9})
    for draw in (experiment.plot, keepsake.experiments.list().plot):
        assert curves(draw("loss")) == [[(0, 1), (1, 1 / 2), (2, 1 / 3), (3, 1 / 4), (4, 0.1)]]
        pyplot.close("all")
    assert curves(experiment.plot("accuracy")) == [[(4, 0.9)]]
    pyplot.close("all")
    assert curves(experiment.checkpoints.plot("loss")) == [[(4, 0.1)]]
