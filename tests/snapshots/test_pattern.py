"""Lines of `.keepsakeignore`, one at a time."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepsake._snapshots.pattern import compile_pattern, escape_path


def matches(line: str, path: str, *, is_directory: bool = False) -> bool:
    pattern = compile_pattern(line)
    assert pattern is not None
    if pattern.directory_only and not is_directory:
        return False
    subject = path.rpartition("/")[2] if pattern.by_name else path
    return re.match(pattern.regex, subject, re.DOTALL) is not None


@pytest.mark.parametrize("line", ["", "   ", "# a comment", "#", "\r"])
def test_comments_and_blank_lines_are_no_patterns(line: str) -> None:
    assert compile_pattern(line) is None


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("*.py[cod]", "deep/down/module.pyc"),
        ("name", "a/b/name"),
        ("/name", "name"),
        ("a/b", "a/b"),
        ("a/**/b", "a/b"),
        ("a/**/b", "a/x/y/b"),
        ("**/b", "b"),
        ("a/**", "a/x/y"),
        ("a**b", "axb"),
        ("\\#start", "#start"),
        ("\\!start", "!start"),
        ("end\\ ", "end "),
        (" start", " start"),
        ("[[:digit:]][[:upper:]]", "7Q"),
        ("[]-]", "]"),
        ("[]-]", "-"),
        ("[\\]x]", "]"),
        ("[!a]", "b"),
        ("[^a]", "b"),
        ("price$", "price$"),
        ("a?c", "abc"),
        ("*", "two\nlines"),
    ],
)
def test_a_pattern_matches_what_gitignore_says(line: str, path: str) -> None:
    assert matches(line, path)


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("/name", "a/name"),
        ("a/b", "x/a/b"),
        ("a/b", "a/b/c"),
        ("name", "name/below"),
        ("a/**", "a"),
        ("a/*", "a/b/c"),
        ("a?c", "a/c"),
        ("a[+-z]c", "a/c"),
        ("[!a]", "a"),
        ("name", "name\n"),
        ("end ", "end "),
    ],
)
def test_a_pattern_matches_a_path_itself_and_nothing_below_it(line: str, path: str) -> None:
    assert not matches(line, path)


def test_a_slash_at_the_end_asks_for_a_directory() -> None:
    assert matches("build/", "src/build", is_directory=True)
    assert not matches("build/", "src/build")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("foo\\", "backslash"),
        ("[abc", "not closed"),
        ("[]", "not closed"),
        ("./data", "start at the project directory"),
        ("../data", "start at the project directory"),
        ("a//b", "two slashes"),
        ("/", "names nothing"),
        ("!", "names nothing"),
        ("[z-a]", "empty"),
        ("[[:word:]]", "no class"),
        ("a\0b", "NUL"),
    ],
)
def test_a_pattern_that_could_never_match_is_refused_with_the_reason(line: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        compile_pattern(line)


NAMES = st.text(
    st.characters(blacklist_characters="/\0\n\r", blacklist_categories=["Cs"]), min_size=1, max_size=8
).filter(lambda name: name not in (".", ".."))


@given(st.lists(NAMES, min_size=1, max_size=3).map("/".join), st.lists(NAMES, min_size=1, max_size=3).map("/".join))
def test_an_escaped_path_matches_itself_and_no_other(path: str, other: str) -> None:
    line = f"/{escape_path(path)}"
    assert matches(line, path)
    assert matches(line, other) == (path == other)
