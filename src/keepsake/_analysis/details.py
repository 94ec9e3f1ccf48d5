"""Everything about one experiment or checkpoint, as text for a terminal: what `keepsake show` prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from keepsake._analysis.diffwords import printable
from keepsake._analysis.interfaces import CheckpointLike, ExperimentLike, flatten_values
from keepsake._analysis.text import format_bytes, format_duration, format_value
from keepsake._model.ids import short_id
from keepsake._model.notebook import FIELD, Notebook, find_notebook
from keepsake._model.values import Value

MOST_ROWS = 20
"""Packages, files and checkpoints beyond this are counted instead, unless all are asked for."""
_BOLD, _RESET = "\x1b[1m", "\x1b[0m"


class DetailedExperiment(ExperimentLike, Protocol):
    """What is shown of an experiment besides what a table shows."""

    @property
    def environment(self) -> Mapping[str, Any]:
        """What was recorded of the machine and the program."""

    @property
    def error(self) -> Mapping[str, str] | None:
        """What ended it, when it failed."""

    @property
    def notes(self) -> str | None:
        """Free text about it."""


@dataclass(slots=True)
class Section:
    """A heading with lines below it."""

    heading: str
    lines: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Details:
    """Sections, one below the other."""

    title: str
    sections: list[Section]

    def render(self, *, color: bool) -> str:
        """Return the text; headings are bold where there is colour."""
        bold, reset = (_BOLD, _RESET) if color else ("", "")
        parts = [f"{bold}{self.title}{reset}"]
        for section in self.sections:
            body = "\n".join(f"  {line}".rstrip() for line in section.lines)
            parts.append(f"{bold}{section.heading}{reset}\n{body}" if section.heading else body)
        return "\n\n".join(parts)


def experiment_details(experiment: DetailedExperiment, *, show_all: bool, width: int | None) -> Details:
    """Describe an experiment.

    Args:
        experiment: which.
        show_all: whether to show every package, checkpoint and metric.
        width: columns of the terminal; None for as many as it takes.
    """
    sections = [
        Section("", _facts(experiment)),
        Section("Params", _pairs(flatten_values(experiment.params))),
        *_surroundings(experiment, show_all=show_all),
        Section("Checkpoints", _checkpoint_lines(experiment, show_all=show_all, width=width)),
    ]
    if experiment.notes:
        sections.insert(1, Section("Notes", [_one_line(line) for line in experiment.notes.splitlines()]))
    return Details(f"Experiment {experiment.id}", sections)


def checkpoint_details(
    checkpoint: CheckpointLike,
    experiment: DetailedExperiment,
    *,
    show_all: bool,
    files: Mapping[str, int],
    problem: str | None = None,
) -> Details:
    """Describe a checkpoint.

    Args:
        checkpoint: which.
        experiment: the one that it belongs to.
        show_all: whether to show every package and file.
        files: the length of each of its files by path.
        problem: why files of it are not among them, if so.
    """
    facts = {
        "created": f"{checkpoint.created:%Y-%m-%d %H:%M:%S %z}",
        "step": "" if checkpoint.step is None else str(checkpoint.step),
        "path": checkpoint.path or "",
        "experiment": short_id(experiment.id) + (f" {_one_line(experiment.name)}" if experiment.name else ""),
        "status": experiment.status,
        "command": _one_line(experiment.command or ""),
    }
    metrics = _pairs(flatten_values(checkpoint.metrics))
    if checkpoint.primary_metric is not None:
        name, goal = checkpoint.primary_metric
        metrics = [f"{line}  (primary, {goal})" if line.split(" ")[0] == name else line for line in metrics]
    sizes = _pairs({path: format_bytes(size) for path, size in files.items()}) if files else []
    listed = [f"PROBLEM: {_one_line(problem)}"] if problem else []
    listed += _some(sizes, show_all=show_all)
    return Details(
        f"Checkpoint {checkpoint.id}",
        [
            Section("", _pairs({name: text for name, text in facts.items() if text})),
            Section("Metrics", metrics),
            Section("Params", _pairs(flatten_values(experiment.params))),
            *_surroundings(experiment, show_all=show_all),
            Section("Files", listed or ["(none)"]),
        ],
    )


def _facts(experiment: DetailedExperiment) -> list[str]:
    error = experiment.error
    facts = {
        "created": f"{experiment.created:%Y-%m-%d %H:%M:%S %z}",
        "status": experiment.status + (f": {error.get('type')}: {error.get('message')}" if error else ""),
        "duration": format_duration(experiment.duration),
        "name": experiment.name or "",
        "tags": ", ".join(experiment.tags),
        "user": experiment.user or "",
        "host": experiment.host or "",
        "command": experiment.command or "",
        "path": experiment.path or "",
    }
    return _pairs({name: _one_line(text) for name, text in facts.items() if text})


def _surroundings(experiment: DetailedExperiment, *, show_all: bool) -> list[Section]:
    """Return what was recorded of the machine, the code's git state and the packages."""
    environment = dict(experiment.environment)
    packages = environment.pop("python_packages", None) or {}
    notebook = find_notebook(environment)
    for shown_elsewhere in ("user", "host", "command", FIELD):
        environment.pop(shown_elsewhere, None)
    known = {name: value for name, value in flatten_values(environment).items() if value not in (None, {}, [])}
    cells = [] if notebook is None else [Section("Notebook", _cell_lines(notebook, show_all=show_all))]
    return [
        *cells,
        Section("Environment", _pairs(known)),
        Section("Python packages", _some(_pairs(packages), show_all=show_all) or ["(none)"]),
    ]


