"""The table of the comparison: every program in every series, and below it where Keepsake is not ahead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.peers import KEEPSAKE, load_program
from benchmarks.rows import Row, format_number

METRICS = "three metrics, no files"
"""The name of what has no files, among the series."""
COMMANDS = ("python -m benchmarks comparison", "python -m benchmarks --document")


@dataclass(frozen=True)
class Column:
    """One figure of a program in a series; less is better in all of them."""

    name: str
    figure: str
    """Its name among the details of a row."""
    unit: str
    factor: float

    def value(self, row: Row) -> float | None:
        """Return the figure in the column's unit; None where there is none."""
        value = row.details[self.figure]
        return None if value is None else value * self.factor

    def text(self, row: Row) -> str:
        """Return the figure as it is shown."""
        value = self.value(row)
        return "—" if value is None else f"{format_number(value)} {self.unit}"


CALL = Column("time in the call", "call_ms", "ms", 1.0)
METRICS_CALL = Column("time in a call with metrics", "call_ms", "µs", 1e3)
PROCESSOR = Column("processor time", "processor_s", "s", 1.0)
STORED = Column("stored", "stored_bytes", "MB", 1e-6)
RESTORE = Column("restoring one", "restore_s", "ms", 1e3)
COLUMNS = (CALL, PROCESSOR, STORED, RESTORE)

_AS_IT_IS = "It stores files as they are; Keepsake reads every chunk again, encodes it, decodes that and verifies it."
_COPY = (
    "It copies a file that it stores whole and as it is; Keepsake decodes and verifies every chunk, and takes a moment "
    "to load its modules when a process reads for the first time."
)
REASONS: Mapping[tuple[Column, str], str] = {
    (CALL, "keepsake_04"): (
        "It copies the files to a temporary directory and packs them after the call, so that they are not in the "
        "repository yet; the fourth that waits holds up the call."
    ),
    (CALL, "mlflow"): "It has the system copy files without looking into them, and shares nothing between checkpoints.",
    (CALL, "trackio"): "It hashes and copies files as a whole, and shares nothing between files that differ.",
    (
        CALL,
        "wandb",
    ): "It hashes and copies files as a whole, and shares nothing between checkpoints while it is offline.",
    (CALL, "dvc"): (
        "A file whose size, time and inode are what they were is not read again; Keepsake reads and compares it."
    ),
    (PROCESSOR, "dvc"): _AS_IT_IS,
    (PROCESSOR, "keepsake_04"): "It packs files with hardly any compression, and verifies nothing.",
    (PROCESSOR, "mlflow"): _AS_IT_IS,
    (PROCESSOR, "trackio"): _AS_IT_IS,
    (PROCESSOR, "wandb"): _AS_IT_IS,
    (PROCESSOR, "borg"): "It compresses with LZ4, which finds next to nothing in weights.",
    (PROCESSOR, "tar_zstd"): "It compresses a file as a whole, once, and does not read it back.",
    (RESTORE, "dvc"): _COPY,
    (RESTORE, "keepsake_04"): "It unpacks a file that is hardly compressed; Keepsake decodes and verifies every chunk.",
    (RESTORE, "mlflow"): _COPY,
    (RESTORE, "trackio"): _COPY,
    (RESTORE, "tar_zstd"): (
        "It decompresses one stream; Keepsake finds and verifies every chunk, and takes a moment to load its modules "
        "when a process reads for the first time."
    ),
    (METRICS_CALL, "trackio"): (
        "The call puts the numbers into a list that a thread writes every half second, and a process that is killed "
        "loses them. When Keepsake's call returns, they are in a file."
    ),
}
"""Why a program is ahead in a column, where that has been looked into: in its source, or by measuring."""


def format_comparison(rows: Sequence[Row], machine: Mapping[str, str]) -> str:
    """Return everything that goes into the documentation."""
    parts = [_format_table(rows), _format_behind(rows), _format_programs(rows), _format_surroundings(rows, machine)]
    return "\n\n".join(parts) + "\n"


