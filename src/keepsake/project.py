"""Projects: a directory, its configuration and its repository; and `init`, which begins an experiment in one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Literal

from keepsake._repository.check import CheckReport, check_repository
from keepsake._repository.collect import CollectResult, collect
from keepsake._repository.repository import Repository
from keepsake._repository.usage import Usage, measure_usage
from keepsake._tracking.ending import tracked
from keepsake._tracking.place import Place
from keepsake._tracking.recovery import settle_dead_sessions
from keepsake._tracking.session import Session
from keepsake.collection import ExperimentCollection
from keepsake.config import ProjectConfig, find_project, find_staging, read_settings, repository_not_found
from keepsake.directories import lock_directory
from keepsake.errors import ConfigNotFoundError, NotFoundError
from keepsake.experiment import Experiment
from keepsake.stores.url import open_store


class Project:
    """A project whose places are given here, or else found as the configuration says.

    Nothing is opened before it is needed, and what is not given is found anew for each operation.

    Args:
        repository: URL of the repository, or its path relative to the project directory.
        directory: the project directory.
        debug: without effect; scripts for Keepsake 0.x pass it.
    """

    def __init__(
        self,
        repository: str | None = None,
        directory: str | os.PathLike[str] | None = None,
        debug: bool = False,
    ) -> None:
        self.repository = repository
        self.directory = directory
        self.debug = debug

    @property
    def experiments(self) -> ExperimentCollection:
        """The experiments of this project."""
        return ExperimentCollection(self)

    def check(self, on_progress: Callable[[int, int], None] | None = None) -> CheckReport:
        """Read and verify every object of the repository.

        Args:
            on_progress: called with (chunks done, chunks in all).

        Returns:
            What was looked at, and every problem with the checkpoints that it touches.

        Raises:
            ConfigNotFoundError: there is no repository.
        """
        return check_repository(self._open(), on_progress=on_progress)

    def collect(self, dry_run: bool = False) -> CollectResult:
        """Delete the chunks and manifests that no experiment reaches any more; safe beside running experiments.

        What is younger than an hour stays, since its checkpoint may be about to be written.

        Args:
            dry_run: whether only to say what would be deleted: the result's `plan`.

        Raises:
            ConfigNotFoundError: there is no repository.
            FormatError: a part of the repository cannot be read; nothing was deleted.
        """
        return collect(self._open(), dry_run=dry_run)

    def du(self) -> Usage:
        """Return how many bytes the experiments save, and how many the repository takes for them.

        Raises:
            ConfigNotFoundError: there is no repository.
            FormatError: a part of the repository cannot be read.
        """
        return measure_usage(self._open())

    def _open(self) -> Repository:
        try:
            return self.find_place().open_repository()
        except NotFoundError:
            raise self.describe_absence() from None

    def find_place(self) -> Place:
        """Find the project directory and its repository. Raises `ConfigError` when the configuration is wrong."""
        config = self._find_config()
        settings = read_settings(os.environ)
        return Place(
            config.directory,
            open_store(config.repository_url, config.options),
            locks=lock_directory(),
            staging=find_staging(settings, os.environ),
            is_default=config.source == "default",
            exit_timeout_s=settings.exit_timeout_s,
        )

    def describe_absence(self) -> ConfigNotFoundError:
        """Make the error for a project that has no repository."""
        return repository_not_found(self._find_config())

    def _find_config(self) -> ProjectConfig:
        return find_project(self.directory, self.repository, os.environ)

    def __repr__(self) -> str:
        given = {"repository": self.repository, "directory": self.directory}
        return f"Project({', '.join(f'{name}={value!r}' for name, value in given.items() if value is not None)})"


default_project = Project()
"""The project of the current directory, which the functions of the package work on."""
experiments = default_project.experiments
"""The experiments of the current project."""


def init(
    path: str | os.PathLike[str] | None = None,
    params: object = None,
    disable_heartbeat: bool = False,
    debug: bool = False,  # noqa: ARG001 (scripts for Keepsake 0.x pass it)
    *,
    quiet: bool = False,
    name: str | None = None,
    tags: Iterable[str] = (),
    notes: str | None = None,
    on_error: Literal["warn", "raise"] = "warn",
) -> Experiment:
    """Begin an experiment in the project of the current directory; see `ExperimentCollection.create`.

    Without a `keepsake.yaml` in the current directory or above it, the current directory is the project and `.keepsake`
    in it the repository.
    """
    return default_project.experiments.create(
        path,
        params,
        quiet,
        disable_heartbeat,
        name=name,
        tags=tags,
        notes=notes,
        on_error=on_error,
    )


def wait() -> None:
    """Return when everything that this process saved so far is compact and survives a power loss.

    Raises:
        StoreError: a store failed; nothing is lost.
    """
    for session in tracked():
        if isinstance(session, Session):
            session.settle()
            settle_dead_sessions(session.repository, lock_directory())
