"""`keepsake push`: copy to another repository what it lacks."""

from __future__ import annotations

import click

from keepsake.cli.context import Common, common_options, pass_common
from keepsake.cli.output import print_json, progress, say


@click.command("push")
@click.argument("places", metavar="[[FROM] TO]", nargs=-1)
@click.option("-e", "--experiment", "ids", metavar="ID", multiple=True, help="Only this experiment; may be repeated.")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of text.")
@common_options
@pass_common
def command(common: Common, places: tuple[str, ...], ids: tuple[str, ...], as_json: bool) -> None:
    """Deliver what waits on this machine, or copy experiments to another repository.

    Without arguments, what sessions have staged for the repository of this project is delivered there: what was saved
    offline, or what a machine that died has left. That is safe while training goes on.

    FROM and TO are URLs or paths; without FROM, the repository of this project is copied: all experiments, or those
    that are named. Only what TO lacks is sent, each chunk verified. Breaking it off is safe, and the next push carries
    on. What was deleted in TO stays deleted.
    """
    from keepsake._analysis.text import format_bytes

    if len(places) > 2:
        raise click.UsageError("at most two repositories: FROM and TO")
    if len(places) == 2:
        common.repository = places[0]
    if ids and not places:
        raise click.UsageError("--experiment goes with a repository to copy to")
    project = common.project()
    experiment_ids = [project.experiments.get(one).id for one in ids] if ids else None
    with progress("pushing") as on_progress:
        if places:
            result = project.push(common.place(places[-1]), on_progress=on_progress, experiment_ids=experiment_ids)
        else:
            result = project.deliver(on_progress=on_progress)
    if as_json:
        from dataclasses import asdict

        print_json(asdict(result))
        return
    where = places[-1] if places else "the repository"
    if result.segments:
        say(f"copied {result.chunks} chunks ({format_bytes(result.chunk_bytes)}) to {where}")
    else:
        say(f"{where} has everything already")
