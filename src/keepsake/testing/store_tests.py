"""The suite that every store passes: what a repository relies on, test by test.

To test a store of your own, derive a class and say how an empty one is made:

    import pytest
    from keepsake.testing import StoreTests

    class TestMyStore(StoreTests):
        @pytest.fixture
        def store(self, tmp_path):
            return MyStore(tmp_path)

Derive from `AppendStoreTests` instead when its objects can grow in place. Each test gets a fresh store. Together they
write less than 20 MB.
"""

# ruff: noqa: D102
# The name of a test is the sentence that it shows.

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

import pytest

from keepsake.errors import InvalidInputError, NotFoundError
from keepsake.stores.base import Store

Outcome = TypeVar("Outcome")

BAD_KEYS = ("", "/", "/a", "a/", "a//b", ".", "..", "a/..", "../a", "a/./b", "é/a", "a\\b", "c:/a", "a\0b", "a\nb")
"""What no store may take for a key."""

_CLOCK_SKEW_S = 300
"""How far the clock of a store may be from ours."""


class StoreTests:
    """What every `Store` does. Override the fixture `store` to return an empty one."""

    @pytest.fixture
    def store(self) -> Store:
        """Return a new, empty store; every derived class has its own."""
        raise NotImplementedError("derive from this class and override the fixture `store`")

    # What is written can be read.

    def test_what_was_put_is_returned_whole(self, store: Store) -> None:
        store.put("a/object", b"content")
        assert store.get("a/object") == b"content"

    def test_every_byte_value_survives(self, store: Store) -> None:
        store.put("a/object", bytes(range(256)))
        assert store.get("a/object") == bytes(range(256))

    def test_an_empty_object_exists(self, store: Store) -> None:
        store.put("a/empty", b"")
        assert store.get("a/empty") == b""
        assert store.head("a/empty") is not None

    def test_an_object_of_several_megabytes_survives(self, store: Store) -> None:
        data = bytes(range(251)) * 20_000
        store.put("a/large", data)
        assert store.get("a/large") == data

    def test_several_buffers_become_one_object(self, store: Store) -> None:
        store.put("a/object", [b"one ", bytearray(b"two "), memoryview(b"xthreex")[1:-1], b""])
        assert store.get("a/object") == b"one two three"

    def test_more_buffers_than_one_system_call_takes_become_one_object(self, store: Store) -> None:
        store.put("a/object", [b"%05d" % number for number in range(3000)])
        assert store.get("a/object") == b"".join(b"%05d" % number for number in range(3000))

    def test_no_buffers_make_an_empty_object(self, store: Store) -> None:
        store.put("a/object", [])
        assert store.get("a/object") == b""

    def test_a_buffer_of_wide_items_is_written_as_its_bytes(self, store: Store) -> None:
        store.put("a/object", memoryview(b"12345678").cast("I"))
        assert store.get("a/object") == b"12345678"

    def test_changing_a_buffer_later_changes_nothing_stored(self, store: Store) -> None:
        buffer = bytearray(b"before")
        store.put("a/object", buffer)
        buffer[:] = b"after!"
        assert store.get("a/object") == b"before"

    def test_put_replaces_the_whole_object(self, store: Store) -> None:
        store.put("a/object", b"a long first content")
        store.put("a/object", b"short")
        assert store.get("a/object") == b"short"

    def test_durable_writes_are_writes(self, store: Store) -> None:
        store.put("a/b/put", b"put", durable=True)
        assert store.create("a/c/created", b"created", durable=True)
        assert (store.get("a/b/put"), store.get("a/c/created")) == (b"put", b"created")

    @pytest.mark.parametrize("key", ["top", "a/b/c/d/e/f", "a/.hidden", "a/x.y-z_0", "a/with space", "a/" + "n" * 100])
    def test_a_key_of_any_allowed_form_works(self, store: Store, key: str) -> None:
        store.put(key, key.encode())
        assert store.get(key) == key.encode()
        assert [info.key for info in store.list()] == [key]

    # Ranges.

    @pytest.mark.parametrize(
        ("start", "stop", "expected"),
        [
            (0, 10, b"0123456789"),
            (3, 6, b"345"),
            (0, 0, b""),
            (4, 4, b""),
            (8, 99, b"89"),
            (10, 12, b""),
            (50, 60, b""),
        ],
    )
    def test_a_range_is_cut_at_the_end_of_the_object(
        self, store: Store, start: int, stop: int, expected: bytes
    ) -> None:
        store.put("a/object", b"0123456789")
        assert store.get_range("a/object", start, stop) == expected

    def test_a_range_to_far_beyond_the_end_costs_no_memory(self, store: Store) -> None:
        store.put("a/object", b"0123456789")
        assert store.get_range("a/object", 5, 1 << 60) == b"56789"

    @pytest.mark.parametrize(("start", "stop"), [(-1, 5), (5, 4), (-5, -1)])
    def test_a_range_that_is_none_is_refused(self, store: Store, start: int, stop: int) -> None:
        store.put("a/object", b"0123456789")
        with pytest.raises(InvalidInputError):
            store.get_range("a/object", start, stop)

    # What is not there.

    def test_reading_an_absent_object_is_not_found(self, store: Store) -> None:
        with pytest.raises(NotFoundError, match="a/absent"):
            store.get("a/absent")
        with pytest.raises(NotFoundError, match="a/absent"):
            store.get_range("a/absent", 0, 1)

    def test_the_beginning_of_a_key_is_no_object(self, store: Store) -> None:
        store.put("a/b/object", b"content")
        assert store.head("a/b") is None
        with pytest.raises(NotFoundError):
            store.get("a/b")
        store.delete("a/b")
        assert store.get("a/b/object") == b"content"

    def test_a_new_store_is_empty(self, store: Store) -> None:
        assert list(store.list()) == []
        assert store.head("a/object") is None

    # Creating.

    def test_create_writes_only_when_there_is_nothing(self, store: Store) -> None:
        assert store.create("a/object", [b"fir", b"st"]) is True
        assert store.create("a/object", b"second") is False
        assert store.get("a/object") == b"first"

    def test_create_writes_again_after_a_delete(self, store: Store) -> None:
        store.create("a/object", b"first")
        store.delete("a/object")
        assert store.create("a/object", b"second") is True
        assert store.get("a/object") == b"second"

    def test_of_many_creating_threads_exactly_one_wins(self, store: Store) -> None:
        for attempt in range(5):
            key = f"a/{attempt}"
            won = at_once(8, partial(_create, store, key))
            assert won.count(True) == 1
            assert store.get(key) == b"%d" % won.index(True) * 1000

    # Deleting.

    def test_a_deleted_object_is_gone(self, store: Store) -> None:
        store.put("a/object", b"content")
        store.delete("a/object")
        assert store.head("a/object") is None
        assert list(store.list()) == []

    def test_deleting_what_is_absent_is_no_error(self, store: Store) -> None:
        store.delete("a/absent")
        store.put("a/object", b"content")
        store.delete("a/object")
        store.delete("a/object")

    # Listing and describing.

    def test_a_listing_shows_every_object_once(self, store: Store) -> None:
        keys = {f"{top}/{number % 7}/{number}" for number in range(60) for top in "ab"}
        for key in keys:
            store.put(key, key.encode())
        listed = [(info.key, info.size_bytes) for info in store.list()]
        assert sorted(listed) == sorted((key, len(key)) for key in keys)

    @pytest.mark.parametrize(
        ("prefix", "expected"),
        [
            ("", {"a/aa/x", "a/ab/x", "a/ab/y", "ab/x", "b"}),
            ("a", {"a/aa/x", "a/ab/x", "a/ab/y", "ab/x"}),
            ("a/", {"a/aa/x", "a/ab/x", "a/ab/y"}),
            ("a/a", {"a/aa/x", "a/ab/x", "a/ab/y"}),
            ("a/ab", {"a/ab/x", "a/ab/y"}),
            ("a/ab/", {"a/ab/x", "a/ab/y"}),
            ("a/ab/y", {"a/ab/y"}),
            ("a/ab/y/", set()),
            ("b", {"b"}),
            ("nothing", set()),
            ("a/nothing/", set()),
            ("/", set()),
            ("/a", set()),
            ("a//", set()),
            ("./a", set()),
            ("../", set()),
            ("a/../a/", set()),
            ("é", set()),
            ("a\0", set()),
        ],
    )
    def test_a_prefix_is_any_string(self, store: Store, prefix: str, expected: set[str]) -> None:
        for key in ("a/aa/x", "a/ab/x", "a/ab/y", "ab/x", "b"):
            store.put(key, b"")
        assert {info.key for info in store.list(prefix)} == expected

    def test_objects_may_be_deleted_while_they_are_listed(self, store: Store) -> None:
        for number in range(20):
            store.put(f"a/{number % 3}/{number}", b"")
        for info in store.list():
            store.delete(info.key)
        assert list(store.list()) == []

    def test_head_and_listing_describe_an_object_alike(self, store: Store) -> None:
        store.put("a/object", b"content")
        assert [store.head("a/object")] == list(store.list())

    def test_the_time_of_writing_is_that_of_the_clock(self, store: Store) -> None:
        store.put("a/object", b"content")
        info = store.head("a/object")
        assert info is not None
        assert abs(info.modified_ns / 1e9 - time.time()) < _CLOCK_SKEW_S

    def test_the_tag_changes_when_an_object_is_replaced(self, store: Store) -> None:
        store.put("a/object", b"first!")
        first = store.head("a/object")
        assert store.head("a/object") == first
        store.put("a/object", b"second")
        second = store.head("a/object")
        assert first is not None
        assert second is not None
        assert first.tag != second.tag

    # Syncing.

    def test_syncing_changes_nothing_and_passes_over_the_absent(self, store: Store) -> None:
        store.put("a/b/object", b"content")
        store.put("top", b"content")
        store.sync(["a/b/object", "a/absent", "b/c/d", "top", "top"])
        store.sync(key for key in ["a/b/object"])
        store.sync([])
        assert sorted(info.key for info in store.list()) == ["a/b/object", "top"]

    # Keys.

    @pytest.mark.parametrize("key", BAD_KEYS)
    def test_what_is_no_key_is_refused_by_every_operation(self, store: Store, key: str) -> None:
        operations: list[Callable[[], object]] = [
            lambda: store.get(key),
            lambda: store.get_range(key, 0, 1),
            lambda: store.put(key, b""),
            lambda: store.create(key, b""),
            lambda: store.head(key),
            lambda: store.delete(key),
            lambda: store.sync([key]),
        ]
        for operation in operations:
            with pytest.raises(InvalidInputError):
                operation()
        assert list(store.list()) == []

    # Threads.

    def test_a_reader_beside_a_writer_sees_one_version_whole(self, store: Store) -> None:
        versions = [bytes([number]) * 50_000 for number in range(10)]
        store.put("a/object", versions[0])
        written = threading.Event()

        def write() -> None:
            try:
                for version in versions * 3:
                    store.put("a/object", version)
            finally:
                written.set()

        writer = threading.Thread(target=write)
        writer.start()
        seen = {store.get("a/object")}
        while not written.is_set():
            seen.add(store.get("a/object"))
        writer.join()
        assert seen <= set(versions)

    def test_many_threads_may_write_at_once(self, store: Store) -> None:
        def write(number: int) -> None:
            for index in range(10):
                store.put(f"a/{index}/{number}", b"%d" % number)

        at_once(8, write)
        assert len(list(store.list())) == 80
        assert store.get("a/9/7") == b"7"

    # Describing itself.

    def test_the_url_has_a_scheme(self, store: Store) -> None:
        assert "://" in store.url

    def test_it_is_a_store(self, store: Store) -> None:
        assert isinstance(store, Store)


def _create(store: Store, key: str, number: int) -> bool:
    return store.create(key, b"%d" % number * 1000)


def at_once(threads: int, act: Callable[[int], Outcome]) -> list[Outcome]:
    """Call `act` in so many threads, all at the same moment, with their numbers; return what they return, in order."""
    start = threading.Barrier(threads)

    def run(number: int) -> Outcome:
        start.wait()
        return act(number)

    with ThreadPoolExecutor(threads) as pool:
        return [*pool.map(run, range(threads))]