def _cell_lines(notebook: Notebook, *, show_all: bool) -> list[str]:
    """Return the source of the cell that began the experiment, or of all that ran until then."""
    beginning = notebook.beginning()
    shown = notebook.cells if show_all or beginning is None else (beginning,)
    lines = [printable(notebook_summary(notebook))]
    for cell in shown:
        source = [printable(line) for line in cell.source.rstrip().split("\n")]
        lines += [f"In [{cell.number}]:", *(f"  {line}" for line in _some(source, show_all=show_all))]
    if len(shown) < len(notebook.cells):
        lines.append(f"… {len(notebook.cells) - len(shown)} more before it: --all shows them")
    return lines


def notebook_summary(notebook: Notebook) -> str:
    """Say what is known of a notebook: `train.ipynb, began in cell 7`."""
    facts = [notebook.path or "", "" if notebook.cell is None else f"began in cell {notebook.cell}"]
    facts.append(f"{notebook.left_out} cells left out" if notebook.left_out else "")
    return ", ".join(fact for fact in facts if fact) or "(no path)"


def _checkpoint_lines(experiment: DetailedExperiment, *, show_all: bool, width: int | None) -> list[str]:
    checkpoints = experiment.checkpoints
    if not checkpoints:
        return ["(none)"]
    best = experiment.best()
    names = list(dict.fromkeys(name for one in checkpoints for name in flatten_values(one.metrics)))
    if best is not None and best.primary_metric is not None and best.primary_metric[0] in names:
        names.remove(best.primary_metric[0])
        names.insert(0, best.primary_metric[0])
    rows = [["id", "step", "created", *map(_one_line, names)], *(_row(one, names, best) for one in checkpoints)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    room, columns = (width or 1 << 30) - 2, len(widths)
    # The first metric is shown whatever room there is, and so are the columns before it.
    while columns > 4 and sum(widths[:columns]) + 2 * (columns - 1) > room:
        columns -= 1
    lines = [
        "  ".join(cell.ljust(size) for cell, size in zip(row[:columns], widths[:columns], strict=True)) for row in rows
    ]
    kept = lines if show_all or len(lines) <= MOST_ROWS + 1 else [lines[0], *lines[-MOST_ROWS:]]
    if len(kept) < len(lines):
        kept.insert(1, f"… {len(lines) - len(kept)} earlier ones: --all shows them")
    if columns < len(widths):
        kept.append(f"metrics left out: {', '.join(rows[0][columns:])}; --json has everything")
    return kept


def _row(checkpoint: CheckpointLike, names: Sequence[str], best: CheckpointLike | None) -> list[str]:
    metrics = flatten_values(checkpoint.metrics)
    cells = [format_value(metrics[name], longest=16) if name in metrics else "" for name in names]
    is_best = best is not None and best.id == checkpoint.id
    if is_best and cells:
        cells[0] += " (best)"
    step = "" if checkpoint.step is None else str(checkpoint.step)
    return [short_id(checkpoint.id), step, f"{checkpoint.created:%Y-%m-%d %H:%M:%S}", *cells]


def _pairs(values: Mapping[str, Value]) -> list[str]:
    if not values:
        return ["(none)"]
    shown = {_one_line(name): format_value(value, longest=1000) for name, value in values.items()}
    longest = min(max(map(len, shown)), 30)
    return [f"{name:<{longest}}  {text}" for name, text in shown.items()]


def _some(lines: list[str], *, show_all: bool) -> list[str]:
    if show_all or len(lines) <= MOST_ROWS:
        return lines
    return [*lines[:MOST_ROWS], f"… {len(lines) - MOST_ROWS} more: --all shows them"]


def _one_line(text: str) -> str:
    """Return text in which nothing moves the cursor or changes the colour."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
