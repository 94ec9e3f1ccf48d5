"""`keepsake note`: what people write about an experiment."""

from __future__ import annotations

import click

from keepsake.cli.annotations import json_option, print_annotations
from keepsake.cli.context import Common, common_options, pass_common
from keepsake.cli.ids import complete_ids


@click.command("note")
@click.argument("id", shell_complete=complete_ids)
@click.argument("text", metavar="[TEXT]", required=False)
@click.option("-a", "--append", is_flag=True, help="Add TEXT to what is there, on a line of its own.")
@click.option("--clear", is_flag=True, help="Take the notes away.")
@json_option
@common_options
@pass_common
def command(common: Common, id: str, text: str | None, append: bool, clear: bool, as_json: bool) -> None:  # noqa: A002 (as in help)
    """Write notes about an experiment. Without TEXT, print them.

    TEXT replaces the notes that are there, unless --append is given.
    """
    experiment = common.project().experiments.get(id)
    if clear and (text is not None or append):
        raise click.UsageError("--clear goes alone")
    if text is not None or clear:
        experiment.notes = f"{experiment.notes}\n{text}" if append and experiment.notes else text
    if as_json:
        print_annotations(experiment)
    elif text is None and not clear and experiment.notes:
        click.echo(experiment.notes)
