"""Blocks of a catalog in memory: the columns of 256 experiments, each decoded when it is first read."""

from __future__ import annotations

import functools
from collections.abc import Mapping

from keepsake._catalog.columns import Run, decode_run
from keepsake._catalog.fields import Column
from keepsake._catalog.flat import flatten_run, merge_runs


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
        for column in self.encoded:
            if column not in self._parts:
                run = self.raw(column)
                self._parts[column] = flatten_run(column, run) if run is not None else {}
            merge_runs(runs, self._parts[column])
        return runs
