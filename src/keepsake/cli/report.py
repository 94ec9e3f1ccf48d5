"""`keepsake report`: some experiments as a page in one file."""

from __future__ import annotations

import sys

import click

from keepsake.cli.context import Common, common_options, pass_common
from keepsake.cli.ids import complete_ids
from keepsake.cli.output import progress, say


@click.command("report")
@click.argument("ids", nargs=-1, metavar="[ID]...", shell_complete=complete_ids)
@click.option("-o", "--output", metavar="FILE", help="Where to; standard output without it.")
@click.option("-f", "--filter", "filters", metavar="EXPRESSION", multiple=True, help="Also those for which this holds.")
@common_options
@pass_common
def command(common: Common, ids: tuple[str, ...], output: str | None, filters: tuple[str, ...]) -> None:
    """Write experiments as a page in one HTML file, to be sent, attached or kept.

    It opens in any browser, without a network, and shows what `keepsake ui` does: params, curves, code, files, and of
    two to eight experiments their comparison. Who gets it can read all that. It needs `pip install 'keepsake[ui]'`.

    \b
    keepsake report 7b3f 90ce > why-it-got-better.html
    keepsake report -f "tags = paper" -o paper.html
    """  # noqa: D301 (the character, which tells click not to wrap)
    if not ids and not filters:
        raise click.UsageError("name experiments by their ids, or with -f")
    if output is None and sys.stdout.isatty():
        raise click.UsageError("a page is not for a terminal: name a file with -o")
    from keepsake._analysis.export import open_whole
    from keepsake.ui.start import report

    project = common.project()
    experiments = [project.experiments.get(one) for one in ids]
    if filters:
        experiments += project.experiments.list(filter=list(filters))
    with progress("collecting") as on_progress:
        page, problems = report(project, experiments, on_progress=on_progress)
    for problem in problems:
        say(f"left out: {problem}")
    data = page.encode()
    with open_whole(output) as file:
        file.write(data)
    if output is not None:
        say(f"wrote {len(data) / 1e6:.1f} MB to {output}")
