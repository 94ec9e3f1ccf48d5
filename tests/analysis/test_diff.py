"""What differs between experiments: values by name, the laws of comparing, and the JSON of it."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepsake._analysis.compare import compare
from keepsake._analysis.diff import SECTIONS, Row, are_equal
from keepsake._analysis.strict_json import json_text
from keepsake._model.values import Value
from keepsake.errors import InvalidInputError
from keepsake.testing import strategies
from tests.analysis.saved import make_subject

VALUES = st.recursive(
    strategies.scalars(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=3), children, max_size=3),
    max_leaves=5,
)
NAMED: st.SearchStrategy[dict[str, Value]] = st.dictionaries(
    st.sampled_from(["lr", "optim", "a.b", "x", ""]), VALUES, max_size=4
)
FACTS = st.fixed_dictionaries(
    {
        "params": NAMED,
        "metrics": NAMED,
        "environment": st.fixed_dictionaries(
            {},
            optional={
                "host": st.sampled_from(["a", "b", None]),
                "git": st.none() | st.fixed_dictionaries({"commit": st.sampled_from("xy"), "dirty": st.booleans()}),
                "python_packages": st.dictionaries(st.sampled_from(["numpy", "torch"]), st.sampled_from(["1.0", "2"])),
            },
        ),
    }
)


def rows_of(first: dict[str, Any], *others: dict[str, Any], section: str = "params") -> list[tuple[str, Any]]:
    facts: list[dict[str, Any]] = [{section: one} for one in (first, *others)]
    diff = compare([make_subject(**one) for one in facts], only=section)
    return [(row.name, row.values) for row in diff.rows(section)]


@pytest.mark.parametrize(
    ("a", "b", "equal"),
    [
        (1, 1.0, True), (2**53 + 1, float(2**53), False), (True, 1, False), (False, 0.0, False), (True, True, True),
        (math.nan, math.nan, True), (math.nan, 1.0, False), (0.0, -0.0, True), ("1", 1, False), (None, 0, False),
        ([1, [2.0]], [1.0, [2]], True), ([1], [1, 2], False), ({"a": math.nan}, {"a": math.nan}, True),
        ({"a": 1}, {"b": 1}, False), ([], {}, False), (None, None, True),
    ],
)  # fmt: skip
def test_values_are_equal_when_a_person_would_say_so(a: Value, b: Value, equal: bool) -> None:
    assert are_equal(a, b) is equal
    assert are_equal(b, a) is equal


def test_only_what_differs_is_listed_by_its_dotted_name() -> None:
    old = {"optim": {"lr": 0.1, "name": "adam"}, "seed": 1}
    new = {"optim": {"lr": 0.2, "name": "adam"}, "epochs": 3}
    assert rows_of(old, new) == [("epochs", (None, 3)), ("optim.lr", (0.1, 0.2)), ("seed", (1, None))]


def test_everything_is_listed_when_it_is_asked_for() -> None:
    diff = compare([make_subject(params={"a": 1, "b": 2}), make_subject(params={"a": 1, "b": 3})], show_all=True)
    assert [(row.name, row.differs) for row in diff.params] == [("a", False), ("b", True)]


def test_none_is_not_the_same_as_nothing() -> None:
    diff = compare([make_subject(params={"a": None}), make_subject()])
    assert [(row.values, row.is_set) for row in diff.params] == [((None, None), (True, False))]


def test_git_and_packages_have_sections_of_their_own() -> None:
    old = {"host": "a", "git": {"commit": "x", "dirty": False}, "python_packages": {"numpy": "1", "torch": "2"}}
    new = {"host": "b", "git": None, "python_packages": {"numpy": "2", "torch": "2"}, "cuda": {"version": "12"}}
    diff = compare([make_subject(environment=old), make_subject(environment=new)])
    assert [row.name for row in diff.environment] == ["cuda.version", "host"]
    assert [row.name for row in diff.git] == ["commit", "dirty"]
    assert [(row.name, row.values) for row in diff.packages] == [("numpy", ("1", "2"))]


def test_metrics_are_compared_with_their_differences_the_primary_one_first() -> None:
    metrics: list[dict[str, Value]] = [{"acc": 0.5, "loss": 2, "note": "x"}, {"acc": 0.25, "loss": 1.5, "note": 7}]
    primary = ("loss", "minimize")
    diff = compare([make_subject(metrics=one, primary_metric=primary) for one in metrics])
    assert [(row.name, row.goal, row.differences) for row in diff.metrics] == [
        ("loss", "minimize", (0.0, -0.5)), ("acc", None, (0.0, -0.25)), ("note", None, (None, None)),
    ]  # fmt: skip


def test_a_difference_that_no_float_holds_is_none() -> None:
    diff = compare([make_subject(metrics={"n": 1}), make_subject(metrics={"n": 10**400})])
    assert diff.metrics[0].differences == (0.0, None)


def test_more_than_two_are_compared_with_the_first() -> None:
    assert rows_of({"a": 1}, {"a": 1}, {"a": 2}) == [("a", (1, 1, 2))]


@given(facts=FACTS)
def test_nothing_differs_from_itself(facts: dict[str, Any]) -> None:
    diff = compare([make_subject(**facts), make_subject(**facts)])
    assert diff.is_empty
    assert not any(diff.rows(section) for section in SECTIONS)


@given(old=FACTS, new=FACTS)
def test_the_comparison_from_the_other_side_is_its_mirror_image(old: dict[str, Any], new: dict[str, Any]) -> None:
    forth = compare([make_subject(**old), make_subject(**new)])
    back = compare([make_subject(**new), make_subject(**old)])
    for section in SECTIONS:
        # By their text, since NaN equals nothing.
        mirrored = [Row(row.name, row.values[::-1], row.is_set[::-1]) for row in back.rows(section)]
        plain = [Row(row.name, row.values, row.is_set) for row in forth.rows(section)]
        assert repr(plain) == repr(mirrored)


@given(old=FACTS, new=FACTS, show_all=st.booleans())
def test_every_comparison_can_be_written_as_json_and_as_text(
    old: dict[str, Any], new: dict[str, Any], show_all: bool
) -> None:
    diff = compare([make_subject(**old), make_subject(**new)], show_all=show_all)
    document = json.loads(json_text(diff.to_json()))
    assert document["is_empty"] == diff.is_empty
    assert [row["name"].encode("utf-8", "replace") for row in document["params"]] == [
        row.name.encode("utf-8", "replace") for row in diff.params
    ]
    assert str(diff)
    assert diff._repr_html_()


def test_the_json_has_the_sections_that_were_asked_for() -> None:
    diff = compare([make_subject(), make_subject(params={"a": 1})], only=["metrics", "params"])
    document = diff.to_json()
    assert document["sections"] == ["params", "metrics"]
    assert document["params"] == [{"name": "a", "values": [None, 1], "is_set": [False, True]}]
    assert not {"environment", "git", "packages", "files"} & set(document)


@pytest.mark.parametrize("only", ["nope", ["params", "nope"], []])
def test_an_unknown_section_is_refused_with_those_there_are(only: str | list[str]) -> None:
    with pytest.raises(InvalidInputError) as caught:
        compare([make_subject(), make_subject()], only=only)
    assert "params, environment, git, packages, metrics, code, tensors" in str(caught.value.hint)


@pytest.mark.parametrize("count", [0, 1])
def test_one_alone_cannot_be_compared(count: int) -> None:
    with pytest.raises(InvalidInputError, match="cannot be compared"):
        compare([make_subject()] * count)
