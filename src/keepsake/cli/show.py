"""`keepsake show`: an experiment or a checkpoint, whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from keepsake.cli.context import Common, common_options, pass_common
from keepsake.cli.ids import complete_ids
from keepsake.cli.output import print_json, terminal_width, uses_color
from keepsake.errors import FormatError, NotFoundError

if TYPE_CHECKING:
    from keepsake.checkpoint import Checkpoint


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
        files, problem = _list_files(found)
        text = checkpoint_details(found, experiment, show_all=show_all, files=files, problem=problem)
    elif as_json:
        print_json(found.to_json())
        return
    else:
        text = experiment_details(found, show_all=show_all, width=terminal_width())
    click.echo(text.render(color=uses_color()))


def _list_files(checkpoint: Checkpoint) -> tuple[dict[str, int], str | None]:
    """Return what can be listed of a checkpoint's files, and why there is not more; the rest of it can be shown."""
    try:
        return checkpoint.files(), checkpoint.saved_files().unsaved
    except (NotFoundError, FormatError) as error:
        return {}, error.message
