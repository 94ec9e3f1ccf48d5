"""`keepsake diff`: what is different between experiments or checkpoints."""

from __future__ import annotations

import click

from keepsake.cli.context import Common, common_options, pass_common
from keepsake.cli.ids import complete_ids
from keepsake.cli.output import print_json, terminal_width, uses_color

SECTIONS = ("params", "environment", "git", "packages", "metrics", "code", "tensors")


@click.command("diff")
@click.argument("ids", shell_complete=complete_ids, metavar="ID ID...", nargs=-1, required=True)
@click.option("--only", type=click.Choice(SECTIONS), multiple=True, help="Only this; may be repeated.")
@click.option("--stat", is_flag=True, help="Count what differs instead of showing it.")
@click.option("--all", "show_all", is_flag=True, help="Also what is the same, and all lines and tensors.")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of text.")
@common_options
@pass_common
def command(
    common: Common, ids: tuple[str, ...], only: tuple[str, ...], stat: bool, show_all: bool, as_json: bool
) -> None:
    """Compare two or more experiments or checkpoints.

    Compared are params, environment, git state, packages, metrics, the code, with the changed lines of text files, and
    the weights: which tensors were added, removed or changed, and how far their values moved. Of an experiment, the
    metrics and files of its best checkpoint count, or else of its latest.
    """
    from keepsake._analysis.difftext import format_diff

    if len(ids) < 2:
        raise click.UsageError("two ids at least: there is nothing to compare one with")
    diff = common.project().diff(*ids, only=only or None, show_all=show_all)
    if as_json:
        print_json(diff.to_json())
        return
    click.echo(format_diff(diff, width=terminal_width(), color=uses_color(), stat=stat, show_all=show_all))
