"""Results: a JSON file a group, and the table made of all of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path

from benchmarks.rows import Row

_MARKS = {True: "met", False: "NOT MET", None: ""}


def save_rows(directory: Path, group: str, rows: Sequence[Row], machine: Mapping[str, str]) -> Path:
    """Write what a group has measured, and return the file."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{group}.json"
    document = {
        "group": group,
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "machine": dict(machine),
        "rows": [row.to_json() for row in rows],
    }
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def load_rows(path: Path) -> tuple[list[Row], dict[str, str]]:
    """Return the rows of a group, and the machine with the date."""
    document = json.loads(path.read_text(encoding="utf-8"))
    return [Row.from_json(row) for row in document["rows"]], {"date": document["date"][:10], **document["machine"]}


def format_table(rows: Iterable[Row]) -> str:
    """Return the table for a terminal."""
    cells = [("what", "measured", "limit", "", "")]
    cells += [(row.what, row.measured_text, row.limit_text, _MARKS[row.is_met], row.remark) for row in rows]
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells)
    return "\n".join(lines)


def format_markdown(rows: Iterable[Row], machine: Mapping[str, str]) -> str:
    """Return the table and the machine for the documentation."""
    lines = ["| what | measured | limit | | remark |", "|---|---|---|---|---|"]
    for row in rows:
        what = f"— {row.what.strip()}" if row.what.startswith(" ") else row.what
        lines.append(f"| {what} | {row.measured_text} | {row.limit_text} | {_MARKS[row.is_met]} | {row.remark} |")
    lines += ["", "| machine | |", "|---|---|", *(f"| {name} | {value} |" for name, value in machine.items())]
    return "\n".join(lines) + "\n"


def write_part(path: Path, name: str, text: str) -> None:
    """Replace what stands between two marks in a Markdown file; what stands around them stays.

    Raises:
        ValueError: the file does not have the marks.
    """
    begin, end = f"<!-- {name}: written by python -m benchmarks --document -->\n", f"<!-- end of the {name} -->\n"
    document = path.read_text(encoding="utf-8")
    before, _, rest = document.partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise ValueError(f"{path} has no {begin.strip()} with an end")
    path.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")
