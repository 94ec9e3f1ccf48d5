"""Histograms of tensors say what NumPy says of the same numbers, and of long ones of how many they are."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepsake._analysis import histogram
from keepsake._analysis.histogram import summarize_values, tensor_histogram
from keepsake._analysis.strict_json import json_text
from keepsake.errors import FormatError, InvalidInputError, NotFoundError


def of_array(array: Any) -> dict[str, Any]:
    data = io.BytesIO()
    np.save(data, array)
    return tensor_histogram(data, len(data.getvalue()), "")


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int8", "uint8", "int64", "uint32", ">f4"])
def test_numbers_of_every_type_are_counted(dtype: str) -> None:
    values = (np.random.default_rng(1).normal(0, 10, (40, 50)) + 60).astype(dtype)
    found = of_array(values)
    counts, edges = np.histogram(values.astype(float), 50)
    assert found["counts"] == counts.tolist()
    assert found["edges"] == edges.tolist()
    assert (found["count"], found["shape"], found["sampled"]) == (2000, [40, 50], None)
    assert found["mean"] == pytest.approx(values.astype(float).mean())
    assert found["std"] == pytest.approx(values.astype(float).std())
    assert (found["min"], found["max"]) == (float(values.min()), float(values.max()))


def test_bools_and_complex_numbers_are_numbers_too() -> None:
    found = of_array(np.array([True, False, True]))
    assert (found["dtype"], found["min"], found["max"], found["zeros"]) == ("bool", 0.0, 1.0, 1)
    assert (found["counts"][0], found["counts"][-1]) == (1, 2)
    assert of_array(np.array([3 + 4j, 0]))["max"] == 5.0


def test_bfloat16_of_torch_is_read_without_torch(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    values = torch.linspace(-1, 1, 200).to(torch.bfloat16)
    torch.save({"w": values, "view": values.reshape(20, 10).t()[::2]}, tmp_path / "a.pt")
    data = (tmp_path / "a.pt").read_bytes()
    for name, wanted in (("w", values), ("view", values.reshape(20, 10).t()[::2])):
        found = tensor_histogram(io.BytesIO(data), len(data), name)
        assert found["counts"] == np.histogram(wanted.float().numpy().astype(float), 50)[0].tolist()
        assert found["dtype"] == "bfloat16"


def test_what_is_not_finite_is_counted_apart() -> None:
    found = of_array(np.array([np.nan, np.inf, -np.inf, 0.0, 1.0]))
    assert (found["nonfinite"], found["zeros"], found["min"], found["max"]) == (3, 1, 0.0, 1.0)
    assert sum(found["counts"]) == 2
    nothing = of_array(np.array([np.nan]))
    assert (nothing["min"], nothing["edges"], nothing["counts"]) == (None, [], [])
    assert of_array(np.zeros((0, 3)))["counts"] == []


def test_of_a_long_tensor_blocks_at_equal_distances_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(histogram, "MAX_ITEMS", 100_000)
    values = np.arange(1_000_000, dtype=np.float32)
    found = of_array(values)
    assert found["count"] == 1_000_000
    assert 90_000 <= found["sampled"] <= 140_000
    assert sum(found["counts"]) == found["sampled"]
    assert found["max"] > 950_000
    data = io.BytesIO()
    np.savez_compressed(data, values)
    assert tensor_histogram(data, len(data.getvalue()), "arr_0") == found | {"dtype": "float32"}


def test_one_value_is_one_bin() -> None:
    found = of_array(np.full(10, 2.5))
    assert (found["edges"], found["counts"]) == ([2.5, 2.5], [10])


def test_what_has_no_histogram_is_an_error() -> None:
    with pytest.raises(InvalidInputError, match="no tensors"):
        tensor_histogram(io.BytesIO(b"hello"), 5, "")
    data = io.BytesIO()
    np.save(data, np.zeros(3))
    with pytest.raises(NotFoundError, match="no tensor 'x'"):
        tensor_histogram(data, len(data.getvalue()), "x")
    with pytest.raises(InvalidInputError, match="not known"):
        of_array(np.array(["text"]))
    with pytest.raises(FormatError):
        tensor_histogram(io.BytesIO(b"PK\3\4" + bytes(40)), 44, "x")


@given(st.lists(st.floats(), max_size=60))
def test_any_numbers_can_be_summarized(values: list[float]) -> None:
    array = np.array(values, np.float64)
    found = summarize_values(array)
    json.loads(json_text(found))
    assert sum(found["counts"]) + found["nonfinite"] == len(values)
    assert len(found["edges"]) in (0, len(found["counts"]) + 1)
