"""What the pages of an experiment, of a comparison and of the storage work out: trees, tokens, verdicts, areas."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ui.browser.conftest import RunModule


def test_paths_become_a_tree_with_directories_first_and_their_sizes(run_module: RunModule) -> None:
    tree = run_module(
        "core/files.js",
        """(m, files) => {
            const plain = (nodes) => nodes.map((node) => [node.name, node.kind, node.size_bytes, plain(node.children)]);
            return plain(m.makeTree(files));
        }""",
        [
            {"path": "train.py", "kind": "file", "size_bytes": 5},
            {"path": "weights/b.npz", "kind": "file", "size_bytes": 7},
            {"path": "weights/a/c.bin", "kind": "file", "size_bytes": 1},
            {"path": "gone", "kind": "missing", "size_bytes": 0},
        ],
    )
    assert tree == [
        ["weights", "directory", 8, [["a", "directory", 1, [["c.bin", "file", 1, []]]], ["b.npz", "file", 7, []]]],
        ["gone", "missing", 0, []],
        ["train.py", "file", 5, []],
    ]


def test_a_directory_called_like_a_property_of_objects_is_one_as_any_other(run_module: RunModule) -> None:
    names = run_module(
        "core/files.js",
        "(m, files) => m.makeTree(files).map((node) => node.name)",
        [{"path": "__proto__/constructor", "kind": "file", "size_bytes": 1}],
    )
    assert names == ["__proto__"]


def test_only_open_directories_show_what_is_in_them(run_module: RunModule) -> None:
    code = """(m, open) => m.visibleNodes(m.makeTree([{ path: "a/b/c", kind: "file" }, { path: "d", kind: "file" }]),
        new Set(open)).map(({ node, depth }) => [node.path, depth])"""
    assert run_module("core/files.js", code, []) == [["a", 0], ["d", 0]]
    assert run_module("core/files.js", code, ["a", "a/b"]) == [["a", 0], ["a/b", 1], ["a/b/c", 2], ["d", 0]]


@pytest.mark.parametrize(
    ("path", "said", "language"),
    [("a.py", None, "python"), ("a.toml", "toml", "ini"), ("run.sh", "shell", "bash"), ("a.bin", None, None)],
)
def test_the_grammar_of_a_file_is_what_the_server_says_or_its_ending(
    run_module: RunModule, path: str, said: str | None, language: str | None
) -> None:
    assert run_module("core/files.js", "(m, path, said) => m.languageOf(path, said)", path, said) == language


def test_code_is_coloured_without_its_text_being_taken_for_markup(run_module: RunModule) -> None:
    text = 'def f(x):\n    """A <b>doc</b>\n    string."""\n    return "<script>alert(1)</script>"  # & more\n'
    lines = run_module("parts/code.js", "(m, text) => m.highlightLines(text, 'python')", text)
    assert ["".join(token["text"] for token in line) for line in lines] == text.split("\n")
    scopes = {token["scope"] for line in lines for token in line}
    assert {"keyword", "string", "comment"} <= scopes
    assert [token["scope"] for token in lines[2]] == ["string"]  # a string goes on in its next line


@pytest.mark.parametrize("language", ["yaml", "json", "ini", "markdown", "bash", "diff", "python", None, "unknown"])
def test_every_grammar_keeps_the_text_as_it_is(run_module: RunModule, language: str | None) -> None:
    text = '# a: <x> \u2028 \'b\' "c" [1]\n\n{"k": [1, null]}\n+ - @@ $(echo `x`) **strong** <i>x</i>\n\U0001f600'
    lines = run_module("parts/code.js", "(m, text, language) => m.highlightLines(text, language)", text, language)
    assert "\n".join("".join(token["text"] for token in line) for line in lines) == text


def test_marks_cut_tokens_where_they_begin_and_end(run_module: RunModule) -> None:
    tokens = [{"text": "return ", "scope": "keyword"}, {"text": "value", "scope": ""}]
    marked = run_module("core/tokens.js", "(m, tokens, ranges) => m.markLine(tokens, ranges)", tokens, [[4, 9]])
    assert [(token["text"], token["scope"], token["isMarked"]) for token in marked] == [
        ("retu", "keyword", False),
        ("rn ", "keyword", True),
        ("va", "", True),
        ("lue", "", False),
    ]


def row(values: list[Any], **more: Any) -> dict[str, Any]:
    return {"name": "n", "values": values, "is_set": [value is not None for value in values]} | more


@pytest.mark.parametrize(
    ("goal", "values", "difference", "verdict"),
    [
        ("minimize", [0.5, 0.25], -0.25, {"text": "\u22120.25 (\u221250 %)", "word": "better", "direction": "down"}),
        ("maximize", [0.5, 0.25], -0.25, {"text": "\u22120.25 (\u221250 %)", "word": "worse", "direction": "down"}),
        (None, [0.0, 2.0], 2.0, {"text": "+2", "word": "", "direction": "up"}),
        ("minimize", [0.5, 0.5], 0.0, None),
        ("minimize", ["NaN", 0.5], None, None),
        ("minimize", ["Infinity", 0.5], "-Infinity", None),
    ],
)
def test_a_metric_is_better_or_worse_by_its_goal(
    run_module: RunModule, goal: str | None, values: list[Any], difference: Any, verdict: Any
) -> None:
    given = row(values, goal=goal, differences=[0, difference])
    assert run_module("core/comparison.js", "(m, row) => m.judge(row, 1)", given) == verdict


@pytest.mark.parametrize(
    ("values", "expected"),
    [([1, 1.0], False), ([True, 1], True), (["NaN", "NaN"], False), ([None, None], False), ([[1], [1, 2]], True)],
)
def test_rows_differ_as_the_command_line_says(run_module: RunModule, values: list[Any], expected: bool) -> None:
    assert run_module("core/comparison.js", "(m, row) => m.differs(row)", row(values)) is expected


def test_none_differs_from_nothing_at_all(run_module: RunModule) -> None:
    given = {"name": "n", "values": [None, None], "is_set": [True, False]}
    assert run_module("core/comparison.js", "(m, row) => m.differs(row)", given) is True


def test_the_sides_of_an_address_come_back_as_they_were(run_module: RunModule) -> None:
    code = "(m, text) => m.formatSides(m.parseSides(text))"
    assert run_module("core/comparison.js", code, "ab12@best...cd34@120..ef56") == "ab12@best...cd34@120...ef56"


def test_markdown_escapes_what_would_be_markup(run_module: RunModule) -> None:
    side = {"name": "a|b <i>", "experiment_id": "a" * 64, "checkpoint_id": None}
    diff = {"sides": [side, side | {"name": None}], "params": [row(["x|y", "*z*"])], "files": []}
    text = run_module("core/comparison.js", "(m, diff) => m.toMarkdown(diff, [['params', 'Params']])", diff)
    assert "| n | x\\|y | \\*z\\* |" in text
    assert "<i>" not in text.replace("\\<i\\>", "")


def test_a_treemap_covers_its_area_in_proportion_without_overlap(run_module: RunModule) -> None:
    sizes = [60, 30, 20, 10, 5, 3, 1, 1]
    places = run_module("core/treemap.js", "(m, sizes) => m.layOut(sizes, 600, 220)", sizes)
    for size, place in zip(sizes, places, strict=True):
        assert place["width"] * place["height"] == pytest.approx(600 * 220 * size / sum(sizes))
        for start, length, whole in (("x", "width", 600), ("y", "height", 220)):
            assert place[start] >= 0
            assert place[start] + place[length] <= whole + 0.001
        assert max(place["width"] / place["height"], place["height"] / place["width"]) < 6
    for a, b in ((a, b) for number, a in enumerate(places) for b in places[:number]):
        wide = min(a["x"] + a["width"], b["x"] + b["width"]) - max(a["x"], b["x"])
        high = min(a["y"] + a["height"], b["y"] + b["height"]) - max(a["y"], b["y"])
        assert min(wide, high) < 0.001


def test_the_cells_of_a_notebook_are_one_text_with_their_numbers(run_module: RunModule) -> None:
    notebook = {
        "path": "train.ipynb",
        "cell": 4,
        "cells": [{"number": 2, "source": "x = 1"}, {"number": 4, "source": "keepsake.init()"}],
        "left_out": 3,
    }
    code = "(m, notebook) => [m.cellsSource(notebook), m.notebookSummary(notebook)]"
    source, summary = run_module("core/cells.js", code, notebook)
    assert source == "# In [2]:\nx = 1\n\n# In [4]:\nkeepsake.init()"
    assert summary == "train.ipynb, began in cell 4, 3 earlier cells left out"
    assert run_module("core/cells.js", code, None) == [None, ""]
    assert run_module("core/cells.js", code, {"cells": []}) == [None, ""]
