"""What is different between experiments or checkpoints."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from keepsake.checkpoint import Checkpoint
from keepsake.errors import InvalidInputError, NotFoundError
from keepsake.experiment import Experiment
from keepsake.ui.queries import list_of
from keepsake.ui.site import Site

MAX_SIDES = 8


def get_diff(site: Site, request: Request) -> Any:
    """Return what `keepsake diff --json` prints."""
    wanted = list_of(request, "ids")
    if not 2 <= len(wanted) <= MAX_SIDES:
        raise InvalidInputError(f"ids= must name 2 to {MAX_SIDES} things to compare, not {len(wanted)}")
    things = [find_thing(site, one) for one in wanted]
    show_all = request.query_params.get("all", "") not in ("", "0")
    return site.project.diff(*things, only=list_of(request, "only") or None, show_all=show_all).to_json()


def find_thing(site: Site, name: str) -> Experiment | Checkpoint:
    """Return an experiment or checkpoint by its id, or a checkpoint as `a@best`, `a@latest` or `a@STEP`.

    Raises:
        NotFoundError: there is none.
        InvalidInputError: what stands behind the `@` is none of these.
    """
    identifier, at, which = name.partition("@")
    if not at:
        return site.get(identifier)
    experiment = site.get_experiment(identifier)
    if which == "best":
        checkpoint = experiment.best()
    elif which == "latest":
        checkpoint = experiment.latest()
    else:
        checkpoint = _at_step(experiment, which)
    if checkpoint is None:
        raise NotFoundError(f"experiment {experiment.short_id()} has no checkpoint {which!r}")
    return checkpoint


def _at_step(experiment: Experiment, text: str) -> Checkpoint | None:
    """Return the last checkpoint of a step."""
    try:
        step = int(text)
    except ValueError as error:
        raise InvalidInputError(f"{text!r} names no checkpoint", hint="it is `best`, `latest` or a step") from error
    return next((one for one in reversed(experiment.checkpoints) if one.step == step), None)
