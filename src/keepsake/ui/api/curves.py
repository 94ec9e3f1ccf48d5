"""Curves: of many experiments at once in binary, and all of one experiment as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from keepsake._analysis.curves import Series, make_series, range_of, reduce_all, reduce_series
from keepsake._analysis.strict_json import json_text
from keepsake._catalog.measurements import METRIC_X, Measurements
from keepsake.errors import InvalidInputError, NotFoundError
from keepsake.ui.queries import count_of, list_of, number_of, text_of
from keepsake.ui.site import Site

MAX_SERIES = 500
MAX_WIDTH = 10_000
WIDTH = 700
SMALL_WIDTH = 500
"""Two points of each make the thousand that JSON has at most, with the one before and after."""
_XS = ("step", "time", "wall")


def get_curves(site: Site, request: Request) -> Response:
    """Return the curves of one metric of several experiments."""
    metric, x = text_of(request, "metric"), request.query_params.get("x") or "step"
    if x not in _XS and not x.startswith(METRIC_X):
        raise InvalidInputError(f"x must be one of {', '.join(_XS)} or {METRIC_X}NAME, not {x!r}")
    width = count_of(request, "width", WIDTH, most=MAX_WIDTH)
    wanted = list_of(request, "ids")
    ids = site.find_experiment_ids(wanted[:MAX_SERIES])
    names = {metric, x.removeprefix(METRIC_X)} if x.startswith(METRIC_X) else {metric}
    loaded = site.curves.load(list(dict.fromkeys(ids.values())), names)
    first, last = number_of(request, "from"), number_of(request, "to")
    with site.computing:
        found = {
            prefix: series
            for prefix, experiment_id in ids.items()
            if experiment_id in loaded and (series := _series_of(loaded[experiment_id], metric, x)) is not None
        }
        header, reduced = _reduce(found, first, last, width)
    header = {"metric": metric, "x": x} | header | ({"cut": True} if len(wanted) > MAX_SERIES else {})
    return Response(encode_curves(header, reduced), media_type="application/octet-stream")


def _reduce(
    found: Mapping[str, Series], first: float | None, last: float | None, width: int
) -> tuple[dict[str, Any], list[Series]]:
    """Reduce series to a range, by default that of all of them; return what the header says of them, and them."""
    whole = range_of(found.values())
    if whole is not None:
        first, last = whole[0] if first is None else first, whole[1] if last is None else last
    if first is None or last is None:
        return {"from": first, "to": last, "series": []}, []
    reduced = reduce_all(found.values(), first, last, width)
    listed = [
        {"id": prefix, "count": len(small), "points": len(series)}
        for (prefix, series), small in zip(found.items(), reduced, strict=True)
    ]
    return {"from": first, "to": last, "series": listed}, reduced


def get_curves_of_one(site: Site, request: Request) -> dict[str, Any]:
    """Return all curves of one experiment."""
    prefix = request.path_params["id"]
    ids = site.find_experiment_ids([prefix])
    loaded = site.curves.load(list(ids.values()))
    if not loaded:
        raise NotFoundError(f"no experiment has an id that starts with {prefix!r}", hint="it may have been deleted")
    (measurements,) = loaded.values()
    curves = {name: _curve_document(measurements, name) for name in sorted(measurements.columns)}
    return {"metrics": {name: curve for name, curve in curves.items() if curve is not None}}


def encode_curves(header: dict[str, Any], series: Sequence[Series]) -> bytes:
    """Return a length, the header as JSON, padding, and the numbers; all little-endian."""
    head = json_text(header).encode()
    parts = [len(head).to_bytes(4, "little"), head, bytes(-(4 + len(head)) % 8)]
    for one in series:
        parts += [one.xs.astype("<f8", copy=False).tobytes(), one.ys.astype("<f8", copy=False).tobytes()]
    return b"".join(parts)


def _series_of(measurements: Measurements, metric: str, x: str) -> Series | None:
    curve = measurements.curve(metric, x)
    if curve is None:
        return None
    series = make_series(curve.xs, curve.ys)
    return series if len(series) else None


def _curve_document(measurements: Measurements, metric: str) -> dict[str, Any] | None:
    """Return what is drawn of one curve; None when it has no number anywhere."""
    import numpy as np

    curve = measurements.curve(metric)
    timed = measurements.curve(metric, "time")
    if curve is None or timed is None or not np.isfinite(curve.ys).any():
        return None
    # By its place, so that steps and times of the points that are left are found again.
    places = np.arange(float(len(curve.ys)))
    kept = reduce_series(make_series(places, curve.ys), 0.0, float(len(places) - 1), SMALL_WIDTH)
    chosen = kept.xs.astype(np.intp)
    return {
        "step": [int(step) for step in curve.xs[chosen].tolist()],
        "time": timed.xs[chosen].tolist(),
        "value": curve.ys[chosen].tolist(),
    }
