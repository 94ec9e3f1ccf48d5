"""What a checkout will write."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepsake._model.manifest import Entry, Extent, Manifest
from keepsake._snapshots.overlay import check_for_windows, check_manifest, find_look_alikes, plan_checkout
from keepsake._snapshots.paths import ancestors
from keepsake.errors import ConflictError, CorruptionError, NotFoundError


def file(path: str, digest: str = "d") -> Entry:
    return Entry(path, "file", extents=(Extent(digest, 0, 1),))


def link(path: str, target: str = "t") -> Entry:
    return Entry(path, "link", target=target)


def directory(path: str) -> Entry:
    return Entry(path, "directory")


def missing(path: str) -> Entry:
    return Entry(path, "missing", reason="vanished")


def manifest(*entries: Entry) -> Manifest:
    return Manifest(tuple(sorted(entries, key=lambda entry: entry.path)))


def planned(*manifests: Manifest, only: str | None = None) -> list[tuple[str, str]]:
    return [(entry.path, entry.kind) for entry in plan_checkout(manifests, only).entries]


def test_a_later_file_replaces_an_earlier_one_and_others_stay() -> None:
    plan = plan_checkout([manifest(file("a", "1"), file("b", "1")), manifest(file("b", "2"), file("c", "2"))])
    assert [(entry.path, entry.extents[0].digest) for entry in plan.entries] == [("a", "1"), ("b", "2"), ("c", "2")]
    assert plan.size_bytes == 3


@pytest.mark.parametrize("below", [file("a"), link("a"), missing("a"), directory("a")])
def test_a_later_file_in_a_directory_replaces_what_stood_at_the_directory(below: Entry) -> None:
    assert planned(manifest(below), manifest(file("a/b"))) == [("a/b", "file")]


@pytest.mark.parametrize("above", [file("a"), link("a"), missing("a")])
def test_a_later_file_or_link_replaces_a_whole_directory(above: Entry) -> None:
    lower = manifest(file("a/b"), file("a/c/d"), directory("a/e"), file("ab"))
    assert planned(lower, manifest(above)) == [("a", above.kind), ("ab", "file")]


def test_directories_are_merged() -> None:
    assert planned(manifest(file("a/b"), directory("e")), manifest(directory("a"), file("e/x"))) == [
        ("a/b", "file"),
        ("e/x", "file"),
    ]


def test_a_later_directory_replaces_a_file() -> None:
    assert planned(manifest(file("a")), manifest(directory("a"))) == [("a", "directory")]


def test_what_a_later_snapshot_misses_is_not_taken_from_an_earlier_one() -> None:
    plan = plan_checkout([manifest(file("model.pt")), manifest(missing("model.pt"))])
    assert [entry.path for entry in plan.missing] == ["model.pt"]
    assert plan.size_bytes == 0


@pytest.mark.parametrize("only", ["a", "a/", "./a"])
def test_a_whole_directory_can_be_taken_alone(only: str) -> None:
    both = manifest(file("a/b"), file("a/c/d"), file("ab"), file("z"))
    assert planned(both, only=only) == [("a/b", "file"), ("a/c/d", "file")]
    assert planned(both, only="a/b") == [("a/b", "file")]
    assert len(planned(both, only=".")) == 4


def test_an_unknown_path_is_refused_with_the_nearest() -> None:
    both = manifest(file("models/best.pt"), file("src/train.py"))
    with pytest.raises(NotFoundError, match=r"did you mean 'models/best\.pt'"):
        plan_checkout([both], "models/bets.pt")
    with pytest.raises(NotFoundError, match="did you mean 'models'"):
        plan_checkout([both], "model")
    with pytest.raises(NotFoundError, match="2 paths were looked at"):
        plan_checkout([both], "../../etc")


@pytest.mark.parametrize(
    "path",
    ["/etc/passwd", "../x", "a/../../x", "a//b", "./a", "a/", "", "a\0b", ".git/hooks/post-checkout", "a/.GIT/x"],
)
def test_a_hostile_path_refuses_the_whole_manifest(path: str) -> None:
    with pytest.raises(CorruptionError, match="no snapshot can hold"):
        plan_checkout([manifest(file("fine"), file(path))])


@pytest.mark.parametrize(
    "entries",
    [
        (link("a", "/tmp"), file("a/b")),
        (file("a"), file("a/b")),
        (file("a"), link("a")),
        (link("a", ""),),
        (link("a", "x\0y"),),
    ],
)
def test_a_manifest_that_contradicts_itself_is_refused(entries: tuple[Entry, ...]) -> None:
    with pytest.raises(CorruptionError, match="no snapshot can hold"):
        check_manifest(manifest(*entries))


def test_names_that_windows_cannot_hold_are_refused_there() -> None:
    with pytest.raises(ConflictError, match="name of a device"):
        check_for_windows(plan_checkout([manifest(file("data/nul.txt"))]))
    check_for_windows(plan_checkout([manifest(file("data/null.txt"))]))


@pytest.mark.parametrize(
    ("one", "two"), [("a/X", "a/x"), ("A/x", "a/y"), ("caf\u00e9", "cafe\u0301"), ("STRASSE", "straße")]
)
def test_names_that_some_file_systems_take_for_the_same_are_found(one: str, two: str) -> None:
    assert find_look_alikes(plan_checkout([manifest(file(one), file(two))]))


def test_different_names_do_not_look_alike() -> None:
    assert find_look_alikes(plan_checkout([manifest(file("a/x"), file("b/x"), file("a/y"))])) is None


SEGMENT = st.sampled_from(["a", "b", "c"])
PATH = st.lists(SEGMENT, min_size=1, max_size=3).map("/".join)
ENTRY = st.builds(lambda path, make: make(path), PATH, st.sampled_from([file, link, directory, missing]))


def is_sound(entries: list[Entry]) -> bool:
    solid = {entry.path for entry in entries if entry.kind != "directory"}
    unique = len({entry.path for entry in entries}) == len(entries)
    return unique and all(solid.isdisjoint(ancestors(entry.path)) for entry in entries)


MANIFEST = st.lists(ENTRY, max_size=5).filter(is_sound).map(lambda entries: manifest(*entries))


@given(st.lists(MANIFEST, min_size=1, max_size=3))
def test_a_plan_never_asks_for_two_things_at_one_place(manifests: list[Manifest]) -> None:
    plan = plan_checkout(manifests)
    assert is_sound(list(plan.entries))
    paths = {entry.path for entry in plan.entries}
    reached = paths.union(*(ancestors(path) for path in paths))
    for entry in manifests[-1].entries:
        # All of the topmost snapshot is there: as it is, or as a directory that others lie in.
        assert entry in plan.entries or (entry.kind == "directory" and entry.path in reached)
