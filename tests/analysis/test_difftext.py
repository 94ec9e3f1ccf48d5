"""How a comparison looks in a terminal and in a notebook, and that nothing of it reaches either unescaped."""

from __future__ import annotations

import io
import math
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from keepsake._analysis.compare import compare
from keepsake._analysis.diff import (
    Diff,
    FileChange,
    FilesDiff,
    FileState,
    TensorChange,
    TensorsDiff,
    TensorState,
    TensorValues,
)
from keepsake._analysis.difftext import MOST_LINES, MOST_TENSORS, format_diff
from keepsake._analysis.diffwords import printable
from keepsake._analysis.textdiff import diff_texts
from tests.analysis.saved import Shelf, make_subject

HOSTILE = "\x1b]0;owned\x07<script>alert(1)</script>&\u202egnp\r\n\ud800"


def hostile_diff() -> Diff:
    """Return a comparison in which every name and text is hostile."""
    sides = [
        make_subject(
            number=number,
            params={HOSTILE: HOSTILE + str(number)},
            environment={"host": HOSTILE + str(number), "git": {HOSTILE: number}, "python_packages": {HOSTILE: number}},
            metrics={HOSTILE: number},
            primary_metric=(HOSTILE, "minimize"),
            name=HOSTILE,
        )
        for number in range(2)
    ]
    diff = compare(sides)
    state = FileState("link", 3, target=HOSTILE)
    tensor = TensorState(HOSTILE, (2,))
    changes = (
        FileChange(HOSTILE, "changed", state, state, text=diff_texts(b"", HOSTILE.encode("utf-8", "surrogatepass"))),
        FileChange("w", "changed", state, state, note=HOSTILE, problem=HOSTILE),
        FileChange(
            "t", "changed", None, state, tensors=TensorsDiff((TensorChange(HOSTILE, "added", None, tensor),), 0)
        ),
    )
    files = (FilesDiff(1, changes, 0), FilesDiff(1, (), 0, problem=HOSTILE))
    return Diff(diff.sides, diff.sections, diff.params, diff.environment, diff.git, diff.packages, diff.metrics, files)


