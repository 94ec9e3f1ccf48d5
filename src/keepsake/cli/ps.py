"""`keepsake ps`: the experiments that run now."""

from __future__ import annotations

from typing import Any

import click

from keepsake.cli.context import Common, common_options, pass_common
from keepsake.cli.ls import listing_options, print_experiments


@click.command("ps")
@listing_options
@common_options
@pass_common
def command(common: Common, /, **options: Any) -> None:
    """List the experiments that are running, as `keepsake ls` does."""
    print_experiments(common, always=("status = running",), empty="no running experiments", **options)
