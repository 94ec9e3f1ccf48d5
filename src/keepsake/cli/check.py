"""`keepsake check`: verify everything that is stored."""

from __future__ import annotations

import click

from keepsake._analysis.text import format_bytes
from keepsake.cli.options import open_project, project_options


@click.command()
@project_options
def check(repository: str | None, project_directory: str | None) -> None:
    """Read and verify every object, and name the checkpoints that damage touches.

    Changes nothing. Exits with 0 when all is well and with 1 when something is damaged or missing.
    """
    report = open_project(repository, project_directory).check()
    for problem in report.problems:
        is_named = problem.key in problem.message
        click.echo(problem.message if is_named else f"{problem.key}: {problem.message}")
        for touched in problem.touches:
            click.echo(f"    affects {touched}")
    count = len(report.problems)
    outcome = "all is well" if report.is_clean else f"{count} problem{'s' if count > 1 else ''}"
    seen = f"{report.experiments} experiments, {report.checkpoints} checkpoints, {report.chunks} chunks"
    click.echo(f"{seen} ({format_bytes(report.chunk_bytes)}): {outcome}", err=True)
    if not report.is_clean:
        click.get_current_context().exit(1)
