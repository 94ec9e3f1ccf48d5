"""Reading from a bucket: as few requests as can be, many at once, and none for what is at hand."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

import keepsake
from keepsake._model.keys import CHUNKS, JOURNALS, MANIFESTS, REPOSITORY
from keepsake.project import Project
from keepsake.stores.url import open_store
from keepsake.testing import RecordingStore
from tests.bucket.conftest import configure
from tests.bucket.places import bucket, content, move_to_another_machine
from tests.courier.processes import until
from tests.servers.fault_proxy import FaultProxy
from tests.servers.seaweedfs import S3Server

SIZE_BYTES = 10_000_000
"""Of a large file: some forty chunks."""


@pytest.fixture
def asked(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[RecordingStore]:
    """A checkpoint with a large file in the bucket, and on another machine what is asked of it."""
    experiment = keepsake.init()
    Path("weights").write_bytes(content(1, SIZE_BYTES))
    experiment.checkpoint(path="weights")
    experiment.stop()
    move_to_another_machine(tmp_path / "other", monkeypatch)
    stores: list[RecordingStore] = []

    def record(url: str, options: Mapping[str, object]) -> RecordingStore:
        stores.append(RecordingStore(open_store(url, options)))
        return stores[-1]

    monkeypatch.setattr("keepsake.project.open_store", record)
    return stores


def count(stores: list[RecordingStore], prefix: str) -> int:
    return sum(store.count(prefix=prefix) for store in stores)


def test_a_little_of_a_large_file_takes_two_requests(asked: list[RecordingStore]) -> None:
    (checkpoint,) = keepsake.experiments.list()[0].checkpoints
    with checkpoint.open("weights") as file:
        file.seek(SIZE_BYTES // 2)
        assert file.read(65536) == content(1, SIZE_BYTES)[SIZE_BYTES // 2 :][:65536]
    assert count(asked, CHUNKS) <= 2


def test_a_checkpoint_is_found_by_its_id_with_each_thing_asked_for_once(
    asked: list[RecordingStore], tmp_path: Path
) -> None:
    checkpoint_id = keepsake.experiments.list()[0].checkpoints[0].id
    asked.clear()
    found = Project().get(checkpoint_id)
    (store,) = asked
    assert store.count("get", REPOSITORY) == 1
    assert store.count("list", JOURNALS) == 2  # whether an experiment has this id, and which has such a checkpoint
    found.checkout(str(tmp_path / "out"), quiet=True)
    assert len(asked) == 1
    assert store.count(prefix=JOURNALS) == 2
    assert store.count(prefix=MANIFESTS) == 1


def test_an_experiment_is_found_by_its_id_with_one_listing(asked: list[RecordingStore]) -> None:
    experiment_id = keepsake.experiments.list()[0].id
    asked.clear()
    assert Project().get(experiment_id).id == experiment_id
    assert [(one.name, one.key.partition("/")[0]) for store in asked for one in store.operations] == [
        ("get", REPOSITORY),
        ("list", "journals"),
        ("get", "journals"),
    ]


def test_what_was_read_once_is_not_asked_for_again(asked: list[RecordingStore], tmp_path: Path) -> None:
    keepsake.experiments.list()[0].checkpoints[0].checkout(str(tmp_path / "one"), quiet=True)
    first = count(asked, CHUNKS), count(asked, MANIFESTS)
    assert first[0] > 10
    keepsake.experiments.list()[0].checkpoints[0].checkout(str(tmp_path / "two"), quiet=True)
    assert (count(asked, CHUNKS), count(asked, MANIFESTS)) == first
    assert (tmp_path / "two" / "weights").read_bytes() == content(1, SIZE_BYTES)


def test_a_checkout_that_was_killed_asks_only_for_the_rest(
    project: Path, tmp_path: Path, s3_server: S3Server, s3_url: str, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = keepsake.init()
    Path("weights").write_bytes(content(1, 40_000_000))
    experiment.checkpoint(path="weights")
    experiment.stop()
    move_to_another_machine(tmp_path / "other", monkeypatch)
    configure(project, s3_url, s3_server.options | {"endpoint": proxy.endpoint, "concurrency": 4})
    chunks = len(list(bucket().store.list(CHUNKS)))

    def asked() -> int:
        return sum("/chunks/" in one.path and one.method == "GET" for one in proxy.requests)

    proxy.latency_s = 0.02
    command = [sys.executable, "-m", "keepsake", "checkout", experiment.id, "-o", str(tmp_path / "out")]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    until(lambda: asked() > chunks // 2)
    process.kill()
    process.wait()
    before = asked()
    assert before < chunks
    assert not (tmp_path / "out" / "weights").exists()
    proxy.latency_s = 0.0
    assert subprocess.run(command, stderr=subprocess.DEVNULL, timeout=60, check=False).returncode == 0
    assert (tmp_path / "out" / "weights").read_bytes() == content(1, 40_000_000)
    # Of what was asked for, only what was under way when it was killed is asked for again.
    assert asked() - before <= chunks - before + 2 * 4


def test_without_a_cache_everything_is_asked_for(
    asked: list[RecordingStore], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEEPSAKE_CACHE_GB", "0")
    for name in ("one", "two"):
        keepsake.experiments.list()[0].checkpoints[0].checkout(str(tmp_path / name), quiet=True)
    assert count(asked[:1], CHUNKS) > 10
    assert not (tmp_path / "other" / "cache" / "keepsake" / "objects").exists()


def test_a_checkout_that_the_cache_cannot_hold_leaves_there_what_was(
    asked: list[RecordingStore], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEEPSAKE_CACHE_GB", str(SIZE_BYTES / 1e9 * 0.9))
    (checkpoint,) = keepsake.experiments.list()[0].checkpoints

    def copies() -> set[str]:
        directory = tmp_path / "other" / "cache" / "keepsake" / "objects" / "chunks"
        return {path.name for path in directory.rglob("*") if path.is_file()}

    with checkpoint.open("weights") as file:
        file.read(2_000_000)
        before = copies()
        checkpoint.checkout(str(tmp_path / "out"), quiet=True)
        assert (tmp_path / "out" / "weights").read_bytes() == content(1, SIZE_BYTES)
        assert copies() == before != set()
        file.read(2_000_000)  # which is kept again
        assert copies() > before


def test_a_damaged_copy_in_the_cache_is_fetched_again(asked: list[RecordingStore], tmp_path: Path) -> None:
    (checkpoint,) = keepsake.experiments.list()[0].checkpoints
    checkpoint.checkout(str(tmp_path / "one"), quiet=True)
    for copy in (tmp_path / "other" / "cache" / "keepsake" / "objects" / "chunks").rglob("*"):
        if copy.is_file():
            copy.write_bytes(b"garbage" * 100)
    before = count(asked, CHUNKS)
    checkpoint.checkout(str(tmp_path / "two"), quiet=True)
    assert count(asked, CHUNKS) == 2 * before
    assert (tmp_path / "two" / "weights").read_bytes() == content(1, SIZE_BYTES)
