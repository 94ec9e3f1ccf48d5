"""A comparison as text for a terminal: what `keepsake diff` prints.

- Two and more sides are columns of one table. A row that does not fit has its sides below each other, in full.
- What is the same everywhere is named in the last line, so that silence is never mistaken for a section left out.
- Colour repeats what the text says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from keepsake._analysis.diff import Diff, FileChange, FilesDiff, MetricRow, Row
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
from keepsake._analysis.textdiff import TextDiff
from keepsake._model.ids import short_id

MOST_TENSORS = 40
MOST_LINES = 400
"""Tensors and lines of one file beyond this are counted instead, unless all are asked for."""

_LEAST_COLUMN = 14
_WIDEST_COLUMN = 50
_WIDEST_NAME = 32
_BOLD, _RED, _GREEN, _CYAN, _RESET = "\x1b[1m", "\x1b[31m", "\x1b[32m", "\x1b[36m", "\x1b[0m"
_COLORS = {"-": _RED, "+": _GREEN, "@": _CYAN}


def format_diff(
    diff: Diff, *, width: int | None = None, color: bool = False, stat: bool = False, show_all: bool = False
) -> str:
    """Return the text.

    Args:
        diff: the comparison.
        width: columns of the terminal; None for as many as it takes.
        color: whether to use ANSI colours.
        stat: whether to count instead: no lines of code, no tensors one by one, no params.
        show_all: whether to show all tensors and all lines of code, however many.
    """
    return "\n".join(_Text(diff, width=width, color=color, stat=stat, show_all=show_all).lines())


class _Text:
    """The lines of a comparison."""

    def __init__(self, diff: Diff, *, width: int | None, color: bool, stat: bool, show_all: bool) -> None:
        self._diff = diff
        self._width = width
        self._color = color
        self._stat = stat
        self._show_all = show_all

    def lines(self) -> Iterator[str]:
        diff = self._diff
        yield from self._table([_text_row(name, texts) for name, texts in side_facts(diff.sides)])
        for section in diff.sections:
            for lines in self._section(section):
                yield ""
                yield from lines
        equal = equal_sections(diff)
        if equal:
            yield ""
            yield f"no difference: {', '.join(equal)}"

    def _section(self, section: str) -> list[list[str]]:
        """Return the parts of a section; none when there is nothing to say."""
        if section in ("code", "tensors"):
            parts = [self._files_section(section, files) for files in self._diff.files]
        else:
            parts = [self._rows_section(section, self._diff.rows(section))]
        return [lines for lines in parts if lines]

    def _rows_section(self, section: str, rows: Sequence[Row]) -> list[str]:
        differing = sum(row.differs for row in rows)
        if not rows:
            return []
        if self._stat:
            return [f"{self._paint(HEADINGS[section], _BOLD)}: {differing} differ"] if differing else []
        ids = [_text_row("", [short_id(side.id) for side in self._diff.sides])] if len(self._diff.sides) > 2 else []
        return [self._paint(HEADINGS[section], _BOLD), *self._table([*ids, *rows])]

    def _table(self, rows: Sequence[Row]) -> list[str]:
        """Return rows of name and values, side by side if there is room."""
        names = [printable(row.name) for row in rows]
        texts = [[printable(cell_text(row, number)) for number in range(len(row.values))] for row in rows]
        if len(self._diff.sides) == 2:
            for row, cells in zip(rows, texts, strict=True):
                cells.append(difference_text(row) if isinstance(row, MetricRow) else "")
        columns = len(self._diff.sides)
        widest = min(max(map(self._cells, names)), _WIDEST_NAME)
        limit = _WIDEST_COLUMN
        if self._width is not None:
            differences = max(self._cells("".join(cells[columns:])) for cells in texts)
            limit = min(limit, (self._width - 4 - widest - differences) // columns - 2)
        if limit < _LEAST_COLUMN:
            limit = 0
        fits = [
            max(map(self._cells, cells[:columns])) <= limit >= 1 and self._cells(name) <= widest
            for name, cells in zip(names, texts, strict=True)
        ]
        sizes = [
            max((self._cells(cells[number]) for cells, fit in zip(texts, fits, strict=True) if fit), default=0)
            for number in range(columns)
        ]
        lines: list[str] = []
        for name, cells, fit in zip(names, texts, fits, strict=True):
            if fit:
                padded = [self._pad(name, widest), *map(self._pad, cells, sizes)]
                lines.append(f"  {'  '.join([*padded, *cells[columns:]])}".rstrip())
            elif name:  # the ids, which have none, stand before each value there
                lines += self._stacked(name, cells)
        return lines

    def _stacked(self, name: str, cells: Sequence[str]) -> Iterator[str]:
        """Yield a name and, below it, what each side has, on as many lines as it takes."""
        yield from self._wrap(name, "  ", "  ")
        for side, cell in zip(self._diff.sides, cells, strict=False):
            yield from self._wrap(cell, f"    {short_id(side.id)}  ", " " * 13)
        if len(cells) > len(self._diff.sides) and cells[-1]:
            yield from self._wrap(cells[-1], " " * 13, " " * 13)

    def _wrap(self, text: str, first: str, others: str) -> Iterator[str]:
        """Yield text in pieces that fit the terminal, each behind what introduces it."""
        from rich.cells import chop_cells

        room = max((self._width or 10_000) - len(others), 10)
        pieces = chop_cells(text, room) or [""]
        yield f"{first}{pieces[0]}".rstrip()
        yield from (f"{others}{piece}" for piece in pieces[1:])

    def _files_section(self, section: str, files: FilesDiff) -> list[str]:
        first, other = self._diff.sides[0], self._diff.sides[files.side]
        against = f" ({short_id(first.id)} -> {short_id(other.id)})" if len(self._diff.sides) > 2 else ""
        heading = self._paint(f"{HEADINGS[section]}{against}", _BOLD)
        if files.problem is not None:
            return [f"{heading}: {printable(files.problem)}"] if section == self._first_of_files() else []
        if section == "code":
            return [f"{heading}: {count_changes(files)}", *self._code(files)] if files.changes else []
        tables = [line for change in files.changes for line in self._tensors(change)]
        return [heading, *tables] if tables else []

    def _first_of_files(self) -> str:
        return "code" if "code" in self._diff.sections else "tensors"

    def _code(self, files: FilesDiff) -> Iterator[str]:
        widest = max(self._cells(printable(change.path)) for change in files.changes)
        for change in files.changes:
            path = self._pad(printable(change.path), widest) if widest <= _WIDEST_COLUMN else printable(change.path)
            yield f"  {change.change:<7}  {path}  {change_facts(change)}".rstrip()
        if self._stat:
            return
        for change in files.changes:
            if change.text is not None and change.text.hunks:
                yield ""
                yield from self._hunks(change, change.text)

    def _hunks(self, change: FileChange, text: TextDiff) -> Iterator[str]:
        path = printable(change.path)
        yield self._paint(f"--- {'/dev/null' if change.change == 'added' else f'a/{path}'}", _BOLD)
        yield self._paint(f"+++ {'/dev/null' if change.change == 'removed' else f'b/{path}'}", _BOLD)
        lines = [line for hunk in text.hunks for line in (hunk.heading, *hunk.lines)]
        shown = lines if self._show_all else lines[:MOST_LINES]
        for line in shown:
            yield self._paint(printable(line), _COLORS.get(line[:1], ""))
        if len(shown) < len(lines):
            yield f"… {len(lines) - len(shown)} more lines: --all shows them"

    def _tensors(self, change: FileChange) -> Iterator[str]:
        """Yield what changed in a weights file; nothing for other files, unless there is no list of files above."""
        is_first = self._first_of_files() == "tensors"
        if change.tensors is None:
            if is_first:  # it is damaged
                yield f"  {change.change:<7}  {printable(change.path)}  {change_facts(change)}"
            return
        if (self._stat or not change.tensors.changes) and not is_first:
            return
        yield f"  {printable(change.path)}: {count_tensors(change.tensors)}"
        if self._stat or not change.tensors.changes:
            return
        changes = change.tensors.changes if self._show_all else change.tensors.changes[:MOST_TENSORS]
        rows = [list(TENSOR_COLUMNS), *map(tensor_cells, changes)]
        sizes = self._tensor_sizes(rows)
        for row, one in zip(rows, [None, *changes], strict=True):
            cells = [self._cut(cell, size) for cell, size in zip(row, sizes, strict=True) if size]
            yield f"    {'  '.join(cells)}".rstrip()
            if one is not None and tensor_note(one):
                yield from self._wrap(tensor_note(one), " " * 13, " " * 13)
        if len(changes) < len(change.tensors.changes):
            yield f"    … {len(change.tensors.changes) - len(changes)} more: --all shows them"

    def _tensor_sizes(self, rows: Sequence[Sequence[str]]) -> list[int]:
        """Return the widths of the columns; where the terminal is too narrow, the least telling ones are left out."""
        sizes = [max(map(self._cells, column)) for column in zip(*rows, strict=True)]
        if self._width is None:
            return sizes
        for number in (6, 3, 2):
            over = sum(sizes) + 2 * sum(map(bool, sizes)) + 2 - self._width
            if over > max(sizes[1] - _LEAST_COLUMN, 0):
                sizes[number] = 0
        over = sum(sizes) + 2 * sum(map(bool, sizes)) + 2 - self._width
        sizes[1] = max(sizes[1] - max(over, 0), min(sizes[1], _LEAST_COLUMN))
        return sizes

    def _paint(self, text: str, style: str) -> str:
        return f"{style}{text}{_RESET}" if self._color and style else text

    @staticmethod
    def _cells(text: str) -> int:
        from rich.cells import cell_len

        return cell_len(text)

    @staticmethod
    def _pad(text: str, size: int) -> str:
        from rich.cells import set_cell_size

        return set_cell_size(text, size)

    def _cut(self, text: str, size: int) -> str:
        return self._pad(text, size) if self._cells(text) <= size else f"{self._pad(text, size - 1)}…"


def _text_row(name: str, texts: Sequence[str]) -> Row:
    return Row(name, tuple(texts), (True,) * len(texts))
