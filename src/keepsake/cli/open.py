"""`keepsake open`: one file of a checkpoint, to standard output."""

from __future__ import annotations

import shutil
import sys

import click

from keepsake.cli.context import Common, common_options, pass_common
from keepsake.cli.ids import complete_ids
from keepsake.errors import NotFoundError


@click.command("open")
@click.argument("id", shell_complete=complete_ids)
@click.argument("path")
@common_options
@pass_common
def command(common: Common, id: str, path: str) -> None:  # noqa: A002 (the name in the help)
    """Write a file of a checkpoint, or of its experiment, to standard output.

    ID names a checkpoint, or an experiment: then its best checkpoint is taken, or else its latest. PATH is relative to
    the project directory. Every byte is verified before it is written.

    \b
    keepsake open 5a31163 model.safetensors > model.safetensors
    """  # noqa: D301 (the character, which tells click not to wrap)
    from keepsake.checkpoint import Checkpoint

    found = common.project().get(id)
    checkpoint = found if isinstance(found, Checkpoint) else found.best() or found.latest()
    if checkpoint is None:
        raise NotFoundError(
            f"experiment {found.short_id()} has no checkpoint to open a file of",
            hint=f"`keepsake checkout {found.short_id()} -o DIR` gets the files that were saved with it",
        )
    with checkpoint.open(path) as file:
        shutil.copyfileobj(file, sys.stdout.buffer, 1 << 20)
    sys.stdout.buffer.flush()
