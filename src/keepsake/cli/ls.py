"""`keepsake ls`: the experiments of a project."""

from __future__ import annotations

import sys

import click

from keepsake.cli.options import open_project, project_options


@click.command()
@project_options
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array instead of a table.")
@click.option("-q", "--quiet", is_flag=True, help="Print only the ids.")
def ls(repository: str | None, project_directory: str | None, as_json: bool, quiet: bool) -> None:
    """List the experiments, oldest first, with their best and latest checkpoints."""
    experiments = open_project(repository, project_directory).experiments.list()
    if quiet:
        for experiment in experiments:
            click.echo(experiment.id)
    elif as_json:
        import json

        click.echo(json.dumps([experiment.to_json() for experiment in experiments], indent=2))
    elif experiments:
        import shutil

        from keepsake._analysis.table import experiments_table

        click.echo(experiments_table(experiments, shutil.get_terminal_size().columns if sys.stdout.isatty() else None))
    else:
        click.echo("no experiments yet", err=True)
