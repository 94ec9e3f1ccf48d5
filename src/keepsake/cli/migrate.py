"""`keepsake migrate`: bring a repository of Keepsake 0.x into the present format."""

from __future__ import annotations

import click

from keepsake.cli.context import Common, common_options, pass_common
from keepsake.cli.output import format_count, progress, say

_NAMED = 10
"""Files that are named of those that are left out; a `.git` has thousands."""


@click.command("migrate")
@click.argument("old")
@click.argument("new")
@common_options
@pass_common
def command(common: Common, old: str, new: str) -> None:
    """Copy a repository of Keepsake 0.x, OLD, into a repository of this version, NEW.

    Ids and times stay, equal files are stored once, and everything is verified. OLD is only read. Breaking it off is
    safe, and the next run carries on; experiments that have gone on meanwhile are completed. Files of version control
    (`.git`) are left out, and named.
    """
    from keepsake.project import migrate

    with progress("migrating") as on_progress:
        result = migrate(
            common.place(old), common.place(new), directory=common.project_directory, on_progress=on_progress
        )
    for problem in result.problems:
        click.echo(problem)
    named = result.left_out if common.verbose else result.left_out[:_NAMED]
    for text in named:
        say(f"left out: {text}")
    if len(named) < len(result.left_out):
        say(f"left out: {len(result.left_out) - len(named)} more files of version control (-v names them)")
    counts = format_count(result.experiments, "experiment"), format_count(result.checkpoints, "checkpoint")
    say(f"{' and '.join(counts)} copied to {new}")
    if result.problems:
        click.get_current_context().exit(1)
