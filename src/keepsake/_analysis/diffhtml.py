"""A comparison for a notebook: tables, and the lines of code that changed, folded up file by file.

The rules of `html` hold here, too: everything is escaped, nothing is fetched, no scripts, the page's own colours.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from keepsake._analysis.diff import Diff, FileChange, FilesDiff, MetricRow, Row
from keepsake._analysis.difftext import MOST_LINES
from keepsake._analysis.diffwords import (
    HEADINGS,
    TENSOR_COLUMNS,
    cell_text,
    change_facts,
    count_changes,
    count_tensors,
    difference_text,
    equal_sections,
    printable,
    side_facts,
    tensor_cells,
    tensor_note,
)
from keepsake._analysis.html import Html, column_html, table_html
from keepsake._analysis.textdiff import TextDiff
from keepsake._model.ids import short_id

MOST_LINES_IN_ALL = 5000
"""Lines of code of all files; what is beyond is counted."""
_BACKGROUNDS = {"-": "rgba(220,50,50,0.18)", "+": "rgba(40,160,70,0.18)", "@": "rgba(70,130,200,0.18)"}
_PRE = "margin:4px 0;padding:4px 8px;border:1px solid rgba(128,128,128,0.25);overflow-x:auto;line-height:1.3"


def diff_html(diff: Diff) -> Html:
    """Return the whole comparison."""
    headings = ["", *(short_id(side.id) for side in diff.sides)]
    facts = [[name, *texts] for name, texts in side_facts(diff.sides)]
    parts = [table_html(headings, facts, caption="Comparison")]
    for section in diff.sections:
        rows = diff.rows(section)
        parts += [_rows_html(HEADINGS[section], headings, rows)] if rows else []
    lines_left = MOST_LINES_IN_ALL
    for files in diff.files:
        against = f"{short_id(diff.sides[0].id)} → {short_id(diff.sides[files.side].id)}"
        part, used = _files_html(files, against, lines_left)
        parts += part
        lines_left -= used
    equal = equal_sections(diff)
    if equal:
        parts.append(Html(f"<p>no difference: {', '.join(equal)}</p>"))
    return column_html(parts)


def _rows_html(caption: str, headings: Sequence[str], rows: Sequence[Row]) -> Html:
    cells = [[printable(row.name), *(cell_text(row, number) for number in range(len(row.values)))] for row in rows]
    if len(headings) == 3 and any(isinstance(row, MetricRow) for row in rows):
        headings = [*headings, "difference"]
        cells = [
            [*line, difference_text(row) if isinstance(row, MetricRow) else ""]
            for line, row in zip(cells, rows, strict=True)
        ]
    return table_html(headings, cells, caption=caption)


def _files_html(files: FilesDiff, against: str, lines_left: int) -> tuple[list[Html], int]:
    """Return the files of one side, and how many lines of code are in that."""
    if files.problem is not None:
        return [Html(f"<p>files of {escape(against)}: {escape(printable(files.problem))}</p>")], 0
    if not files.changes:
        return [], 0
    rows = [[one.change, printable(one.path), change_facts(one)] for one in files.changes]
    parts = [table_html((), rows, caption=f"Files, {against}: {count_changes(files)}")]
    used = 0
    for change in files.changes:
        if change.text is not None and change.text.hunks:
            html, lines = _text_html(change, change.text, min(MOST_LINES, lines_left - used))
            parts.append(html)
            used += lines
        if change.tensors is not None and change.tensors.changes:
            cells = [[*tensor_cells(one), tensor_note(one)] for one in change.tensors.changes]
            caption = f"{printable(change.path)}: {count_tensors(change.tensors)}"
            parts.append(table_html([*TENSOR_COLUMNS, ""], cells, caption=caption))
    return parts, used


def _text_html(change: FileChange, text: TextDiff, most_lines: int) -> tuple[Html, int]:
    lines = [line for hunk in text.hunks for line in (hunk.heading, *hunk.lines)]
    shown = lines[: max(most_lines, 0)]
    drawn = "".join(map(_line_html, shown))
    if len(shown) < len(lines):
        drawn += f"<div>… {len(lines) - len(shown)} more lines</div>"
    title = f"{escape(printable(change.path))} +{text.added_lines} -{text.removed_lines}"
    return Html(f'<details><summary>{title}</summary><pre style="{_PRE}">{drawn}</pre></details>'), len(shown)


def _line_html(line: str) -> str:
    background = _BACKGROUNDS.get(line[:1])
    style = f' style="background:{background}"' if background else ""
    return f"<div{style}>{escape(printable(line)) or ' '}</div>"
