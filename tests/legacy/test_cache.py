from __future__ import annotations

import os
import random
import threading
import time
from pathlib import Path

import pytest

from keepsake._repository.legacy import unpack as unpacking
from keepsake._repository.legacy.cache import UnpackedCache
from keepsake._repository.legacy.repository import LegacyRepository
from keepsake._snapshots.read import open_entry
from keepsake.directories import cache_directory
from keepsake.errors import NotFoundError
from keepsake.stores.local import LocalStore
from keepsake.testing import RecordingStore
from tests.legacy.repositories import checkpoint, experiment, file_member, write_repository, write_tarball

IDS = [digit * 64 for digit in "0123"]
CONTENTS = [random.Random(number).randbytes(300_000) for number in range(len(IDS))]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    checkpoints = [checkpoint(one, path="w") for one in IDS]
    root = write_repository(tmp_path / "old", experiment("f" * 64, checkpoints=checkpoints))
    for one, content in zip(IDS, CONTENTS, strict=True):
        write_tarball(root / "checkpoints" / f"{one}.tar.gz", [file_member(f"{one}/w", content)])
    return root


def open_with_limit(root: Path, limit_bytes: int) -> tuple[LegacyRepository, RecordingStore]:
    store = RecordingStore(LocalStore(root))
    repository = LegacyRepository(store)
    repository.chunks.cache = UnpackedCache(root.parent / "cache", limit_bytes=limit_bytes)
    return repository, store


def read(repository: LegacyRepository, number: int) -> bytes:
    (entry,) = repository.load_manifest(IDS[number]).entries
    return open_entry(entry, repository.chunks).read()


def reads_of_tarballs(store: RecordingStore) -> int:
    return sum(one.name == "get_range" for one in store.operations)


def test_what_was_unpacked_once_is_not_unpacked_again_also_by_another_process(root: Path) -> None:
    repository, _ = open_with_limit(root, 1 << 30)
    assert read(repository, 0) == CONTENTS[0]
    another, store = open_with_limit(root, 1 << 30)
    assert read(another, 0) == CONTENTS[0]
    assert reads_of_tarballs(store) == 0


def test_the_cache_stays_below_its_limit(root: Path) -> None:
    repository, _ = open_with_limit(root, 700_000)
    for number in (0, 1, 2, 3, 0, 2):
        assert read(repository, number) == CONTENTS[number]
        kept = sum(path.stat().st_size for path in (root.parent / "cache" / "chunks").rglob("*") if path.is_file())
        assert kept <= 700_000


def test_a_reader_goes_on_when_its_chunks_have_gone(root: Path) -> None:
    repository, _ = open_with_limit(root, 1)
    entries = [repository.load_manifest(one).entries[0] for one in IDS]
    files = [open_entry(entry, repository.chunks) for entry in entries]
    for number, file in enumerate(files):
        file.seek(1000)
        assert file.read(5) == CONTENTS[number][1000:1005]


def test_several_threads_may_read_at_once(root: Path) -> None:
    repository, _ = open_with_limit(root, 700_000)
    found: dict[int, bytes] = {}

    def work(number: int) -> None:
        found[number] = read(repository, number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(IDS))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[number] for number in range(len(IDS))] == CONTENTS


def test_a_damaged_cache_is_no_damage(root: Path) -> None:
    repository, _ = open_with_limit(root, 1 << 30)
    assert read(repository, 0) == CONTENTS[0]
    for path in (root.parent / "cache").rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes()[:-3] + b"xyz")
    another, _ = open_with_limit(root, 1 << 30)
    assert read(another, 0) == CONTENTS[0]


def test_a_tarball_that_was_deleted_since_is_missing_once_it_is_needed(root: Path) -> None:
    repository, _ = open_with_limit(root, 1)
    entry = repository.load_manifest(IDS[0]).entries[0]
    repository.load_manifest(IDS[1])
    (root / "checkpoints" / f"{IDS[0]}.tar.gz").unlink()
    with pytest.raises(NotFoundError):
        open_entry(entry, repository.chunks).read()


def test_the_spool_of_a_process_that_was_killed_goes_and_others_stay(root: Path) -> None:
    left, used = (cache_directory(os.environ) / f"unpack-{name}" for name in ("left", "used"))
    for spool in (left, used):
        spool.mkdir()
        (spool / "0").write_bytes(b"weights")
    two_days_ago = time.time() - 2 * 86_400
    os.utime(left, (two_days_ago, two_days_ago))
    repository, _ = open_with_limit(root, 1 << 30)
    repository.load_manifest(IDS[0])
    assert not left.exists()
    assert (used / "0").read_bytes() == b"weights"


def test_the_spool_is_emptied_on_the_way_and_leaves_nothing(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpacking, "SPOOL_BYTES", 1000)
    members = [file_member(f"{IDS[0]}/{number}", CONTENTS[0][:900]) for number in range(10)]
    write_tarball(root / "checkpoints" / f"{IDS[0]}.tar.gz", members)
    repository, _ = open_with_limit(root, 1 << 30)
    entries = repository.load_manifest(IDS[0]).entries
    assert [open_entry(entry, repository.chunks).read() for entry in entries] == [CONTENTS[0][:900]] * 10
    assert not list(tmp_path.rglob("unpack-*"))
