"""What differs between two or more experiments or checkpoints, as values. Pure: `compare` finds it out.

- Of two or more subjects, params, environment, git state, packages and metrics are rows: a name and a value for each.
- Files are compared in pairs, each subject with the first.
- Numbers are equal when their values are (1 and 1.0; repositories of Keepsake 0.x do not tell them apart), True and 1
  are not, NaN equals NaN, and None is not the same as nothing at all.
- The field names of `Diff.to_json` are stable; they are those of the classes here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

from keepsake._analysis.interfaces import flatten_values
from keepsake._analysis.textdiff import TextDiff
from keepsake._model.values import Value
from keepsake.errors import InvalidInputError

SECTIONS = ("params", "environment", "git", "packages", "metrics", "code", "tensors")
"""What can be compared, in the order in which it is shown."""

Change: TypeAlias = Literal["added", "removed", "changed"]


@dataclass(frozen=True, slots=True)
class Side:
    """One of the things that are compared."""

    experiment_id: str
    checkpoint_id: str | None
    """The checkpoint whose metrics and files are compared; None when there is none."""
    chosen: Literal["best", "latest"] | None
    """How that checkpoint was chosen, when an experiment was asked for."""
    name: str | None
    status: str | None
    created: str
    """When the checkpoint was saved, else when the experiment began: ISO 8601."""
    step: int | None
    path: str | None

    @property
    def id(self) -> str:
        """The id of the checkpoint, if there is one, else of the experiment."""
        return self.checkpoint_id or self.experiment_id


@dataclass(frozen=True, slots=True)
class Row:
    """A name, and what each side has for it."""

    name: str
    values: tuple[Value, ...]
    """None where there is none; see `is_set`."""
    is_set: tuple[bool, ...]

    @property
    def differs(self) -> bool:
        """Whether some side has another value than the first, or none where that has one."""
        first = (self.is_set[0], self.values[0])
        return not all(
            is_set == first[0] and are_equal(first[1], value)
            for is_set, value in zip(self.is_set, self.values, strict=True)
        )

    def to_json(self) -> dict[str, Any]:
        """Return its fields."""
        return {"name": self.name, "values": list(self.values), "is_set": list(self.is_set)}


@dataclass(frozen=True, slots=True)
class MetricRow(Row):
    """A metric of each side."""

    goal: str | None = None
    """`minimize` or `maximize`, when this is the primary metric."""

    @property
    def differences(self) -> tuple[float | None, ...]:
        """How much more than the first each side has; None where one of the two is no number."""
        return tuple(_difference(self.values[0], value) for value in self.values)

    def to_json(self) -> dict[str, Any]:
        """Return its fields and the differences."""
        return Row.to_json(self) | {"differences": list(self.differences), "goal": self.goal}


@dataclass(frozen=True, slots=True)
class FileState:
    """What a path is on one side."""

    kind: str
    """`file`, `directory`, `link`, `missing`: it could not be read when it was saved, or `cells`: of a notebook."""
    size_bytes: int
    executable: bool = False
    target: str = ""
    """Of a link: where it points."""


@dataclass(frozen=True, slots=True)
class TensorState:
    """What a tensor is on one side."""

    dtype: str
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TensorValues:
    """How far the values of a tensor moved; None for what cannot be said, of items that are no numbers or all zero."""

    items: int
    changed_items: int | None = None
    """How many have other bits than before."""
    max_abs_difference: float | None = None
    relative_l2: float | None = None
    """The L2 norm of the difference, relative to that of the old values."""
    cosine: float | None = None
    """Of the angle between the old and the new values."""
    nonfinite_old: int = 0
    """How many of the old values are NaN or infinite; those count in none of the distances."""
    nonfinite_new: int = 0


@dataclass(frozen=True, slots=True)
class TensorChange:
    """A tensor that is not the same on both sides."""

    name: str
    change: Change
    old: TensorState | None
    new: TensorState | None
    values: TensorValues | None = None
    """Of a tensor with the same type and shape on both sides."""
    problem: str | None = None
    """Why its values could not be compared."""


@dataclass(frozen=True, slots=True)
class TensorsDiff:
    """Two weights files, compared."""

    changes: tuple[TensorChange, ...]
    unchanged: int


@dataclass(frozen=True, slots=True)
class FileChange:
    """A path that is not the same on both sides."""

    path: str
    change: Change
    old: FileState | None
    new: FileState | None
    text: TextDiff | None = None
    """The lines that changed, of text files that are not too long."""
    tensors: TensorsDiff | None = None
    """The tensors that changed, of weights files."""
    note: str | None = None
    """Why neither is there."""
    problem: str | None = None
    """What is damaged or missing."""


@dataclass(frozen=True, slots=True)
class FilesDiff:
    """The files of one side, compared with those of the first."""

    side: int
    """Which side, from 0."""
    changes: tuple[FileChange, ...]
    unchanged: int
    problem: str | None = None
    """Why there is nothing to compare, when what was saved cannot be read."""

    def to_json(self) -> dict[str, Any]:
        """Return everything as dictionaries and lists."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Diff:
    """What differs between two or more experiments or checkpoints. A section that was not asked for is empty."""

    sides: tuple[Side, ...]
    sections: tuple[str, ...]
    """Which of `SECTIONS` were compared."""
    params: tuple[Row, ...] = ()
    environment: tuple[Row, ...] = ()
    git: tuple[Row, ...] = ()
    packages: tuple[Row, ...] = ()
    metrics: tuple[MetricRow, ...] = ()
    files: tuple[FilesDiff, ...] = ()
    """For every side but the first."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing differs in the sections that were compared, as far as it could be read."""
        rows = (*self.params, *self.environment, *self.git, *self.packages, *self.metrics)
        return not any(row.differs for row in rows) and not any(one.changes or one.problem for one in self.files)

    def rows(self, section: str) -> tuple[Row, ...]:
        """Return the rows of a section; of `code` and `tensors` there are none."""
        rows: tuple[Row, ...] = getattr(self, section, ())
        return rows

    def to_json(self) -> dict[str, Any]:
        """Return everything as a dictionary of lists and values: what `keepsake diff --json` prints."""
        document: dict[str, Any] = {"is_empty": self.is_empty, "sections": list(self.sections)}
        document["sides"] = [{"id": side.id} | asdict(side) for side in self.sides]
        for section in self.sections:
            if section not in ("code", "tensors"):
                document[section] = [row.to_json() for row in self.rows(section)]
        if {"code", "tensors"} & set(self.sections):
            document["files"] = [one.to_json() for one in self.files]
        return document

    def __str__(self) -> str:
        from keepsake._analysis.difftext import format_diff

        return format_diff(self)

    def __repr__(self) -> str:
        from keepsake._analysis.diffwords import diff_summary

        return diff_summary(self)

    def _repr_html_(self) -> str:
        from keepsake._analysis.diffhtml import diff_html

        return str(diff_html(self))


