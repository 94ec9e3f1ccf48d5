"""What manifests alone say of two snapshots."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from keepsake._analysis.filediff import diff_entries, locate
from keepsake._model.manifest import Entry, Extent

CONTENTS = {digest: bytes((ord(digest), number)[number % 2] for number in range(40)) for digest in "abc"}
EXTENTS = st.builds(
    lambda digest, start, length: Extent(digest, start, start + length),
    st.sampled_from(sorted(CONTENTS)), st.integers(0, 20), st.integers(0, 20),
)  # fmt: skip
ENTRIES = st.builds(
    Entry,
    path=st.sampled_from("pqrst"),
    kind=st.just("file"),
    executable=st.booleans(),
    extents=st.lists(EXTENTS, max_size=3).map(tuple),
) | st.builds(Entry, path=st.sampled_from("pqrst"), kind=st.just("link"), target=st.sampled_from("xy"))
SNAPSHOTS = st.lists(ENTRIES, unique_by=lambda entry: entry.path)


def content(extents: tuple[Extent, ...]) -> bytes:
    return b"".join(CONTENTS[one.digest][one.start : one.stop] for one in extents)


@given(entry=ENTRIES, bounds=st.tuples(st.integers(0, 60), st.integers(0, 60)))
def test_a_range_of_a_file_lies_where_it_is_said_to_lie(entry: Entry, bounds: tuple[int, int]) -> None:
    start, stop = min(bounds), max(bounds)
    assert content(locate(entry, start, stop)) == content(entry.extents)[start:stop]


@given(extents=st.lists(EXTENTS, max_size=3), cut=st.integers(0, 20))
def test_how_a_stretch_is_cut_makes_no_difference(extents: list[Extent], cut: int) -> None:
    pieces = []
    for one in extents:
        middle = min(one.start + cut, one.stop)
        pieces += [Extent(one.digest, one.start, middle), Extent(one.digest, middle, one.stop)]
    whole, cut_up = (Entry("p", "file", extents=tuple(one)) for one in (extents, pieces))
    assert diff_entries([whole], [cut_up]).pairs == ()


@given(old=SNAPSHOTS, new=SNAPSHOTS)
def test_the_comparison_is_the_same_from_the_other_side(old: list[Entry], new: list[Entry]) -> None:
    forth, back = diff_entries(old, new), diff_entries(new, old)
    assert forth.unchanged == back.unchanged
    assert [(pair.path, pair.old, pair.new) for pair in forth.pairs] == [
        (pair.path, pair.new, pair.old) for pair in back.pairs
    ]


@given(entries=SNAPSHOTS)
def test_a_snapshot_does_not_differ_from_itself(entries: list[Entry]) -> None:
    found = diff_entries(entries, entries)
    assert (found.pairs, found.unchanged) == ((), len(entries))


@given(old=SNAPSHOTS, new=SNAPSHOTS)
def test_what_is_called_unchanged_has_the_same_bytes(old: list[Entry], new: list[Entry]) -> None:
    named = {pair.path for pair in diff_entries(old, new).pairs}
    after = {entry.path: entry for entry in new}
    for entry in old:
        if entry.path in after and entry.path not in named:
            assert content(entry.extents) == content(after[entry.path].extents)
            assert entry.executable == after[entry.path].executable
