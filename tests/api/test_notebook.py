"""What a notebook shows of experiments and checkpoints."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import keepsake
from tests.api.runs import make_run, only_experiment

NASTY = "<script>alert('x')</script>&"

SHOWN: list[Callable[[], Any]] = [
    keepsake.Project,
    lambda: keepsake.experiments,
    lambda: keepsake.experiments.list(),
    only_experiment,
    lambda: only_experiment().checkpoints,
    lambda: only_experiment().checkpoints[0],
    lambda: only_experiment().diff(only_experiment()),
]


@pytest.mark.parametrize(
    "show", SHOWN, ids=["project", "collection", "list", "experiment", "checkpoints", "checkpoint", "diff"]
)
def test_everything_is_shown_as_html_and_escaped(show: Callable[[], Any]) -> None:
    with keepsake.init(params={NASTY: NASTY}, name=NASTY, tags=[NASTY], notes=NASTY) as experiment:
        experiment.checkpoint(metrics={"loss": 1.0, NASTY: NASTY}, primary_metric=("loss", "minimize"))
    html = show()._repr_html_()
    assert type(html) is str, "marimo shows nothing of a subclass"
    assert "<table" in html
    assert "<script" not in html
    assert experiment.short_id() in html or experiment.checkpoints[0].short_id() in html


def test_an_experiment_shows_its_params_and_its_best_checkpoint() -> None:
    make_run(params={"learning_rate": 0.25})
    html = only_experiment()._repr_html_()
    assert "learning_rate" in html
    assert "0.25" in html
    assert "best" in html


def test_a_list_tells_the_experiments_apart() -> None:
    made = [make_run(params={"lr": lr, "same": 1}) for lr in (0.125, 0.375)]
    html = keepsake.experiments.list()._repr_html_()
    for part in (made[0].short_id(), made[1].short_id(), "0.125", "0.375"):
        assert part in html


def test_what_is_empty_is_shown_too() -> None:
    experiment = keepsake.init()
    assert experiment._repr_html_()
    assert experiment.checkpoints._repr_html_()
    experiment.delete()
    assert keepsake.experiments.list()._repr_html_()


NOTEBOOK = """
    import sys, types

    shell = types.SimpleNamespace(kernel=object())
    sys.modules["IPython"] = types.SimpleNamespace(get_ipython=lambda: shell)
    sys.ps1 = ">>> "

    import keepsake
    first = keepsake.init()
    first.checkpoint(step=1)
    second = keepsake.init()
    print(first.status, second.status)
    print([one.status for one in keepsake.experiments.list()])
"""


def test_a_second_init_in_a_notebook_stops_the_first_with_one_line(project: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(NOTEBOOK)], capture_output=True, text=True, timeout=60, check=True
    )
    assert result.stdout.splitlines() == ["finished running", "['finished', 'running']"]
    assert len([line for line in result.stderr.splitlines() if "one at a time" in line]) == 1


def test_an_experiment_in_a_notebook_runs_until_it_is_stopped(project: Path) -> None:
    cells = """
        import sys, types

        shell = types.SimpleNamespace(kernel=object())
        sys.modules["IPython"] = types.SimpleNamespace(get_ipython=lambda: shell)

        import keepsake
        experiment = keepsake.init()
        try:
            1 / 0
        except ZeroDivisionError as error:
            sys.last_value = error  # as the shell does when it has shown a cell's exception
        print(experiment.status)
        experiment.stop()
        print(experiment.status)
    """
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(cells)], capture_output=True, text=True, timeout=60, check=True
    )
    assert result.stdout.split() == ["running", "finished"]


def test_a_notebook_that_is_closed_after_an_exception_has_not_failed(project: Path) -> None:
    cells = NOTEBOOK + "\n    sys.last_value = ValueError('of some cell')\n"
    subprocess.run([sys.executable, "-c", textwrap.dedent(cells)], capture_output=True, timeout=60, check=True)
    assert [one.status for one in keepsake.experiments.list()] == ["finished", "finished"]
