"""Levels of a directory store: what lies directly under a prefix, and directories that say when their names changed."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keepsake.stores.base import DirectoryStore, ObjectInfo
from keepsake.stores.local import LocalStore
from keepsake.stores.memory import MemoryStore
from keepsake.testing import RecordingStore, strategies


def walk(store: DirectoryStore, prefix: str) -> list[ObjectInfo]:
    level = store.list_level(prefix)
    return [*level.objects, *(info for directory in level.directories for info in walk(store, directory.prefix))]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(names=st.sets(strategies.keys(), max_size=8), number=st.integers(0, 10**9))
def test_levels_together_are_what_a_listing_yields(tmp_path: Path, names: set[str], number: int) -> None:
    store = LocalStore(tmp_path / f"{number}-{len(list(tmp_path.iterdir()))}")
    # What a store on a disk calls its own temporary files, and a network file system deleted ones, is not for others.
    names = {name for name in names if ".tmp." not in name and not name.rpartition("/")[2].startswith(".nfs")}
    kept = {name for name in names if not any(other.startswith(f"{name}/") for other in names)}
    for name in kept:
        store.put(f"top/{name}", b"x")
    assert sorted(walk(store, "top/"), key=lambda info: info.key) == sorted(
        store.list("top/"), key=lambda info: info.key
    )
    assert {info.key for info in walk(store, "top/")} == {f"top/{name}" for name in kept}


def test_links_temporary_files_and_names_that_are_no_keys_are_on_no_level(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    store.put("top/real/object", b"x")
    (tmp_path / "top" / "linked").symlink_to(tmp_path / "top" / "real")
    (tmp_path / "top" / "link").symlink_to(tmp_path / "top" / "real" / "object")
    (tmp_path / "top" / "nö").mkdir()
    level = store.list_level("top/")
    assert [one.prefix for one in level.directories] == ["top/real/"]
    assert level.objects == []
    assert store.list_level("absent/") == store.list_level("../") == type(level)([], [])


@pytest.mark.parametrize("change", ["put", "delete", "rename", "append"])
def test_the_tag_of_a_directory_changes_with_its_names_only(tmp_path: Path, change: str) -> None:
    store = LocalStore(tmp_path)
    store.put("top/a/one", b"x")
    appender = store.open_append("top/a/two")
    (before,) = store.list_level("top/").directories
    wait_for_another_time(tmp_path, before.changed_ns)
    if change == "put":
        store.put("top/a/three", b"x")
    elif change == "delete":
        store.delete("top/a/one")
    elif change == "rename":
        store.rename("top/a/one", "top/a/three")
    else:
        appender.append(b"line\n")
    appender.close()
    (after,) = store.list_level("top/").directories
    assert (after == before) is (change == "append")
    if change != "append":
        assert after.tag != before.tag
        assert after.changed_ns > before.changed_ns


def wait_for_another_time(directory: Path, time_ns: int) -> None:
    """Wait until the file system gives changes another time than this one."""
    probe = directory / "probe"
    probe.touch()
    while probe.stat().st_mtime_ns <= time_ns:
        probe.touch()


def test_a_wrapper_has_levels_exactly_when_its_store_has(tmp_path: Path) -> None:
    assert not isinstance(MemoryStore(), DirectoryStore)
    assert not isinstance(RecordingStore(MemoryStore()), DirectoryStore)
    store = RecordingStore(LocalStore(tmp_path))
    assert isinstance(store, DirectoryStore)
    store.put("top/a", b"x")
    assert [info.key for info in store.list_level("top/").objects] == ["top/a"]
    assert store.count("list_level", "top/") == 1
