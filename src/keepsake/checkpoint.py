"""Checkpoints: what was measured at a point in an experiment, and the files as they were then."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from keepsake._model.events import Body, references
from keepsake._model.ids import short_id
from keepsake._model.times import LocalTime
from keepsake._model.values import Value
from keepsake._repository.repository import Repository
from keepsake._tracking.files import project_path
from keepsake._tracking.recovery import append_event
from keepsake.errors import FileNotSavedError, InvalidInputError, NotFoundError

if TYPE_CHECKING:
    import io
    import os
    from datetime import datetime

    from keepsake._analysis.compare import Subject
    from keepsake._analysis.diff import Diff
    from keepsake.checkout import Checkout
    from keepsake.comparison import Comparable, SnapshotFiles

GOALS = ("maximize", "minimize")


class _Pair(NamedTuple):
    name: str
    goal: str


class PrimaryMetric(_Pair):
    """The metric that decides which checkpoint is best: a tuple `(name, goal)`, also read by `["name"]`, `["goal"]`."""

    __slots__ = ()

    def __getitem__(self, key: Any) -> Any:
        """Return the field by its place or its name."""
        if not isinstance(key, str):
            return super().__getitem__(key)
        if key not in self._fields:
            raise KeyError(key)
        return getattr(self, key)

    @classmethod
    def parse(cls, value: object) -> PrimaryMetric:
        """Read what a user passes. Raises `InvalidInputError` when it is not a name and a known goal."""
        if isinstance(value, Mapping) and set(value) == {"name", "goal"}:
            value = (value["name"], value["goal"])
        if not isinstance(value, (tuple, list)) or len(value) != 2 or not all(isinstance(part, str) for part in value):
            raise InvalidInputError(
                f"primary_metric must be a tuple of a metric's name and its goal, not {value!r}",
                hint='for example primary_metric=("loss", "minimize")',
            )
        if value[1] not in GOALS:
            raise InvalidInputError(
                f"the goal of primary_metric must be 'maximize' or 'minimize', not {value[1]!r}",
                hint=f'for example primary_metric=({value[0]!r}, "minimize")',
            )
        return cls(value[0], value[1])


@dataclass(frozen=True)
class Origin:
    """What a checkpoint needs of its experiment to read files."""

    repository: Repository
    experiment_id: str
    manifests: tuple[str, ...]
    """Digests of the manifests of the files that were saved with the experiment itself."""
    command: str | None = None
    """What the experiment was started with."""


class Checkpoint:
    """A point in an experiment.

    Attributes:
        id: 64 hex digits.
        created: when it was saved, aware, in local time.
        path: what was saved with it, relative to the project directory; None when nothing was.
        step: its number, as given or counted.
        metrics: what was measured, by name.
        primary_metric: name and goal of the metric that decides what is best, or None.
    """

    def __init__(self, body: Body, origin: Origin) -> None:
        self.id: str = body["id"]
        self.step: int | None = body.get("step")
        self.path: str | None = body.get("path")
        self.metrics: dict[str, Value] = body.get("metrics") or {}
        pair = body.get("primary_metric")
        self.primary_metric = PrimaryMetric(pair["name"], pair["goal"]) if pair else None
        self._body = body
        self._origin = origin

    @property
    def created(self) -> datetime:
        """When it was saved."""
        return LocalTime.from_text(self._body["time"])

    @property
    def experiment_id(self) -> str:
        """Id of the experiment that it belongs to."""
        return self._origin.experiment_id

    @property
    def command(self) -> str | None:
        """The command that started its experiment, as it can be run again; secrets are masked."""
        return self._origin.command

    def short_id(self) -> str:
        """Return the first seven digits of the id."""
        return short_id(self.id)

    def __repr__(self) -> str:
        from keepsake._analysis.text import checkpoint_text

        return checkpoint_text(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Checkpoint) and self.id == other.id

    def __hash__(self) -> int:
        return hash(self.id)

    def _repr_html_(self) -> str:
        from keepsake._analysis.experimenthtml import checkpoint_html

        return str(checkpoint_html(self))

    def files(self) -> dict[str, int]:
        """Return the paths of all files of this checkpoint and its experiment, each with its length in bytes."""
        found: dict[str, int] = {}
        for digest in reversed(self._manifests()):
            manifest = self._origin.repository.load_recent(digest)
            found.update((entry.path, entry.size_bytes) for entry in manifest.entries if entry.kind == "file")
        return dict(sorted(found.items()))

    def open(self, path: str | os.PathLike[str]) -> io.BufferedReader:
        """Open a file of this checkpoint, or else of its experiment, for reading bytes.

        The file can be seeked; only the chunks that are read are fetched, and each is verified.

        Args:
            path: the file, relative to the project directory.

        Raises:
            FileNotSavedError: there is no such file; the hint names the nearest ones.
            InvalidInputError: it is a directory or a symbolic link.
            CorruptionError: from reading, when what is stored is damaged.
        """
        manifests = self._manifests()
        if not manifests:
            raise self._nothing_saved()
        return self._origin.repository.open_file(manifests, project_path(path))

    def checkout(
        self,
        output_directory: str | os.PathLike[str],
        quiet: bool = False,
        *,
        path: str | os.PathLike[str] | None = None,
    ) -> None:
        """Copy the files of the experiment and, over them, those of this checkpoint to a directory.

        Each file appears whole or not at all; other files in the directory stay.

        Args:
            output_directory: where to; made when it is not there.
            quiet: whether to say nothing about it.
            path: only this file or directory, relative to the project directory.

        Raises:
            FileNotSavedError: nothing was saved, or not `path`.
            InvalidInputError: `output_directory` is no path, or a file is there.
            CorruptionError: some files are damaged; they are named, and all others are written.
        """
        self.plan_checkout(output_directory, path=path).run(quiet=quiet)

    def plan_checkout(
        self, output_directory: str | os.PathLike[str], *, path: str | os.PathLike[str] | None = None
    ) -> Checkout:
        """Return what `checkout` would do: `.overwrites`, `.unchanged`, and `.run()` to do it. Errors as there."""
        from keepsake.checkout import Checkout

        manifests = self._manifests()
        if not manifests:
            raise self._nothing_saved()
        return Checkout(
            self._origin.repository,
            manifests[::-1],
            output_directory,
            only=None if path is None else project_path(path),
            what=f"checkpoint {self.short_id()} and experiment {short_id(self.experiment_id)}",
        )

    def diff(self, *others: Comparable, only: str | Sequence[str] | None = None, show_all: bool = False) -> Diff:
        """Compare it with other checkpoints or experiments: params, environment, packages, metrics, code and weights.

        Args:
            *others: what to compare with; an experiment counts with its best checkpoint, else its latest.
            only: what to compare: one or some of "params", "environment", "git", "packages", "metrics", "code" and
                "tensors".
            show_all: whether to list also params, packages and so on that are the same everywhere.

        Returns:
            What differs. It prints as text, shows as tables in a notebook, and has `to_json()`. What is damaged or
            missing is said in it and raises nothing.

        Raises:
            InvalidInputError: there is nothing to compare with, or `only` is none of these.
            NotFoundError: the experiment of a checkpoint was deleted.
        """
        from keepsake.comparison import compare_things

        return compare_things([self, *others], only=only, show_all=show_all)

    def to_subject(self) -> Subject:
        """Return what `diff` compares of it."""
        from keepsake.comparison import make_subject

        repository = self._origin.repository
        return make_subject(repository, repository.load_experiment(self.experiment_id), self._body)

    def delete(self) -> None:
        """Delete this checkpoint, for good. What only it needs is freed by the next `collect`.

        Raises:
            NotFoundError: it was deleted already, or its experiment was.
        """
        repository = self._origin.repository
        repository.check_writable()
        state = repository.load_experiment(self.experiment_id)
        if all(body.get("id") != self.id for body in state.checkpoints):
            raise NotFoundError(f"checkpoint {self.short_id()} is not there any more; it may have been deleted")
        body: dict[str, object] = {"type": "delete", "checkpoints": [self.id]}
        append_event(repository.store, self.experiment_id, body, after=state.last_time)

    def to_json(self) -> dict[str, Any]:
        """Return everything about it as a dictionary that the `json` module can write."""
        return checkpoint_json(self._body) | {"experiment_id": self.experiment_id}

    def manifests(self) -> set[str]:
        """Return the digests of the manifests that it refers to itself."""
        return set(references(self._body))

    def saved_files(self) -> SnapshotFiles:
        """Return its files laid over those of its experiment, to list and open."""
        from keepsake.comparison import SnapshotFiles

        own = references(self._body)
        return SnapshotFiles(
            self._origin.repository, [*self._origin.manifests, *own], self._body.get("unsaved"), own=len(own)
        )

    def _manifests(self) -> list[str]:
        """Digests of the manifests to look into, in this order."""
        return [*references(self._body), *self._origin.manifests]

    def _nothing_saved(self) -> FileNotSavedError:
        unsaved = self._body.get("unsaved")
        if unsaved:
            return FileNotSavedError(f"the files of checkpoint {self.short_id()} could not be saved: {unsaved}")
        return FileNotSavedError(
            f"neither checkpoint {self.short_id()} nor experiment {short_id(self.experiment_id)} has files",
            hint="pass path= to keepsake.init() or checkpoint() to save some",
        )


def checkpoint_json(body: Body) -> dict[str, Any]:
    """Return what a checkpoint's event says of it, without what only the repository needs."""
    fields = ("id", "step", "path", "metrics", "primary_metric")
    return {"id": body["id"], "created": body["time"]} | {field: body.get(field) for field in fields[1:]}


def __getattr__(name: str) -> Any:
    """Give out the lists, which scripts for Keepsake 0.x import from here; they live a layer above."""
    if name in ("CheckpointList", "CheckpointListMetrics"):
        return getattr(importlib.import_module("keepsake.checkpointlist"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
