"""Tables for a notebook, as HTML that looks right wherever the notebook is opened.

- Everything that comes from a user is escaped where a table is put together, so that no caller can forget it; what is
  HTML already is marked by its type, `Html`.
- No scripts, no links, nothing that is fetched: a notebook that is opened years later, or mailed, shows the same.
- Styles are inline and of the kinds that JupyterLab leaves to a notebook which somebody else has run. Each cell says
  what JupyterLab and others have rules of their own for: alignment, padding, wrapping.
- Text has the colour of the page, and borders are a translucent grey, so dark and light both read well.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from html import escape

MOST_ROWS = 60
"""Rows that a table shows before it leaves out its middle; as many as pandas shows."""
_CELL = "padding:2px 10px;text-align:left;vertical-align:middle;white-space:nowrap"
_WRAPPED_CELL = "padding:2px 10px;text-align:left;vertical-align:middle;white-space:normal;max-width:48em"
_ROW = "border-bottom:1px solid rgba(128,128,128,0.25)"
_HEAD_ROW = "border-bottom:2px solid rgba(128,128,128,0.4)"
_STRONG = ";font-weight:600"
_TABLE = "border-collapse:collapse;table-layout:auto;margin:0;color:inherit;background:transparent;font-size:90%"
_CAPTION = "caption-side:top;text-align:left;color:inherit;padding:2px 0;white-space:nowrap"
_PART = "display:inline-block;vertical-align:top;max-width:100%;overflow-x:auto;margin:0 24px 12px 0"


class Html(str):
    """Text that is HTML already and must not be escaped again.

    What leaves the package is a plain `str`: marimo shows nothing of another type.
    """

    __slots__ = ()


def table_html(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    caption: str = "",
    strong: Collection[int] = (),
    wraps: bool = False,
) -> Html:
    """Return a table.

    Args:
        columns: the headings; none for a table of name and value.
        rows: the cells; each is escaped unless it is `Html`. Those that `shown_rows` leaves out are counted instead.
        caption: a line above the table.
        strong: numbers of the rows in bold.
        wraps: whether long cells may take several lines; a table that does not fit is scrolled otherwise.
    """
    return numbered_table_html(
        columns,
        {number: rows[number] for number in shown_rows(len(rows), strong)},
        count=len(rows),
        caption=caption,
        strong=strong,
        wraps=wraps,
    )


def numbered_table_html(
    columns: Sequence[str],
    rows: Mapping[int, Sequence[str]],
    *,
    count: int,
    caption: str = "",
    strong: Collection[int] = (),
    wraps: bool = False,
) -> Html:
    """Return a table of some rows out of `count`, by their numbers and in their order; else as `table_html`."""
    parts = [f'<table style="{_TABLE}">']
    if caption:
        parts.append(f'<caption style="{_CAPTION}">{_escaped(caption)}</caption>')
    if columns:
        head = "".join(f'<th style="{_CELL}{_STRONG}">{_escaped(column)}</th>' for column in columns)
        parts.append(f'<thead><tr style="{_HEAD_ROW}">{head}</tr></thead>')
    parts.append("<tbody>")
    style = _WRAPPED_CELL if wraps else _CELL
    width = len(next(iter(rows.values()), ()))
    next_number = 0
    for number, row in rows.items():
        if number > next_number:
            parts.append(_gap(number - next_number, width))
        parts.append(_row(row, style + _STRONG if number in strong else style))
        next_number = number + 1
    if next_number < count:
        parts.append(_gap(count - next_number, width))
    parts.append("</tbody></table>")
    return Html("".join(parts))


def shown_rows(count: int, strong: Collection[int] = (), *, most: int = MOST_ROWS) -> Sequence[int]:
    """Return the numbers of the rows that are shown: of more than `most` the middle is left out, but for `strong`."""
    if count <= most:
        return range(count)
    half = most // 2
    return sorted({*range(half), *strong, *range(count - half, count)})


def column_html(parts: Sequence[Html]) -> Html:
    """Put tables below each other, each as wide as it needs."""
    return Html("".join(f"<div>{row_html([part])}</div>" for part in parts))


def row_html(parts: Sequence[Html]) -> Html:
    """Put tables beside each other as far as there is room, and below each other where there is none.

    One that is wider than the page is scrolled.
    """
    return Html("".join(f'<div style="{_PART}">{part}</div>' for part in parts))


def error_html(error: Exception) -> Html:
    """Return an error as text: showing an object is no place for a traceback."""
    return Html(f"<pre>{escape(str(error))}</pre>")


def _escaped(text: str) -> str:
    return text if isinstance(text, Html) else escape(text)


def _row(cells: Sequence[str], style: str) -> str:
    return f'<tr style="{_ROW}">' + "".join(f'<td style="{style}">{_escaped(cell)}</td>' for cell in cells) + "</tr>"


def _gap(rows: int, columns: int) -> str:
    noun = "row" if rows == 1 else "rows"
    return f'<tr style="{_ROW}"><td style="{_CELL}" colspan="{columns}">… {rows} more {noun} …</td></tr>'
