"""Values: what params and metrics accept, what it becomes, and how the rest is refused."""

from __future__ import annotations

import argparse
import array
import collections
import datetime
import decimal
import enum
import fractions
import math
import pathlib
import types
import unittest.mock
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepsake._model.encoding import decode_json, encode_json
from keepsake._model.values import MAX_ARRAY_ITEMS, get_dotted, to_metrics, to_params, to_value
from keepsake.errors import InvalidInputError
from keepsake.testing import strategies


class Color(enum.Enum):
    RED = 1


class Level(enum.IntEnum):
    HIGH = 3


class Optimizer(str, enum.Enum):
    ADAM = "adam"


class Flags(enum.Flag):
    A = 1
    B = 2


class Point(NamedTuple):
    x: int
    y: int


class Integer(int):
    def __repr__(self) -> str:
        return "something else"


class Text(str):
    __slots__ = ()


@dataclass
class Optim:
    name: str = "adam"
    betas: tuple[float, float] = (0.9, 0.999)


@dataclass
class Config:
    lr: float = 0.1
    optim: Optim = field(default_factory=Optim)


class ReadOnlyConfig(Mapping[str, object]):
    """A mapping that is no dict, as configuration libraries have."""

    def __init__(self, **items: object) -> None:
        self._items = items

    def __getitem__(self, key: str) -> object:
        return self._items[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)


class Model:
    """What a pydantic model offers."""

    def model_dump(self) -> dict[str, object]:
        return {"lr": 0.1, "path": pathlib.PurePosixPath("a/b")}


def same(found: object, wanted: object) -> bool:
    """Compare with types: 1, 1.0 and True are three things."""
    return repr(found) == repr(wanted)


@given(strategies.params())
def test_values_pass_unchanged(params: dict[str, Any]) -> None:
    assert same(to_params(params), params)
    assert same(to_value(params, name="params"), params)


@given(strategies.metrics())
def test_whatever_is_accepted_can_be_stored(metrics: dict[str, Any]) -> None:
    values = to_metrics(metrics, {})

    assert same(decode_json(encode_json(values)), values)


@given(strategies.params())
def test_converting_twice_changes_nothing_more(params: dict[str, Any]) -> None:
    once = to_params(params)

    assert same(to_params(once), once)


@pytest.mark.parametrize(
    ("thing", "wanted"),
    [
        ((1, (2.0, "x")), [1, [2.0, "x"]]),
        (Point(1, 2), [1, 2]),
        ({3, 1, 2}, [1, 2, 3]),
        (frozenset({"b", "a"}), ["a", "b"]),
        ({"b", 2, 1.5, None, (1,)}, [1.5, 2, "b", None, [1]]),
        (collections.deque([1, 2]), [1, 2]),
        (range(3), [0, 1, 2]),
        ({"a": 1}.keys(), ["a"]),
        ({"a": 1}.values(), [1]),
        (array.array("d", [1.0]), [1.0]),
        (collections.OrderedDict(a=(1,)), {"a": [1]}),
        (types.MappingProxyType({"a": 1}), {"a": 1}),
        (collections.defaultdict(list, a=[()]), {"a": [[]]}),
        (ReadOnlyConfig(a=ReadOnlyConfig(b={1})), {"a": {"b": [1]}}),
        (Config(), {"lr": 0.1, "optim": {"name": "adam", "betas": [0.9, 0.999]}}),
        (argparse.Namespace(lr=0.1, out=pathlib.Path("x")), {"lr": 0.1, "out": "x"}),
        (types.SimpleNamespace(a=1), {"a": 1}),
        (Model(), {"lr": 0.1, "path": "a/b"}),
        (pathlib.PurePosixPath("a/b"), "a/b"),
        (Color.RED, "Color.RED"),
        (Level.HIGH, "Level.HIGH"),
        (Optimizer.ADAM, "adam"),
        (datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc), "2026-01-02 03:04:05+00:00"),
        (datetime.date(2026, 1, 2), "2026-01-02"),
        (datetime.timedelta(hours=1), "1:00:00"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (decimal.Decimal("0.10"), "0.10"),
        (fractions.Fraction(1, 3), "1/3"),
        (Integer(7), 7),
        (Text("x"), "x"),
        ({Text("x"): 1}, {"x": 1}),
        ("\ud800", "\ud800"),
        (10**400, 10**400),
    ],
)
def test_what_scripts_pass_becomes_values(thing: object, wanted: object) -> None:
    assert same(to_value(thing, name="params.x"), wanted)
    assert same(to_params({"x": thing}), {"x": wanted})


