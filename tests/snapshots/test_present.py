"""What of a checkout is in the target already."""

from __future__ import annotations

from pathlib import Path

import pytest

from keepsake._chunks.chunkstore import ChunkStore
from keepsake._model.manifest import Entry, Extent, Manifest
from keepsake._snapshots.checkout import plan_checkout, run_checkout
from keepsake._snapshots.overlay import CheckoutPlan
from keepsake._snapshots.present import find_present
from keepsake.testing import RecordingStore

CHUNKS = 5
FILES_A_CHUNK = 100


@pytest.fixture
def plan(chunks: ChunkStore, tmp_path: Path) -> CheckoutPlan:
    """Small files, many to a chunk, in two directories; checked out to `tmp_path / "out"`."""
    entries = [Entry("a", "directory"), Entry("b", "directory"), Entry("a/link", "link", target="0")]
    for number in range(CHUNKS):
        pieces = [f"{number} {piece:03}".encode() for piece in range(FILES_A_CHUNK)]
        digest = chunks.put(b"".join(pieces))
        for piece, data in enumerate(pieces):
            path = f"{'ab'[number % 2]}/{number * FILES_A_CHUNK + piece}"
            entries.append(Entry(path, "file", extents=(Extent(digest, len(data) * piece, len(data) * (piece + 1)),)))
    planned = plan_checkout([Manifest(tuple(entries))])
    run_checkout(planned, chunks, tmp_path / "out")
    return planned


@pytest.mark.parametrize("threads", [1, 4])
def test_a_chunk_is_read_once_for_all_the_files_that_lie_in_it(
    plan: CheckoutPlan, chunks: ChunkStore, store: RecordingStore, tmp_path: Path, threads: int
) -> None:
    store.operations.clear()
    present = find_present(plan, chunks, tmp_path / "out", threads=threads)
    assert len(present.unchanged) == CHUNKS * FILES_A_CHUNK + 1
    assert present.overwritten == ()
    # Threads that want the same chunk at the same time may both read it.
    assert CHUNKS <= store.count("get", "chunks/") <= CHUNKS * threads


def test_what_differs_is_named_and_what_is_not_there_is_not(
    plan: CheckoutPlan, chunks: ChunkStore, tmp_path: Path
) -> None:
    target = tmp_path / "out"
    (target / "b" / "107").write_bytes(b"1 ???")
    (target / "a" / "3").unlink()
    (target / "a" / "link").unlink()
    (target / "a" / "link").symlink_to("1")
    present = find_present(plan, chunks, target)
    assert present.overwritten == ("a/link", "b/107")
    assert len(present.unchanged) == CHUNKS * FILES_A_CHUNK - 2


def test_what_is_reached_through_a_link_does_not_count_as_there(
    plan: CheckoutPlan, chunks: ChunkStore, tmp_path: Path
) -> None:
    target = tmp_path / "out"
    (target / "b").rename(tmp_path / "elsewhere")
    (target / "b").symlink_to(tmp_path / "elsewhere")
    present = find_present(plan, chunks, target)
    assert {path[0] for path in present.unchanged} == {"a"}
    assert {path[0] for path in present.overwritten} == {"b"}
