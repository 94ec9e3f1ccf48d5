"""Reading filters and sort keys: what is written comes back, old filters keep working, and errors show the place."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from keepsake._catalog.fields import Name
from keepsake._catalog.literals import Literal
from keepsake._catalog.parse import parse_filter, parse_sort
from keepsake._catalog.syntax import And, Comparison, Filter, Membership, Not, NullTest, Or, format_filter
from keepsake.errors import InvalidInputError
from tests.catalog.filters import NOW, filters


def compared(path: str, operator: str, text: str, *, scope: str = "", is_quoted: bool = False) -> Comparison:
    return Comparison(Name(scope, path), operator, Literal(text, is_quoted))


@given(filters())
def test_a_filter_that_is_written_is_read_back_as_the_same(tree: Filter) -> None:
    assert parse_filter(format_filter(tree), NOW) == tree


@given(st.text() | st.text("ab.`'\"()[]{},=<>!~ andorist\\0"))
@example("(" * 2000)
@example("not " * 2000)
@example("x ~ [[a]")
@example("x ~ (?P<")
@example("x = " + "9" * 5000)
@example("x = " + "[" * 100_000)
@example("created > 99999999999999999d ago")
@example("created = 9999-12-31")
@example("created < 0001-01-01")
@example("duration > " + "9" * 400 + "d")
@example("x in (")
@example("`")
@example("best.``")
def test_any_text_is_read_or_refused_with_an_error_of_ours(text: str) -> None:
    for parse in (parse_filter, parse_sort):
        with contextlib.suppress(InvalidInputError):
            parse(text, NOW)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("step <= 50", compared("step", "<=", "50")),
        ("optimizer = adam", compared("optimizer", "=", "adam")),
        ("val_loss<0.2", compared("val_loss", "<", "0.2")),
        ("learning rate < 0.1", compared("learning rate", "<", "0.1")),
        ("val-loss >= 0.1", compared("val-loss", ">=", "0.1")),
        ("loss in train < 3", compared("loss in train", "<", "3")),
        ("created > 2026-01-01", compared("created", ">", "2026-01-01")),
        ("started > 2026-01-01 10:30", compared("started", ">", "2026-01-01 10:30")),
        ("status = stopped", compared("status", "=", "stopped")),
        ("command = train.py --lr=0.1 --name 'x y'", compared("command", "=", "train.py --lr=0.1 --name 'x y'")),
        ("layers = [64, 32]", compared("layers", "=", "[64, 32]")),
        ("note = null", compared("note", "=", "null")),
    ],
)
def test_filters_for_keepsake_0_keep_working(text: str, tree: Filter) -> None:
    assert parse_filter(text, NOW) == tree


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a=1", compared("a", "=", "1")),
        ("a == 1", compared("a", "=", "1")),
        ("params.lr < 0.01", compared("lr", "<", "0.01", scope="params")),
        ("params.`a.b c` < 0.01", compared("a.b c", "<", "0.01", scope="params")),
        ("`val/loss` < 1", compared("val/loss", "<", "1")),
        ("val/loss < 1", compared("val/loss", "<", "1")),
        ("`params.lr` < 1", compared("params.lr", "<", "1")),
        ("`a``b` < 1", compared("a`b", "<", "1")),
        ("a = 'x and y'", compared("a", "=", "x and y", is_quoted=True)),
        (r'a = "say \"hi\" \d\\"', compared("a", "=", 'say "hi" \\d\\', is_quoted=True)),
        ("name ~ ^(a|b) x$", compared("name", "~", "^(a|b) x$")),
        ("a is null", NullTest(Name("", "a"))),
        ("a IS NOT NULL", NullTest(Name("", "a"), is_negated=True)),
        ("a in (1, b c, 'd, e')", Membership(Name("", "a"), (Literal("1"), Literal("b c"), Literal("d, e", True)))),
        ("a not in (1)", Membership(Name("", "a"), (Literal("1"),), is_negated=True)),
        ("not a = 1", Not(compared("a", "=", "1"))),
        ("a = 1 and b = 2 and c = 3", And((compared("a", "=", "1"), compared("b", "=", "2"), compared("c", "=", "3")))),
        (
            "a = 1 or b = 2 AND c = 3",
            Or((compared("a", "=", "1"), And((compared("b", "=", "2"), compared("c", "=", "3"))))),
        ),
        (
            "(a = 1 or b = f(2)) and not(c = 3)",
            And((Or((compared("a", "=", "1"), compared("b", "=", "f(2)"))), Not(compared("c", "=", "3")))),
        ),
        ("sand = 1 and band = or_not", And((compared("sand", "=", "1"), compared("band", "=", "or_not")))),
    ],
)
def test_the_language_is_read_as_it_is_described(text: str, tree: Filter) -> None:
    assert parse_filter(text, NOW) == tree


@pytest.mark.parametrize(
    ("text", "column", "told", "hint"),
    [
        ("", 0, "a name is missing", "not"),
        ("params.lr <", 11, "a value is missing", "a number"),
        ("params.lr 0.1", 13, "an operator is missing", "in (…)"),
        ("a = 1 and", 9, "a name is missing", "a comparison"),
        ("a and b = 1", 2, "an operator is missing", "is null"),
        ("(a = 1", 0, "not closed", ")"),
        ("a = 1)", 5, "close", "or"),
        ("a in (1, 2", 10, "not closed", ","),
        ("a in ()", 6, "a value is missing", "null"),
        ("lr < 0.1 batch = 3", 15, "operator in it", "`and`"),
        ("a = 'x", 4, "not closed", "'"),
        ("a = 'x' y", 8, "after a quoted text", "or"),
        ("`a = 1", 0, "backticks", "backtick"),
        ("foo.`a` = 1", 0, "no scope", "params."),
        ("experiment.lr = 1", 0, "no field", "status"),
        ("status = crashed", 9, "cannot be compared", "interrupted"),
        ("status in (running, dead)", 20, "cannot be compared", "lost"),
        ("created > soon", 10, "cannot be compared", "7d ago"),
        ("created > 2026-13-01", 10, "cannot be compared", "2026-01-31"),
        ("best.created < 3 days ago", 15, "cannot be compared", "12h ago"),
        ("duration > long", 11, "cannot be compared", "1h30m"),
        ("name ~ [", 7, "no regular expression", "re"),
        ("日本 = ", 7, "a value is missing", "a text"),
    ],
)
def test_an_error_shows_the_place_and_what_could_stand_there(text: str, column: int, told: str, hint: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse_filter(text, NOW)
    what, shown, caret = caught.value.message.split("\n")
    assert told in what
    assert shown == f"  {text}"
    assert caret.index("^") == 2 + column
    assert hint in str(caught.value.hint)


def test_each_status_is_named_once() -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse_filter("status = crashed", NOW)
    assert str(caught.value.hint).endswith("one of running, finished, failed, interrupted, lost, stopped")


def test_a_long_filter_is_shown_around_the_place() -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse_filter("a = 1 and " * 30 + "b ? 1" + " and c = 1" * 30, NOW)
    _, shown, caret = caught.value.message.split("\n")
    assert len(shown) < 160
    assert shown[caret.index("^") :].startswith("and c")


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("lr", [(Name("", "lr"), False)]),
        ("lr-desc", [(Name("", "lr"), True)]),
        ("lr-asc", [(Name("", "lr"), False)]),
        ("val-loss-desc", [(Name("", "val-loss"), True)]),
        ("learning rate-desc", [(Name("", "learning rate"), True)]),
        ("best.`val/loss`-desc, `a,b`", [(Name("best", "val/loss"), True), (Name("", "a,b"), False)]),
        ("created-DESC,params.lr", [(Name("", "created"), True), (Name("params", "lr"), False)]),
        ("`lr-desc`", [(Name("", "lr-desc"), False)]),
    ],
)
def test_sort_keys_are_names_with_a_direction(text: str, keys: list[tuple[Name, bool]]) -> None:
    assert parse_sort(text, NOW) == keys


@pytest.mark.parametrize("text", ["", "-desc", "lr,", "lr = 1", "lr desc)", "`lr"])
def test_what_is_no_sort_key_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError, match="this sort key cannot be read"):
        parse_sort(text, NOW)
