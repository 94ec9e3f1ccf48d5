"""docs/filters.md: every example in its tables finds what the page says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import keepsake
from keepsake._tracking.ending import tracked
from keepsake.errors import InvalidInputError

PAGE = (Path(__file__).parents[2] / "docs" / "filters.md").read_text(encoding="utf-8")


@pytest.fixture
def letters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """Make the four experiments of the page; return their letters by id."""
    monkeypatch.chdir(tmp_path)
    params: list[dict[str, Any]] = [
        {"lr": 0.1, "optimizer": "adam", "layers": [64, 32]},
        {"lr": 0.01, "optimizer": "adam", "optim": {"warmup": 10}},
        {"lr": 0.001, "optimizer": "sgd", "learning rate": 1},
        {"lr": "auto", "optimizer": None},
    ]
    made = [
        make("finished", [(0.8, 0.3), (0.7, 0.4)], name="baseline", tags=["paper"], params=params[0]),
        make("failed", [(0.95, 0.1), (0.95, 0.1)], params=params[1]),
        make("running", [(0.9, None), (0.6, None)], name="wide net", params=params[2]),
        make("finished", [], params=params[3]),
    ]
    yield {one.id: letter for one, letter in zip(made, "abcd", strict=True)}
    for session in tracked():
        session.stop("finished")


def make(status: str, metrics: list[tuple[float, float | None]], **details: Any) -> keepsake.Experiment:
    experiment = keepsake.init(quiet=True, **details)
    for accuracy, loss in metrics:
        measured = {"accuracy": accuracy} | ({} if loss is None else {"val/loss": loss})
        experiment.checkpoint(metrics=measured, primary_metric=("accuracy", "maximize"))
    if status == "finished":
        experiment.stop()
    elif status == "failed":
        with pytest.raises(ArithmeticError), experiment:
            raise ArithmeticError("it failed")
    return experiment


def tables(heading: str) -> list[tuple[str, list[str]]]:
    """Return the rows of the tables with this heading, as code and letters."""
    rows: list[tuple[str, list[str]]] = []
    for table in re.findall(rf"\| {heading} \|.*\n\|---\|---\|\n((?:\|.*\n)+)", PAGE):
        for line in table.splitlines():
            code, found = re.fullmatch(r"\| (`.*`) \|(.*)\|", line).groups()  # type: ignore[union-attr]
            rows.append((code[2:-2] if code.startswith("``") else code[1:-1], found.split()))
    return rows


def test_every_filter_on_the_page_finds_what_it_says(letters: dict[str, str]) -> None:
    examples = tables("filter")
    assert len(examples) >= 38
    for text, wanted in examples:
        assert [letters[one.id] for one in keepsake.experiments.list(text)] == wanted, text


def test_every_sort_key_on_the_page_orders_as_it_says(letters: dict[str, str]) -> None:
    examples = tables("sort key")
    assert len(examples) >= 5
    for text, wanted in examples:
        assert [letters[one.id] for one in keepsake.experiments.list(sort=text)] == wanted, text


def test_the_error_on_the_page_is_the_one_that_is_raised(letters: dict[str, str]) -> None:
    text = re.findall(r"-f '(lr < .*)'\n", PAGE)[-1]
    with pytest.raises(InvalidInputError) as caught:
        keepsake.experiments.list(text)
    assert f"error: {caught.value.message}\nhint: {caught.value.hint}\n" in PAGE
