"""How many bytes the experiments save, and how many the repository takes for them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from starlette.requests import Request

from keepsake.ui.site import Site


def get_storage(site: Site, request: Request) -> dict[str, Any]:  # noqa: ARG001 (of every handler)
    """Return what `keepsake du --json` prints."""
    return asdict(site.measure_usage())
