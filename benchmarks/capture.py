"""Capture: how long a call of `checkpoint(path)` takes, against `cp`.

Every checkpoint of new data goes to a repository that was made for it, so its directories are made in that time, too.
Figures for one thread come from the same code below `checkpoint()`, without the event in the journal (30 µs).
The file without structure is cut by content, which costs a look at every byte more.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

from benchmarks.projects import REPOSITORY, abandon, begin, stored_bytes
from benchmarks.rows import Row
from benchmarks.scale import Scale
from benchmarks.timing import Action, measure_pairs
from benchmarks.weights import write_gpt2_like, write_unstructured
from keepsake._repository.repository import Repository
from keepsake._snapshots.ignore import IgnoreRules
from keepsake._snapshots.save import save_snapshot
from keepsake._snapshots.scan import scan_path
from keepsake.experiment import Experiment
from keepsake.stores.local import LocalStore

NEW_LIMIT = 1.1
UNCHANGED_LIMIT = 0.7
WEIGHTS = "model.safetensors"
UNSTRUCTURED = "random.bin"


def measure(scale: Scale, directory: Path) -> list[Row]:
    """Time checkpoints of new and of unchanged data."""
    directory.mkdir(parents=True, exist_ok=True)
    size_bytes = write_gpt2_like(directory / WEIGHTS, scale.big_file_bytes)
    write_unstructured(directory / UNSTRUCTURED, scale.big_file_bytes)
    size = f"{size_bytes / 1e6:.0f} MB"
    return [
        _new(f"checkpoint of {size} of new data", _Capture(directory, WEIGHTS), scale, limit=NEW_LIMIT),
        _new("  the same with one thread", _OneThread(directory, WEIGHTS), scale),
        _new("  the same for a file without structure", _Capture(directory, UNSTRUCTURED), scale),
        *_unchanged(f"checkpoint of {size}, unchanged", _Capture(directory, WEIGHTS), scale, limit=UNCHANGED_LIMIT),
        *_unchanged("  the same with one thread", _OneThread(directory, WEIGHTS), scale),
    ]


def copy_action(source: Path, target: Path) -> Action:
    """Return the baseline: `cp` to a new name."""
    command = ["cp", "--reflink=never", str(source), str(target)]
    return Action(lambda: subprocess.run(command, check=True), clean=target.unlink)


class _Capture:
    """Saving a file as a user does."""

    def __init__(self, directory: Path, name: str) -> None:
        self.directory = directory
        self.name = name
        self._experiment: Experiment | None = None

    def begin(self) -> None:
        """Make a repository and an experiment in it."""
        self._experiment = begin(self.directory)

    def save(self) -> None:
        """Do what is timed."""
        assert self._experiment is not None
        self._experiment.checkpoint(path=self.name)

    def end(self) -> None:
        """Leave nothing behind."""
        assert self._experiment is not None
        abandon(self._experiment, self.directory)

    def baseline(self) -> Action:
        """Copy the same file."""
        return copy_action(self.directory / self.name, self.directory / "copy")


class _OneThread(_Capture):
    def save(self) -> None:
        store = LocalStore(self.directory / REPOSITORY)
        found = scan_path(self.directory, self.name, IgnoreRules.load(self.directory), excluded=[store.root])
        repository = Repository.open(store)
        repository.save_manifest(save_snapshot(self.directory, found, repository.chunks, threads=1))


def _new(what: str, capture: _Capture, scale: Scale, *, limit: float | None = None) -> Row:
    action = Action(capture.save, prepare=capture.begin, clean=capture.end)
    pairs = measure_pairs(action, capture.baseline(), pairs=scale.pairs, patience_s=scale.patience_s)
    return Row(what, pairs.ratio, "x cp", limit, details=pairs.to_json())


def _unchanged(what: str, capture: _Capture, scale: Scale, *, limit: float | None = None) -> Iterator[Row]:
    capture.begin()
    capture.save()
    before = stored_bytes(capture.directory, "chunks")
    pairs = measure_pairs(Action(capture.save), capture.baseline(), pairs=scale.pairs, patience_s=scale.patience_s)
    new_bytes = stored_bytes(capture.directory, "chunks") - before
    capture.end()
    yield Row(what, pairs.ratio, "x cp", limit, details=pairs.to_json())
    if limit is not None:
        yield Row("  new data bytes in all of these checkpoints", new_bytes, "bytes", 0)
