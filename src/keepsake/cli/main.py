"""The command line: which commands there are, what they have in common, and how errors end."""

from __future__ import annotations

import sys
from typing import Any

import click

from keepsake._version import __version__
from keepsake.cli.check import check
from keepsake.cli.ls import ls
from keepsake.errors import KeepsakeError


class _Group(click.Group):
    """Commands whose Keepsake errors are shown as a message and a hint, not as a traceback."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except KeepsakeError as error:
            click.echo(f"error: {error.message}", err=True)
            if error.hint:
                click.echo(f"hint: {error.hint}", err=True)
            context.exit(error.exit_code)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        return super().get_command(context, {"list": "ls"}.get(name, name))


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="keepsake")
def cli() -> None:
    """Version control for machine learning."""


cli.add_command(ls)
cli.add_command(check)


def main() -> None:
    """Run the command line and exit with 0, 1 (failed), 2 (usage) or 3 (not found)."""
    try:
        cli(prog_name="keepsake")
    except BrokenPipeError:
        # Whoever read our output has seen enough.
        sys.stderr.close()
        sys.exit(0)
