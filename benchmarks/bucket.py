"""Buckets: delivering, asking again, reading and listing, on an S3 server that runs on this machine.

The server is SeaweedFS, from the package with which the tests are run. Everything is compared with what else was done
on the same server in the same run; the program of 2021 in `bucket_old`, since it takes no other server than Amazon's.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

import keepsake
from benchmarks.copiers import AwsCli, Rclone
from benchmarks.histories import write_histories
from benchmarks.rows import Row
from benchmarks.scale import Scale
from benchmarks.timing import Action, Pairs, measure_pairs
from keepsake._catalog.catalog import Catalog
from keepsake._chunks.workers import run_workers
from keepsake._model.keys import CHUNKS, JOURNALS
from keepsake._repository.packs import pack_journals
from keepsake._repository.push import push
from keepsake._repository.repository import Repository
from keepsake.allocator import keep_freed_memory
from keepsake.stores._bucketoptions import check_options
from keepsake.stores.base import Store
from keepsake.stores.cloud import MOST_CONCURRENCY, CloudStore
from keepsake.stores.local import LocalStore
from keepsake.stores.url import open_store
from keepsake.testing import RecordingStore
from tests.servers.seaweedfs import S3Server, run_seaweedfs
from tests.servers.slow_line import run_slow_line

BUCKET = "benchmarks"
LATENCY_S = 0.05
_numbers = itertools.count()


def measure(scale: Scale, directory: Path) -> list[Row]:
    """Deliver a large checkpoint, deliver it again, read a little of it, and list many experiments."""
    keep_freed_memory()  # as couriers and commands do; obstore, called in this process, gains from it as well
    with run_seaweedfs(directory / "server") as server:
        CloudStore("s3", BUCKET, "", check_options("s3", server.options)).create_bucket()
        source = _save_checkpoint(directory / "project", 2 * scale.big_file_bytes)
        return [
            *_measure_delivery(scale, server, source, directory),
            _measure_capture(scale, server, directory),
            _measure_open(server, source),
            *_measure_listing(scale, server, directory),
        ]


def _place() -> str:
    return f"s3://{BUCKET}/{next(_numbers)}"


def _write_weights(path: Path, size_bytes: int) -> None:
    """Write fp32 weights as a training would: they shrink to five sixths."""
    rng = np.random.default_rng(next(_numbers))
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, rng.standard_normal(size_bytes // 4, dtype=np.float32) * np.float32(0.02))


def _save_checkpoint(project: Path, size_bytes: int) -> Repository:
    """Save one file to a local repository, as it is in staging, and return that."""
    _write_weights(project / "weights.npy", size_bytes)
    experiment = keepsake.Project(str(project / "repository"), project).experiments.create(quiet=True)
    experiment.checkpoint(path="weights.npy")
    experiment._writing_session().discard()  # noqa: SLF001 (its end would encode what it captured)
    return Repository.open(LocalStore(project / "repository"))


def _measure_delivery(scale: Scale, server: S3Server, source: Repository, directory: Path) -> list[Row]:
    def deliver() -> None:
        push(source, Repository.open_or_create(open_store(_place(), server.options))[0])

    url = _place()
    push(source, Repository.open_or_create(open_store(url, server.options))[0])
    captured, delivered = _objects(source.store), _objects(open_store(url, server.options))
    # No patience: the server is another program that takes its share, so no pair would ever count as quiet.
    pairs, patience_s = min(scale.pairs, 5), 0.0

    def beside(copy: Callable[[], object]) -> Pairs:
        return measure_pairs(Action(deliver), Action(copy), pairs=pairs, patience_s=patience_s)

    beside_captured = beside(lambda: _put_objects(captured, server))
    beside_delivered = beside(lambda: _put_objects(delivered, server))
    file = directory / "project" / "weights.npy"
    rclone, aws = Rclone(server, directory), AwsCli(server, directory)
    beside_rclone = beside(lambda: rclone.copy(file, _place()))
    beside_aws = beside(lambda: aws.copy(file, _place()))
    counted = RecordingStore(open_store(url, server.options))
    again = push(source, Repository.open(counted))
    return [
        Row(
            f"delivering {file.stat().st_size / 1e6:.0f} MB of new weights, encoded on the way",
            1 / beside_captured.ratio,
            "x the throughput of obstore",
            0.9,
            "which puts the chunks as they were captured",
            beside_captured.to_json(),
            is_rate=True,
        ),
        Row(
            "  beside the objects that came of it",
            1 / beside_delivered.ratio,
            "x the throughput of obstore",
            remark="which puts five sixths of the bytes, encoded already",
            details=beside_delivered.to_json(),
            is_rate=True,
        ),
        Row(
            "  beside rclone, which copies the file",
            beside_rclone.ratio,
            "x the time",
            1.0,
            "",
            beside_rclone.to_json(),
        ),
        Row("  beside the AWS CLI, `s3 cp`", beside_aws.ratio, "x the time", 1.0, "", beside_aws.to_json()),
        Row("  again: data bytes", again.chunk_bytes + counted.bytes_written(CHUNKS), "bytes", 0),
        Row("  again: requests for chunks", counted.count(prefix=CHUNKS), "requests", len(delivered)),
    ]


def _objects(store: Store) -> dict[str, bytes]:
    return {info.key: store.get(info.key) for info in store.list(CHUNKS)}


def _put_objects(objects: dict[str, bytes], server: S3Server) -> None:
    target = open_store(_place(), server.options)

    def work(shared: Iterator[str]) -> None:
        for key in shared:
            target.put(key, objects[key])

    run_workers(work, list(objects), threads=MOST_CONCURRENCY)


def _measure_capture(scale: Scale, server: S3Server, directory: Path) -> Row:
    """Time `checkpoint()` with a bucket beside one with a local repository."""
    project = directory / "capture"
    (project / "local").mkdir(parents=True)
    size_bytes = scale.big_file_bytes // 5
    options: Any = server.options

    class InBucket(keepsake.Project):
        def _find_config(self) -> Any:
            from dataclasses import replace

            return replace(super()._find_config(), options=options)

    experiments = []

    def save(repository: keepsake.Project) -> Action:
        experiment = repository.experiments.create(quiet=True)
        experiments.append(experiment)
        return Action(
            lambda: experiment.checkpoint(path="weights.npy"),
            prepare=lambda: _write_weights(project / "weights.npy", size_bytes),
        )

    local, remote = keepsake.Project(str(project / "local"), project), InBucket(_place(), project)
    pairs = measure_pairs(save(remote), save(local), pairs=scale.pairs, patience_s=scale.patience_s)
    for experiment in experiments:
        experiment.delete()  # so that nothing is left to be delivered
    what = f"checkpoint() of {size_bytes / 1e6:.0f} MB into a bucket"
    return Row(what, pairs.ratio, "x a local one", 1.1, "the same within what repeats vary", pairs.to_json())


def _measure_open(server: S3Server, source: Repository) -> Row:
    url = _place()
    target = Repository.open_or_create(open_store(url, server.options))[0]
    push(source, target)
    store = RecordingStore(open_store(url, server.options))
    repository = Repository.open(store)
    (state,) = repository.list_experiments().experiments
    digests = list(state.checkpoints[0]["manifests"])
    store.clear()
    with repository.open_file(digests, "weights.npy") as file:
        file.seek(target.load_manifest(digests[0]).size_bytes // 2)
        file.read(65536)
    return Row("open() and 64 KB from the middle of that file", store.count(prefix=CHUNKS), "data requests", 2)


def _measure_listing(scale: Scale, server: S3Server, directory: Path) -> list[Row]:
    """List many experiments with 50 ms latency on every request, before and after somebody packed their journals."""
    experiments = min(10_000, max(scale.listing_experiments))
    local = write_histories(directory / "histories", experiments)
    url = _place()
    _copy(local.store, open_store(url, server.options))
    catalogs = directory / "catalogs"
    with run_slow_line(server.endpoint, LATENCY_S) as endpoint:
        options = server.options | {"endpoint": endpoint}

        def listing(what: str, cache: str, limit_s: float | None, remark: str = "") -> Row:
            (catalogs / cache).mkdir(parents=True, exist_ok=True)
            repository = Repository.open(open_store(url, options))
            started = time.perf_counter()
            found = Catalog(repository, catalogs / cache).list_experiments(limit=50)
            elapsed_s = time.perf_counter() - started
            if len(found.experiments) != min(50, experiments):
                raise RuntimeError(f"{len(found.experiments)} experiments were listed")
            return Row(what, elapsed_s, "s", limit_s, remark)

        unpacked = listing("  before anybody has packed journals", "unpacked", None, "a request for each experiment")
        pack_journals(Repository.open(open_store(url, server.options)))
        what = f"first listing of {experiments:,} experiments, 50 ms latency"
        first = listing(what, "packed", 10.0, "as couriers and `keepsake collect` leave a bucket")
        return [first, listing("  again", "packed", 1.0), unpacked]


def _copy(source: Store, target: Store) -> None:
    keys = ["repository.json", *(info.key for info in source.list(JOURNALS))]
    with ThreadPoolExecutor(32) as pool:
        list(pool.map(lambda key: target.put(key, source.get(key)), keys))
