"""`keepsake analytics on|off`: scripts for Keepsake 0.x switch them off; there are none any more."""

from __future__ import annotations

import click

from keepsake.cli.output import say


@click.command("analytics")
@click.argument("state", type=click.Choice(("on", "off")), required=False)
def command(state: str | None) -> None:  # noqa: ARG001 (either way, nothing is sent)
    """Say that there is nothing to switch: Keepsake sends nothing to anybody."""
    say("there are no analytics: Keepsake sends nothing to anybody")
