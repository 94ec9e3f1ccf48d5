"""The cells of a notebook that ran until an experiment began, as `environment.notebook` of its event holds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

FIELD = "notebook"
_CELLS = "cells"
_SEPARATOR = "# %%"
"""What stands before each cell where they are one text; editors know it as the beginning of a cell."""


class Cell(NamedTuple):
    """A cell as it was executed."""

    number: int
    """What the notebook shows in brackets beside it."""
    source: str


@dataclass(frozen=True, slots=True)
class Notebook:
    """What is recorded of a notebook."""

    path: str | None
    """Its file, relative to the project directory if it lies there; None when nobody could say."""
    cell: int | None
    """Number of the cell that began the experiment; None when the kernel did not keep it."""
    cells: tuple[Cell, ...]
    """In the order in which they were executed; of those with the same source, the last."""
    left_out: int
    """How many earlier ones are not kept, for their length."""

    def source(self) -> str:
        """Return all cells as one text, without their numbers, which say nothing about what they do."""
        return "\n".join(f"{_SEPARATOR}\n{cell.source.rstrip()}\n" for cell in self.cells)

    def beginning(self) -> Cell | None:
        """Return the cell that began the experiment."""
        return next((cell for cell in self.cells if cell.number == self.cell), None)


def encode_notebook(notebook: Notebook) -> dict[str, Any]:
    """Return it as JSON types."""
    cells = [{"number": cell.number, "source": cell.source} for cell in notebook.cells]
    return {"path": notebook.path, "cell": notebook.cell, _CELLS: cells, "left_out": notebook.left_out}


def find_notebook(environment: Mapping[str, Any]) -> Notebook | None:
    """Return what `environment` says of a notebook, as far as it can be understood; None when it says nothing."""
    found = environment.get(FIELD)
    if not isinstance(found, dict):
        return None
    listed = found.get(_CELLS)
    cells = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    return Notebook(
        path=found["path"] if isinstance(found.get("path"), str) else None,
        cell=_number(found.get("cell")),
        cells=tuple(Cell(_number(one.get("number")) or 0, str(one.get("source") or "")) for one in cells),
        left_out=_number(found.get("left_out")) or 0,
    )


def without_cells(environment: Mapping[str, Any]) -> dict[str, Any]:
    """Return the environment without the source of cells, which is no value to list, filter or compare as one."""
    found = environment.get(FIELD)
    if not isinstance(found, dict):
        return dict(environment)
    return dict(environment) | {FIELD: {name: value for name, value in found.items() if name != _CELLS}}


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
