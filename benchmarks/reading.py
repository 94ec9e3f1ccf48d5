"""Reading a part: how many chunks are read to get 64 KB of a large file. Counted by a store that records requests."""

from __future__ import annotations

from pathlib import Path

from benchmarks.capture import WEIGHTS
from benchmarks.projects import REPOSITORY, begin
from benchmarks.rows import Row
from benchmarks.scale import Scale
from benchmarks.weights import write_gpt2_like
from keepsake import Checkpoint, ExperimentCollection
from keepsake._tracking.place import Place
from keepsake.errors import KeepsakeError, NotFoundError
from keepsake.stores.local import LocalStore
from keepsake.testing import RecordingStore

LIMIT = 2
READ_BYTES = 64_000
POSITIONS = 100


def measure(scale: Scale, directory: Path) -> list[Row]:
    """Open a checkpoint's file, read in the middle, and then at many places, each through a new reader."""
    directory.mkdir(parents=True, exist_ok=True)
    size_bytes = write_gpt2_like(directory / WEIGHTS, scale.big_file_bytes)
    experiment = begin(directory)
    experiment.checkpoint(path=WEIGHTS)
    experiment.stop()
    store = RecordingStore(LocalStore(directory / REPOSITORY))
    checkpoint = ExperimentCollection(_Recorded(directory, store)).get(experiment.id).checkpoints[-1]
    middle = _count_reads(store, checkpoint, size_bytes // 2)
    bytes_read = store.bytes_read("chunks/")
    step = max(1, (size_bytes - READ_BYTES) // POSITIONS)
    counts = [_count_reads(store, checkpoint, start) for start in range(0, size_bytes - READ_BYTES, step)]
    return [
        Row(
            "chunks read for 64 KB in the middle of a file", middle, "chunks", LIMIT, f"{bytes_read / 1e6:.1f} MB read"
        ),
        Row("  most at any of a hundred places", max(counts), "chunks", None, details={"counts": counts}),
    ]


class _Recorded:
    """A project whose store is watched."""

    def __init__(self, directory: Path, store: RecordingStore) -> None:
        self._place = Place(directory, store, locks=directory / "locks", staging=directory / "staging")

    def find_place(self) -> Place:
        """Return the place."""
        return self._place

    def describe_absence(self) -> KeepsakeError:
        """Say that there is nothing, which cannot be here."""
        return NotFoundError("there is no repository")


def _count_reads(store: RecordingStore, checkpoint: Checkpoint, start: int) -> int:
    store.clear()
    with checkpoint.open(WEIGHTS) as file:
        file.seek(start)
        assert len(file.read(READ_BYTES)) == READ_BYTES
    return store.count("get", "chunks/") + store.count("get_range", "chunks/")
