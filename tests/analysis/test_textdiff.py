"""Hunks make one text from another, whatever the texts."""

from __future__ import annotations

import itertools
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from keepsake._analysis.textdiff import NO_NEWLINE, Hunk, TextDiff, diff_texts, is_text

# Few different lines, so that many match in many ways; with and without an end, and bytes that are no UTF-8.
LINES = st.sampled_from(
    [b"", b"a", b"b", b"c", b"}", b"\r", b"\xff\xfe", "é\u2028".encode(), b"\x0c", b"-- a", b"+++ b"]
)
TEXTS = st.builds(
    lambda lines, ends: b"\n".join(lines) + (b"\n" if ends else b""), st.lists(LINES, max_size=30), st.booleans()
)


def apply(diff: TextDiff, old: bytes) -> bytes:
    """Make the new text, checking that the old one says what the hunks say."""
    old_lines = old.split(b"\n")
    old_lines = [line + b"\n" for line in old_lines[:-1]] + ([old_lines[-1]] if old_lines[-1] else [])
    new_lines: list[bytes] = []
    position = 0
    for hunk in diff.hunks:
        start = hunk.old_start - (hunk.old_count > 0)
        new_lines += old_lines[position:start]
        assert hunk.new_start - (hunk.new_count > 0) == len(new_lines)
        removed, added = sides(hunk)
        assert old_lines[start : start + hunk.old_count] == removed
        assert len(added) == hunk.new_count
        new_lines += added
        position = start + hunk.old_count
    return b"".join([*new_lines, *old_lines[position:]])


def sides(hunk: Hunk) -> tuple[list[bytes], list[bytes]]:
    """Return the lines of a hunk as they are on either side."""
    lines: list[tuple[str, bytes]] = []
    for line in hunk.lines:
        if line == NO_NEWLINE:
            lines[-1] = (lines[-1][0], lines[-1][1].removesuffix(b"\n"))
        else:
            lines.append((line[0], line[1:].encode("utf-8", "surrogateescape") + b"\n"))
    return [text for mark, text in lines if mark in " -"], [text for mark, text in lines if mark in " +"]


@given(old=TEXTS, new=TEXTS, context=st.integers(0, 4))
@example(old=b"", new=b"a", context=3)
@example(old=b"a", new=b"a\n", context=0)
def test_the_hunks_applied_to_the_old_text_give_the_new_one(old: bytes, new: bytes, context: int) -> None:
    diff = diff_texts(old, new, context_lines=context)
    assert apply(diff, old) == new
    marks = [line[0] for hunk in diff.hunks for line in hunk.lines]
    assert (marks.count("+"), marks.count("-")) == (diff.added_lines, diff.removed_lines)


@given(text=TEXTS)
def test_a_text_does_not_differ_from_itself(text: bytes) -> None:
    assert diff_texts(text, text) == TextDiff((), 0, 0)


@given(old=TEXTS, new=TEXTS)
def test_no_hunk_overlaps_the_next(old: bytes, new: bytes) -> None:
    hunks = diff_texts(old, new).hunks
    for one, following in itertools.pairwise(hunks):
        assert one.old_start + one.old_count <= following.old_start


@pytest.mark.skipif(shutil.which("patch") is None, reason="there is no patch program here")
@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"one\ntwo\nthree\n", b"one\n2\nthree\nfour\n"),
        (b"a\n" * 50 + b"b\n" + b"a\n" * 50, b"a\n" * 49 + b"c\n" + b"a\n" * 52),
        (b"no end", b"no end\nand more"),
        (b"x\ny", b"x\nz"),
    ],
)
def test_the_patch_program_understands_it(tmp_path: Path, old: bytes, new: bytes) -> None:
    (tmp_path / "file").write_bytes(old)
    hunks = diff_texts(old, new).hunks
    lines = ["--- a/file", "+++ b/file", *(line for hunk in hunks for line in (hunk.heading, *hunk.lines))]
    patch = "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")
    subprocess.run(["patch", "-p1", "--quiet"], input=patch, cwd=tmp_path, check=True, timeout=30)
    assert (tmp_path / "file").read_bytes() == new


def test_a_change_in_the_middle_is_shown_with_three_lines_around_it() -> None:
    old = "".join(f"line {number}\n" for number in range(20)).encode()
    (hunk,) = diff_texts(old, old.replace(b"line 10\n", b"line ten\n")).hunks
    assert hunk.heading == "@@ -8,7 +8,7 @@"
    assert hunk.lines == (
        *(" line 7", " line 8", " line 9"), "-line 10", "+line ten", *(" line 11", " line 12", " line 13"),
    )  # fmt: skip


def test_a_function_put_between_two_others_is_shown_whole() -> None:
    """What `difflib` and plain longest-common-subsequence diffs tear apart at the brackets."""
    first, second, new = (f"def {name}():\n    {{\n        {name}\n    }}\n\n".encode() for name in ("a", "b", "new"))
    (hunk,) = diff_texts(first + second, first + new + second, context_lines=0).hunks
    assert "".join(line[1:] + "\n" for line in hunk.lines).encode() == new


@pytest.mark.parametrize("lines", [[b"a\n", b"b\n"], [b"%d\n" % number for number in range(40)]])
def test_long_texts_of_lines_that_repeat_take_no_square_of_their_length(lines: list[bytes]) -> None:
    """A million pairs of equal lines: looked at one by one, they would take minutes, and the test's time limit ends."""
    old = b"".join(lines[number * number % len(lines)] for number in range(100_000))
    new = b"".join(lines[number * 7 % len(lines)] for number in range(100_000))
    diff = diff_texts(old, new)
    assert apply(diff, old) == new


def test_a_zero_byte_at_the_beginning_makes_a_file_binary() -> None:
    assert is_text("Grüße\n".encode())
    assert is_text(b"\xff\xfe invalid")
    assert not is_text(b"PNG\0")
