"""The benchmark of the page runs, on little, and its programs are described."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from benchmarks import page_browser
from benchmarks.browser import run_chromium
from benchmarks.page_peers import draw_experiments, measure_ours
from benchmarks.pages import PAGES, load_page
from benchmarks.rows import Row
from benchmarks.scale import QUICK


def apart(measure: Callable[[], list[Row]]) -> list[Row]:
    """Run something in a thread of its own: in this one, the browser of other tests may have its loop."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(measure).result()


@pytest.mark.slow
def test_every_figure_of_the_page_is_measured(tmp_path: Path) -> None:
    rows = apart(lambda: page_browser.measure(QUICK, tmp_path))
    assert len(rows) == 18
    assert all(row.measured > 0 for row in rows)


@pytest.mark.slow
def test_our_page_is_measured_beside_the_others(tmp_path: Path) -> None:
    many, curves = draw_experiments(8, 2, 2, 3), draw_experiments(3, 1, 1, 10)

    def measure() -> list[Row]:
        with run_chromium() as browser:
            return measure_ours(browser, many, curves, QUICK, tmp_path)

    rows = apart(measure)
    assert [row.what for row in rows] == [
        "page beside others: list of 8 experiments, Keepsake",
        "page beside others: 3 curves of 10 points, Keepsake",
    ]


@pytest.mark.parametrize("name", PAGES)
def test_every_page_names_a_version_and_an_address(name: str) -> None:
    other = load_page(name)
    assert all("==" in requirement for requirement in other.needs.python)
    assert (other.table(1, "run") or other.curves(1)) is not None
    assert str(7) in " ".join(other.command(Path("/python"), 7))
