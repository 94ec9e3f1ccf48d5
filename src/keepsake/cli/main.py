"""The command line: which commands there are, what they have in common, and how errors end.

A command's module is imported when that command runs, so that `keepsake --version` and `--help` load none of them. Each
is a thin file over the public API: it parses, calls, prints. Data goes to stdout, talk to stderr. The exit code is 0, 1
(failed), 2 (usage) or 3 (not found, or ambiguous).
"""

from __future__ import annotations

import atexit
import gc
import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from keepsake._version import __version__
from keepsake.allocator import keep_freed_memory
from keepsake.cli.context import Common, common_options
from keepsake.errors import KeepsakeError

COMMANDS = {
    "ls": "List the experiments, oldest first.",
    "ps": "List the experiments that are running, as `keepsake ls` does.",
    "show": "Show an experiment or a checkpoint in full.",
    "diff": "Compare two or more experiments or checkpoints.",
    "log": "Print what an experiment measures, as it comes.",
    "plot": "Draw a metric, in the terminal or as a picture.",
    "ui": "Serve a page on which to look at the experiments.",
    "report": "Write experiments as a page in one file, to be sent.",
    "export": "Write experiments as CSV, JSON or Parquet.",
    "checkout": "Copy files out of the repository.",
    "open": "Write one saved file to standard output.",
    "rm": "Delete experiments or single checkpoints.",
    "name": "Give an experiment a name.",
    "note": "Write notes about an experiment.",
    "tag": "Add tags to an experiment, or take them away.",
    "du": "Show the space that each experiment takes.",
    "check": "Verify everything that is stored, and repair it.",
    "collect": "Free the space that no experiment needs any more.",
    "push": "Deliver what waits, or copy to another repository.",
    "migrate": "Copy a repository of Keepsake 0.x into a new one.",
    "init": "Make the current directory a project.",
    "completion": "Print the completion script for a shell.",
}
"""What `keepsake --help` says of each, in its order: looking, getting, changing, the repository, setting up."""
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

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 (as above)
        """Write the list of commands, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

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
    # Python looks for cycles among all objects once more when it ends, which takes 20 ms and more, and frees them for
    # nothing: the process is over. What is frozen is not looked at.
    atexit.register(gc.freeze)
    keep_freed_memory()
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
