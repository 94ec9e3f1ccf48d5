"""Which metrics there are curves of."""

from __future__ import annotations

from collections import Counter
from typing import Any

from starlette.requests import Request

from keepsake.ui.queries import list_of
from keepsake.ui.site import Site


def get_metrics(site: Site, request: Request) -> dict[str, Any]:
    """Return the metrics that experiments have measured, at checkpoints or between them, and how many have each."""
    ids = site.find_experiment_ids(list_of(request, "ids"))
    loaded = site.curves.load(list(dict.fromkeys(ids.values())), ())
    counts = Counter(name for measurements in loaded.values() for name in measurements.columns)
    return {"metrics": [{"name": name, "experiments": counts[name]} for name in sorted(counts)]}
