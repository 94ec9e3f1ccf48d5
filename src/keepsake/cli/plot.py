"""`keepsake plot`: learning curves, as a picture or in the terminal."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from keepsake.cli.context import Common, common_options, pass_common
from keepsake.cli.ids import complete_ids
from keepsake.cli.output import say, terminal_width, uses_color
from keepsake.errors import NotFoundError

if TYPE_CHECKING:
    from keepsake.experimentlist import ExperimentList

PICTURES = (".png", ".svg", ".pdf", ".jpg", ".jpeg")


@click.command("plot")
@click.argument("ids", shell_complete=complete_ids, metavar="[ID]...", nargs=-1)
@click.option("-m", "--metric", metavar="NAME", help="Which metric. By default the primary one.")
@click.option("-f", "--filter", "filters", metavar="EXPRESSION", multiple=True, help="Only those for which this holds.")
@click.option(
    "-o", "--output", metavar="FILE", help="A .png, .svg, .pdf or .jpg file. Without it, the terminal shows it."
)
@click.option("--logy", is_flag=True, help="A logarithmic y-axis.")
@common_options
@pass_common
def command(
    common: Common, ids: tuple[str, ...], metric: str | None, filters: tuple[str, ...], output: str | None, logy: bool
) -> None:
    """Draw a metric of experiments: those that are named, or all; with a filter, those of them that it finds."""
    from keepsake._analysis.textplot import draw_curves
    from keepsake.experimentlist import ExperimentList

    if output is not None and Path(output).suffix.lower() not in PICTURES:
        raise click.UsageError(f"a picture ends in one of {', '.join(PICTURES)}, not as {output} does")
    collection = common.project().experiments
    experiments = collection.list(filter=list(filters) or None)
    if ids:
        try:
            wanted = {collection.get(one).id for one in ids}
        except NotFoundError:
            _explain_metrics(ids, experiments)
            raise
        experiments = ExperimentList(one for one in experiments if one.id in wanted)
    if not experiments:
        raise NotFoundError("there is no experiment to draw", hint="`keepsake ls` shows what is there")
    if output is None:
        name = metric or experiments.primary_metric()
        click.echo(draw_curves(experiments, name, width=terminal_width() or 80, color=uses_color(), logy=logy))
        return
    from keepsake._analysis.export import open_whole

    # What the user has set may need a screen, or a package that is installed elsewhere.
    os.environ["MPLBACKEND"] = "agg"
    experiments.plot(metric, logy)
    from matplotlib import pyplot as plt

    with open_whole(output) as file:
        plt.savefig(file, format=Path(output).suffix[1:].lower(), dpi=150, bbox_inches="tight")
    say(f"wrote {output}")


def _explain_metrics(ids: tuple[str, ...], experiments: ExperimentList) -> None:
    """Say how to draw a metric when one stands where ids belong."""
    from keepsake._analysis.history import metric_names

    known = {name for experiment in experiments for name in metric_names(experiment)}
    for one in ids:
        if one in known:
            raise NotFoundError(
                f"{one!r} is a metric, and no id of an experiment",
                hint=f"`keepsake plot --metric {shlex.quote(one)}` draws it, of all or of those that are named",
            )
