"""`keepsake name`: call an experiment something."""

from __future__ import annotations

import click

from keepsake.cli.annotations import json_option, print_annotations
from keepsake.cli.context import Common, common_options, pass_common
from keepsake.cli.ids import complete_ids


@click.command("name")
@click.argument("id", shell_complete=complete_ids)
@click.argument("text", metavar="[NAME]", required=False)
@click.option("--clear", is_flag=True, help="Take the name away.")
@json_option
@common_options
@pass_common
def command(common: Common, id: str, text: str | None, clear: bool, as_json: bool) -> None:  # noqa: A002 (the name in the help)
    """Give an experiment a name. Without NAME, print the one it has."""
    experiment = common.project().experiments.get(id)
    if clear and text is not None:
        raise click.UsageError("a name and --clear exclude each other")
    if text is not None or clear:
        experiment.name = text
    if as_json:
        print_annotations(experiment)
    elif text is None and not clear and experiment.name:
        click.echo(experiment.name)
