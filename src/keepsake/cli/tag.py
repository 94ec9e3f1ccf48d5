"""`keepsake tag`: words to find experiments by."""

from __future__ import annotations

import click

from keepsake.cli.annotations import json_option, print_annotations
from keepsake.cli.context import Common, common_options, pass_common
from keepsake.cli.ids import complete_ids


@click.command("tag")
@click.argument("id", shell_complete=complete_ids)
@click.argument("tags", metavar="[TAG]...", nargs=-1)
@click.option("-d", "--delete", is_flag=True, help="Take these tags away instead of adding them.")
@json_option
@common_options
@pass_common
def command(common: Common, id: str, tags: tuple[str, ...], delete: bool, as_json: bool) -> None:  # noqa: A002 (the name in the help)
    """Add tags to an experiment. Without TAG, print those it has, a line each."""
    experiment = common.project().experiments.get(id)
    if delete and not tags:
        raise click.UsageError("say which tags to take away")
    if tags:
        kept = [one for one in experiment.tags if one not in tags]
        experiment.tags = kept if delete else [*kept, *dict.fromkeys(tags)]
    if as_json:
        print_annotations(experiment)
    elif not tags:
        for one in experiment.tags:
            click.echo(one)
