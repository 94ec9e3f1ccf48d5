"""The notebook that this process is the kernel of: whether there is one, what ran in it, and showing something in it.

IPython is never imported here unless the program has imported it. What it keeps of the cells is read as it has kept it
since version 7; a kernel that keeps something else is no error.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from keepsake._model.notebook import Cell, Notebook

MAX_SOURCE_LENGTH = 32 * 1024
"""Characters that are kept of all cells: about 800 lines. Every experiment carries its own, and listings read it."""
_LONGEST_MASKED = 4 * MAX_SOURCE_LENGTH
"""More of a cell is not looked at; so a secret that this cuts in two is never among what is kept."""
CUT = "\n# … cut by Keepsake"


def find_shell() -> Any | None:
    """Return IPython's shell when this process is a kernel, where one program is many runs; None otherwise."""
    get_ipython = getattr(sys.modules.get("IPython"), "get_ipython", None)
    shell = get_ipython() if callable(get_ipython) else None
    return shell if hasattr(shell, "kernel") else None


def in_notebook() -> bool:
    """Say whether this process is a kernel."""
    return find_shell() is not None


def can_show() -> bool:
    """Say whether this process can show something in a cell: a child that a kernel has forked cannot."""
    shell = find_shell()
    if shell is None:
        return False
    pid = getattr(getattr(shell.kernel, "session", None), "pid", None)
    return pid is None or pid == os.getpid()


def read_notebook(directory: Path, env: Mapping[str, str]) -> Notebook | None:
    """Return the cells that ran in this kernel up to now, secrets masked; None when it is none.

    Args:
        directory: the project directory, which the path is relative to.
        env: the environment variables; Jupyter says there which file it is.
    """
    shell = find_shell()
    if shell is None:
        return None
    history: Sequence[str] = shell.history_manager.input_hist_raw
    # The kernel notes a cell before it runs it, so the last one is that which runs now. (`execution_count` would not
    # do: IPython 7 counts a cell when it has run, later ones before.)
    number = len(history) - 1
    cells, left_out = choose_cells(history)
    path = shell.user_ns.get("__vsc_ipynb_file__") or env.get("JPY_SESSION_NAME")
    return Notebook(_relative(path, directory), number or None, tuple(cells), left_out)


def choose_cells(history: Sequence[str], *, longest: int = MAX_SOURCE_LENGTH) -> tuple[list[Cell], int]:
    """Return the cells to keep, and how many others there were.

    Of cells with the same source the last counts, and of all of them the newest that have together no more characters
    than `longest`. The newest of all is kept in any case, if need be cut.

    Args:
        history: the source of each execution, the first of which has the number 0.
        longest: how much is kept.
    """
    from keepsake._tracking.codesecrets import mask_code  # takes milliseconds, which a script need not spend

    last = {source: number for number, source in enumerate(history) if source.strip()}
    cells: list[Cell] = []
    room = longest
    newest_first = sorted(last.items(), key=lambda one: -one[1])
    for source, number in newest_first:
        masked = mask_code(source[:_LONGEST_MASKED])
        if len(masked) > room:
            if cells:
                break
            masked = masked[: room - len(CUT)] + CUT
        cells.insert(0, Cell(number, masked))
        room -= len(masked)
    return cells, len(newest_first) - len(cells)


def show(html: str, text: str) -> bool:
    """Show something in the cell that runs; return whether that was possible.

    Args:
        html: what a notebook shows.
        text: what is shown where there is no HTML.
    """
    try:
        import IPython.display

        display: Callable[..., Any] = IPython.display.display
        display({"text/html": html, "text/plain": text}, raw=True)
    except Exception:  # noqa: BLE001 (an odd kernel, or one that is being shut down: there are other ways to say it)
        return False
    return True


def _relative(path: object, directory: Path) -> str | None:
    if not isinstance(path, str) or not path:
        return None
    place = Path(path)
    if place.is_absolute():
        for base in (directory, directory.resolve()):
            if base in place.parents:
                return place.relative_to(base).as_posix()
    return path.replace(os.sep, "/")
