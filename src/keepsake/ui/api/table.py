"""All experiments as columns, which of them match a filter, and what has changed."""

from __future__ import annotations

import gzip
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from keepsake._catalog.snapshot import parse_query
from keepsake.errors import UnreadableTextError
from keepsake.ui.answers import GZIP_LEVEL, JSON, accepts_gzip, document_of
from keepsake.ui.queries import choice_of
from keepsake.ui.site import Site


def get_experiments(site: Site, request: Request) -> Response:
    """Return all experiments: the columns that a page shows first, the other ones, or all."""
    part = choice_of(request, "part", ("all", "first", "rest"))
    state = site.refresh()
    headers = {"etag": f'"{state.cursor}"', "cache-control": "private, no-cache", "vary": "accept-encoding"}
    if request.headers.get("if-none-match") == headers["etag"]:
        return Response(status_code=304, headers=headers)
    table = site.encode(state)
    body = {"first": table.first, "rest": table.rest}.get(part) or gzip.compress(table.join(), GZIP_LEVEL)
    if accepts_gzip(request):
        return Response(body, headers=headers | {"content-encoding": "gzip"}, media_type=JSON)
    return Response(gzip.decompress(body), headers=headers, media_type=JSON)


def get_selected(site: Site, request: Request) -> dict[str, Any]:
    """Return the places of the experiments that match all filters, or why a filter cannot be read.

    That is an answer like any other: somebody who types a filter has most of the time typed half of one.
    """
    state = site.recall()
    try:
        query, now = parse_query(request.query_params.getlist("filter"))
    except UnreadableTextError as error:
        return {"cursor": state.cursor, "mistake": document_of(error)}
    unknown = [{"name": name, "near": near} for name, near in state.find_unknown(query)]
    return {"cursor": state.cursor, "places": state.select(query, now), "unknown": unknown}


def get_changes(site: Site, request: Request) -> Response | dict[str, Any]:
    """Return the experiments that are new or have changed since another state."""
    state = site.refresh()
    changes = state.changes_since(request.query_params.get("since", ""))
    return Response(status_code=204) if changes is None else site.encode_changes(state, changes)
