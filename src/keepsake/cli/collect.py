"""`keepsake collect`: delete what no experiment needs any more."""

from __future__ import annotations

import click

from keepsake.cli.context import Common, common_options, pass_common
from keepsake.cli.output import print_json, say


@click.command("collect")
@click.option("--dry-run", is_flag=True, help="Only say what would be deleted.")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of text.")
@common_options
@pass_common
def command(common: Common, dry_run: bool, as_json: bool) -> None:
    """Delete the chunks and manifests that nothing reaches, as after `keepsake rm`.

    Safe at any time, also while experiments are running and others collect. What is younger than an hour stays. Nothing
    is deleted while a part of the repository cannot be read. In a bucket, journals are packed too: a machine that lists
    the experiments for the first time then asks for few objects.
    """
    result = common.project().collect(dry_run=dry_run)
    if as_json:
        print_json(
            {
                "dry_run": dry_run,
                "planned": {"objects": len(result.plan.keys), "size_bytes": result.plan.size_bytes},
                "young": {"objects": result.plan.young, "size_bytes": result.plan.young_bytes},
                "deleted": {"objects": result.objects, "size_bytes": result.size_bytes},
                "packed": {"segments": result.packed},
            }
        )
        return
    if dry_run:
        if common.verbose:
            for key in result.plan.keys:
                click.echo(key)
        say(f"would delete {_amount(len(result.plan.keys), result.plan.size_bytes)}")
    else:
        say(f"deleted {_amount(result.objects, result.size_bytes)}")
        if result.packed:
            say(f"packed {result.packed:,} segments of journals, so that they are listed with few requests")
    if result.plan.young:
        say(f"{_amount(result.plan.young, result.plan.young_bytes)} more can go when they are an hour old")


def _amount(objects: int, size_bytes: int) -> str:
    from keepsake._analysis.text import format_bytes

    return f"{objects} object{'' if objects == 1 else 's'} ({format_bytes(size_bytes)})"
