"""The endpoints below `/api/v1`: a module for each group of them.

A module has `ROUTES`: a path and a function of the site and the request each, which runs in a thread and returns a
`Response`, or a document for a JSON answer. Errors of Keepsake that it raises become the answers that `docs/ui-api.md`
describes. A module that is added here needs no mention elsewhere.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from starlette.requests import Request

from keepsake.ui.site import Site

PREFIX = "/api/v1"

Handler: TypeAlias = Callable[[Site, Request], Any]
Routes: TypeAlias = Sequence[tuple[str, Handler]]
"""Paths as Starlette has them, below `PREFIX`: `("/experiments/{id}", get_experiment)`."""


def find_routes() -> list[tuple[str, Handler]]:
    """Return the routes of all modules."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return [route for name in names for route in importlib.import_module(f"{__name__}.{name}").ROUTES]
