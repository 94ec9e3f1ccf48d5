"""The first rows of a table that is text: CSV, TSV, and a JSON object a line."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

from keepsake._analysis.strict_json import json_text

MAX_ROWS = 200
MAX_COLUMNS = 1_000
_SEPARATORS = ",;\t|"


@dataclass(frozen=True)
class TextTable:
    """The beginning of a table; every cell is text."""

    columns: list[str]
    rows: list[list[str]]
    is_cut: bool
    """Whether there are more rows or columns."""


def read_csv(text: str, *, separator: str | None = None, is_cut: bool = False) -> TextTable | None:
    """Read text whose cells are separated, with the names of the columns in its first line.

    Args:
        text: the beginning of the file.
        separator: what stands between two cells; one of a few that the first line has most of when None.
        is_cut: whether the file goes on behind the text, so that the last row may be a part of one.

    Returns:
        The table; None when it cannot be read as one.
    """
    if separator is None:
        first = text.partition("\n")[0]
        separator = max(_SEPARATORS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        rows = list(islice(filter(None, reader), MAX_ROWS + 2))
    except csv.Error:
        return None
    if not rows:
        return None
    if is_cut and 1 < len(rows) < MAX_ROWS + 2:
        rows.pop()
    return _table(rows[0], rows[1:], is_cut=is_cut)


def read_json_lines(text: str, *, is_cut: bool = False) -> TextTable | None:
    """Read text with a JSON value a line, a column for each key in the order in which they appear; see `read_csv`."""
    lines = text.split("\n")
    if is_cut:
        lines.pop()
    documents: list[Any] = []
    for line in islice(filter(str.strip, lines), MAX_ROWS + 1):
        try:
            documents.append(json.loads(line))
        except (ValueError, RecursionError):
            return None
    if not documents:
        return None
    rows = [document if isinstance(document, dict) else {"value": document} for document in documents]
    columns = list(dict.fromkeys(str(key) for row in rows for key in row))
    return _table(
        columns, [[_cell(row[name]) if name in row else "" for name in columns] for row in rows], is_cut=is_cut
    )


def _table(columns: Iterable[str], rows: list[list[str]], *, is_cut: bool) -> TextTable:
    columns = list(columns)
    width = max([len(columns), *map(len, rows)])
    columns += [""] * (width - len(columns))
    shown = [(row + [""] * (width - len(row)))[:MAX_COLUMNS] for row in rows[:MAX_ROWS]]
    return TextTable(columns[:MAX_COLUMNS], shown, is_cut or len(rows) > MAX_ROWS or width > MAX_COLUMNS)


def _cell(value: Any) -> str:
    return value if isinstance(value, str) else json_text(value)
