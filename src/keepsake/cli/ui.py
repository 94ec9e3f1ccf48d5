"""`keepsake ui`: the web page of a project."""

from __future__ import annotations

from pathlib import Path

import click

from keepsake.cli.context import Common, common_options, pass_common
from keepsake.cli.output import progress, say


@click.command("ui")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    help="The port to listen on; 0 takes a free one. By default 8237, or the next free one.",
)
@click.option("--host", metavar="ADDRESS", default="127.0.0.1", help="The address to listen on, to let others in.")
@click.option("--no-browser", is_flag=True, help="Do not open a browser.")
@click.option(
    "--export", "directory", metavar="DIR", help="Serve nothing: write the page and what it shows into a directory."
)
@common_options
@pass_common
def command(common: Common, port: int | None, host: str, no_browser: bool, directory: str | None) -> None:
    """Serve a page on which to look at the experiments, until Ctrl-C.

    The last line that is printed before is its address, with a token that only you have; whoever knows it can read
    everything in the repository. Nothing on the page changes anything. It needs `pip install 'keepsake[ui]'`.

    \b
    ssh -L 8237:127.0.0.1:8237 MACHINE     then `keepsake ui --no-browser` there, to look at another machine's

    What --export writes needs no server: open DIR/index.html, or put the directory into a bucket. Everybody who can
    read it sees all experiments, and the beginnings of their files. There, the filter looks for words.
    """  # noqa: D301 (the character, which tells click not to wrap)
    if directory is not None:
        _export(common, Path(directory))
        return
    from keepsake.ui.start import start

    start(common.project(), host=host, port=port, open_browser=not no_browser)


def _export(common: Common, directory: Path) -> None:
    from keepsake.ui.start import export

    with progress("exporting") as report:
        result = export(common.project(), directory, on_progress=report)
    for problem in result.problems:
        say(f"left out: {problem}")
    count = f"{result.experiments:,} experiment{'' if result.experiments == 1 else 's'}"
    say(f"{count}, {result.size_bytes / 1e6:.1f} MB; to be opened in a browser:")
    click.echo(result.index)
