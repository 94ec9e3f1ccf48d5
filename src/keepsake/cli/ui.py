"""`keepsake ui`: the web page of a project."""

from __future__ import annotations

import click

from keepsake.cli.context import Common, common_options, pass_common


@click.command("ui", short_help="Serve a page on which to look at the experiments.")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    help="The port to listen on; 0 takes a free one. By default 8237, or the next free one.",
)
@click.option("--host", metavar="ADDRESS", default="127.0.0.1", help="The address to listen on, to let others in.")
@click.option("--no-browser", is_flag=True, help="Do not open a browser.")
@common_options
@pass_common
def command(common: Common, port: int | None, host: str, no_browser: bool) -> None:
    """Serve a page on which to look at the experiments, until Ctrl-C.

    The last line that is printed before is its address, with a token that only you have; whoever knows it can read
    everything in the repository. Nothing on the page changes anything. It needs `pip install 'keepsake[ui]'`.

    \b
    ssh -L 8237:127.0.0.1:8237 MACHINE     then `keepsake ui --no-browser` there, to look at another machine's
    """  # noqa: D301 (the character, which tells click not to wrap)
    from keepsake.ui.start import start

    start(common.project(), host=host, port=port, open_browser=not no_browser)
