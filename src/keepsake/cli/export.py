"""`keepsake export`: experiments as a table for other programs."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from keepsake.cli.context import Common, common_options, pass_common
from keepsake.cli.output import say

FORMATS = ("csv", "json", "parquet")


@click.command("export")
@click.option("-o", "--output", metavar="FILE", help="Where to; standard output without it.")
@click.option(
    "--format", "form", type=click.Choice(FORMATS), help="By default what FILE ends in; without an ending, csv."
)
@click.option("--checkpoints", "by_checkpoint", is_flag=True, help="A row a checkpoint instead of a row an experiment.")
@click.option("-f", "--filter", "filters", metavar="EXPRESSION", multiple=True, help="As in `keepsake ls`.")
@click.option("-s", "--sort", metavar="KEY", help="As in `keepsake ls`.")
@common_options
@pass_common
def command(
    common: Common,
    output: str | None,
    form: str | None,
    by_checkpoint: bool,
    filters: tuple[str, ...],
    sort: str | None,
) -> None:
    """Write experiments as CSV, JSON or Parquet, with a column for every param and metric.

    CSV and JSON need nothing else; Parquet needs pandas with pyarrow or fastparquet.
    """
    from keepsake._analysis.export import write_export

    if form is None:
        ending = Path(output or "").suffix.lower()
        if ending and ending[1:] not in FORMATS:
            raise click.UsageError(
                f"a table ends in .csv, .json or .parquet, not as {output} does; --format writes one of these there"
            )
        form = ending[1:] or "csv"
    if form == "parquet" and output is None and sys.stdout.isatty():
        raise click.UsageError("Parquet is no text: name a file with -o")
    experiments = common.project().experiments.list(filter=list(filters) or None, sort=sort)
    rows = write_export(experiments, output, form, by_checkpoint=by_checkpoint)
    if output is not None:
        say(f"wrote {rows} row{'' if rows == 1 else 's'} to {output}")
