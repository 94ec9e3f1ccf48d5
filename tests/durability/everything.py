"""A training script that uses everything that writes, on a store of the test's; it notes what its calls promised."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from keepsake import Checkpoint, Experiment, Project
from keepsake._repository.collect import collect
from keepsake._repository.repository import Repository
from keepsake._tracking.place import Place
from keepsake.errors import InternalError, KeepsakeError
from keepsake.stores.base import Store
from tests.durability.scripts import sha

Result = TypeVar("Result")


class ProjectOnStore(Project):
    """A project whose repository lies in a given store, and which has no courier.

    Args:
        directory: the project directory.
        root: where its session locks and staging are.
        store: where the repository is.
    """

    def __init__(self, directory: Path, root: Path, store: Store) -> None:
        super().__init__(directory=directory)
        self.path = directory
        self.store = store
        self.staging = root / "staging"
        self._locks = root / "locks"
        self._locks.mkdir(parents=True, exist_ok=True)

    def find_place(self) -> Place:
        return Place(self.path, self.store, locks=self._locks, staging=self.staging)


def write_code(directory: Path) -> Path:
    """Make a project directory with the files that the script saves, and return it."""
    (directory / "code").mkdir(parents=True)
    for number in range(3):
        (directory / "code" / f"{number}.py").write_text(f"print({number})\n")
    return directory


@dataclass
class Told:
    """What the calls of a script had promised when they returned."""

    checkpoints: dict[str, tuple[str, float, str | None]] = field(default_factory=dict)
    """By id: the experiment's id, the loss, and the hash of the file if one was saved."""
    logs: dict[str, float] = field(default_factory=dict)
    """By the experiment's id: the loss."""
    names: dict[str, str] = field(default_factory=dict)
    stopped: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    perhaps_deleted: set[str] = field(default_factory=set)
    """Of which the deletion raised: then it may have been written or not."""


class Script:
    """The script. A call that raises is noted, and it goes on with the next.

    Args:
        project: where it runs, with the directory that `write_code` made.
    """

    def __init__(self, project: ProjectOnStore) -> None:
        self.told = Told()
        self.raised: list[BaseException] = []
        self.talk = ""
        """What was written to standard error."""
        self._project = project

    def run(self) -> None:
        """Create, save, log, annotate, delete, stop, attach and collect."""
        talk = io.StringIO()
        with contextlib.redirect_stderr(talk):
            self._train_and_attach()
            self._train_and_delete()
            self._call(lambda: collect(Repository.open(self._project.store), young_s=0))
        self.talk = talk.getvalue()

    def _train_and_attach(self) -> None:
        created = self._call(lambda: self._project.experiments.create("code", {"lr": 0.1}, quiet=True))
        if created is None:
            return
        deleted = self._save(created, "weights", 1.0)
        self._save(created, None, 2.0)
        if self._succeeds(lambda: created.log(loss=3.0)):
            self.told.logs[created.id] = 3.0
        if self._succeeds(lambda: setattr(created, "name", "named")):
            self.told.names[created.id] = "named"
        self._save(created, "weights", 4.0)
        if deleted is not None:
            self._delete(deleted)
        self._stop(created)
        attached = self._call(lambda: self._project.experiments.get(created.id))
        if attached is not None:
            self._save(attached, "weights", 5.0)
            self._stop(attached)

    def _train_and_delete(self) -> None:
        created = self._call(lambda: self._project.experiments.create(quiet=True))
        if created is not None:
            self._save(created, "weights", 6.0)
            self._stop(created)
            self._delete(created)

    def _save(self, experiment: Experiment, path: str | None, loss: float) -> Checkpoint | None:
        content = f"{loss} ".encode() * 1000
        (self._project.path / "weights").write_bytes(content)
        saved = self._call(lambda: experiment.checkpoint(path, metrics={"loss": loss}))
        if saved is not None:
            self.told.checkpoints[saved.id] = (experiment.id, loss, None if path is None else sha(content))
        return saved

    def _stop(self, experiment: Experiment) -> None:
        if self._succeeds(experiment.stop):
            self.told.stopped.add(experiment.id)

    def _delete(self, one: Experiment | Checkpoint) -> None:
        (self.told.deleted if self._succeeds(one.delete) else self.told.perhaps_deleted).add(one.id)

    def _succeeds(self, act: Callable[[], None]) -> bool:
        raised = len(self.raised)
        self._call(act)
        return len(self.raised) == raised

    def _call(self, act: Callable[[], Result]) -> Result | None:
        try:
            return act()
        except InternalError:
            raise
        except (KeepsakeError, KeyboardInterrupt) as error:
            self.raised.append(error)
            return None
