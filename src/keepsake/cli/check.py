"""`keepsake check`: verify everything that is stored, and repair what can be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from keepsake.cli.context import Common, common_options, pass_common
from keepsake.cli.output import format_count, print_json, progress, say

if TYPE_CHECKING:
    from keepsake._repository.check import CheckReport
    from keepsake._repository.repair import RepairResult


@click.command("check")
@click.option("--repair", is_flag=True, help="Bring back what can be, and clear away damaged chunks that nobody has.")
@click.option("--from", "sources", metavar="URL", multiple=True, help="A repository to repair from; may be repeated.")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of text.")
@common_options
@pass_common
def command(common: Common, repair: bool, sources: tuple[str, ...], as_json: bool) -> None:
    """Read and verify every object, and name the checkpoints that damage touches.

    Without --repair nothing is changed. With it, what is damaged or missing is brought back from a copy of the
    repository (--from) and from what still waits on this machine. A damaged chunk that none of them has is deleted: it
    is of no use, and the next checkpoint with the same content stores it anew.

    Exits with 0 when all is well, or is again, and with 1 when something is damaged or missing.
    """
    if sources and not repair:
        raise click.UsageError("--from says where to repair from: it goes with --repair")
    project = common.project()
    with progress("checking") as on_progress:
        report = project.check(on_progress=on_progress)
    result = project.repair(report, map(common.place, sources)) if repair and not report.is_clean else None
    if as_json:
        from dataclasses import asdict

        print_json(asdict(report) | {"repair": asdict(result) if result is not None else None})
    else:
        _print_report(report)
        if result is not None:
            _print_repair(result)
    is_well = report.is_clean or (result is not None and not result.cleared and not result.left)
    if not is_well:
        click.get_current_context().exit(1)


def _print_report(report: CheckReport) -> None:
    from keepsake._analysis.text import format_bytes

    for problem in report.problems:
        is_named = problem.key in problem.message
        click.echo(problem.message if is_named else f"{problem.key}: {problem.message}")
        for touched in problem.touches:
            click.echo(f"    affects {touched}")
    outcome = "all is well" if report.is_clean else format_count(len(report.problems), "problem")
    counts = (report.experiments, "experiment"), (report.checkpoints, "checkpoint"), (report.chunks, "chunk")
    seen = ", ".join(format_count(*one) for one in counts)
    say(f"{seen} ({format_bytes(report.chunk_bytes)}): {outcome}")


def _print_repair(result: RepairResult) -> None:
    for what, keys in (("restored", result.restored), ("cleared away", result.cleared), ("left as it is", result.left)):
        for key in keys:
            click.echo(f"{what}: {key}")
    say(f"{len(result.restored)} restored, {len(result.cleared)} cleared away, {len(result.left)} left as they are")
