"""The suite that a store passes besides `StoreTests` when its objects can grow in place."""

# ruff: noqa: D102
# The name of a test is the sentence that it shows.

from __future__ import annotations

from collections.abc import Callable

import pytest

from keepsake.errors import ConflictError, InvalidInputError, NotFoundError, StoreError
from keepsake.stores.base import AppendStore, Store
from keepsake.testing.store_tests import BAD_KEYS, StoreTests, at_once


class AppendStoreTests(StoreTests):
    """What every `AppendStore` does besides. Override the fixture `append_store`, and leave `store` as it is."""

    @pytest.fixture
    def append_store(self) -> AppendStore:
        """Return a new, empty store; every derived class has its own."""
        raise NotImplementedError("derive from this class and override the fixture `append_store`")

    @pytest.fixture
    def store(self, append_store: AppendStore) -> Store:
        """Use the same store for the other tests."""
        return append_store

    def test_it_is_an_append_store(self, append_store: AppendStore) -> None:
        assert isinstance(append_store, AppendStore)

    def test_appended_bytes_can_be_read_at_once(self, append_store: AppendStore) -> None:
        appender = append_store.open_append("a/b/journal")
        assert append_store.get("a/b/journal") == b""
        appender.append(b"one\n")
        assert append_store.get("a/b/journal") == b"one\n"
        appender.append(b"two\n")
        assert append_store.get("a/b/journal") == b"one\ntwo\n"
        appender.close()
        assert append_store.get("a/b/journal") == b"one\ntwo\n"

    def test_the_size_grows_with_what_is_appended(self, append_store: AppendStore) -> None:
        appender = append_store.open_append("a/journal")
        sizes = [appender.size_bytes]
        for data in (b"12345", b"", b"678"):
            appender.append(data)
            sizes.append(appender.size_bytes)
        appender.close()
        info = append_store.head("a/journal")
        assert sizes == [0, 5, 5, 8]
        assert info is not None
        assert info.size_bytes == 8

    def test_the_tag_changes_when_something_is_appended(self, append_store: AppendStore) -> None:
        appender = append_store.open_append("a/journal")
        appender.append(b"one\n")
        first = append_store.head("a/journal")
        appender.append(b"two\n")
        second = append_store.head("a/journal")
        appender.close()
        assert first is not None
        assert second is not None
        assert first.tag != second.tag

    def test_an_existing_object_is_not_opened(self, append_store: AppendStore) -> None:
        append_store.put("a/object", b"content")
        append_store.open_append("a/journal").close()
        for key in ("a/object", "a/journal"):
            with pytest.raises(ConflictError, match=key):
                append_store.open_append(key)
        assert append_store.get("a/object") == b"content"

    def test_of_many_opening_threads_exactly_one_wins(self, append_store: AppendStore) -> None:
        def open_it(_: int) -> bool:
            try:
                append_store.open_append("a/journal").close()
            except ConflictError:
                return False
            return True

        assert at_once(8, open_it).count(True) == 1

    def test_a_closed_appender_takes_nothing_more(self, append_store: AppendStore) -> None:
        appender = append_store.open_append("a/journal")
        appender.append(b"one\n")
        appender.close()
        appender.close()
        with pytest.raises(StoreError, match="a/journal"):
            appender.append(b"two\n")
        assert append_store.get("a/journal") == b"one\n"

    def test_a_renamed_object_has_its_new_key_only(self, append_store: AppendStore) -> None:
        append_store.put("a/old", b"content")
        append_store.rename("a/old", "b/c/new")
        assert append_store.get("b/c/new") == b"content"
        assert [info.key for info in append_store.list()] == ["b/c/new"]

    def test_renaming_replaces_what_stood_there(self, append_store: AppendStore) -> None:
        append_store.put("a/old", b"old")
        append_store.put("a/new", b"new")
        append_store.rename("a/old", "a/new")
        assert append_store.get("a/new") == b"old"
        assert append_store.head("a/old") is None

    def test_renaming_to_its_own_key_changes_nothing(self, append_store: AppendStore) -> None:
        append_store.put("a/object", b"content")
        append_store.rename("a/object", "a/object")
        assert append_store.get("a/object") == b"content"

    def test_renaming_what_is_absent_is_not_found(self, append_store: AppendStore) -> None:
        append_store.put("a/object", b"content")
        for new_key in ("a/new", "b/c/new", "a/object"):
            with pytest.raises(NotFoundError, match="a/absent"):
                append_store.rename("a/absent", new_key)
        assert [info.key for info in append_store.list()] == ["a/object"]

    def test_what_was_appended_is_renamed_whole(self, append_store: AppendStore) -> None:
        appender = append_store.open_append("a/journal.open")
        appender.append(b"line\n")
        appender.close()
        append_store.rename("a/journal.open", "a/journal.5")
        append_store.sync(["a/journal.5"])
        assert append_store.get("a/journal.5") == b"line\n"
        append_store.open_append("a/journal.open").close()

    @pytest.mark.parametrize("key", BAD_KEYS)
    def test_what_is_no_key_is_neither_opened_nor_renamed(self, append_store: AppendStore, key: str) -> None:
        append_store.put("a/object", b"content")
        operations: list[Callable[[], object]] = [
            lambda: append_store.open_append(key),
            lambda: append_store.rename(key, "a/new"),
            lambda: append_store.rename("a/object", key),
        ]
        for operation in operations:
            with pytest.raises(InvalidInputError):
                operation()
        assert append_store.get("a/object") == b"content"
