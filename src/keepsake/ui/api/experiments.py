"""All experiments as columns, which of them match a filter, and what has changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from keepsake._catalog.fields import Column
from keepsake._catalog.flat import column_name
from keepsake._catalog.snapshot import Row, State, parse_query
from keepsake._model.values import Value
from keepsake.ui.answers import answer_json
from keepsake.ui.site import Site


def get_experiments(site: Site, request: Request) -> Response:
    """Return all experiments."""
    state = site.refresh()
    tag = f'"{state.cursor}"'
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers={"etag": tag})
    answer = answer_json(request, {"cursor": state.cursor, "ids": state.shown_ids, "columns": columns_of(state)})
    answer.headers["etag"] = tag
    answer.headers["cache-control"] = "private, no-cache"
    return answer


def get_selected(site: Site, request: Request) -> dict[str, Any]:
    """Return the places of the experiments that match all filters."""
    query, now = parse_query(request.query_params.getlist("filter"))
    state = site.refresh()
    unknown = [{"name": name, "near": near} for name, near in state.find_unknown(query)]
    return {"cursor": state.cursor, "places": state.select(query, now), "unknown": unknown}


def get_changes(site: Site, request: Request) -> Response | dict[str, Any]:
    """Return the experiments that are new or have changed since another state."""
    site.refresh()
    state, changes = site.snapshot.changes_since(request.query_params.get("since", ""))
    if changes is None:
        return Response(status_code=204)
    rows = [row for row in state.rows if row.number in changes.changed]
    shown = dict(zip((row.number for row in state.rows), state.shown_ids, strict=True))
    return {
        "cursor": state.cursor,
        "reload": changes.reload,
        "ids": [shown[row.number] for row in rows],
        "columns": columns_of(state, rows),
        "removed": sorted(changes.removed),
    }


def columns_of(state: State, rows: Sequence[Row] | None = None) -> list[dict[str, Any]]:
    """Return the columns, of all experiments or of some."""
    return [column_document(state, column, state.shown(column, rows)) for column in state.columns]


def column_document(state: State, column: Column, values: Sequence[Value]) -> dict[str, Any]:
    """Return one column; of texts that repeat, each once."""
    document: dict[str, Any] = {
        "name": column_name(column, state.columns),
        "group": column.group,
        "key": column.key,
    }
    if any(isinstance(value, str) for value in values):
        keys = [value if isinstance(value, str) else (repr(value),) for value in values]
        distinct = dict(zip(keys, values, strict=True))
        distinct.pop(("None",), None)
        if len(distinct) <= len(values) // 2:
            codes = {key: code for code, key in enumerate(distinct)} | {("None",): -1}
            return document | {"values": list(distinct.values()), "codes": [codes[key] for key in keys]}
    return document | {"values": values}


ROUTES = (("/experiments", get_experiments), ("/select", get_selected), ("/changes", get_changes))
