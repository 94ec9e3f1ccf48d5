"""Export: experiments or checkpoints as the rows of a table, for spreadsheets and other programs."""

from __future__ import annotations

import contextlib
import csv
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Literal, TypeAlias

from keepsake._analysis.interfaces import CheckpointLike, ExperimentLike, flatten_values
from keepsake._analysis.strict_json import json_text
from keepsake._model.times import format_time
from keepsake.errors import ConfigError, KeepsakeError, WriteError

Format: TypeAlias = Literal["csv", "json", "parquet"]
Row: TypeAlias = dict[str, Any]


def write_export(
    experiments: Sequence[ExperimentLike], path: str | None, form: str, *, by_checkpoint: bool = False
) -> int:
    """Write a table and return how many rows it has.

    Args:
        experiments: in the order of the rows.
        path: where to; None for standard output. A file appears whole or not at all.
        form: one of `csv`, `json`, `parquet`.
        by_checkpoint: whether a row is a checkpoint, with the params of its experiment.

    Raises:
        WriteError: the file cannot be written.
        ConfigError: Parquet needs packages that are not installed.
    """
    rows = checkpoint_rows(experiments) if by_checkpoint else experiment_rows(experiments)
    with open_whole(path) as file:
        if form == "parquet":
            _write_parquet(rows, file)
        else:
            text = _csv_text(rows) if form == "csv" else json_text(rows, indent=2) + "\n"
            file.write(text.encode())
    return len(rows)


def experiment_rows(experiments: Sequence[ExperimentLike]) -> list[Row]:
    """Return a row an experiment: its facts, `params.…`, and the metrics of its best and latest checkpoint."""
    return [
        _facts(one)
        | _prefixed("params", one.params)
        | {"checkpoints": len(one.checkpoints)}
        | _checkpoint_cells("best", one.best())
        | _checkpoint_cells("latest", one.latest())
        for one in experiments
    ]


def checkpoint_rows(experiments: Sequence[ExperimentLike]) -> list[Row]:
    """Return a row a checkpoint: `experiment`, its facts, `params.…` of its experiment, `metrics.…`."""
    return [
        {
            "experiment": one.id,
            "checkpoint": checkpoint.id,
            "created": format_time(checkpoint.created),
            "step": checkpoint.step,
            "path": checkpoint.path,
        }
        | _prefixed("params", one.params)
        | _prefixed("metrics", checkpoint.metrics)
        for one in experiments
        for checkpoint in one.checkpoints
    ]


def _facts(experiment: ExperimentLike) -> Row:
    duration = experiment.duration
    return {
        "id": experiment.id,
        "created": format_time(experiment.created),
        "status": experiment.status,
        "name": experiment.name,
        "tags": " ".join(experiment.tags),
        "user": experiment.user,
        "host": experiment.host,
        "command": experiment.command,
        "duration_s": None if duration is None else duration.total_seconds(),
    }


def _checkpoint_cells(prefix: str, checkpoint: CheckpointLike | None) -> Row:
    if checkpoint is None:
        return {}
    cells: Row = {f"{prefix}.id": checkpoint.id, f"{prefix}.step": checkpoint.step}
    return cells | _prefixed(prefix, checkpoint.metrics)


def _prefixed(prefix: str, values: Mapping[str, Any] | None) -> Row:
    return {f"{prefix}.{name}": value for name, value in flatten_values(values).items()}


def _columns(rows: Sequence[Row]) -> list[str]:
    """Return every column of any row, in the order in which they are first met."""
    return list(dict.fromkeys(column for row in rows for column in row))


def _csv_text(rows: Sequence[Row]) -> str:
    import io

    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    columns = _columns(rows)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row.get(column)) for column in columns])
    return buffer.getvalue().encode("utf-8", "replace").decode()


def _cell(value: Any) -> Any:
    if isinstance(value, (dict, list)):
        return json_text(value)
    if isinstance(value, bool):
        return str(value).lower()
    return value


def _typed(values: list[Any]) -> tuple[list[Any], str]:
    """Return a column of Parquet, which has one type, and the type in the words of pandas.

    What has no type in common becomes text, and so do whole numbers that would lose digits.
    """
    kinds = {type(value) for value in values if value is not None}
    is_whole = None not in values
    if kinds == {bool}:
        return values, "bool" if is_whole else "boolean"
    if kinds == {int} and _have_bits(values, 63):
        return values, "int64" if is_whole else "Int64"
    if kinds == {float} or (kinds == {int, float} and _have_bits(values, 53)):
        return values, "float64"
    return [value if value is None else str(_cell(value)) for value in values], "object"


def _have_bits(values: Sequence[Any], bits: int) -> bool:
    return all(-(1 << bits) <= value < 1 << bits for value in values if isinstance(value, int))


def _write_parquet(rows: Sequence[Row], file: IO[bytes]) -> None:
    try:
        import pandas as pd

        columns = {column: _typed([row.get(column) for row in rows]) for column in _columns(rows)}
        frame = pd.DataFrame({column: pd.Series(values, dtype=dtype) for column, (values, dtype) in columns.items()})
        file.write(frame.to_parquet(index=False))
    except ImportError as error:
        raise ConfigError(
            f"Parquet needs pandas with pyarrow or fastparquet: {error}",
            hint="pip install 'keepsake[pandas]' pyarrow, or export CSV or JSON",
        ) from error


@contextlib.contextmanager
def open_whole(path: str | None) -> Iterator[IO[bytes]]:
    """Open a file under a temporary name that becomes its own when all is written; or standard output.

    Of a link, the file that it leads to. What is no file, such as a device or a pipe, is written to as it is.

    Raises:
        WriteError: it cannot be written.
    """
    if path is None:
        sys.stdout.flush()
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    from secrets import token_hex

    target = Path(path)
    if target.exists() and not target.is_file():
        with _translated(target), target.open("wb") as stream:
            yield stream
        return
    target = Path(os.path.realpath(target))
    part = target.with_name(f".{target.name}.{token_hex(4)}")
    try:
        with _translated(target):
            with part.open("xb") as file:
                yield file
            part.replace(target)
    finally:
        part.unlink(missing_ok=True)


@contextlib.contextmanager
def _translated(target: Path) -> Iterator[None]:
    try:
        yield
    except KeepsakeError:
        raise  # of a store, which says itself what failed
    except OSError as error:
        raise WriteError(f"{target} cannot be written: {error.strerror or error}") from error
