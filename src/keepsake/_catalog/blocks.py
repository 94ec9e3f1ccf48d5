"""Blocks of a catalog in memory: the columns of 256 experiments, each decoded when it is first read."""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping, Sequence

from keepsake._catalog.columns import BLOCK, Run, decode_run
from keepsake._catalog.fields import RUNNING, Column
from keepsake._catalog.flat import flatten_run, is_shown, merge_runs
from keepsake._model.values import Value

STATUS = Column("experiment", "status")
NOTHING: Run = [None] * BLOCK
"""A run in which there is no value."""


class Block:
    """The columns of one block, which never change; any number of threads may read them.

    Args:
        encoded: its runs, as the catalog keeps them.
        before: the same block at an earlier moment: what is the same is not decoded again, and stays the same object.
    """

    def __init__(self, encoded: Mapping[Column, bytes], before: Block | None = None) -> None:
        self.encoded = encoded
        self._raw: dict[Column, Run] = {}
        self._parts: dict[Column, Mapping[Column, Run]] = {}
        if before is not None:
            same = [column for column, data in encoded.items() if before.encoded.get(column) == data]
            raw, parts = before._raw, before._parts  # noqa: SLF001 (its own kind)
            self._raw = {column: raw[column] for column in same if column in raw}
            self._parts = {column: parts[column] for column in same if column in parts}

    def raw(self, column: Column) -> Run | None:
        """Return a run as filters read it; None when no experiment of the block has a value.

        Raises:
            CatalogDamagedError: it cannot be decoded.
        """
        run = self._raw.get(column)
        if run is None and column in self.encoded:
            run = self._raw[column] = decode_run(self.encoded[column])
        return run

    @functools.cached_property
    def flat(self) -> Mapping[Column, Run]:
        """The runs as a table shows them; see `flat`. Raises as `raw` does."""
        runs: dict[Column, Run] = {}
        for column in filter(is_shown, self.encoded):
            if column not in self._parts:
                run = self.raw(column)
                self._parts[column] = flatten_run(column, run) if run is not None else {}
            merge_runs(runs, self._parts[column])
        return runs


class RawColumns:
    """The columns of blocks as filters read them, by number; see `query.Columns`.

    Args:
        blocks: by their numbers.
        running: numbers of the experiments that run.
    """

    def __init__(self, blocks: Mapping[int, Block], running: Collection[int]) -> None:
        self._blocks = blocks
        self._running = running
        self.size: int = (max(blocks, default=-1) + 1) * BLOCK
        self._keys: dict[str, set[str]] = {}
        for column in {column for block in blocks.values() for column in block.encoded}:
            self._keys.setdefault(column.group, set()).add(column.key)
        self._read: dict[Column, Sequence[Value]] = {}

    def keys(self, group: str) -> Collection[str]:
        """Return the keys of the columns of a group."""
        return self._keys.get(group, ())

    def values(self, column: Column) -> Sequence[Value]:
        """Return the values of a column."""
        if column not in self._read:
            values: list[Value] = []
            for number in range(self.size // BLOCK):
                block = self._blocks.get(number)
                values += (None if block is None else block.raw(column)) or NOTHING
            if column == STATUS:
                for number in self._running:
                    values[number] = RUNNING
            self._read[column] = values
        return self._read[column]
