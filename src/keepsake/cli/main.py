"""The command line: which commands there are, what they have in common, and how errors end.

A command's module is imported when that command runs, so that `keepsake --version` loads none of them. Each is a thin
file over the public API: it parses, calls, prints. Data goes to stdout, talk to stderr. The exit code is 0, 1 (failed),
2 (usage) or 3 (not found, or ambiguous).
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from keepsake._version import __version__
from keepsake.cli.context import Common, common_options
from keepsake.errors import KeepsakeError

COMMANDS = (
    "ls",
    "ps",
    "show",
    "diff",
    "log",
    "plot",
    "ui",
    "export",
    "checkout",
    "open",
    "rm",
    "name",
    "note",
    "tag",
    "du",
    "check",
    "collect",
    "push",
    "migrate",
    "init",
    "completion",
)
"""In the order of `keepsake --help`: looking, getting, changing, the repository, setting up."""
MODULES = {"init": "initialize"}
"""Where the module of a command is not named as the command is: one called `init` would hide `keepsake.init`."""
HIDDEN = ("help", "analytics")
"""What else Keepsake 0.x had, so that habits and scripts go on working."""
ALIASES = {"list": "ls", "processes": "ps", "delete": "rm"}
EXIT_INTERRUPTED = 130
"""128 and the number of SIGINT, as shells have it."""


class LazyGroup(click.Group):
    """The commands, each imported on first use; errors of Keepsake become a message, a hint and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (the signature is click's)
        """Return the names of the commands, in the order in which help shows them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 (as above)
        """Import the command of this name, or the one that it is another name of."""
        name = ALIASES.get(cmd_name, cmd_name)
        if name not in COMMANDS and name not in HIDDEN:
            return None
        module = importlib.import_module(f"keepsake.cli.{MODULES.get(name, name)}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that `args` begins with; when there is none, name what may have been meant."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            import difflib

            near = difflib.get_close_matches(args[0], [*COMMANDS, *ALIASES], n=1)
            if near and not args[0].startswith("-"):
                raise click.UsageError(
                    f"no such command {args[0]!r}; did you mean `keepsake {near[0]}`?", ctx
                ) from error
            raise

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Read the options; `--help` and `--version` print already here."""
        with _closed_pipe_is_the_end():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            with _closed_pipe_is_the_end():
                return super().invoke(ctx)
        except KeepsakeError as error:
            if ctx.ensure_object(Common).verbose:
                raise
            click.echo(f"error: {error.message}", err=True)
            if error.hint:
                click.echo(f"hint: {error.hint}", err=True)
            ctx.exit(error.exit_code)
        except OSError as error:
            if ctx.ensure_object(Common).verbose:
                raise
            click.echo(f"error: {_describe(error)}", err=True)
            ctx.exit(1)


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100, "obj": None},
)
@common_options
@click.version_option(__version__, prog_name="keepsake")
def cli() -> None:
    """Version control for machine learning.

    Keeps the code, params, metrics, environment and weights of every experiment. `keepsake COMMAND --help` is the
    manual of a command.
    """


@contextmanager
def _closed_pipe_is_the_end() -> Iterator[None]:
    """End with success when whoever read our output has seen enough, as in `keepsake ls | head`."""
    try:
        yield
    except BrokenPipeError:
        # Python would complain when it flushes stdout at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise click.exceptions.Exit(0) from None


def _describe(error: OSError) -> str:
    """Return what the system said, and of which file: an output that is full, a directory that is not there."""
    reason = error.strerror or str(error)
    return f"{error.filename}: {reason}" if error.filename is not None else reason


def main() -> None:
    """Run the command line and exit."""
    try:
        sys.exit(cli(prog_name="keepsake", standalone_mode=False))
    except click.exceptions.Exit as end:
        sys.exit(end.exit_code)
    except click.Abort:
        click.echo("interrupted", err=True)
        sys.exit(EXIT_INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except KeepsakeError:  # with --verbose; those of a store are OSErrors, too
        raise
    except OSError as error:  # of an option that prints, such as --version
        click.echo(f"error: {_describe(error)}", err=True)
        sys.exit(1)
