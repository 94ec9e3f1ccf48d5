"""Notebooks in a real kernel: what `init` says, what it keeps of the cells, what is shown, and what is drawn."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbclient
import nbformat
import pytest
from traitlets.config import Config

import keepsake
from tests.analysis.page import KEPT_STYLES, KEPT_TAGS, Page
from tests.api.runs import only_experiment
from tests.kernels import named_sockets

TIMEOUT_S = 60
Outputs = list[dict[str, Any]]

TRAIN = """
def train(rate):
    with keepsake.init(params={"rate": rate}, quiet=True) as experiment:
        for step in range(5):
            experiment.checkpoint(step=step, loss=1 / (1 + rate * step), primary_metric=("loss", "minimize"))
    return experiment

for rate in (0.1, 1.0):
    train(rate)
"""


@pytest.fixture
def run(project: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Outputs]]:
    """Run cells in a kernel; return what each put out."""

    def run(*cells: str, path: str | None = None) -> list[Outputs]:
        made: Any = nbformat.v4
        notebook = made.new_notebook(cells=[made.new_code_cell(source) for source in cells])
        if path is not None:
            monkeypatch.setenv("JPY_SESSION_NAME", path)  # as a Jupyter server tells its kernels
        resources = {"metadata": {"path": str(project)}}
        with named_sockets() as options:
            nbclient.NotebookClient(
                notebook,
                config=Config({"KernelManager": options}),
                timeout=TIMEOUT_S,
                kernel_name="python3",
                resources=resources,
            ).execute()
        return [cell.outputs for cell in notebook.cells]

    return run


def html_of(outputs: Outputs) -> list[str]:
    return [one["data"]["text/html"] for one in outputs if "text/html" in one.get("data", {})]


def test_init_says_in_its_cell_what_runs_where_it_is_saved_and_how_it_ends(
    run: Callable[..., list[Outputs]], project: Path
) -> None:
    _, said, second, quiet = run(
        "import keepsake",
        "first = keepsake.init(name='<b>one</b>')",
        "second = keepsake.init()",
        "third = keepsake.init(quiet=True)",
    )
    (html,) = html_of(said)
    first, other, _ = keepsake.experiments.list()
    page = Page(html)
    assert f"|Experiment {first.short_id()} <b>one</b>| begins here" in page.text
    assert f"saved to {(project / '.keepsake').as_uri()}|" in page.text
    assert "stop()" in page.text
    assert set(page.tags) <= KEPT_TAGS
    assert page.styles <= KEPT_STYLES
    (plain,) = [one["data"]["text/plain"] for one in said]
    assert plain.startswith(f"keepsake: experiment {first.short_id()} '<b>one</b>' begins here, saved to file://")

    (html,) = html_of(second)
    assert f"Experiment {other.short_id()}</b> begins here" in html
    assert f"{first.short_id()} is finished now" in html
    assert quiet == []
    assert not [one for outputs in (said, second) for one in outputs if one["output_type"] == "stream"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_what_a_forked_child_begins_is_said_in_the_cell_too(run: Callable[..., list[Outputs]]) -> None:
    _, said = run(
        "import keepsake, multiprocessing\ndef train(rate):\n    keepsake.init(params={'rate': rate}).stop()",
        "with multiprocessing.get_context('fork').Pool(1) as pool:\n    pool.map(train, [0.1])",
    )
    text = "".join(one["text"] for one in said if one.get("name") == "stderr")
    assert f"keepsake: experiment {only_experiment().short_id()} is saved to file://" in text


def test_the_cells_that_ran_are_saved_with_the_experiment_and_secrets_are_not(
    run: Callable[..., list[Outputs]], project: Path
) -> None:
    run(
        "import keepsake",
        "HF_TOKEN = 'correct horse'\n%env API_KEY battery",
        "for rate in (0.1,):\n    keepsake.init(params={'rate': rate}, quiet=True)",
        "after = 'staple'",
        path=str(project / "notebooks" / "train.ipynb"),
    )
    made = only_experiment()
    assert made.command == "notebook"
    assert made.environment["notebook"] == {
        "path": "notebooks/train.ipynb",
        "cell": 3,
        "cells": [
            {"number": 1, "source": "import keepsake"},
            {"number": 2, "source": "HF_TOKEN = '***'\n%env API_KEY ***"},
            {"number": 3, "source": "for rate in (0.1,):\n    keepsake.init(params={'rate': rate}, quiet=True)"},
        ],
        "left_out": 0,
    }
    written = b"".join(path.read_bytes() for path in project.rglob("*") if path.is_file())
    assert not re.search(rb"correct horse|battery|staple", written)
    assert keepsake.experiments.list("environment.notebook.path ~ train and environment.notebook.cell = 3") == [made]


def test_the_notebook_that_vs_code_names_is_known(run: Callable[..., list[Outputs]], project: Path) -> None:
    run(f"__vsc_ipynb_file__ = {str(project / 'in code.ipynb')!r}", "import keepsake; keepsake.init(quiet=True);")
    assert only_experiment().environment["notebook"]["path"] == "in code.ipynb"


def test_two_experiments_of_a_notebook_are_compared_by_its_cells(run: Callable[..., list[Outputs]]) -> None:
    shown = run(
        "import keepsake",
        "rate = 0.1\nkeepsake.init(quiet=True).stop()",
        "rate = 0.2\nkeepsake.init(quiet=True).stop()",
        "keepsake.diff(*keepsake.experiments.list())",
    )[-1]
    (html,) = html_of(shown)
    assert "(notebook cells)" in html
    assert "+rate = 0.2" in html
    first, second = keepsake.experiments.list()
    (files,) = first.diff(second).files
    (change,) = files.changes
    assert (change.change, change.text is not None and change.text.added_lines) == ("changed", 4)
    assert first.diff(first).is_empty


def test_everything_at_the_end_of_a_cell_is_shown_as_a_table_that_needs_no_script(
    run: Callable[..., list[Outputs]],
) -> None:
    things = [
        "keepsake.Project()", "keepsake.experiments", "keepsake.experiments.list()", "keepsake.experiments.list()[0]",
        "keepsake.experiments.list()[0].checkpoints", "keepsake.experiments.list()[0].best()",
    ]  # fmt: skip
    shown = run("import keepsake\n" + TRAIN, *things)[1:]
    for thing, outputs in zip(things, shown, strict=True):
        (html,) = html_of(outputs)
        page = Page(html)
        assert "table" in page.tags, thing
        assert set(page.tags) <= KEPT_TAGS, thing
        assert page.styles <= KEPT_STYLES, thing
        assert all(source.startswith("data:image/svg+xml,") for source in page.sources), thing
        assert bool(page.sources) == ("best()" not in thing), thing


def test_a_plot_is_drawn_into_the_current_axes_and_shown_once(run: Callable[..., list[Outputs]]) -> None:
    _, plain, subplots, same, error = run(
        "import keepsake, matplotlib.pyplot as plt\n" + TRAIN + "experiments = keepsake.experiments.list()",
        "axes = experiments.plot('loss', logy=True)\nassert axes is plt.gca() and axes.get_yscale() == 'log'",
        "figure, (left, right) = plt.subplots(1, 2)\n"
        "plt.sca(left); assert experiments.plot('loss') is left\n"
        "plt.sca(right); assert experiments.scatter('rate', 'loss', logx=True) is right\n"
        "assert right.get_xscale() == 'log'",
        "assert experiments[0].plot() is experiments[1].plot()\nassert len(plt.gca().get_lines()) == 2",
        "try:\n    experiments.plot('f1')\nexcept keepsake.errors.InvalidInputError as error:\n    print(error)",
    )
    for outputs in (plain, subplots, same):
        assert [list(one["data"]) for one in outputs] == [["text/plain", "image/png"]]
    assert [one["output_type"] for one in error] == ["stream"]
    assert "nothing here has a metric 'f1'" in error[0]["text"]


def test_importing_and_using_keepsake_in_a_script_never_imports_ipython(project: Path) -> None:
    script = "import sys, keepsake; keepsake.init().stop(); assert 'IPython' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "")
    assert "is saved to" in done.stderr
    assert "notebook" not in only_experiment().environment
