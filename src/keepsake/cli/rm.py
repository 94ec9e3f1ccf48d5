"""`keepsake rm`: delete experiments and checkpoints."""

from __future__ import annotations

import click

from keepsake.cli.context import Common, common_options, pass_common
from keepsake.cli.ids import complete_ids
from keepsake.cli.output import confirm, say


@click.command("rm")
@click.argument("ids", shell_complete=complete_ids, metavar="ID...", nargs=-1, required=True)
@click.option("-f", "--force", is_flag=True, help="Do not ask.")
@common_options
@pass_common
def command(common: Common, ids: tuple[str, ...], force: bool) -> None:
    """Delete experiments with their checkpoints, or single checkpoints.

    They are gone from every listing at once, also for everybody else. The space that only they took is free when
    `keepsake collect` has run, or the background process has when it was idle.
    """
    from keepsake._analysis.text import checkpoint_summary, format_bytes
    from keepsake.checkpoint import Checkpoint

    project = common.project()
    # All ids first: with one that is wrong, nothing is deleted.
    found = list({one.id: one for one in project.get_all(ids)}.values())
    experiments = {one.id for one in found if not isinstance(one, Checkpoint)}
    doomed = [one for one in found if not isinstance(one, Checkpoint) or one.experiment_id not in experiments]
    if not force:
        say("this deletes:")
        for one in doomed:
            if isinstance(one, Checkpoint):
                say(f"  checkpoint {checkpoint_summary(one)}")
            else:
                count = len(one.checkpoints)
                say(f"  experiment {one.short_id()} with {count} checkpoint{'' if count == 1 else 's'}")
        say(f"and frees up to {format_bytes(project.reclaimable_bytes(doomed))}")
        confirm("delete?")
    for one in doomed:
        one.delete()
    say(f"deleted {len(doomed)}: `keepsake collect` frees their space")
