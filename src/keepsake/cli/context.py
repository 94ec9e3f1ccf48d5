"""What all commands share: which project they work on, how much they say, and whether in colour."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from keepsake.project import Project

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass
class Common:
    """The common options, wherever on the command line they stand."""

    repository: str | None = None
    project_directory: str | None = None
    verbose: bool = False

    def project(self) -> Project:
        """Return the project that the options name."""
        from keepsake.project import Project

        repository = None if self.repository is None else self.place(self.repository)
        return Project(repository=repository, directory=self.project_directory)

    def place(self, text: str) -> str:
        """Return a repository that was typed, with a relative path made absolute as the shell completes it.

        It counts from the current directory, which may be far below the project's; with -D, which is as if one were
        there, it is left to count from the project directory.

        Raises:
            ConfigError: the current directory has been deleted.
        """
        is_whole = "://" in text or text.startswith("~") or not text.strip()
        if is_whole or self.project_directory is not None:
            return text
        from keepsake.config import current_directory

        return str(current_directory() / text)


pass_common = click.make_pass_decorator(Common, ensure=True)


def _remember(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    # A common option may stand before the command or after it; one that is not given says nothing.
    if value is not None and param.name is not None:
        setattr(ctx.ensure_object(Common), param.name, value)


def _set_color(ctx: click.Context, param: click.Parameter, value: bool | None) -> None:  # noqa: ARG001 (click's signature)
    if value is not None:
        ctx.find_root().color = value
    elif os.environ.get("NO_COLOR") and ctx.find_root().color is None:  # https://no-color.org
        ctx.find_root().color = False
    ctx.color = ctx.find_root().color


def common_options(command: Command) -> Command:
    """Add the options that every command takes."""
    options = (
        click.option(
            "-R",
            "--repository",
            metavar="URL",
            callback=_remember,
            expose_value=False,
            help="The repository: a URL, or a path from here (with -D, from DIR). By default that of the project.",
        ),
        click.option(
            "-D",
            "--project-directory",
            metavar="DIR",
            callback=_remember,
            expose_value=False,
            help="The project directory. By default the nearest one with a keepsake.yaml, from here upwards.",
        ),
        click.option(
            "-v",
            "--verbose",
            is_flag=True,
            default=None,
            callback=_remember,
            expose_value=False,
            help="Say more; show the traceback of an error.",
        ),
        click.option(
            "--color/--no-color",
            default=None,
            callback=_set_color,
            expose_value=False,
            help="Whether to use colour; by default on a terminal, unless NO_COLOR is set.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command
