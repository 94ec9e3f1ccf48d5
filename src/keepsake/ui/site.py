"""What is served: one project, whose repository is opened once, and all of its experiments in memory."""

from __future__ import annotations

import threading

from keepsake._catalog.snapshot import Snapshot, State
from keepsake._tracking.place import Place
from keepsake._tracking.secrets import mask_url
from keepsake.checkpoint import Checkpoint
from keepsake.collection import open_snapshot
from keepsake.experiment import Experiment
from keepsake.project import Project


class OpenProject(Project):
    """A project that is found once, and its repository opened once, however much is asked of it."""

    _place: Place | None = None

    def find_place(self) -> Place:
        """Return the places that were found first."""
        if self._place is None:
            self._place = super().find_place()
        return self._place


class Site:
    """A project as it is served. All methods may be called by several threads at once.

    Args:
        project: which one.
    """

    def __init__(self, project: Project) -> None:
        self.project = OpenProject(project.repository, project.directory)
        self._snapshot: Snapshot | None = None
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """The name of the project directory."""
        return self.project.find_place().directory.name

    @property
    def repository_url(self) -> str:
        """The URL of the repository, without credentials."""
        return mask_url(self.project.find_place().store.url)

    @property
    def snapshot(self) -> Snapshot:
        """All experiments, as columns; opened when it is first asked for.

        Raises:
            ConfigNotFoundError: there is no repository.
        """
        with self._lock:
            if self._snapshot is None:
                self._snapshot = open_snapshot(self.project)
            return self._snapshot

    def refresh(self) -> State:
        """Return all experiments as they are now.

        Raises:
            ConfigNotFoundError: there is no repository.
            StoreError: it cannot be read.
        """
        return self.snapshot.refresh()

    def get(self, identifier: str) -> Experiment | Checkpoint:
        """Return the experiment or checkpoint whose id is, or begins with, `identifier`; errors as of `Project.get`."""
        return self.project.get(identifier)

    def get_experiment(self, identifier: str) -> Experiment:
        """Return an experiment by its id or the beginning of it; errors as of `ExperimentCollection.get`."""
        return self.project.experiments.get(identifier)

    def get_checkpoint(self, identifier: str) -> Checkpoint:
        """Return a checkpoint by its id or the beginning of it; errors as of `ExperimentCollection.get`."""
        return self.project.experiments.get_checkpoint(identifier)
