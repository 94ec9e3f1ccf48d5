"""Following a journal: every reference once and in order, however the journal grows, is sealed and is cut."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepsake._model.ids import new_id, new_session_id
from keepsake._repository import journal
from keepsake._repository.journal import JournalWriter
from keepsake._tracking.follow import LIST_INTERVAL_S, JournalFollower
from keepsake.errors import StoreError
from keepsake.stores.base import ObjectInfo
from keepsake.stores.local import LocalStore
from keepsake.stores.memory import MemoryStore
from keepsake.testing import FaultyStore, RecordingStore

TIME = "2026-01-01T00:00:00.000000Z"


class Followed:
    """A journal that is written and followed."""

    def __init__(self, store: Any) -> None:
        self.store = store
        self.experiment_id, self.session_id = new_id(), new_session_id()
        self.writer = JournalWriter(store, self.experiment_id, self.session_id)
        self.now_s = 0.0
        self.follower = JournalFollower(store, self.experiment_id, self.session_id, clock=lambda: self.now_s)

    def append(self, *digests: str, **fields: object) -> None:
        body = {"type": "checkpoint", "time": TIME, **fields}
        self.writer.append(body | ({"manifests": list(digests)} if digests else {}))


@given(st.lists(st.sampled_from(["save", "metrics", "look", "seal", "close"]), max_size=30))
def test_every_reference_is_found_once_and_in_order(steps: list[str]) -> None:
    followed = Followed(MemoryStore())
    saved: list[str] = []
    found: list[str] = []
    was_left = False
    for number, step in enumerate(steps):
        if was_left and step in ("save", "metrics"):
            # A segment that was left open looks like one that grows: the next one is found at the next listing.
            followed.now_s += LIST_INTERVAL_S
            was_left = False
        if step == "save":
            saved.append(f"{number:064x}")
            followed.append(saved[-1])
        elif step == "metrics":
            followed.append(metrics={"loss": number})
        elif step == "seal":
            followed.writer.seal()
        elif step == "close":
            followed.writer.close()
            was_left = True
        else:
            found += followed.follower.read_new()
            assert found == saved
    found += followed.follower.read_new()
    assert found == saved


def test_other_sessions_of_the_experiment_are_not_followed() -> None:
    followed = Followed(MemoryStore())
    other = JournalWriter(followed.store, followed.experiment_id, new_session_id())
    other.append({"type": "checkpoint", "time": TIME, "manifests": ["f" * 64]})
    followed.append("a" * 64)
    assert followed.follower.read_new() == ["a" * 64]


def test_a_line_that_is_being_written_is_read_when_it_is_whole(tmp_path: Any) -> None:
    followed = Followed(LocalStore(tmp_path))
    followed.append("a" * 64)
    followed.append("b" * 64)
    (path,) = (tmp_path / "journals").glob("*/*")
    whole = path.read_bytes()
    path.write_bytes(whole[:-30])
    assert followed.follower.read_new() == ["a" * 64]
    path.write_bytes(whole)
    assert followed.follower.read_new() == ["b" * 64]


def test_a_damaged_line_is_passed_over(tmp_path: Any) -> None:
    followed = Followed(LocalStore(tmp_path))
    followed.append("a" * 64)
    followed.append("b" * 64)
    (path,) = (tmp_path / "journals").glob("*/*")
    path.write_bytes(path.read_bytes().replace(b"aaa", b"aab", 1))
    assert followed.follower.read_new() == ["b" * 64]


def test_what_is_sealed_between_listing_and_reading_is_read_by_the_next_look(monkeypatch: pytest.MonkeyPatch) -> None:
    followed = Followed(MemoryStore())
    followed.append("a" * 64)
    listed: list[ObjectInfo] = list(followed.store.list("journals/"))
    followed.writer.seal()
    followed.append("b" * 64)
    with monkeypatch.context() as patched:
        patched.setattr(followed.store, "list", lambda _: iter(listed))
        assert followed.follower.read_new() == []
    assert followed.follower.read_new() == ["a" * 64, "b" * 64]


def test_what_was_read_before_the_store_failed_is_told_by_the_next_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "SEGMENT_BYTES", 600)
    faulty = FaultyStore(MemoryStore())
    followed = Followed(faulty)
    digests = [f"{number:064x}" for number in range(9)]
    for digest in digests:
        followed.append(digest)
    faulty.fail("get_range", at=2)
    with pytest.raises(StoreError):
        followed.follower.read_new()
    assert followed.follower.read_new() == digests


def test_what_was_read_is_synced_once_also_when_it_was_sealed_since(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "SEGMENT_BYTES", 600)
    recording = RecordingStore(MemoryStore())
    followed = Followed(recording)
    for number in range(9):
        followed.append(f"{number:064x}")
        if number in (3, 8):
            followed.follower.read_new()
    followed.writer.seal()
    followed.follower.sync()
    synced = [key for one in recording.select("sync") for key in one.keys]
    assert synced == sorted(info.key for info in recording.list("journals/")) != []
    followed.follower.sync()
    assert recording.count("sync") == 1


def test_a_look_at_nothing_new_is_one_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "SEGMENT_BYTES", 2000)
    recording = RecordingStore(MemoryStore())
    followed = Followed(recording)
    for number in range(60):
        followed.append(f"{number:064x}")
    assert len(followed.follower.read_new()) == 60
    recording.operations.clear()
    assert followed.follower.read_new() == []
    assert [one.name for one in recording.select()] == ["get_range"]
    followed.now_s += LIST_INTERVAL_S
    assert followed.follower.read_new() == []
    assert recording.count("list") == 1
