"""Pushing between repositories: whole, again and again, broken off anywhere, never bringing back the deleted."""

from __future__ import annotations

import contextlib
import random
import tracemalloc
from pathlib import Path

import pytest

from keepsake._model.ids import new_id, new_session_id
from keepsake._model.keys import CHUNKS, JOURNALS, MANIFESTS
from keepsake._model.manifest import Manifest
from keepsake._repository.check import check_repository
from keepsake._repository.journal import JournalWriter
from keepsake._repository.push import Remembered, push
from keepsake._repository.repository import Repository
from keepsake._snapshots.ignore import IgnoreRules
from keepsake._snapshots.save import save_snapshot
from keepsake._snapshots.scan import scan_path
from keepsake.errors import CorruptionError, StoreError
from keepsake.stores.local import LocalStore
from keepsake.testing import FaultyStore, RecordingStore

TIME = "2026-01-01T00:00:0{}.000000Z"
NAMES = (JOURNALS, MANIFESTS, CHUNKS)


class Side:
    """A repository, and what a training script does with it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.faulty = FaultyStore(LocalStore(root))
        self.repository = Repository.open_or_create(self.faulty)[0]

    def all_keys(self) -> set[str]:
        return {info.key for name in NAMES for info in self.faulty.store.list(name)}

    def read(self) -> dict[str, list[bytes]]:
        report = check_repository(self.repository)
        assert report.problems == []
        found = {}
        for state in self.repository.list_experiments().experiments:
            contents = []
            for body in state.checkpoints:
                with self.repository.open_file(list(body["manifests"]), "weights") as file:
                    contents.append(file.read())
            found[state.id] = contents
        return found


class Writer:
    """A session that saves checkpoints."""

    def __init__(self, side: Side, experiment_id: str) -> None:
        self.side = side
        self.experiment_id = experiment_id
        self.journal = JournalWriter(side.faulty, experiment_id, new_session_id())
        self.journal.append({"type": "experiment", "id": experiment_id, "time": TIME.format(0)})

    def save(self, content: bytes, number: int) -> None:
        directory = self.side.root.parent
        (directory / "weights").write_bytes(content)
        found = scan_path(directory, "weights", IgnoreRules.load(directory))
        digest = self.side.repository.save_manifest(save_snapshot(directory, found, self.side.repository.chunks))
        self.journal.append(
            {"type": "checkpoint", "id": new_id(), "step": number, "time": TIME.format(number), "manifests": [digest]}
        )


CONTENTS = [random.Random(number).randbytes(50_000) for number in range(4)]


@pytest.fixture
def source(tmp_path: Path) -> Side:
    side = Side(tmp_path / "source")
    for experiment_id in ("a" * 64, "b" * 64):
        writer = Writer(side, experiment_id)
        for number, content in enumerate(CONTENTS):
            writer.save(content + experiment_id.encode(), number)
    return side


@pytest.fixture
def target(tmp_path: Path) -> Side:
    return Side(tmp_path / "target")


def test_pushing_again_copies_nothing(source: Side, target: Side) -> None:
    first = push(source.repository, target.repository)
    assert (first.segments, first.chunks) == (2, 8)
    assert first.chunk_bytes == sum(len(content) + 64 for content in CONTENTS) * 2
    before = target.all_keys()
    again = push(source.repository, target.repository)
    assert (again.segments, again.chunks, again.chunk_bytes) == (0, 0, 0)
    assert target.all_keys() == before
    assert target.read() == source.read()
    assert len(target.read()) == 2


def test_what_a_long_run_logged_takes_no_memory_when_it_is_pushed_again_and_again(source: Side, target: Side) -> None:
    writer = Writer(source, "c" * 64)
    for number in range(12_000):
        writer.journal.append({"type": "log", "metrics": {"loss": number / 7}, "step": number, "time": TIME.format(1)})
    push(source.repository, target.repository)
    writer.save(CONTENTS[0], 2)
    tracemalloc.start()
    try:
        push(source.repository, target.repository, experiment_ids=["c" * 64])
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert target.read() == source.read()
    # One segment at a time, a few times over. All events of this run are 7 MB.
    assert peak_bytes < 3 << 20


def test_of_a_journal_that_grows_only_what_is_new_is_read_and_a_deletion_still_counts(
    tmp_path: Path, target: Side, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keepsake._repository.journal.SEGMENT_BYTES", 600)
    source = Side(tmp_path / "source")
    recording = RecordingStore(source.faulty)
    watched = Repository(recording, source.repository.id)
    writer = Writer(source, "c" * 64)
    remembered: Remembered = {}
    for number, content in enumerate(CONTENTS * 3):
        writer.save(content + bytes([number]), number % 10)
        push(watched, target.repository, remembered=remembered)
    read_bytes = recording.bytes_read("journals/")
    writer.journal.append({"type": "log", "metrics": {}, "time": TIME.format(9)})
    push(watched, target.repository, remembered=remembered)
    assert recording.bytes_read("journals/") - read_bytes < 1000
    assert target.read() == source.read()
    first = source.repository.load_experiment("c" * 64).checkpoints[0]["id"]
    writer.journal.append({"type": "delete", "checkpoints": [first], "time": TIME.format(9)})
    push(watched, target.repository, remembered=remembered)
    assert target.read() == source.read()
    assert len(target.read()["c" * 64]) == 11
    # What the target has lost is copied again, whatever is remembered.
    lost = sorted(key for key in target.all_keys() if key.startswith("journals/"))[0]
    target.faulty.delete(lost)
    push(watched, target.repository, remembered=remembered)
    assert lost in target.all_keys()


def test_a_longer_segment_replaces_the_shorter_one_and_never_the_other_way(source: Side, target: Side) -> None:
    writer = Writer(source, "c" * 64)
    writer.save(CONTENTS[0], 1)
    push(source.repository, target.repository)
    older = Side(source.root.parent / "older")
    push(target.repository, older.repository)
    writer.save(CONTENTS[1], 2)
    push(source.repository, target.repository)
    push(older.repository, target.repository)
    assert len([key for key in target.all_keys() if "c" * 64 in key]) == 1
    assert target.read() == source.read()


@pytest.mark.parametrize("grows", [True, False])
def test_a_shorter_segment_that_a_killed_push_left_is_deleted_by_the_next(
    source: Side, target: Side, grows: bool
) -> None:
    writer = Writer(source, "c" * 64)
    writer.save(CONTENTS[0], 1)
    push(source.repository, target.repository)
    writer.save(CONTENTS[1], 2)
    target.faulty.fail("delete", prefix="journals/", error=KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        push(source.repository, target.repository)
    assert len([key for key in target.all_keys() if "c" * 64 in key]) == 2
    if grows:
        writer.save(CONTENTS[2], 3)
    push(source.repository, target.repository)
    assert len([key for key in target.all_keys() if "c" * 64 in key]) == 1
    assert target.read() == source.read()


def test_only_the_given_experiments_are_pushed(source: Side, target: Side) -> None:
    push(source.repository, target.repository, experiment_ids=["a" * 64, "f" * 64])
    assert target.read() == {"a" * 64: source.read()["a" * 64]}


def test_a_push_that_is_broken_off_anywhere_leaves_what_arrived_whole_and_goes_on(source: Side, tmp_path: Path) -> None:
    whole = source.read()
    for at in range(1, 40):
        target = Side(tmp_path / f"target-{at}")
        target.faulty.fail("put", at=at)
        try:
            push(source.repository, target.repository, threads=1)
        except StoreError:
            arrived = target.read()
            assert all(contents == whole[experiment_id] for experiment_id, contents in arrived.items())
            push(source.repository, target.repository)
        assert target.read() == whole
        if not target.faulty.failed:
            break
    else:
        raise AssertionError("a push needs fewer puts than that")
    assert at > 10


@pytest.mark.parametrize("deleted_by", [None, "0", "f"])
def test_what_several_sessions_wrote_is_whole_wherever_a_push_breaks_off(
    deleted_by: str | None, source: Side, tmp_path: Path
) -> None:
    first = source.repository.load_experiment("a" * 64).checkpoints[0]["id"]
    # By their ids, one comes before the session with the beginning and one after it.
    for digit in ("0", "f"):
        later = JournalWriter(source.faulty, "a" * 64, digit * len(new_session_id()))
        later.append({"type": "annotate", "name": digit, "time": TIME.format(8)})
        if digit == deleted_by:
            later.append({"type": "delete", "checkpoints": [first], "time": TIME.format(9)})
    for at in range(1, 40):
        target = Side(tmp_path / f"target-{at}")
        target.faulty.fail("put", at=at)
        with contextlib.suppress(StoreError):
            push(source.repository, target.repository, threads=1)
        assert target.read().keys() <= source.read().keys()
        if not target.faulty.failed:
            break
    assert target.read() == source.read()


def test_an_experiment_that_was_deleted_at_the_target_never_comes_back(source: Side, target: Side) -> None:
    push(source.repository, target.repository)
    deletion = JournalWriter(target.faulty, "a" * 64, new_session_id())
    deletion.append({"type": "delete", "time": TIME.format(9)})
    push(source.repository, target.repository)
    assert target.read().keys() == {"b" * 64}
    empty = Side(source.root.parent / "empty")
    JournalWriter(empty.faulty, "a" * 64, new_session_id()).append({"type": "delete", "time": TIME.format(9)})
    push(source.repository, empty.repository)
    assert empty.read().keys() == {"b" * 64}
    assert len([key for key in empty.all_keys() if key.startswith(CHUNKS)]) == len(CONTENTS)


def test_a_damaged_experiment_does_not_hold_up_the_others(source: Side, target: Side) -> None:
    digest = next(iter(source.repository.load_experiment("a" * 64).checkpoints[0]["manifests"]))
    (chunk,) = source.repository.load_manifest(digest).digests()
    (source.root / f"chunks/{chunk[:2]}/{chunk}").write_bytes(b"garbage")
    with pytest.raises(CorruptionError):
        push(source.repository, target.repository)
    assert target.read() == {"b" * 64: [content + b"b" * 64 for content in CONTENTS]}


def test_progress_is_told_in_bytes_and_comes_to_what_was_expected(source: Side, target: Side) -> None:
    push(source.repository, target.repository)  # where journals no longer grow
    empty = Side(source.root.parent / "empty")
    done: list[int] = []
    expected: list[int] = []
    result = push(target.repository, empty.repository, on_progress=done.append, on_total=expected.append)
    journals = sum(info.size_bytes for info in empty.faulty.list(JOURNALS))
    assert sum(done) == sum(expected) == result.chunk_bytes + journals


def test_progress_of_one_experiment_is_that_of_its_chunks(source: Side, target: Side) -> None:
    done: list[int] = []
    expected: list[int] = []
    one = ["a" * 64]
    result = push(
        source.repository, target.repository, experiment_ids=one, on_progress=done.append, on_total=expected.append
    )
    assert sum(done) == sum(expected) == result.chunk_bytes


def test_what_somebody_else_pushes_and_then_deletes_at_the_source_is_not_missing(
    source: Side, target: Side, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = source.read()
    load = Repository.load_manifest

    def push_and_delete_first(repository: Repository, digest: str) -> Manifest:
        monkeypatch.setattr(Repository, "load_manifest", load)
        push(source.repository, target.repository)
        for info in [*source.faulty.store.list(MANIFESTS), *source.faulty.store.list(CHUNKS)]:
            source.faulty.store.delete(info.key)
        return load(repository, digest)

    monkeypatch.setattr(Repository, "load_manifest", push_and_delete_first)
    push(source.repository, target.repository)
    assert target.read() == wanted
