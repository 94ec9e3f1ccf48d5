"""The least and the greatest value of each metric, as columns of some experiments or of all."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from keepsake._catalog.flat import column_name
from keepsake.ui.extremes import extreme_columns
from keepsake.ui.queries import list_of
from keepsake.ui.site import Site


def get_extremes(site: Site, request: Request) -> dict[str, Any]:
    """Return the experiments that were asked about and are there, or all, with their extremes as columns."""
    state = site.refresh()
    if "ids" in request.query_params:
        ids = site.find_experiment_ids(list_of(request, "ids"))
    else:
        ids = {state.shown_id(row): row.id for row in state.rows}
    found = site.extremes.find(state, list(ids.values()))
    columns = [
        {
            "name": column_name(column, state.known_columns),
            "group": column.group,
            "key": column.key,
            "values": [extremes[metric][end] if metric in extremes else None for extremes in found],
        }
        for column, metric, end in extreme_columns(state)
    ]
    return {"cursor": state.cursor, "ids": list(ids), "columns": columns}
