"""The table of experiments as a reader of the API keeps it."""

from __future__ import annotations

from typing import Any

from tests.ui.serving import Asker

Rows = list[dict[str, Any]]


def values_of(column: dict[str, Any]) -> list[Any]:
    """Return a value a row of a column, which may be written as codes."""
    if "codes" not in column:
        return list(column["values"])
    return [None if code < 0 else column["values"][code] for code in column["codes"]]


def rows_of(document: dict[str, Any]) -> Rows:
    """Return a dictionary a row, with what there is of it by the name of the column."""
    rows: Rows = [{"id": one} for one in document["ids"]]
    for column in document["columns"]:
        for row, value in zip(rows, values_of(column), strict=True):
            if value is not None:
                row[column["name"]] = value
    return rows


class Reader:
    """Reads the table once and then only what has changed, as the page does."""

    def __init__(self, asker: Asker) -> None:
        self._asker = asker
        self.reloads = 0
        self._load()

    def follow(self) -> None:
        """Ask what has changed, until nothing has."""
        while (answer := self._asker.get("/changes", since=self.cursor)).status_code != 204:
            assert answer.status_code == 200, answer.text
            changes = answer.json()
            if changes["reload"]:
                self._load()
                self.reloads += 1
                continue
            self._apply(changes)

    def _load(self) -> None:
        document = self._asker.json("/experiments")
        self.cursor: str = document["cursor"]
        self.rows = rows_of(document)

    def _apply(self, changes: dict[str, Any]) -> None:
        self.cursor = changes["cursor"]
        self.rows = [row for row in self.rows if row["id"] not in changes["removed"]]
        places = {row["id"]: place for place, row in enumerate(self.rows)}
        for row in rows_of(changes):
            if row["id"] in places:
                self.rows[places[row["id"]]] = row
            else:
                self.rows.append(row)