def _by_series(rows: Sequence[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row.details["series"], []).append(row)
    return found


def _columns(series: str) -> tuple[Column, ...]:
    return (METRICS_CALL,) if series == METRICS else COLUMNS


def _format_table(rows: Sequence[Row]) -> str:
    lines = ["| | " + " | ".join(column.name for column in COLUMNS) + " |", "|---" * (len(COLUMNS) + 1) + "|"]
    for series, members in _by_series(rows).items():
        columns = _columns(series)
        raw_bytes = members[0].details["raw_bytes"]
        size = f" ({raw_bytes / 1e6:.0f} MB in all)" if raw_bytes else ""
        lines.append(f"| **{series}**{size} |" + " |" * len(COLUMNS))
        for row in members:
            cells = [_emphasize(column, row, members) for column in columns]
            cells += [""] * (len(COLUMNS) - len(cells))
            lines.append(f"| {row.details['title']} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _emphasize(column: Column, row: Row, members: Sequence[Row]) -> str:
    """Return the figure, in bold type if none is smaller."""
    values = [value for member in members if (value := column.value(member)) is not None]
    is_best = column.value(row) == min(values, default=None)
    return f"**{column.text(row)}**" if is_best else column.text(row)


def _format_behind(rows: Sequence[Row]) -> str:
    lines = list(_behind(rows))
    if not lines:
        return "Keepsake is ahead in every column."
    return "Where Keepsake is not ahead:\n\n" + "\n".join(lines)


def _behind(rows: Sequence[Row]) -> Iterator[str]:
    """Yield a line for each column in which another program is not behind in some series, and one for each of those."""
    for column in (*COLUMNS, METRICS_CALL):
        found: dict[str, list[str]] = {}
        for series, members in _by_series(rows).items():
            if column not in _columns(series):
                continue
            own = next(row for row in members if row.details["program"] == KEEPSAKE)
            for row in members:
                if row is not own and _is_not_behind(column.value(row), column.value(own)):
                    against = f"{series}: {column.text(row)} against {column.text(own)}"
                    found.setdefault(row.details["program"], []).append(against)
        if found:
            yield f"- **{column.name}**"
        for program, places in found.items():
            yield f"  - {load_program(program).title} ({'; '.join(places)}). {_reason(column, program)}"


def _is_not_behind(other: float | None, own: float | None) -> bool:
    return other is not None and own is not None and other <= own


def _reason(column: Column, program: str) -> str:
    return REASONS.get((column, program), "Why that is so has not been examined.")


def _format_programs(rows: Sequence[Row]) -> str:
    programs: dict[str, dict[str, Any]] = {row.details["title"]: row.details for row in rows}
    lines = ["| program | version | what is called |", "|---|---|---|"]
    lines += [f"| {title} | {details['version']} | {details['how']} |" for title, details in programs.items()]
    lines += [f"| {title} | — | not measured: {why} |" for title, why in rows[0].details.get("unavailable", {}).items()]
    return "\n".join(lines)


def _format_surroundings(rows: Sequence[Row], machine: Mapping[str, str]) -> str:
    runs = sum(len(row.details["runs"]) for row in rows)
    disturbed = sum(row.details["disturbed_runs"] for row in rows)
    stayed = {run for row in rows for each in row.details["runs"] for run in each.get("stayed", ())}
    rounds = max(len(row.details["runs"]) for row in rows)
    where = ", ".join(machine[name] for name in ("processor", "memory", "system", "file system", "python"))
    sentences = [
        f"Measured on {machine['date']} on {where}, with {' and '.join(f'`{command}`' for command in COMMANDS)}.",
        f"Medians of {rounds} rounds.",
        f"During {disturbed} of {runs} runs other programs took more than a tenth of the processors.",
    ]
    if stayed:
        sentences.append("Background processes that did not end by themselves: " + ", ".join(sorted(stayed)) + ".")
    return " ".join(sentences)
