"""`keepsake checkout`: the files of an experiment or a checkpoint, into a directory."""

from __future__ import annotations

import click

from keepsake.cli.context import Common, common_options, pass_common
from keepsake.cli.ids import complete_ids
from keepsake.cli.output import confirm, progress, say

SHOWN_PATHS = 10


@click.command("checkout")
@click.argument("id", shell_complete=complete_ids)
@click.option(
    "-o", "--output-directory", "--output", "output", metavar="DIR", help="Where to. By default the project directory."
)
@click.option("--path", metavar="PATH", help="Only this file or directory, relative to the project directory.")
@click.option("-f", "--force", is_flag=True, help="Do not ask before files are overwritten.")
@common_options
@pass_common
def command(common: Common, id: str, output: str | None, path: str | None, force: bool) -> None:  # noqa: A002 (as in help)
    """Copy files out of the repository.

    Of an experiment: its files and, over them, those of its best checkpoint, or else of its latest. Of a checkpoint:
    its own files over those of its experiment.

    Files that are there already with the right content are left alone, other files in the directory are not touched,
    and nothing is overwritten without asking.

    Broken off, or killed, it goes on when it is run again: with the files that are not there yet, and within those of a
    gigabyte and more.
    """
    from keepsake._analysis.text import checkpoint_summary
    from keepsake._model.ids import short_id
    from keepsake.checkpoint import Checkpoint

    project = common.project()
    found = project.get(id)
    experiment_id = found.experiment_id if isinstance(found, Checkpoint) else found.id
    checkpoint = found if isinstance(found, Checkpoint) else found.best() or found.latest()
    with_what = f" and checkpoint {checkpoint_summary(checkpoint)}" if checkpoint is not None else ""
    say(f"checking out experiment {short_id(experiment_id)}{with_what}")
    target = output or str(project.find_place().directory)
    plan = (checkpoint or found).plan_checkout(target, path=path)
    if plan.overwrites and not force:
        _show(plan.overwrites, target)
        confirm("overwrite?")
    with progress("checking out") as on_progress:
        plan.run(on_progress=on_progress)
    if found.command:
        say(f"it was run like this:\n\n  {found.command}\n")


def _show(paths: list[str], target: str) -> None:
    say(f"{len(paths)} file{'' if len(paths) == 1 else 's'} in {target} would be overwritten:")
    for path in paths[:SHOWN_PATHS]:
        say(f"  {path}")
    if len(paths) > SHOWN_PATHS:
        say(f"  … and {len(paths) - SHOWN_PATHS} more")
