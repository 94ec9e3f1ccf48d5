"""The endpoints below `/api/v1`: a module for each group of them, imported when one of it is first asked for.

An endpoint is a function of the site and the request, which runs in a thread and returns a `Response`, or a document
for a JSON answer. Errors of Keepsake that it raises become the answers that `docs/ui-api.md` describes.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from starlette.requests import Request

from keepsake.ui.site import Site

PREFIX = "/api/v1"

Handler: TypeAlias = Callable[[Site, Request], Any]

ENDPOINTS: Mapping[str, str] = {
    "/meta": "meta.get_meta",
    "/experiments": "table.get_experiments",
    "/select": "table.get_selected",
    "/changes": "table.get_changes",
    "/extremes": "extremes.get_extremes",
    "/experiments/{id}": "experiment.get_experiment",
    "/experiments/{id}/curves": "curves.get_curves_of_one",
    "/experiments/{id}/files": "files.get_experiment_files",
    "/checkpoints/{id}/files": "files.get_checkpoint_files",
    "/preview/{id}": "files.get_preview",
    "/histogram/{id}": "files.get_histogram",
    "/files/{id}": "files.get_file",
    "/metrics": "metrics.get_metrics",
    "/curves": "curves.get_curves",
    "/diff": "diff.get_diff",
    "/storage": "storage.get_storage",
}
"""By their paths, as Starlette writes them: the module in this package, and the function."""


def load_handler(name: str) -> Handler:
    """Return an endpoint by its module and function."""
    module, _, function = name.rpartition(".")
    handler: Handler = getattr(importlib.import_module(f"{__name__}.{module}"), function)
    return handler
