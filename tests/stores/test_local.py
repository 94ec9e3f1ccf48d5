"""The local store: the suites, and what only a disk has: files, users, limits, crashes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from keepsake.errors import InvalidInputError, NotFoundError, WriteError
from keepsake.stores import _files
from keepsake.stores._files import rename_under_claim, rename_unless_exists
from keepsake.stores._temporary import is_temporary, temporary_name
from keepsake.stores.base import AppendStore
from keepsake.stores.local import LocalStore
from keepsake.testing import AppendStoreTests


class TestLocalStore(AppendStoreTests):
    @pytest.fixture
    def append_store(self, tmp_path: Path) -> AppendStore:
        return LocalStore(tmp_path / "made on demand" / "store")


class TestLocalStoreOnAFileSystemWithoutLinks(AppendStoreTests):
    """Everything holds where `link` is not supported, as on FAT; the answer of the system is the only thing changed."""

    @pytest.fixture
    def append_store(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AppendStore:
        monkeypatch.setattr("keepsake.stores.local.rename_unless_exists", rename_under_claim)
        return LocalStore(tmp_path / "store")


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


def _files_of(store: LocalStore) -> list[str]:
    return sorted(str(path.relative_to(store.root)) for path in store.root.rglob("*") if not path.is_dir())


# The root.


def test_nothing_is_made_before_the_first_write(store: LocalStore) -> None:
    assert list(store.list()) == []
    assert store.head("a/object") is None
    store.delete("a/object")
    store.sync(["a/object"])
    assert not store.root.exists()


def test_a_relative_root_is_fixed_when_the_store_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = LocalStore("store")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    store.put("a", b"")
    assert (tmp_path / "store" / "a").exists()


def test_the_root_of_a_file_system_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="root of a file system"):
        LocalStore("/")


def test_a_root_that_is_a_file_is_a_write_error(tmp_path: Path) -> None:
    (tmp_path / "store").write_bytes(b"something else")
    store = LocalStore(tmp_path / "store")
    for write in (lambda: store.put("a/object", b""), lambda: store.open_append("a/journal")):
        with pytest.raises(WriteError, match="Not a directory"):
            write()
    assert (tmp_path / "store").read_bytes() == b"something else"


def test_a_root_that_vanished_is_made_again(store: LocalStore) -> None:
    store.put("a/b/object", b"first", durable=True)
    store.root.rename(store.root.with_name("away"))
    assert list(store.list()) == []
    store.put("a/b/object", b"second", durable=True)
    assert store.get("a/b/object") == b"second"


# Files that are not ours.


def test_symbolic_links_are_no_objects(store: LocalStore, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"secret")
    store.put("a/object", b"content")
    (store.root / "a" / "file").symlink_to(outside / "secret")
    (store.root / "a" / "directory").symlink_to(outside)
    (store.root / "a" / "loop").symlink_to(store.root)
    (store.root / "a" / "dangling").symlink_to("nowhere")
    assert [info.key for info in store.list()] == ["a/object"]
    assert store.head("a/file") is None
    for key in ("a/file", "a/dangling"):
        with pytest.raises(NotFoundError):
            store.get(key)


def test_putting_over_a_symbolic_link_replaces_the_link(store: LocalStore, tmp_path: Path) -> None:
    target = tmp_path / "outside"
    target.write_bytes(b"untouched")
    store.put("a/object", b"")
    (store.root / "a" / "link").symlink_to(target)
    store.put("a/link", b"content")
    assert target.read_bytes() == b"untouched"
    assert store.get("a/link") == b"content"


def test_pipes_directories_and_odd_names_are_no_objects(store: LocalStore) -> None:
    store.put("a/object", b"content")
    os.mkfifo(store.root / "a" / "pipe")
    (store.root / "a" / "directory").mkdir()
    (store.root / "a" / "näme").write_bytes(b"")
    (store.root / "näme").mkdir()
    (store.root / "näme" / "object").write_bytes(b"")
    (store.root / "a" / ".nfs000000000123").write_bytes(b"deleted elsewhere")
    os.close(os.open(os.fsencode(store.root) + b"/a/\xff\xfe", os.O_CREAT))
    assert [info.key for info in store.list()] == ["a/object"]
    with pytest.raises(NotFoundError):
        store.get("a/pipe")


def test_a_key_below_an_object_is_absent_and_cannot_be_written(store: LocalStore) -> None:
    store.put("a/object", b"content")
    assert store.head("a/object/below") is None
    store.delete("a/object/below")
    store.sync(["a/object/below"])
    with pytest.raises(NotFoundError):
        store.get("a/object/below")
    with pytest.raises(WriteError, match="a/object/below"):
        store.put("a/object/below", b"")
    (store.root / "a" / "directory" / "inner").mkdir(parents=True)
    with pytest.raises(WriteError, match="a/directory"):
        store.put("a/directory", b"")
    assert _files_of(store) == ["a/object"]


# Temporary files.


def test_temporary_names_are_unique_recognised_and_say_where_they_come_from() -> None:
    names = {temporary_name() for _ in range(1000)}
    assert len(names) == 1000
    assert all(is_temporary(name) and str(os.getpid()) in name.split(".") for name in names)
    assert max(map(len, names)) <= 143
    assert not is_temporary("repository.json")


def test_temporary_names_differ_in_a_forked_child() -> None:
    before = temporary_name()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, temporary_name().encode())
        os._exit(0)
    os.waitpid(child, 0)
    of_child = os.read(reader, 1000).decode()
    os.close(reader)
    os.close(writer)
    assert str(child) in of_child.split(".")
    assert of_child.rsplit(".", 1)[0] != before.rsplit(".", 1)[0]


def test_temporary_files_are_listed_apart_and_can_be_deleted(store: LocalStore) -> None:
    store.put("a/object", b"content")
    left_behind = store.root / "a" / temporary_name()
    left_behind.write_bytes(b"half")
    assert [info.key for info in store.list()] == ["a/object"]
    (info,) = store.list_temporary()
    assert (info.key, info.size_bytes) == (f"a/{left_behind.name}", 4)
    store.delete(info.key)
    assert _files_of(store) == ["a/object"]


def test_a_write_of_something_else_than_bytes_leaves_nothing_behind(store: LocalStore) -> None:
    store.put("a/object", b"before")
    with pytest.raises(TypeError):
        store.put("a/object", ["text"])  # type: ignore[list-item]
    assert store.get("a/object") == b"before"
    assert _files_of(store) == ["a/object"]


# Creating without links.


def test_a_claim_left_by_a_dead_process_does_not_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_files, "_CLAIM_TIMEOUT_S", 0.05)
    source, target = tmp_path / ".tmp.source", tmp_path / "target"
    source.write_bytes(b"content")
    (tmp_path / ".tmp.claim.target").touch()
    assert rename_under_claim(str(source), str(target))
    assert [path.name for path in tmp_path.iterdir()] == ["target"]


def test_where_links_are_refused_creating_goes_on_under_a_claim(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(source: str, target: str) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    store = LocalStore(tmp_path / "store")
    assert store.create("a/object", b"first")
    assert not store.create("a/object", b"second")
    assert store.get("a/object") == b"first"
    assert _files_of(store) == ["a/object"]


def test_a_link_that_was_made_although_its_answer_was_lost_counts(tmp_path: Path) -> None:
    source, target = tmp_path / ".tmp.source", tmp_path / "target"
    source.write_bytes(b"content")
    os.link(source, target)
    assert rename_unless_exists(str(source), str(target))
    assert [path.name for path in tmp_path.iterdir()] == ["target"]