def test_of_nan_and_infinity_it_is_not_said_what_is_better(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    sides = [
        make_subject(shelf.save({}), number=number, metrics={"acc": acc, "f1": 0.5}, primary_metric=("f1", "maximize"))
        for number, acc in enumerate([0.8, math.inf])
    ]
    assert "  acc  0.8  inf\n" in format_diff(compare(sides))
    sides = [
        make_subject(shelf.save({}), number=number, metrics={"acc": acc}, primary_metric=("acc", "maximize"))
        for number, acc in enumerate([0.8, math.nan])
    ]
    assert "  acc  0.8  nan\n" in format_diff(compare(sides))


def test_two_sides_stand_side_by_side(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    old, new = (
        make_subject(
            shelf.save({"train.py": f"lr = {number}\n".encode(), "same.py": b"1\n"}),
            number=number,
            params={"lr": 0.1 * (number + 1), "seed": 1},
            metrics={"loss": 2.0 - number, "step": 7},
            primary_metric=("loss", "minimize"),
            environment={"python_packages": {"torch": f"2.{number}"}},
        )
        for number in range(2)
    )
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "2026-03-01 00:00:00", format_diff(compare([old, new])))
    assert text == (
        "  experiment  0000000              0000001\n"
        "  checkpoint  c000000 (best)       c000001 (best)\n"
        "  status      finished             finished\n"
        "  created     2026-03-01 00:00:00  2026-03-01 00:00:00\n"
        "  step        0                    1\n"
        "  path        .                    .\n"
        "\n"
        "Params\n"
        "  lr  0.1  0.2\n"
        "\n"
        "Python packages\n"
        "  torch  2.0  2.1\n"
        "\n"
        "Metrics\n"
        "  loss  2  1  -1 (-50 %), better\n"
        "\n"
        "Files: 1 changed, 1 unchanged\n"
        "  changed  train.py  +1 -1\n"
        "\n"
        "--- a/train.py\n"
        "+++ b/train.py\n"
        "@@ -1 +1 @@\n"
        "-lr = 0\n"
        "+lr = 1\n"
        "\n"
        "no difference: environment, git, tensors"
    )


def test_nothing_that_differs_is_said_in_words() -> None:
    text = format_diff(compare([make_subject(), make_subject()]))
    assert text.endswith("no difference: params, environment, git, packages, metrics, files, tensors")


def test_more_than_two_sides_have_their_ids_above_the_columns() -> None:
    lines = format_diff(compare([make_subject(number=one, params={"a": one}) for one in range(3)])).splitlines()
    place = lines.index("Params")
    assert lines[place + 1].split() == ["c000000", "c000001", "c000002"]
    assert lines[place + 2].split() == ["a", "0", "1", "2"]


@pytest.mark.parametrize("width", [40, 60, 80, 200])
@pytest.mark.parametrize("count", [2, 3, 8])
def test_tables_fit_the_terminal_whatever_is_in_them(width: int, count: int) -> None:
    long = {"a" * 100: "b" * 100, "日本語" * 20: "日本語" * 20}
    sides = [
        make_subject(
            number=one,
            name="n" * 90,
            params={name: f"{one}{value}" for name, value in long.items()},
            metrics={"loss": 1 / (one + 7), "acc": one},
            primary_metric=("loss", "minimize"),
        )
        for one in range(count)
    ]
    text = format_diff(compare(sides, only=["params", "metrics"], show_all=True), width=width)
    for line in text.splitlines():
        assert cell_len(line) <= width, line
    assert "1日本語日本語" in text.replace("\n", "").replace(" ", "")


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_tensors_fit_the_terminal(width: int) -> None:
    sides = compare([make_subject(), make_subject()]).sides
    state, shape = FileState("file", 1), TensorState("float32", (4096, 11008))
    values = TensorValues(100, 50, 0.123456, 1e-7, 0.999999, nonfinite_new=3)
    tensors = (
        TensorChange("model.layers.0.self_attn.q_proj.weight", "changed", shape, shape, values),
        TensorChange("head", "changed", shape, shape, problem="a chunk is damaged " * 9),
    )
    change = FileChange("w", "changed", state, state, tensors=TensorsDiff(tensors, 0))
    diff = Diff(sides, ("tensors",), files=(FilesDiff(1, (change,), 0),))
    text = format_diff(diff, width=width)
    for line in text.splitlines():
        assert cell_len(line) <= width, line
    for expected in ("model.layers", "0.1235", "NaN or infinite: 0 -> 3 of 100 items", "PROBLEM: a chunk"):
        assert expected in text


def test_stat_counts_and_shows_no_lines(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    buffers = [io.BytesIO(), io.BytesIO()]
    for number, buffer in enumerate(buffers):
        np.savez(buffer, x=np.full(3, number))
    trees = [{"a.py": b"%d\n" % number, "w.npz": buffers[number].getvalue()} for number in range(2)]
    subjects = [make_subject(shelf.save(tree), params={"lr": tree["a.py"].decode()}) for tree in trees]
    text = format_diff(compare(subjects), stat=True)
    assert "Params: 1 differ" in text
    assert "changed  a.py   +1 -1" in text
    assert "changed  w.npz  tensors: 1 changed" in text
    assert "@@" not in text
    assert "int64" not in text
    assert "tensors" not in text.splitlines()[-1]


def test_long_changes_are_cut_unless_all_is_asked_for() -> None:
    sides = compare([make_subject(), make_subject()]).sides
    state = FileState("file", 1)
    text = diff_texts(b"", b"x\n" * (MOST_LINES + 100))
    tensors = tuple(TensorChange(str(number), "removed", TensorState("int8", ()), None) for number in range(100))
    changes = (
        FileChange("a.txt", "changed", state, state, text=text),
        FileChange("w", "changed", state, state, tensors=TensorsDiff(tensors, 0)),
    )
    diff = Diff(sides, ("code", "tensors"), files=(FilesDiff(1, changes, 0),))
    cut, whole = format_diff(diff), format_diff(diff, show_all=True)
    assert cut.count("\n+x") == MOST_LINES - 1  # the heading of the hunk counts as a line
    assert "… 101 more lines: --all shows them" in cut
    assert f"… {100 - MOST_TENSORS} more: --all shows them" in cut
    assert whole.count("\n+x") == MOST_LINES + 100
    assert "--all" not in whole


@pytest.mark.parametrize("stat", [False, True])
@pytest.mark.parametrize("width", [None, 40, 120])
def test_nothing_hostile_reaches_the_terminal(stat: bool, width: int | None) -> None:
    text = format_diff(hostile_diff(), width=width, stat=stat)
    assert all(line.replace("\t", "").isprintable() for line in text.split("\n"))
    text.encode("utf-8")


def test_colour_is_all_that_colour_adds() -> None:
    diff = hostile_diff()
    plain, colored = format_diff(diff), format_diff(diff, color=True)
    assert plain != colored
    assert re.sub(r"\x1b\[\d*m", "", colored) == plain


@given(text=st.text())
def test_printable_text_is_printable_but_for_tabs_and_of_the_same_length(text: str) -> None:
    shown = printable(text)
    assert len(shown) == len(text)
    assert shown.replace("\t", "").isprintable()


class Tags(HTMLParser):
    """Collects the tags and the text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.text: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        """Note a text."""
        self.text.append(data)


def test_a_notebook_shows_everything_escaped() -> None:
    page = Tags(hostile_diff()._repr_html_())
    assert set(page.tags) <= {
        "div",
        "table",
        "caption",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "details",
        "summary",
        "pre",
        "p",
    }
    assert page.attributes <= {"style", "colspan"}
    text = "".join(page.text)
    assert text.count("<script>alert(1)</script>") >= 8
    assert "\x1b" not in text


def test_a_notebook_shows_rows_code_and_tensors(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    buffer = io.BytesIO()
    np.savez(buffer, x=np.ones(3))
    trees = [{"a.py": b"old\n"}, {"a.py": b"new\n", "w.npz": buffer.getvalue()}]
    diff = compare([make_subject(shelf.save(tree), metrics={"loss": 1 + one}) for one, tree in enumerate(trees)])
    text = " ".join(Tags(diff._repr_html_()).text)
    for expected in ("loss", "+1 (+100 %)", "a.py +1 -1", "-old", "+new", "float64[3]", "no difference: params"):
        assert expected in text


def test_the_repr_counts() -> None:
    diff = compare([make_subject(), make_subject(number=1, params={"a": 1, "b": 2})])
    assert repr(diff) == "Diff(c000000, c000001: params 2)"
    assert repr(compare([make_subject(), make_subject()])) == "Diff(c000000, c000000: no difference)"
