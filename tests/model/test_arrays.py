"""Arrays and scalars of the libraries that training scripts use, as params and metrics."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest
import torch

from keepsake._model.values import MAX_ARRAY_ITEMS, to_metrics, to_value
from keepsake.errors import InvalidInputError


def check(thing: object, wanted: object) -> None:
    found = to_value(thing, name="metrics.x")
    assert type(found) is type(wanted)
    assert repr(found) == repr(wanted)


@pytest.mark.parametrize(
    ("scalar", "wanted"),
    [
        (np.float32(0.5), 0.5),
        (np.float64(0.1), 0.1),
        (np.float16(0.5), 0.5),
        (np.longdouble(0.5), 0.5),
        (np.int8(-3), -3),
        (np.uint64(2**64 - 1), 2**64 - 1),
        (np.bool_(True), True),
        (np.str_("x"), "x"),
        (np.float32("nan"), float("nan")),
        (np.datetime64("2026-01-02"), "2026-01-02"),
        (np.timedelta64(5, "ns"), "5 nanoseconds"),
        (np.array(0.5, dtype=np.float32), 0.5),
        (np.array(3), 3),
        (np.array([True, False]), [True, False]),
        (np.eye(2, dtype=np.int16), [[1, 0], [0, 1]]),
        (np.array([0.5], dtype=np.longdouble), [0.5]),
        (np.array([]), []),
        (np.array(["a"]), ["a"]),
        (np.array(["2026-01-02"], dtype="datetime64[ns]"), ["2026-01-02T00:00:00.000000000"]),
        (np.array("2026-01-02", dtype="datetime64[D]"), "2026-01-02"),
        (np.ma.masked_array([1, 2], mask=[False, True]), [1, None]),
        (np.array([(1, 2.5)], dtype=[("a", "i4"), ("b", "f8")]), [[1, 2.5]]),
        (np.array([1, "x", None], dtype=object), [1, "x", None]),
        (np.dtype("float32"), "float32"),
        (np.float32, "float32"),
    ],
)
def test_numpy(scalar: object, wanted: object) -> None:
    check(scalar, wanted)


@pytest.mark.parametrize(
    ("tensor", "wanted"),
    [
        (torch.tensor(0.5), 0.5),
        (torch.tensor(3), 3),
        (torch.tensor(True), True),
        (torch.tensor(0.5, dtype=torch.bfloat16), 0.5),
        (torch.tensor([0.5], dtype=torch.float8_e4m3fn), [0.5]),
        (torch.tensor([0.5], requires_grad=True), [0.5]),
        (torch.tensor(2.0, requires_grad=True) * 2, 4.0),
        (torch.nn.Parameter(torch.ones(2)), [1.0, 1.0]),
        (torch.eye(2).t()[:, 1:], [[0.0], [1.0]]),
        (torch.Size([2, 3]), [2, 3]),
        (torch.device("cuda:1"), "cuda:1"),
        (torch.float16, "torch.float16"),
        (torch.strided, "torch.strided"),
        (torch.channels_last, "torch.channels_last"),
    ],
)
def test_pytorch(tensor: object, wanted: object) -> None:
    check(tensor, wanted)


def test_bfloat16_of_numpy_as_jax_and_tensorflow_use_it() -> None:
    ml_dtypes = pytest.importorskip("ml_dtypes")

    check(ml_dtypes.bfloat16(0.5), 0.5)
    check(np.array([0.5, 2], dtype=ml_dtypes.bfloat16), [0.5, 2.0])
    check(np.array([1], dtype=ml_dtypes.int4), [1])


def test_what_offers_no_list_but_an_array_of_numpy(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        check(file.create_dataset("x", data=np.arange(3)), [0, 1, 2])
        with pytest.raises(InvalidInputError, match="20,000 elements"):
            to_value(file.create_dataset("y", data=np.zeros((2, 10_000))), name="x")


def test_pandas_dates_and_columns_without_labels() -> None:
    check(pd.Timestamp("2026-01-02"), "2026-01-02 00:00:00")
    check(pd.Index([1, 2]), [1, 2])


@pytest.mark.parametrize("frame", [pd.DataFrame({"a": [1]}), pd.Series([1], index=["a"])])
def test_labels_are_not_lost_without_a_word(frame: object) -> None:
    with pytest.raises(InvalidInputError, match=r"hint: pass its \.to_dict\(\)"):
        to_value(frame, name="metrics.x")


@pytest.mark.parametrize("array", [np.zeros(MAX_ARRAY_ITEMS + 1), torch.zeros(101, 100), np.zeros((1, 10_001))])
def test_a_large_array_belongs_into_a_file(array: object) -> None:
    with pytest.raises(InvalidInputError, match=r"metrics\.x is a .* elements(.|\n)*save it as a file"):
        to_value(array, name="metrics.x")


def test_an_array_of_the_largest_size_is_taken() -> None:
    assert to_value(np.zeros(MAX_ARRAY_ITEMS), name="x") == [0.0] * MAX_ARRAY_ITEMS


@pytest.mark.parametrize(
    "thing",
    [
        torch.zeros(2, device="meta"),
        torch.eye(2).to_sparse(),
        torch.tensor(1j),
        np.complex64(1),
        np.array([1j]),
        np.bytes_(b"x"),
        np.array([object()]),
        torch.nn.Linear(1, 1),
        torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1),
    ],
)
def test_what_has_no_plain_form_is_refused_by_name(thing: object) -> None:
    with pytest.raises(InvalidInputError, match=r"metrics\.x"):
        to_value(thing, name="metrics.x")


def test_an_array_that_contains_itself_is_refused() -> None:
    endless = np.empty(1, dtype=object)
    endless[0] = endless

    with pytest.raises(InvalidInputError, match="contains itself"):
        to_value(endless, name="x")


def test_metrics_mix_plain_numbers_and_scalars_of_libraries() -> None:
    metrics: dict[str, Any] = {"loss": torch.tensor(0.5), "acc": np.float32(0.25), "n": 3}

    assert to_metrics(metrics, {"confusion": np.eye(2)}) == {
        "loss": 0.5,
        "acc": 0.25,
        "n": 3,
        "confusion": [[1.0, 0.0], [0.0, 1.0]],
    }


def test_converting_plain_values_imports_no_library() -> None:
    program = (
        "import sys; from keepsake._model.values import to_params; from keepsake._model.encoding import encode_json;"
        "encode_json(to_params({'a': (1, {2}), 'b': float('nan')}));"
        "print([name for name in ('numpy', 'torch', 'argparse', 'uuid', 'pathlib', 'decimal') if name in sys.modules])"
    )
    bare = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path.insert(0, {_SOURCE!r}); {program}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert bare.stdout.strip() == "[]"


_SOURCE = str(Path(__file__).parents[2] / "src")
