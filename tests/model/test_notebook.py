from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from keepsake._model.notebook import Cell, Notebook, encode_notebook, find_notebook, without_cells

SOME = Notebook("train.ipynb", 7, (Cell(2, "import keepsake\n"), Cell(7, "keepsake.init()")), left_out=3)


@given(
    st.builds(
        Notebook,
        st.none() | st.text(min_size=1),
        st.none() | st.integers(),
        st.lists(st.builds(Cell, st.integers(), st.text())).map(tuple),
        st.integers(),
    )
)
def test_a_notebook_reads_back_as_it_was(notebook: Notebook) -> None:
    written = json.loads(json.dumps(encode_notebook(notebook)))
    assert find_notebook({"notebook": written}) == notebook


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda children: (
        st.lists(children) | st.dictionaries(st.sampled_from(["path", "cell", "cells", "number"]), children)
    ),
)


@given(st.dictionaries(st.just("notebook"), JSON))
def test_what_somebody_else_wrote_is_understood_as_far_as_it_goes(environment: dict[str, object]) -> None:
    found = find_notebook(environment)
    assert (found is None) != isinstance(environment.get("notebook"), dict)
    assert found is None or isinstance(found.source(), str)
    if found is not None:
        assert "cells" not in without_cells(environment)["notebook"]


def test_cells_are_one_text_without_their_numbers() -> None:
    assert SOME.source() == "# %%\nimport keepsake\n\n# %%\nkeepsake.init()\n"


def test_the_cell_that_began_the_experiment_is_known_by_its_number() -> None:
    assert SOME.beginning() == Cell(7, "keepsake.init()")
    assert Notebook(None, None, SOME.cells, 0).beginning() is None


def test_an_environment_without_cells_keeps_the_rest() -> None:
    environment = {"host": "box", "notebook": encode_notebook(SOME)}
    assert without_cells(environment) == {"host": "box", "notebook": {"path": "train.ipynb", "cell": 7, "left_out": 3}}
    assert without_cells({"host": "box"}) == {"host": "box"}
    assert "cells" in environment["notebook"]
