"""A small curve for a table in a notebook.

- It is an image whose source stands in the page itself. Inline SVG would do, but for JupyterLab, which takes it out of
  a notebook that somebody else has run; images stay.
- An image cannot know the page's colours. Those of the curve and of its best point have a contrast of at least 3 to 1
  on white as well as on the dark backgrounds of JupyterLab, VS Code and Colab, as WCAG 2.2 asks of graphics.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape
from urllib.parse import quote

from keepsake._analysis.html import Html
from keepsake._model.values import Value

WIDTH = 120
HEIGHT = 20
MOST_POINTS = 120
"""More are thinned, since a curve has no more pixels: of each stretch the lowest and the highest stay."""
_MARGIN = 3
_CURVE_COLOUR = "#3a86c8"
_BEST_COLOUR = "#d2691e"


def sparkline_html(values: Sequence[Value], *, label: str, best: int | None = None) -> Html:
    """Return a small curve of the numbers among `values`; nothing for fewer than two of them.

    What is no finite number is a gap.

    Args:
        values: in the order of the curve, equally far from each other.
        label: what a screen reader says.
        best: place of the value that is marked.
    """
    numbers = [_finite(value) for value in values]
    known = [number for number in numbers if number is not None]
    if len(known) < 2:
        return Html("")
    scale = _Scale(len(numbers), min(known), max(known))
    marked = numbers[best] if best is not None else None
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}">'
        f'<path d="{_path(_thin(numbers), scale)}" fill="none" stroke="{_CURVE_COLOUR}" stroke-width="1.5" '
        'stroke-linejoin="round" stroke-linecap="round"/>'
    )
    if best is not None and marked is not None:
        svg += f'<circle cx="{scale.across(best):.1f}" cy="{scale.down(marked):.1f}" r="2.5" fill="{_BEST_COLOUR}"/>'
    source = "data:image/svg+xml," + quote(f"{svg}</svg>".replace('"', "'"), safe="/:=',;()")
    return Html(
        f'<img alt="{escape(label)}" width="{WIDTH}" height="{HEIGHT}" src="{escape(source)}" '
        f'style="display:inline-block;vertical-align:middle;margin:0;max-width:none;width:{WIDTH}px;height:{HEIGHT}px">'
    )


class _Scale:
    """Where places and values are in the picture."""

    def __init__(self, count: int, low: float, high: float) -> None:
        self._step = (WIDTH - 2 * _MARGIN) / (count - 1)
        self._low = low
        # Halved before they are subtracted: the span of two huge numbers may be more than a float holds.
        self._half_span = high / 2 - low / 2

    def across(self, place: int) -> float:
        return _MARGIN + self._step * place

    def down(self, value: float) -> float:
        room = HEIGHT - 2 * _MARGIN
        if not self._half_span:
            return _MARGIN + room / 2  # a flat line, in the middle
        return _MARGIN + room * (1 - (value / 2 - self._low / 2) / self._half_span)


def _path(points: Sequence[tuple[int, float | None]], scale: _Scale) -> str:
    strokes: list[str] = []
    is_down = False
    for place, value in points:
        if value is None:
            is_down = False
            continue
        # A line of no length is a dot: a point between two gaps is seen, too.
        strokes.append(f"{'L' if is_down else 'M'}{scale.across(place):.1f},{scale.down(value):.1f}")
        strokes.append("" if is_down else "h0")
        is_down = True
    return "".join(strokes)


def _thin(numbers: Sequence[float | None]) -> list[tuple[int, float | None]]:
    if len(numbers) <= MOST_POINTS:
        return list(enumerate(numbers))
    return list(_extremes(numbers, buckets=MOST_POINTS // 2))


def _extremes(numbers: Sequence[float | None], *, buckets: int) -> Iterator[tuple[int, float | None]]:
    """Yield the lowest and the highest number of each bucket, in their order; of one without numbers, a gap."""
    for bucket in range(buckets):
        start, stop = (len(numbers) * one // buckets for one in (bucket, bucket + 1))
        known = [(number, place) for place in range(start, stop) if (number := numbers[place]) is not None]
        if not known:
            yield start, None
            continue
        for place in sorted({min(known)[1], max(known)[1]}):
            yield place, numbers[place]


def _finite(value: Value) -> float | None:
    if not isinstance(value, (bool, int, float)):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
