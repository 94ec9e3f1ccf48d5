"""`keepsake show`: an experiment or a checkpoint, whole."""

from __future__ import annotations

import click

from keepsake.cli.context import Common, common_options, pass_common
from keepsake.cli.ids import complete_ids
from keepsake.cli.output import print_json, terminal_width, uses_color


@click.command("show")
@click.argument("id", shell_complete=complete_ids)
@click.option("--all", "show_all", is_flag=True, help="All packages, checkpoints and metrics, however many.")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of text.")
@common_options
@pass_common
def command(common: Common, id: str, show_all: bool, as_json: bool) -> None:  # noqa: A002 (the name in the help)
    """Show an experiment with its checkpoints, or a checkpoint with its experiment.

    ID is the id of either, or the beginning of one.
    """
    from keepsake._analysis.details import checkpoint_details, experiment_details
    from keepsake.checkpoint import Checkpoint

    project = common.project()
    found = project.get(id)
    if isinstance(found, Checkpoint):
        experiment = project.experiments.get(found.experiment_id)
        if as_json:
            print_json(found.to_json() | {"experiment": experiment.to_json(with_checkpoints=False)})
            return
        text = checkpoint_details(found, experiment, show_all=show_all, files=found.files())
    elif as_json:
        print_json(found.to_json())
        return
    else:
        text = experiment_details(found, show_all=show_all, width=terminal_width())
    click.echo(text.render(color=uses_color()))
