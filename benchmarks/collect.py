"""Collecting: what it takes to find out that nothing is to be deleted.

The chunks are tiny, since collecting never reads one: it lists them, and reads every journal and every manifest.
"""

from __future__ import annotations

import random
import time
from pathlib import Path
from statistics import median

from benchmarks.rows import Row
from benchmarks.scale import Scale
from keepsake._model.ids import new_id, new_session_id
from keepsake._model.manifest import Entry, Extent, Manifest
from keepsake._model.times import Clock
from keepsake._repository.collect import collect
from keepsake._repository.journal import JournalWriter
from keepsake._repository.repository import Repository
from keepsake.stores.local import LocalStore

CHUNKS_A_CHECKPOINT = 100
CHECKPOINTS_AN_EXPERIMENT = 10
LIMIT_S = 10.0


def measure(scale: Scale, directory: Path) -> list[Row]:
    """Collect a repository in which everything is needed, several times."""
    store = LocalStore(directory / "repository")
    repository, _ = Repository.open_or_create(store)
    write_checkpoints(repository, store, scale.collect_chunks)
    times_s = [_collect(repository) for _ in range(scale.collect_runs)]
    what = f"collecting {scale.collect_chunks:,} chunks, nothing to delete"
    details = {"times_ms": [round(time_s * 1e3, 3) for time_s in times_s]}
    return [Row(what, median(times_s), "s", LIMIT_S, details=details)]


def write_checkpoints(repository: Repository, store: LocalStore, chunks: int) -> None:
    """Write experiments whose checkpoints need so many chunks in all, each another one."""
    draw = random.Random(1)
    clock = Clock()
    for start in range(0, chunks, CHUNKS_A_CHECKPOINT * CHECKPOINTS_AN_EXPERIMENT):
        experiment_id = new_id()
        writer = JournalWriter(store, experiment_id, new_session_id())
        writer.append({"type": "experiment", "id": experiment_id, "params": {}, "time": clock.now()})
        stop = min(start + CHUNKS_A_CHECKPOINT * CHECKPOINTS_AN_EXPERIMENT, chunks)
        for first in range(start, stop, CHUNKS_A_CHECKPOINT):
            count = min(CHUNKS_A_CHECKPOINT, chunks - first)
            extents = tuple(Extent(repository.chunks.put(draw.randbytes(16)), 0, 16) for _ in range(count))
            digest = repository.save_manifest(Manifest((Entry("weights", "file", extents=extents),)))
            event = {"type": "checkpoint", "id": new_id(), "step": first, "metrics": {}, "manifests": [digest]}
            writer.append(event | {"path": "weights", "time": clock.now()})
        writer.seal()


def _collect(repository: Repository) -> float:
    started_s = time.perf_counter()
    result = collect(repository, young_s=0.0)
    elapsed_s = time.perf_counter() - started_s
    assert result.plan.keys == (), "everything is needed"
    return elapsed_s
