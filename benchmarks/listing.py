"""Listing: what `keepsake ls` takes over an empty program, with few experiments and with many."""

from __future__ import annotations

import functools
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.histories import encode_history, write_histories
from benchmarks.rows import Row
from benchmarks.scale import Scale
from benchmarks.timing import Action, Pairs, measure_pairs, nothing
from keepsake._catalog.catalog import Catalog
from keepsake._repository.repository import Repository
from keepsake.stores.local import LocalStore
from keepsake.testing import RecordingStore

LIMITS_MS = {1_000: 120.0, 10_000: 150.0, 100_000: 400.0}
"""Of `keepsake ls -n 50` with a catalog that is up to date, by how many experiments there are."""
FIRST_EXPERIMENTS, FIRST_LIMIT_MS = 10_000, 2_000.0
QUERY_EXPERIMENTS, QUERY_LIMIT_MS = 100_000, 1_000.0
QUERY = ("-f", "params.lr < 0.5 and best.val_loss < 0.3 and status = finished", "-s", "best.accuracy-desc")
SHOWN = ("-n", "50")


def measure(scale: Scale, directory: Path) -> list[Row]:
    """Time the command line on repositories of several sizes, and count what a listing reads after a change."""
    rows: list[Row] = []
    for experiments in scale.listing_experiments:
        root = directory / f"repository-{experiments}"
        cache = directory / f"cache-{experiments}"
        write_histories(root, experiments)
        label = f"keepsake ls, {experiments:,} experiments"
        runs = Listings(root, cache, scale)
        first = runs.time(SHOWN, prepare=functools.partial(shutil.rmtree, cache, ignore_errors=True))
        warm, queried = runs.time(SHOWN), runs.time((*QUERY, *SHOWN))
        is_query_size, is_first_size = experiments == QUERY_EXPERIMENTS, experiments == FIRST_EXPERIMENTS
        rows += [
            _row(f"{label}, 50 shown", warm, LIMITS_MS.get(experiments)),
            _row("  filtered and sorted, 50 shown", queried, QUERY_LIMIT_MS if is_query_size else None),
            _row("  the first time", first, FIRST_LIMIT_MS if is_first_size else None),
            Row("  objects read after one of them changed", count_reads_after_a_change(root, cache), "objects", 1),
        ]
    return rows


class Listings:
    """Runs of `keepsake ls` on one repository, and of an empty program beside them.

    Args:
        root: the repository.
        cache: the user's cache directory.
        scale: how often.
    """

    def __init__(self, root: Path, cache: Path, scale: Scale) -> None:
        self._command = [sys.executable, "-m", "keepsake", "ls", "-R", str(root)]
        self._environment = os.environ | {"XDG_CACHE_HOME": str(cache)}
        self._scale = scale

    def time(self, arguments: tuple[str, ...], prepare: Callable[[], object] = nothing) -> Pairs:
        """Time the command with these arguments."""
        subject = Action(lambda: self._run([*self._command, *arguments]), prepare)
        baseline = Action(lambda: self._run([sys.executable, "-c", "pass"]))
        return measure_pairs(subject, baseline, pairs=self._scale.pairs, patience_s=self._scale.patience_s)

    def _run(self, command: list[str]) -> None:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=self._environment)


def count_reads_after_a_change(root: Path, cache: Path) -> int:
    """Add a segment to one experiment of a repository that has been listed, and count what the next listing reads."""
    store = RecordingStore(LocalStore(root))
    repository = Repository.open(store)
    catalogs = cache / "keepsake" / "catalogs"
    before = len(Catalog(repository, catalogs).list_experiments().experiments)
    name, data = encode_history(random.Random(f"{root}"), before, checkpoints=1)
    store.put(name.key, data)
    store.clear()
    after = len(Catalog(repository, catalogs).list_experiments().experiments)
    if after != before + 1:
        raise RuntimeError(f"{after} experiments are listed where {before + 1} are")
    return store.count("get", "journals/")


def _row(what: str, pairs: Pairs, limit_ms: float | None) -> Row:
    return Row(what, pairs.difference_s * 1e3, "ms", limit_ms, details=pairs.to_json())
