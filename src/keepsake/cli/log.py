"""`keepsake log`: the metrics of an experiment, as they come."""

from __future__ import annotations

import time
from collections.abc import Iterator

import click

from keepsake.cli.context import Common, common_options, pass_common
from keepsake.cli.ids import complete_ids
from keepsake.cli.output import say

POLL_S = 1.0


@click.command("log")
@click.argument("id", shell_complete=complete_ids)
@click.option("-f", "--follow/--no-follow", default=None, help="Wait for more. By default while the experiment runs.")
@click.option(
    "-n", "--lines", type=click.IntRange(min=0), default=20, show_default=True, help="Begin with the last so many."
)
@click.option("-m", "--metric", "metrics", multiple=True, metavar="NAME", help="Only this metric; may be repeated.")
@click.option("--json", "as_json", is_flag=True, help="A JSON object a line.")
@common_options
@pass_common
def command(
    common: Common,
    id: str,  # noqa: A002 (the name in the help)
    follow: bool | None,
    lines: int,
    metrics: tuple[str, ...],
    as_json: bool,
) -> None:
    """Print what an experiment measured, a line an entry, and go on while it runs.

    Entries are its checkpoints and what it logged between them.
    """
    from keepsake._analysis.history import (
        HistoryEntry,
        entry_line,
        entry_summary,
        history,
        metric_names,
        select_metrics,
    )
    from keepsake._analysis.strict_json import json_text
    from keepsake._analysis.text import name_hint

    experiment = common.project().experiments.get(id)

    def load() -> list[HistoryEntry]:
        entries = history(experiment)
        return select_metrics(entries, metrics) if metrics else entries

    def show(entries: list[HistoryEntry]) -> None:
        for entry in entries:
            click.echo(json_text(entry_summary(entry)) if as_json else entry_line(entry))

    entries = load()
    for name in set(metrics) - metric_names(experiment):
        say(f"nothing is measured as {name!r} yet; {name_hint(name, metric_names(experiment), noun='metric')}")
    show(entries[len(entries) - lines :] if lines < len(entries) else entries)
    seen = len(entries)
    follows = experiment.is_running() if follow is None else follow
    for _ in _ticks() if follows else ():
        is_running = experiment.is_running()
        experiment.refresh()
        entries = load()
        show(entries[seen:])
        seen = len(entries)
        if not is_running:
            say(f"experiment {experiment.short_id()} is {experiment.status}")
            return


def _ticks() -> Iterator[None]:
    while True:
        time.sleep(POLL_S)
        yield
