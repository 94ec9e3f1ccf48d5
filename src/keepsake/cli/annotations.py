"""What `name`, `note` and `tag` share: `--json`, which prints all that people have written about an experiment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from keepsake.cli.output import print_json

if TYPE_CHECKING:
    from keepsake.experiment import Experiment

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print id, name, notes and tags as they are then, in JSON."
)


def print_annotations(experiment: Experiment) -> None:
    """Print what is written about an experiment."""
    fields = {"id": experiment.id, "name": experiment.name, "notes": experiment.notes, "tags": list(experiment.tags)}
    print_json(fields)
