"""Opening files of a repository: a manifest is read once for the files that are opened one after another."""

from __future__ import annotations

import pytest

from keepsake._model.keys import MANIFESTS
from keepsake._model.manifest import Entry, Extent, Manifest
from keepsake._repository import repository as repository_module
from keepsake._repository.repository import Repository
from keepsake.stores.memory import MemoryStore
from keepsake.testing import RecordingStore


def save(repository: Repository, name: str, files: int) -> str:
    digest = repository.chunks.put(name.encode())
    entries = (Entry(f"{name}/{at:03d}", "file", extents=(Extent(digest, 0, len(name)),)) for at in range(files))
    return repository.save_manifest(Manifest(tuple(entries)))


def make() -> tuple[RecordingStore, Repository]:
    store = RecordingStore(MemoryStore())
    return store, Repository.open_or_create(store)[0]


def test_many_files_take_one_read_of_each_manifest() -> None:
    store, repository = make()
    digests = [save(repository, "weights", 50), save(repository, "code", 50)]
    store.clear()
    for number in range(50):
        assert repository.open_file(digests, f"weights/{number:03d}").read() == b"weights"
        assert repository.open_file(digests, f"code/{number:03d}").read() == b"code"
    assert store.count("get", MANIFESTS) == 2


def test_what_is_kept_of_manifests_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repository_module, "RECENT_ENTRIES", 100)
    store, repository = make()
    first, second, large = save(repository, "a", 40), save(repository, "b", 60), save(repository, "c", 101)

    def reads(digest: str) -> int:
        store.clear()
        assert repository.load_recent(digest) == repository.load_manifest(digest)
        return store.count("get", MANIFESTS) - 1

    assert [reads(one) for one in (first, second, second, first, second)] == [1, 1, 0, 0, 0]
    assert [reads(one) for one in (large, large, first, second, large)] == [1, 0, 1, 1, 1]
