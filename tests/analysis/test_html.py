from __future__ import annotations

import re
from html import unescape

from hypothesis import given
from hypothesis import strategies as st

from keepsake._analysis.html import MOST_ROWS, Html, column_html, row_html, shown_rows, table_html
from tests.analysis.page import KEPT_STYLES, KEPT_TAGS, Page


@given(st.lists(st.lists(st.text(), min_size=2, max_size=2), max_size=5), st.text())
def test_every_cell_of_a_table_reads_back_as_it_was(rows: list[list[str]], caption: str) -> None:
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", table_html(("a", "b"), rows, caption=caption))
    assert [unescape(cell) for cell in cells] == [cell for row in rows for cell in row]


def test_a_long_table_loses_its_middle_but_not_the_rows_in_bold() -> None:
    rows = [[str(number)] for number in range(MOST_ROWS * 3)]
    html = table_html(("n",), rows, strong={90})
    cells = [row[0] for row in Page(html).rows]
    half = MOST_ROWS // 2
    assert cells[: half + 1] == ["n", *(str(number) for number in range(half))]
    assert cells[half + 1 : half + 4] == ["… 60 more rows …", "90", "… 59 more rows …"]
    assert cells[half + 4 :] == [str(number) for number in range(150, 180)]
    assert html.count("font-weight:600") == 2  # the heading and the row


def test_a_table_that_fits_is_whole() -> None:
    assert list(shown_rows(MOST_ROWS)) == list(range(MOST_ROWS))
    assert "more row" not in table_html((), [["x"]] * MOST_ROWS)


def test_text_that_is_html_already_is_not_escaped_again() -> None:
    assert "<b>x</b>" in table_html((), [[Html("<b>x</b>")]])
    assert "&lt;b&gt;" in table_html((), [["<b>"]])


def test_a_notebook_that_somebody_else_has_run_loses_nothing_of_a_table() -> None:
    table = table_html(("a",), [["x"]] * 100, caption="c", strong={50}, wraps=True)
    page = Page(row_html([table, column_html([table_html(("a",), [["x"]])])]))
    assert set(page.tags) <= KEPT_TAGS
    assert page.attributes <= {"style", "colspan"}
    assert page.styles <= KEPT_STYLES