def check_sections(only: str | Iterable[str] | None) -> tuple[str, ...]:
    """Return the sections that a user asks for, in order; all of them for None. Raises `InvalidInputError`."""
    if only is None:
        return SECTIONS
    wanted = {only} if isinstance(only, str) else set(only)
    unknown = sorted(map(str, wanted - set(SECTIONS)))
    if unknown or not wanted:
        raise InvalidInputError(
            f"nothing to compare is called {', '.join(unknown) or 'nothing'}", hint=f"there are: {', '.join(SECTIONS)}"
        )
    return tuple(section for section in SECTIONS if section in wanted)


def compare_values(sides: Sequence[Mapping[str, Value] | None], *, show_all: bool) -> tuple[Row, ...]:
    """Compare what the sides have by name, nested ones by their dotted names, sorted.

    Args:
        sides: what each has.
        show_all: whether to return also what is the same on all sides.
    """
    flat = [flatten_values(side) for side in sides]
    names = sorted({name for side in flat for name in side})
    rows = (Row(name, tuple(side.get(name) for side in flat), tuple(name in side for side in flat)) for name in names)
    return tuple(row for row in rows if show_all or row.differs)


def compare_metrics(
    sides: Sequence[Mapping[str, Value] | None], goals: Mapping[str, str], *, show_all: bool
) -> tuple[MetricRow, ...]:
    """Compare metrics: the primary ones, whose `goals` are given, come first."""
    rows = [
        MetricRow(row.name, row.values, row.is_set, goals.get(row.name))
        for row in compare_values(sides, show_all=show_all)
    ]
    return tuple(sorted(rows, key=lambda row: row.goal is None))


def are_equal(a: Value, b: Value) -> bool:
    """Say whether two values are the same to whoever compares experiments; see the top of this module."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return a == b or (a != a and b != b)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(are_equal, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(are_equal(a[name], b[name]) for name in a)
    return type(a) is type(b) and a == b


def _difference(first: Value, value: Value) -> float | None:
    if isinstance(first, bool) or isinstance(value, bool):
        return None
    if not isinstance(first, (int, float)) or not isinstance(value, (int, float)):
        return None
    try:
        return float(value - first)
    except OverflowError:
        return None
