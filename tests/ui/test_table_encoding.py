"""A column that is sent as its distinct values is the same column."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from keepsake._analysis.strict_json import json_text
from keepsake._model.values import Value
from keepsake.ui.table import MOST_NUMBERS, _encode_column
from tests.ui.tables import values_of

NUMBERS = st.one_of(st.integers(), st.floats(), st.sampled_from([0, 0.0, -0.0, 1, 1.0, True]))
VALUES: st.SearchStrategy[Value] = st.one_of(
    st.none(), NUMBERS, st.text(max_size=3), st.lists(st.integers(), max_size=2)
)


def encoded(values: list[Value]) -> dict[str, object]:
    document: dict[str, object] = json.loads(_encode_column({"name": "a"}, values))
    return document


@given(st.data())
def test_whatever_the_values_they_are_read_back_as_what_they_are(data: st.DataObject) -> None:
    some = data.draw(st.lists(data.draw(st.sampled_from([NUMBERS, VALUES])), min_size=1, max_size=8))
    values = data.draw(st.lists(st.sampled_from([*some, None]), min_size=1, max_size=40))
    read = values_of(encoded(values))
    assert json_text(read) == json_text(json.loads(json_text(values)))


def test_numbers_of_which_there_are_few_are_sent_once() -> None:
    few: list[Value] = [[0.1, 0.01, None][place % 3] for place in range(300)]
    assert encoded(few)["values"] == [0.1, 0.01]
    assert encoded(few)["is_number"] is True
    many: list[Value] = [place % (MOST_NUMBERS + 1) for place in range(300)]
    assert encoded(many)["values"] == many
    assert "codes" not in encoded([None] * 300)
