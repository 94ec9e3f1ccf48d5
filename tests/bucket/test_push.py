"""Copies between repositories in buckets and on disks: how many requests they take."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import keepsake
from keepsake._model.keys import CHUNKS
from keepsake._repository.push import push
from keepsake._repository.repository import Repository
from keepsake.stores.local import LocalStore
from keepsake.stores.url import open_store
from keepsake.testing import RecordingStore
from tests.bucket.places import bucket, content
from tests.servers.seaweedfs import S3Server

Make = Callable[[str], RecordingStore]


@pytest.fixture
def at(tmp_path: Path, s3_server: S3Server, s3_url: str) -> Make:
    """Makes stores in a bucket or on a disk that record what is asked of them."""

    def make(kind: str) -> RecordingStore:
        if kind == "disk":
            return RecordingStore(LocalStore(tmp_path / "disk"))
        return RecordingStore(open_store(f"{s3_url}/{kind}", s3_server.options))

    return make


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("kind", ["bucket", "disk"])
def test_pushing_again_sends_nothing_and_asks_for_no_chunk(kind: str, at: Make) -> None:
    for seed in range(3):
        experiment = keepsake.init()
        Path("weights").write_bytes(content(seed, 2_000_000))
        experiment.checkpoint(path="weights")
        experiment.stop()
    store = at(kind)
    target = Repository.open_or_create(store)[0]
    result = push(bucket(), target)
    assert (result.segments, result.chunk_bytes) == (3, 6_000_000)
    assert store.count("head", CHUNKS) == store.count("put", CHUNKS) == result.chunks
    store.clear()
    again = push(bucket(), target)
    assert (again.segments, again.chunks, store.bytes_written()) == (0, 0, 0)
    assert store.count(prefix=CHUNKS) == 0


@pytest.mark.usefixtures("project")
def test_chunks_that_are_there_are_asked_for_once(at: Make) -> None:
    experiment = keepsake.init()
    Path("weights").write_bytes(content(1, 2_000_000))
    experiment.checkpoint(path="weights")
    experiment.stop()
    store = at("bucket")
    target = Repository.open_or_create(store)[0]
    first = push(bucket(), target)
    other = keepsake.init()
    other.checkpoint(path="weights")
    other.stop()
    store.clear()
    push(bucket(), target, experiment_ids=[other.id])
    assert store.count("head", CHUNKS) == store.count(prefix=CHUNKS) == first.chunks


@pytest.mark.usefixtures("project")
def test_a_copy_on_a_disk_and_back_is_the_same(at: Make, tmp_path: Path) -> None:
    experiment = keepsake.init()
    Path("weights").write_bytes(content(1))
    experiment.checkpoint(path="weights")
    experiment.stop()
    keepsake.Project().push(str(tmp_path / "disk"))
    back = Repository.open_or_create(at("back"))[0]
    push(Repository.open(LocalStore(tmp_path / "disk")), back)
    manifests = back.load_experiment(experiment.id).checkpoints[0]["manifests"]
    with back.open_file(list(manifests), "weights") as file:
        assert file.read() == content(1)