def test_a_number_that_nobody_could_print_is_refused() -> None:
    things: list[object] = [10**4300, -(10**4300), [1, 10**4300], {"a": {"b": 10**5000}}, {10**4300}]
    for thing in things:
        with pytest.raises(InvalidInputError, match=r"^params\.x.* more than 4,300 digits"):
            to_value(thing, name="params.x")
        with pytest.raises(InvalidInputError, match=r"^params\.x.* more than 4,300 digits"):
            to_params({"x": thing})
    assert to_params({"x": 10**4299}) == {"x": 10**4299}


def test_a_combination_of_flags_is_text() -> None:
    assert isinstance(to_value(Flags.A | Flags.B, name="params.x"), str)


@given(st.sets(st.floats() | st.integers() | st.text() | st.none() | st.tuples(st.integers())))
def test_a_set_becomes_the_same_list_whatever_its_order(things: set[object]) -> None:
    backwards = dict.fromkeys(reversed(list(things))).keys()

    assert same(to_value(things, name="x"), to_value(backwards, name="x"))


def test_types_stay_what_they_were_down_to_subclasses() -> None:
    value = to_value(Integer(7), name="x")

    assert type(value) is int
    assert type(to_value(Text("x"), name="x")) is str
    assert type(to_value(True, name="x")) is bool


@pytest.mark.parametrize(
    ("params", "place", "kind"),
    [
        ({"a": object()}, "params.a", "object"),
        ({"optim": {"net": object}}, "params.optim.net", "type"),
        ({"layers": [1, {"f": print}]}, "params.layers.1.f", "builtin_function_or_method"),
        ({"a": b"x"}, "params.a", "bytes"),
        ({"a": bytearray(b"x")}, "params.a", "bytearray"),
        ({"a": memoryview(b"x")}, "params.a", "memoryview"),
        ({"a": 1j}, "params.a", "complex"),
        ({"a": (n for n in "x")}, "params.a", "generator"),
        ({"a": iter([1])}, "params.a", "list_iterator"),
        ({"a": Config}, "params.a", "type"),
        ({"a": lambda: 1}, "params.a", "function"),
        ({"a": unittest.mock.Mock()}, "params.a", "unittest.mock.Mock"),
        ({"a": Config(optim=object())}, "params.a.optim", "object"),  # type: ignore[arg-type]
    ],
)
def test_anything_else_is_refused_with_its_place_and_type(params: object, place: str, kind: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        to_params(params)

    assert f"{place} is of type {kind}" in caught.value.message
    assert caught.value.hint


class Label(enum.IntEnum):
    CAT = 3


@pytest.mark.parametrize(("key", "text"), [(1, "1"), (-1.5, "-1.5"), (None, "null"), (True, "true"), (Label.CAT, "3")])
def test_a_key_that_is_a_number_becomes_its_text(key: object, text: str) -> None:
    assert to_params({"labels": {key: "cat", "b": 2}}) == {"labels": {text: "cat", "b": 2}}
    assert to_params({key: 1}) == {text: 1}


def test_two_keys_that_have_the_same_text_are_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"params\.labels has two keys that are written '1'"):
        to_params({"labels": {1: "cat", "1": "dog"}})


@pytest.mark.parametrize("key", [(1,), b"a", 1j])
def test_a_key_that_is_neither_string_nor_number_is_refused(key: object) -> None:
    with pytest.raises(InvalidInputError, match=rf"params\.optim has the key .* of type {type(key).__name__}"):
        to_params({"optim": {key: 1}})
    with pytest.raises(InvalidInputError, match="params has the key"):
        to_params({key: 1})


def test_a_key_of_too_many_digits_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="params has a key of more than 4,300 digits"):
        to_params({10**5000: 1})


@pytest.mark.parametrize("params", ["lol", 1, 1.5, [("a", 1)], {1}, b"x", object(), Config, dict, print])
def test_params_that_are_no_dictionary_are_refused(params: object) -> None:
    with pytest.raises(InvalidInputError, match="params must be a dictionary, not "):
        to_params(params)


def test_a_cycle_is_refused_by_its_place() -> None:
    inner: dict[str, Any] = {}
    inner["self"] = [inner]

    with pytest.raises(InvalidInputError, match=r"params\.a\.self\.0 contains itself"):
        to_params({"a": inner})


def test_the_same_thing_in_two_places_is_no_cycle() -> None:
    shared = [1]

    assert to_params({"a": shared, "b": [shared, shared]}) == {"a": [1], "b": [[1], [1]]}


