from __future__ import annotations

from typing import Any

from keepsake._analysis.details import experiment_details
from tests.analysis.subjects import Run, hex_id


def shown(notebook: Any, *, show_all: bool = False) -> list[str]:
    """Return the lines of the section that tells of a notebook."""
    experiment = Run(hex_id(1), environment={"notebook": notebook, "platform": "Linux"})
    text = experiment_details(experiment, show_all=show_all, width=80).render(color=False)
    before, _, after = text.partition("\nNotebook\n")
    assert "notebook" not in before + after.partition("\n\n")[2]
    return after.partition("\n\n")[0].splitlines()


NOTEBOOK = {
    "path": "train.ipynb",
    "cell": 7,
    "cells": [{"number": 3, "source": "import keepsake"}, {"number": 7, "source": "if x:\n\tinit()\x1b[31m\n"}],
    "left_out": 2,
}


def test_the_cell_that_began_an_experiment_is_shown_and_the_others_are_counted() -> None:
    assert shown(NOTEBOOK) == [
        "  train.ipynb, began in cell 7, 2 cells left out",
        "  In [7]:",
        "    if x:",
        "    \tinit()\u241b[31m",
        "  … 1 more before it: --all shows them",
    ]


def test_all_cells_are_shown_when_asked_for() -> None:
    assert shown(NOTEBOOK, show_all=True)[1:4] == ["  In [3]:", "    import keepsake", "  In [7]:"]


def test_of_a_notebook_of_which_little_is_known_that_is_shown() -> None:
    assert shown({"cells": [{"source": "x"}]}) == ["  (no path)", "  In [0]:", "    x"]
    assert shown(None) == []
