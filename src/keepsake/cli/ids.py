"""Ids as arguments, which the shell completes: those of experiments, and from three digits on those of checkpoints."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import click
from click.shell_completion import CompletionItem

from keepsake.cli.context import Common

MOST_OFFERED = 200
"""The newest; nobody reads more."""
_CHECKPOINTS_FROM = 3


def complete_ids(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
    """Return what may be meant. Never fails and says nothing: somebody is typing."""
    with contextlib.redirect_stderr(io.StringIO()), contextlib.suppress(Exception):
        return find_items(ctx.ensure_object(Common), incomplete.lower())
    return []


def find_items(common: Common, incomplete: str) -> list[CompletionItem]:
    """Return the ids that begin so, experiments first, each with a word on what it is."""
    from keepsake._model.ids import short_id

    experiments = common.project().experiments
    found = [one for one in experiments.list() if one.id.startswith(incomplete)]
    items = [(one.id, one.name or one.status) for one in reversed(found[-MOST_OFFERED:])]
    if len(incomplete) >= _CHECKPOINTS_FROM:
        checkpoints = experiments.find_checkpoints([incomplete])[incomplete]
        items += [(one.id, "checkpoint" if one.step is None else f"step {one.step}") for one in checkpoints]
    return [CompletionItem(_shown(identifier, incomplete, short_id), help=text) for identifier, text in items]


def _shown(identifier: str, incomplete: str, shorten: Any) -> str:
    """Return an id as it is shown everywhere, or longer when more of it was typed."""
    return identifier if len(incomplete) > len(shorten(identifier)) else str(shorten(identifier))
