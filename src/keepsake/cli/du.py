"""`keepsake du`: how many bytes experiments save, and how many the repository takes for them."""

from __future__ import annotations

import click

from keepsake.cli.context import Common, common_options, pass_common
from keepsake.cli.output import print_json, say


@click.command("du")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of a table.")
@common_options
@pass_common
def command(common: Common, as_json: bool) -> None:
    """Show the space that each experiment takes.

    LOGICAL is the length of all its files, in every checkpoint that has them. STORED is what the repository keeps for
    that, SHARED the part of it that other experiments need, too; the rest is freed when this one alone is deleted.
    """
    from keepsake._analysis.table import text_table
    from keepsake._analysis.text import format_bytes
    from keepsake._model.ids import short_id

    usage = common.project().du()
    if as_json:
        from dataclasses import asdict

        print_json(asdict(usage))
        return
    rows = [
        [short_id(one.experiment_id), *map(format_bytes, (one.logical_bytes, one.stored_bytes, one.shared_bytes))]
        for one in sorted(usage.experiments, key=lambda one: one.stored_bytes, reverse=True)
    ]
    rows.append(["total", format_bytes(usage.logical_bytes), format_bytes(usage.stored_bytes), ""])
    click.echo(text_table(["experiment", "logical", "stored", "shared"], rows))
    if usage.reclaimable_bytes:
        say(f"{format_bytes(usage.reclaimable_bytes)} can be freed with `keepsake collect` once they are an hour old")
