"""The warning that much would be saved."""

from __future__ import annotations

from keepsake._snapshots.ignore import IgnoreRules
from keepsake._snapshots.pattern import compile_pattern
from keepsake._snapshots.scan import Found
from keepsake._snapshots.sizes import DirectorySize, describe_large, sum_directories

MB = 1000 * 1000


def test_directories_are_summed_with_all_that_lies_in_them() -> None:
    found = [
        Found("data/a.bin", "file", size_bytes=5),
        Found("data/deep/b.bin", "file", size_bytes=7),
        Found("data/link", "link", target="a.bin"),
        Found("src/x.py", "file", size_bytes=1),
        Found("top.py", "file", size_bytes=100),
    ]
    assert sum_directories(found) == [DirectorySize("data", 12, 2), DirectorySize("src", 1, 1)]


def test_below_a_path_its_own_directories_are_summed() -> None:
    found = [Found("out/a/x", "file", size_bytes=1), Found("out/b/y", "file", size_bytes=2)]
    assert [size.path for size in sum_directories(found, "out")] == ["out/b", "out/a"]


def test_little_is_not_worth_a_word() -> None:
    assert describe_large([Found("a", "file", size_bytes=100 * MB)]) is None
    assert describe_large([Found(f"d/{number}", "file") for number in range(10_000)]) is None


def test_the_three_largest_directories_are_named_with_the_lines_that_ignore_them() -> None:
    found = [Found(f"d{number}/x", "file", size_bytes=number * 20 * MB) for number in range(1, 6)]
    text = describe_large(found)
    assert text is not None
    assert "300.0 MB in 5 files" in text
    assert [line.split()[0] for line in text.splitlines()[1:]] == ["/d5/", "/d4/", "/d3/"]


def test_with_too_many_files_the_directories_with_most_of_them_are_named() -> None:
    found = [Found(f"many/{number}", "file", size_bytes=1) for number in range(10_000)]
    found += [Found("few/big", "file", size_bytes=50 * MB)]
    text = describe_large(found)
    assert text is not None
    assert text.splitlines()[1].split()[0] == "/many/"


def test_the_line_ignores_its_directory_whatever_the_name() -> None:
    text = describe_large([Found("!odd [1]*/x", "file", size_bytes=200 * MB)])
    assert text is not None
    pattern = compile_pattern(text.splitlines()[1].split("   ")[1].strip())
    assert pattern is not None
    assert IgnoreRules([pattern]).ignores("!odd [1]*", is_directory=True)


def test_files_without_directories_are_summed_all_the_same() -> None:
    assert describe_large([Found("model.bin", "file", size_bytes=200 * MB)]) == (
        "'.' holds 200.0 MB in 1 files, and all of it is saved."
    )
