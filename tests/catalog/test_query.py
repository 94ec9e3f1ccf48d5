"""Filters over columns do what the rules say for each experiment, and sort keys order whatever is there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepsake._catalog.fields import Column, Name, kind_of
from keepsake._catalog.matching import sort_key
from keepsake._catalog.query import Query, evaluate, find_values, select
from keepsake._catalog.syntax import Filter
from keepsake._model.values import Value
from keepsake.errors import InvalidInputError
from tests.catalog.filters import NOW, Rows, filters, holds, look_up, names, rows


@given(filters(), rows())
def test_a_filter_keeps_what_the_rules_keep_one_by_one(tree: Filter, experiments: list[dict[Column, Value]]) -> None:
    assert evaluate(tree, Rows(experiments), NOW) == [holds(tree, row) for row in experiments]


@given(names(), rows())
def test_a_name_means_the_same_for_all_experiments_as_for_each(
    name: Name, experiments: list[dict[Column, Value]]
) -> None:
    found = find_values(name, Rows(experiments))
    wanted = [look_up(name, row) for row in experiments]
    if name.scope != "packages":
        assert repr(list(found or [None] * len(wanted))) == repr(wanted)


@given(rows(), st.booleans())
def test_sorting_keeps_all_in_a_stable_order_with_what_is_missing_last(
    experiments: list[dict[Column, Value]], is_descending: bool
) -> None:
    name = Name("experiment", "name")
    query = Query(sort=((name, is_descending),))
    order = select(query, Rows(experiments), range(len(experiments)), NOW)
    assert sorted(order) == list(range(len(experiments)))
    keys = [sort_key(kind_of(name), look_up(name, experiments[place])) for place in order]
    present = [key for key in keys if key is not None]
    assert keys == present + [None] * (len(keys) - len(present))
    assert present == sorted(present, reverse=is_descending)
    for (key, place), (next_key, next_place) in zip(
        zip(keys, order, strict=True), zip(keys[1:], order[1:], strict=True), strict=False
    ):
        assert key != next_key or place < next_place


def experiments(*params: dict[str, Value]) -> Rows:
    return Rows([{Column("params", key): value for key, value in one.items()} for one in params])


def test_several_sort_keys_count_in_their_order() -> None:
    columns = experiments({"a": 1, "b": 1}, {"a": 2, "b": 2}, {"a": 1, "b": 2}, {"b": 9})
    query = Query.parse([], "a-desc,b", NOW)
    assert select(query, columns, range(4), NOW) == [1, 0, 2, 3]


def test_several_filters_must_all_hold() -> None:
    columns = experiments({"a": 1}, {"a": 2}, {"a": 3})
    assert select(Query.parse(["a > 1", "a < 3"], None, NOW), columns, range(3), NOW) == [1]


def test_a_sort_key_that_nothing_has_names_the_nearest() -> None:
    columns = experiments({"accuracy": 1, "optimizer": "adam"}, {"accuracy": 2})
    with pytest.raises(InvalidInputError, match="acuracy") as caught:
        select(Query.parse([], "acuracy-desc", NOW), columns, range(2), NOW)
    assert "accuracy" in str(caught.value.hint)
    with pytest.raises(InvalidInputError) as caught:
        select(Query.parse([], "params.optimiser", NOW), columns, range(2), NOW)
    assert "params.optimizer" in str(caught.value.hint)
    with pytest.raises(InvalidInputError) as caught:
        select(Query.parse([], "zzz", NOW), columns, range(2), NOW)
    assert "created" in str(caught.value.hint)


def test_a_field_can_be_sorted_by_when_no_experiment_has_it() -> None:
    assert select(Query.parse([], "name,notes-desc,step", NOW), experiments({}, {}), range(2), NOW) == [0, 1]


def test_a_metric_of_the_best_checkpoint_counts_before_the_latest_and_that_before_a_param() -> None:
    best, latest, params = Column("best.metrics", "x"), Column("latest.metrics", "x"), Column("params", "x")
    columns = Rows([{best: 1, latest: 2, params: 3}, {latest: 2, params: 3}, {params: 3}, {}])
    assert find_values(Name("", "x"), columns) == [1, 2, 3, None]
    assert find_values(Name("metrics", "x"), columns) == [1, 2, None, None]
    assert find_values(Name("latest", "x"), columns) == [2, 2, None, None]


def test_a_param_is_found_under_the_name_of_a_newer_field_but_not_of_an_old_one() -> None:
    columns = Rows(
        [
            {Column("params", "name"): "param", Column("experiment", "name"): "field"},
            {Column("experiment", "name"): "field"},
            {Column("params", "user"): "param", Column("environment", "user"): "field"},
        ]
    )
    assert find_values(Name("", "name"), columns) == ["param", "field", None]
    assert find_values(Name("experiment", "name"), columns) == ["field", "field", None]
    assert find_values(Name("", "user"), columns) == [None, None, "field"]


def test_a_distribution_is_found_however_its_name_is_written() -> None:
    column = Column("environment", "python_packages")
    shared: Value = {"scikit_learn": "1.3", "torch": "2.1.0"}
    columns = Rows([{column: shared}, {column: shared}, {}, {column: {"torch": "1.0"}}])
    assert find_values(Name("packages", "Scikit-Learn"), columns) == ["1.3", "1.3", None, None]
    assert evaluate(Query.parse(["packages.torch >= 2.1"], None, NOW).filters[0], columns, NOW) == [
        True,
        True,
        False,
        False,
    ]


def test_git_and_the_environment_are_scopes() -> None:
    columns = Rows(
        [{Column("environment", "git"): {"commit": "abc", "dirty": True}, Column("environment", "gpu"): ["A100"]}]
    )
    for text in ("git.commit = abc", "git.dirty = true", "environment.gpu ~ A100", "environment.git.commit = abc"):
        assert evaluate(Query.parse([text], None, NOW).filters[0], columns, NOW) == [True], text
