"""Listing: what `keepsake ls` takes over an empty program, with few experiments and with many."""

from __future__ import annotations

import functools
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path

from benchmarks.histories import encode_history, write_histories
from benchmarks.listing_peers import measure_beside_peers
from benchmarks.peers.install import UnavailableError, install
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
OLD_EXPERIMENTS = 1_000
"""As many as the program of 2021 lists in a fraction of a second."""
FEW_PAIRS = 3
"""Of what takes many seconds."""
DELETED, DELETION_LIMIT_MS = 200, 2_000.0


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
        if experiments == OLD_EXPERIMENTS:
            rows += measure_beside_others(root, cache, scale, directory)
        if experiments == FIRST_EXPERIMENTS:
            rows.append(measure_deletion(root, cache, scale))
        shutil.rmtree(root)
    return rows + measure_long(scale, directory)


def measure_long(scale: Scale, directory: Path) -> list[Row]:
    """Time listings of experiments with many checkpoints."""
    experiments, checkpoints = scale.listing_long
    root, cache = directory / "repository-long", directory / "cache-long"
    write_histories(root, experiments, checkpoints=checkpoints)
    runs = Listings(root, cache, replace(scale, pairs=min(scale.pairs, FEW_PAIRS)))
    first = runs.time(SHOWN, prepare=functools.partial(shutil.rmtree, cache, ignore_errors=True))
    label = f"keepsake ls, {experiments:,} experiments of {checkpoints:,} checkpoints"
    return [
        _row(f"{label}, 50 shown", Listings(root, cache, scale).time(SHOWN), None),
        _row("  the first time", first, None),
    ]


def measure_deletion(root: Path, cache: Path, scale: Scale) -> Row:
    """Time the deletion of 200 experiments at once."""
    listed = Catalog(Repository.open(LocalStore(root)), cache / "keepsake" / "catalogs").list_experiments().experiments
    waiting = iter([one.id for one in listed])
    runs = Listings(root, cache, scale, command="rm")
    pairs = runs.time_each(lambda: ("-f", *islice(waiting, DELETED)))
    return _row(f"keepsake rm of {DELETED} of {len(listed):,} experiments", pairs, DELETION_LIMIT_MS)


def measure_beside_others(root: Path, cache: Path, scale: Scale, directory: Path) -> list[Row]:
    """Time a listing of all experiments beside those of other programs, the one of 2021 first, on the same data."""
    repository = Repository.open(LocalStore(root))
    list_all = Listings(root, cache, scale).action(())
    others = measure_beside_peers(list_all, repository, scale, directory)
    try:
        program = find_old_program()
    except UnavailableError:
        return others
    old = directory / "old"
    write_old_repository(repository, old)
    environment = os.environ | {"KEEPSAKE_NO_ANALYTICS": "1", "HOME": str(directory)}

    def list_old() -> None:
        command = [str(program), "ls", "-R", old.as_uri()]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment, cwd=directory)

    pairs = measure_pairs(list_all, Action(list_old), pairs=scale.pairs, patience_s=scale.patience_s)
    what = f"keepsake ls, {OLD_EXPERIMENTS:,} experiments, all shown"
    row = Row(what, pairs.ratio, "x Keepsake 0.4", 1.0, "its native program, on its own format", pairs.to_json())
    return [row, *others]


def find_old_program() -> Path:
    """Return the native program inside the package of 2021. Raises `UnavailableError` when it cannot be had."""
    python = install("keepsake_04").python
    # Not `keepsake-shared` beside it, which serves the library and takes any word for the name of a socket.
    found = [path for path in python.parent.parent.rglob("keepsake") if path.is_file() and is_native(path)]
    if not found:
        raise UnavailableError("the package has no native program")
    return found[0]


def is_native(path: Path) -> bool:
    """Say whether a file is a program of Linux (ELF)."""
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF" and os.access(path, os.X_OK)


def write_old_repository(repository: Repository, target: Path) -> None:
    """Write experiments as Keepsake 0.x did: one JSON file each, without the files that were saved."""
    metadata = target / "metadata" / "experiments"
    metadata.mkdir(parents=True, exist_ok=True)
    (target / "repository.json").write_text('{"version":1}', encoding="ascii")
    for state in repository.list_experiments().experiments:
        created, environment = state.created, state.created["environment"]
        document = {
            "id": state.id,
            "created": created["time"],
            "params": created["params"],
            "host": environment["host"],
            "user": environment["user"],
            "config": {"repository": target.as_uri(), "storage": ""},
            "command": environment["command"],
            "path": ".",
            "python_version": environment["python_version"],
            "python_packages": {},
            "checkpoints": [
                {
                    "id": body["id"],
                    "created": body["time"],
                    "metrics": body["metrics"],
                    "step": body["step"],
                    "path": "",
                    "primary_metric": body["primary_metric"],
                }
                for body in state.checkpoints
            ],
            "keepsake_version": "0.4.2",
        }
        (metadata / f"{state.id}.json").write_text(json.dumps(document), encoding="utf-8")


class Listings:
    """Runs of `keepsake ls` on one repository, and of an empty program beside them.

    Args:
        root: the repository.
        cache: the user's cache directory.
        scale: how often.
        command: another command than `ls`.
    """

    def __init__(self, root: Path, cache: Path, scale: Scale, *, command: str = "ls") -> None:
        self._command = [sys.executable, "-m", "keepsake", command, "-R", str(root)]
        self._environment = os.environ | {"XDG_CACHE_HOME": str(cache)}
        self._scale = scale

    def time(self, arguments: tuple[str, ...], prepare: Callable[[], object] = nothing) -> Pairs:
        """Time the command with these arguments."""
        return self.time_each(lambda: arguments, prepare)

    def action(self, arguments: tuple[str, ...]) -> Action:
        """Return the command with these arguments, to be timed."""
        return Action(lambda: self._run([*self._command, *arguments]))

    def time_each(self, draw: Callable[[], tuple[str, ...]], prepare: Callable[[], object] = nothing) -> Pairs:
        """Time the command with new arguments each time."""
        subject = Action(lambda: self._run([*self._command, *draw()]), prepare)
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
