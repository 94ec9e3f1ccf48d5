"""`keepsake migrate`: bring a repository of Keepsake 0.x into the present format."""

from __future__ import annotations

import click

from keepsake.cli.context import common_options
from keepsake.cli.output import progress, say


@click.command("migrate")
@click.argument("old")
@click.argument("new")
@common_options
def command(old: str, new: str) -> None:
    """Copy a repository of Keepsake 0.x, OLD, into a repository of this version, NEW.

    Ids and times stay, equal files are stored once, and everything is verified. OLD is only read. Breaking it off is
    safe, and the next run carries on; experiments that have gone on meanwhile are completed.
    """
    from keepsake.project import migrate

    with progress("migrating") as on_progress:
        result = migrate(old, new, on_progress=on_progress)
    for problem in result.problems:
        click.echo(problem)
    say(f"{result.experiments} experiments and {result.checkpoints} checkpoints copied to {new}")
    if result.problems:
        click.get_current_context().exit(1)
