"""The rows of a changed file, from the hunks that the server sends."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keepsake._analysis.textdiff import diff_texts
from tests.ui.browser.conftest import RunModule

LINES = st.lists(st.sampled_from(["a", "b", "c", "", "x = 1", "\u00e9"]), max_size=30)


def hunks_of(old: str, new: str) -> list[dict[str, Any]]:
    return [
        {
            "old_start": hunk.old_start,
            "old_count": hunk.old_count,
            "new_start": hunk.new_start,
            "new_count": hunk.new_count,
            "lines": list(hunk.lines),
        }
        for hunk in diff_texts(old.encode(), new.encode()).hunks
    ]


def rows_of(run_module: RunModule, old: str, new: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = run_module("core/difflines.js", "(m, hunks) => m.hunkRows(hunks)", hunks_of(old, new))
    return rows


def test_rows_have_the_line_numbers_of_both_sides(run_module: RunModule) -> None:
    rows = rows_of(run_module, "a\nb\nc\n", "a\nx\nc\nd\n")
    assert [(row["kind"], row.get("old"), row.get("new"), row.get("text")) for row in rows] == [
        ("same", 1, 1, "a"),
        ("removed", 2, None, "b"),
        ("added", None, 2, "x"),
        ("same", 3, 3, "c"),
        ("added", None, 4, "d"),
        ("gap", None, None, None),
    ]


def test_what_lies_between_two_changes_is_a_gap_that_counts_its_lines(run_module: RunModule) -> None:
    old = "".join(f"{number}\n" for number in range(1, 31))
    rows = rows_of(run_module, old, old.replace("2\n", "two\n", 1).replace("29\n", "x\n"))
    gaps = [row for row in rows if row["kind"] == "gap"]
    assert gaps[0] == {"kind": "gap", "oldFrom": 6, "newFrom": 6, "count": 20}


def test_a_file_that_was_empty_has_all_its_lines_from_the_first_on(run_module: RunModule) -> None:
    rows = rows_of(run_module, "", "a\nb\n")
    assert [(row["kind"], row.get("new")) for row in rows[:2]] == [("added", 1), ("added", 2)]


def test_the_line_ends_of_windows_are_seen_only_where_they_differ(run_module: RunModule) -> None:
    def texts(old: str, new: str) -> list[str]:
        return [row["text"] for row in rows_of(run_module, old, new) if row["kind"] != "gap"]

    assert texts("a\r\nb\r\n", "a\r\nc\r\n") == ["a", "b", "c"]
    assert texts("a\r\nb\r\n", "a\r\nb\n") == ["a", "b\r", "b"]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(old=LINES, new=LINES)
def test_with_all_gaps_filled_the_rows_are_both_texts(run_module: RunModule, old: list[str], new: list[str]) -> None:
    texts = ["".join(f"{line}\n" for line in side) for side in (old, new)]
    rows = run_module(
        "core/difflines.js",
        """(m, hunks, lines) => {
            const rows = m.hunkRows(hunks);
            const gaps = new Set(rows.filter((row) => row.kind === "gap").map((row) => row.newFrom));
            return m.fillGaps(rows, lines, gaps);
        }""",
        hunks_of(*texts),
        new,
    )
    if not rows:
        assert old == new
        return
    for kind, side, lines in (("removed", "old", old), ("added", "new", new)):
        mine = [row for row in rows if row["kind"] in (kind, "same")]
        assert [row["text"] for row in mine] == lines
        assert [row[side] for row in mine] == list(range(1, len(lines) + 1))


def test_side_by_side_what_was_removed_stands_beside_what_was_added(run_module: RunModule) -> None:
    pairs = run_module(
        "core/difflines.js",
        "(m, kinds) => m.splitRows(kinds.map((kind) => ({ kind })))",
        ["same", "removed", "removed", "added", "same", "added", "gap"],
    )
    assert [(pair["left"], pair["right"]) for pair in pairs] == [(0, 0), (1, 3), (2, None), (4, 4), (None, 5), (6, 6)]


def marked(run_module: RunModule, old: str, new: str) -> tuple[list[str], list[str]] | None:
    found = run_module("core/difflines.js", "(m, old, now) => m.compareWords(old, now)", old, new)
    if found is None:
        return None
    return tuple([text[start:stop] for start, stop in side] for text, side in zip((old, new), found, strict=True))  # type: ignore[return-value]


def test_the_words_that_changed_are_marked(run_module: RunModule) -> None:
    assert marked(run_module, "    lr = 0.01  # fast", "    lr = 0.003  # fast") == (["01"], ["003"])
    assert marked(run_module, "def f(a, b):", "def f(a, b, c):") == ([], [", c"])


def test_white_space_between_changed_words_is_marked_with_them(run_module: RunModule) -> None:
    assert marked(run_module, "return old thing here(x)", "return new stuff here(x)") == (["old thing"], ["new stuff"])


def test_lines_with_nothing_in_common_are_not_marked_by_words(run_module: RunModule) -> None:
    assert marked(run_module, "import numpy", "class Net:") is None


def test_a_very_long_line_is_not_compared_by_words(run_module: RunModule) -> None:
    assert marked(run_module, "x " * 2000, "y " * 2000) is None


def test_the_places_of_changes_are_where_each_run_begins(run_module: RunModule) -> None:
    places = run_module(
        "core/difflines.js",
        "(m, kinds) => m.changePlaces(kinds.map((kind) => ({ kind })))",
        ["same", "removed", "added", "same", "gap", "added", "added"],
    )
    assert places == [1, 5]
