"""Options that commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from keepsake.project import Project

Command = TypeVar("Command", bound=Callable[..., Any])


def project_options(command: Command) -> Command:
    """Add the options that choose the project."""
    repository = click.option("-R", "--repository", metavar="URL", help="The repository; default: of this project.")
    directory = click.option("-D", "--project-directory", metavar="DIR", help="The project directory.")
    return repository(directory(command))


def open_project(repository: str | None, project_directory: str | None) -> Project:
    """Make the project that the options name."""
    return Project(repository=repository, directory=project_directory)