@pytest.mark.parametrize("depth", [101, 5_000, 100_000])
def test_deep_nesting_is_refused_and_no_crash(depth: int) -> None:
    nested: list[Any] = []
    for _ in range(depth):
        nested = [nested]

    with pytest.raises(InvalidInputError, match="deep"):
        to_params({"a": nested})


def test_what_is_accepted_at_the_deepest_can_be_stored() -> None:
    nested: Any = math.nan
    for _ in range(98):
        nested = [nested]

    values = to_params({"a": nested})
    assert same(decode_json(encode_json({"params": values}))["params"], values)


def test_lists_that_share_their_parts_do_not_unfold_without_end() -> None:
    bomb: list[Any] = [1] * 10
    for _ in range(20):
        bomb = [bomb] * 10

    with pytest.raises(InvalidInputError, match="more than 1,000,000 values"):
        to_params({"a": bomb})


def test_a_long_range_is_refused_before_it_is_unfolded() -> None:
    with pytest.raises(InvalidInputError, match=r"10,000,000,000 elements.*\nhint: save it as a file"):
        to_params({"a": range(10**10)})
    assert to_params({"a": range(MAX_ARRAY_ITEMS)}) == {"a": list(range(MAX_ARRAY_ITEMS))}


def test_an_error_in_the_users_object_is_told_as_ours() -> None:
    class Broken(ReadOnlyConfig):
        def __getitem__(self, key: str) -> object:
            raise OSError("missing value")

    with pytest.raises(InvalidInputError, match=r"params\.a: this .*Broken cannot be read: OSError: missing value"):
        to_params({"a": Broken(x=1)})


def test_the_result_shares_nothing_with_what_was_given() -> None:
    given_params: dict[str, Any] = {"a": [1], "b": {"c": 1}}
    values = to_params(given_params)
    given_params["a"].append(2)
    given_params["b"]["c"] = 2
    metrics = {"loss": 1.0}
    measured = to_metrics(metrics, {})
    metrics["loss"] = 2.0

    assert values == {"a": [1], "b": {"c": 1}}
    assert measured == {"loss": 1.0}


def test_no_params_and_no_metrics_are_empty() -> None:
    assert to_params(None) == {}
    assert to_metrics(None, {}) == {}


def test_keyword_arguments_are_metrics_too() -> None:
    assert to_metrics({"loss": 1.0}, {"acc": (1,)}) == {"loss": 1.0, "acc": [1]}
    assert to_metrics(None, {"acc": 0.5}) == {"acc": 0.5}


def test_a_metric_that_is_given_twice_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="'loss' was given twice"):
        to_metrics({"loss": 1.0}, {"loss": 1.0})


def test_a_metric_that_cannot_be_stored_is_named() -> None:
    with pytest.raises(InvalidInputError, match=r"metrics\.model is of type object"):
        to_metrics({"loss": 1.0}, {"model": object()})


def test_dots_lead_into_dictionaries_and_lists() -> None:
    values = to_params({"optim": {"lr": 0.1, "betas": [0.9, {"x": 1}]}, "lr": 1})

    assert get_dotted(values, "lr") == 1
    assert get_dotted(values, "optim.lr") == 0.1
    assert get_dotted(values, "optim.betas.0") == 0.9
    assert get_dotted(values, "optim.betas.1.x") == 1


def test_a_key_with_dots_wins_over_dots_between_keys() -> None:
    assert get_dotted({"a.b": 1, "a": {"b": 2}}, "a.b") == 1
    assert get_dotted({"a": {"b.c": 3}, "a.b": {"d": 4}}, "a.b.c") == 3
    assert get_dotted({"a.b": {"d": None}}, "a.b.d") is None


@pytest.mark.parametrize("name", ["", "x", "a.x", "a.b.c", "a.", ".a", "l.2", "l.-1", "l.x", "."])
def test_a_place_that_is_not_there_is_a_key_error(name: str) -> None:
    with pytest.raises(KeyError, match=repr(name).replace(".", r"\.")):
        get_dotted({"a": {"b": 1}, "l": [1, 2]}, name)


@given(strategies.params(), st.text(st.sampled_from("a.lro0"), max_size=8))
def test_looking_for_any_place_finds_it_or_is_a_key_error(params: dict[str, Any], name: str) -> None:
    try:
        get_dotted(params, name)
    except KeyError as error:
        assert error.args == (name,)  # noqa: PT017
        assert name not in params
