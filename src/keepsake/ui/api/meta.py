"""What is served, and by which Keepsake."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from keepsake._tracking.secrets import mask_url
from keepsake._version import __version__
from keepsake.ui.site import Site

MAX_PROBLEMS = 100


def get_meta(site: Site, request: Request) -> dict[str, Any]:  # noqa: ARG001 (of every handler)
    """Describe the project and how its repository stands."""
    state = site.refresh()
    outage = site.upkeep.describe()
    problems = [f"{key}: {error.message}" for key, error in state.problems[:MAX_PROBLEMS]]
    return {
        "version": __version__,
        "project": site.name,
        "repository": site.repository_url,
        "is_static": False,
        "cursor": state.cursor,
        "experiments": len(state.rows),
        "running": len(state.running),
        "problems": [mask_url(problem) for problem in ([outage] if outage else []) + problems],
    }
