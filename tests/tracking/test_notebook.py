"""Which cells are kept; what a real kernel keeps is in `tests/api/test_kernel.py`."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from keepsake._model.notebook import Cell
from keepsake._tracking.notebook import CUT, MAX_SOURCE_LENGTH, choose_cells, find_shell


def test_a_script_is_no_notebook() -> None:
    assert find_shell() is None


def test_cells_stand_in_the_order_in_which_they_ran() -> None:
    assert choose_cells(["", "a = 1", "b = 2"]) == ([Cell(1, "a = 1"), Cell(2, "b = 2")], 0)


def test_of_a_cell_that_ran_twice_the_last_time_counts() -> None:
    assert choose_cells(["", "a", "b", "a", "", " \n"]) == ([Cell(2, "b"), Cell(3, "a")], 0)


def test_the_newest_cells_are_kept_and_the_others_counted() -> None:
    history = ["", *(f"cell {number} " + "x" * 90 for number in range(1, 10))]
    cells, left_out = choose_cells(history, longest=350)
    assert [cell.number for cell in cells] == [7, 8, 9]
    assert left_out == 6


def test_the_cell_that_runs_is_kept_even_if_it_has_to_be_cut() -> None:
    cells, left_out = choose_cells(["", "a = 1", "x" * 1_000_000])
    assert left_out == 1
    assert len(cells[0].source) == MAX_SOURCE_LENGTH
    assert cells[0].source.endswith(CUT)


@given(st.lists(st.text(max_size=60)), st.integers(len(CUT), 200))
def test_never_more_is_kept_than_may_be(history: list[str], longest: int) -> None:
    cells, left_out = choose_cells(history, longest=longest)
    assert sum(len(cell.source) for cell in cells) <= longest
    assert len(cells) + left_out == len({source for source in history if source.strip()})


def test_secrets_in_cells_are_masked() -> None:
    cells, _ = choose_cells(["", "api_key = 'abc'", "init()"])
    assert cells[0].source == "api_key = '***'"
