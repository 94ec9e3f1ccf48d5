"""Journals: whatever happens while one is written, what was acknowledged is read, and what is damaged is reported."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from keepsake._model.ids import new_id, new_session_id
from keepsake._model.keys import SegmentName, parse_segment_key
from keepsake._model.lines import encode_line
from keepsake._repository.journal import SEGMENT_BYTES, Journal, JournalWriter, list_segments, load_journal
from keepsake.errors import ConflictError, CorruptionError, StoreError
from keepsake.stores.base import Store
from keepsake.stores.local import LocalStore
from keepsake.stores.memory import MemoryStore
from keepsake.testing import FaultyStore

EXPERIMENT = new_id()
SESSION = new_session_id()
TIME = "2026-01-01T00:00:00.000000Z"


def event(number: int, size_bytes: int = 0) -> dict[str, Any]:
    return {"type": "log", "time": TIME, "number": number, "note": "x" * size_bytes}


def read(store: Store) -> Journal:
    return load_journal(store, EXPERIMENT, list_segments(store, EXPERIMENT).get(EXPERIMENT, []))


def numbers(store: Store) -> list[int]:
    journal = read(store)
    assert journal.problems == []
    return [one.body["number"] for one in sorted(journal.events, key=lambda one: one.position)]


def names(store: Store) -> list[SegmentName]:
    found = [parse_segment_key(info.key) for info in store.list()]
    return sorted((name for name in found if name is not None), key=lambda name: name.number)


def test_segments_are_sealed_at_their_length_and_the_last_one_stays_open() -> None:
    store = MemoryStore()
    writer = JournalWriter(store, EXPERIMENT, SESSION)
    for number in range(600):
        writer.append(event(number, 1000))
    segments = names(store)
    assert [name.number for name in segments] == [0, 1, 2]
    assert segments[-1].size_bytes is None
    for name in segments[:-1]:
        assert name.size_bytes == len(store.get(name.key))
        assert SEGMENT_BYTES <= (name.size_bytes or 0) < SEGMENT_BYTES + 2000
    assert numbers(store) == list(range(600))
    writer.seal()
    assert all(name.size_bytes is not None for name in names(store))
    assert writer.seal() is None
    writer.append(event(600))
    assert numbers(store) == list(range(601))


def test_a_torn_last_line_is_no_event_and_no_damage() -> None:
    store = MemoryStore()
    writer = JournalWriter(store, EXPERIMENT, SESSION)
    for number in range(3):
        writer.append(event(number))
    (name,) = names(store)
    whole = store.get(name.key)
    last = whole[: whole[:-1].rfind(b"\n") + 1]
    for stop in range(len(last), len(whole)):
        store.put(name.key, whole[:stop])
        assert numbers(store) == [0, 1]


@pytest.mark.parametrize("garbage", [b"\n", b"garbage\n", b"{}\n", b"\x00\xff\n", b'{"crc":"00000000","a":1}\n'])
def test_garbage_in_the_middle_is_reported_and_the_rest_is_read(garbage: bytes) -> None:
    store = MemoryStore()
    writer = JournalWriter(store, EXPERIMENT, SESSION)
    for number in range(3):
        writer.append(event(number))
    (name,) = names(store)
    lines = store.get(name.key).splitlines(keepends=True)
    store.put(name.key, b"".join([lines[0], garbage, *lines[1:]]))
    journal = read(store)
    assert [one.body["number"] for one in journal.events] == [0, 1, 2]
    ((key, error),) = journal.problems
    assert key == name.key
    assert isinstance(error, CorruptionError)
    assert "line 2" in str(error)


def test_lines_of_another_segment_are_damage() -> None:
    store = MemoryStore()
    for session_id in (SESSION, new_session_id()):
        JournalWriter(store, EXPERIMENT, session_id).append(event(1))
    mine, other = names(store)
    store.put(mine.key, store.get(other.key))
    journal = read(store)
    assert [one.session_id for one in journal.events] == [other.session_id]
    assert [key for key, _ in journal.problems] == [mine.key]


@pytest.mark.parametrize("effect", ["none", "part", "whole"])
def test_after_a_failed_append_a_new_segment_is_begun(effect: Any) -> None:
    store = FaultyStore(MemoryStore())
    writer = JournalWriter(store, EXPERIMENT, SESSION)
    writer.append(event(0))
    store.fail("append", effect=effect)
    with pytest.raises(StoreError):
        writer.append(event(1))
    writer.append(event(2))
    assert numbers(store) == ([0, 1, 2] if effect == "whole" else [0, 2])
    first, second = names(store)
    assert first.size_bytes == len(store.get(first.key))
    assert (second.number, second.size_bytes) == (1, None)


def test_events_that_a_full_disk_refuses_leave_no_empty_segments() -> None:
    store = FaultyStore(MemoryStore())
    writer = JournalWriter(store, EXPERIMENT, SESSION)
    store.fail("append", times=20)
    for number in range(20):
        with pytest.raises(StoreError):
            writer.append(event(number))
    assert names(store) == []
    writer.append(event(20))
    assert numbers(store) == [20]


@pytest.mark.parametrize("effect", ["none", "whole"])
@pytest.mark.parametrize("name", ["open_append", "rename", "head"])
def test_a_store_that_fails_otherwise_takes_no_event_away(name: str, effect: Any) -> None:
    store = FaultyStore(MemoryStore())
    writer = JournalWriter(store, EXPERIMENT, SESSION)
    store.fail(name, effect=effect, times=2)
    store.fail("append", at=2)
    taken = []
    for number in range(6):
        try:
            writer.append(event(number))
            taken.append(number)
        except StoreError:
            continue
    assert numbers(store) == taken
    assert len(taken) >= 3


def test_without_logs_events_keep_their_places_are_counted_and_what_refers_to_something_stays() -> None:
    store = MemoryStore()
    writer = JournalWriter(store, EXPERIMENT, SESSION)
    writer.append(event(0) | {"type": "experiment"})
    for number in range(1, 7):
        # A later version may refer to files in any event: collecting must see that.
        writer.append(event(number) | ({"manifests": ["a" * 64]} if number == 2 else {}))
    journal = load_journal(store, EXPERIMENT, names(store), with_logs=False)
    assert [one.position[1] for one in journal.events] == [0, 2, 6]
    assert journal.counts[SESSION] == 7


def test_a_segment_that_exists_is_never_appended_to() -> None:
    store = MemoryStore()
    JournalWriter(store, EXPERIMENT, SESSION).append(event(0))
    second = JournalWriter(store, EXPERIMENT, SESSION)
    with pytest.raises(ConflictError):
        second.append(event(1))
    second.append(event(2))
    assert numbers(store) == [0, 2]


def test_what_is_deleted_while_it_is_written_is_gone_once_it_has_been_seen(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    writer = JournalWriter(store, EXPERIMENT, SESSION)
    assert not writer.is_gone()
    for is_seen in (False, True):
        writer.append(event(1))
        if is_seen:
            assert not writer.is_gone()
        for name in names(store):
            store.delete(name.key)
        assert [writer.is_gone(), writer.is_gone()] == [is_seen, is_seen]
        writer.close()
    assert not writer.is_gone()


def test_a_closed_writer_leaves_its_segment_open_and_begins_another() -> None:
    store = MemoryStore()
    writer = JournalWriter(store, EXPERIMENT, SESSION)
    writer.append(event(0))
    assert writer.next_segment == 1
    writer.close()
    assert writer.next_segment == 1
    writer.append(event(1))
    assert [(name.number, name.size_bytes) for name in names(store)] == [(0, None), (1, None)]
    assert numbers(store) == [0, 1]


def test_of_several_lengths_of_a_segment_the_longest_is_read() -> None:
    store = MemoryStore()
    writer = JournalWriter(store, EXPERIMENT, SESSION)
    lengths = []
    for number in range(3):
        writer.append(event(number))
        (name,) = (one for one in names(store) if one.size_bytes is None)
        data = store.get(name.key)
        lengths.append(SegmentName(EXPERIMENT, SESSION, 0, len(data)))
        store.put(lengths[-1].key, data)
    assert numbers(store) == [0, 1, 2]
    store.delete(name.key)
    assert numbers(store) == [0, 1, 2]
    store.delete(lengths[2].key)
    assert numbers(store) == [0, 1]


def test_a_reader_beside_a_sealing_writer_sees_a_beginning_of_what_was_written(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    done = threading.Event()
    acknowledged = [0]

    def write() -> None:
        writer = JournalWriter(store, EXPERIMENT, SESSION)
        for number in range(1500):
            writer.append(event(number, 900))
            acknowledged[0] = number + 1
        done.set()

    thread = threading.Thread(target=write)
    thread.start()
    while not done.is_set():
        before = acknowledged[0]
        found = numbers(store)
        assert found == list(range(len(found)))
        assert len(found) >= before
    thread.join()
    assert numbers(store) == list(range(1500))


def test_a_segment_that_is_published_longer_after_the_listing_is_read_as_it_was_listed() -> None:
    store = MemoryStore()
    name = SegmentName("ab" * 32, "cd" * 16, 0, None)
    lines = [encode_line({"type": "log", "time": f"2026-11-27T08:00:0{at}Z"}, place=name.place) for at in range(2)]
    listed = replace(name, size_bytes=len(lines[0]))
    store.put(replace(name, size_bytes=len(lines[0] + lines[1])).key, lines[0] + lines[1])
    journal = load_journal(store, name.experiment_id, [listed])
    assert (len(journal.events), journal.problems) == (1, [])
