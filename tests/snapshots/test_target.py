"""The directory that a checkout writes into, by descriptors and by paths alike."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from keepsake._snapshots.target import HAS_OPENAT, MAX_OPEN_DIRECTORIES, Target
from keepsake.errors import ConflictError

WAYS = [True, False] if HAS_OPENAT else [False]


@pytest.fixture(params=WAYS, ids=lambda way: "by-descriptor" if way else "by-path")
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Target]:
    with Target(tmp_path / "target", use_openat=request.param) as target:
        yield target


def write(target: Target, path: str, data: bytes) -> None:
    name = target.new_name()
    target.create(path, name, executable=False)
    target.write_at(path, name, memoryview(data), 0)
    target.publish(path, name)


def test_a_file_appears_when_it_is_published(target: Target) -> None:
    name = target.new_name()
    target.create("a/b/x", name, executable=False)
    target.write_at("a/b/x", name, memoryview(b"world"), 5)
    target.write_at("a/b/x", name, memoryview(b"hello"), 0)
    assert not (target.root / "a/b/x").exists()
    target.publish("a/b/x", name)
    assert (target.root / "a/b/x").read_bytes() == b"helloworld"
    assert [one.name for one in (target.root / "a/b").iterdir()] == ["x"]


def test_what_is_discarded_is_gone_and_may_be_gone_already(target: Target) -> None:
    name = target.new_name()
    target.create("x", name, executable=False)
    target.discard("x", name)
    target.discard("x", name)
    assert list(target.root.iterdir()) == []


def test_links_are_made_and_replaced(target: Target) -> None:
    for aim in ("one", "two"):
        name = target.new_name()
        target.link("d/link", name, aim)
        target.publish("d/link", name)
    assert (target.root / "d/link").readlink() == Path("two")


@pytest.mark.parametrize("kind", ["link", "file"])
def test_only_real_directories_are_entered(target: Target, tmp_path: Path, kind: str) -> None:
    (tmp_path / "outside").mkdir()
    if kind == "link":
        (target.root / "d").symlink_to(tmp_path / "outside")
    else:
        (target.root / "d").touch()
    for path in ("d", "d/e"):
        with pytest.raises(ConflictError, match="stands in its way"):
            target.make_directory(path)
    with pytest.raises(ConflictError, match="stands in its way"):
        write(target, "d/x", b"")
    assert list((tmp_path / "outside").iterdir()) == []


def test_a_directory_where_a_file_belongs_is_refused(target: Target) -> None:
    target.make_directory("x/y")
    target.check_free("z")
    with pytest.raises(ConflictError):
        target.check_free("x")
    with pytest.raises(ConflictError):
        write(target, "x", b"")


def test_more_directories_than_are_kept_open_work(target: Target) -> None:
    paths = [f"{number}/{number}/x" for number in range(MAX_OPEN_DIRECTORIES * 2)]
    for path in [*paths, *paths]:
        write(target, path, path.encode())
    assert all((target.root / path).read_bytes() == path.encode() for path in paths)


def test_names_that_the_file_system_tells_apart_are_told_apart(target: Target) -> None:
    assert target.tells_apart("a", "b")
    assert not target.tells_apart("same", "same")
    assert list(target.root.iterdir()) == []


def test_a_target_knows_whether_it_was_empty(tmp_path: Path) -> None:
    with Target(tmp_path / "t") as target:
        assert target.was_empty
        write(target, "x", b"")
    with Target(tmp_path / "t") as target:
        assert not target.was_empty
        target.close()
