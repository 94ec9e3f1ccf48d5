"""`keepsake ls`: the experiments of a project."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from keepsake.cli.context import Common, common_options, pass_common
from keepsake.cli.output import print_json, say, terminal_width

Command = TypeVar("Command", bound=Callable[..., Any])


def listing_options(command: Command) -> Command:
    """Add the options of commands that list experiments."""
    options = (
        click.option(
            "-f", "--filter", "filters", metavar="EXPRESSION", multiple=True,
            help="Only those for which this holds, for example 'params.lr < 0.01 and status = finished'. Of several, "
            "all must hold.",
        ),
        click.option(
            "-s", "--sort", metavar="KEY", help="Order by this; KEY-desc begins with the greatest. By default: created."
        ),
        click.option(
            "-n", "--limit", type=click.IntRange(min=1), help="Only so many: the newest, or with --sort the first."
        ),
        click.option("--all", "show_all", is_flag=True, help="All params and metrics, not only those that differ."),
        click.option("-q", "--quiet", is_flag=True, help="Only the ids."),
        click.option("--json", "as_json", is_flag=True, help="A JSON array instead of a table."),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


@click.command("ls")
@listing_options
@common_options
@pass_common
def command(common: Common, /, **options: Any) -> None:
    """List the experiments, oldest first.

    A line an experiment: its id, when it began, its status, the params that are not the same in all, its best and its
    latest checkpoint with the primary metric. Params and metrics stand under their own names. Name, user and host are
    shown where they differ. What does not fit the terminal is left out, and a last line says so.

    \b
    keepsake ls -f 'best.accuracy > 0.9' -s best.accuracy-desc -n 10
    keepsake ls -f 'created > 7d ago' -f 'status = running'
    """  # noqa: D301 (the character, which tells click not to wrap)
    print_experiments(common, empty="no experiments", **options)


def print_experiments(
    common: Common,
    *,
    filters: tuple[str, ...],
    sort: str | None,
    limit: int | None,
    show_all: bool,
    quiet: bool,
    as_json: bool,
    empty: str,
    always: tuple[str, ...] = (),
) -> None:
    """List experiments and print them as the options say; `empty` is said when there are none.

    `always` are filters that the command adds to those of the user.
    """
    if quiet and (as_json or show_all):
        raise click.UsageError(f"--quiet prints ids only, so it cannot go with {'--json' if as_json else '--all'}")
    project = common.project()
    experiments = project.experiments.list(filter=[*filters, *always] or None, sort=sort, limit=limit)
    if quiet:
        for experiment in experiments:
            click.echo(experiment.id)
    elif as_json:
        from keepsake._analysis.summary import experiment_summary

        print_json([experiment_summary(experiment) for experiment in experiments])
    elif experiments:
        from keepsake._analysis.table import experiments_table

        click.echo(experiments_table(experiments, terminal_width(), show_all=show_all))
    else:
        say(f"{empty} match" if filters else empty)
        bucket = project.find_place().delivers_to
        if bucket is not None:
            say(f"only what waits on this machine was looked at: {bucket} is not asked offline")
