"""How far values moved, compared with NumPy and PyTorch on the whole tensors."""

from __future__ import annotations

import io
import math
from typing import Any
from unittest import mock

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from keepsake._analysis import tensorvalues
from keepsake._analysis.diff import TensorValues
from keepsake._analysis.dtypes import to_numbers
from keepsake._analysis.tensors import read_tensors
from keepsake._analysis.tensorvalues import TensorFile, compare_values
from keepsake.errors import FormatError

Array = np.ndarray[Any, Any]


def npz(array: Array) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, a=array)
    return buffer.getvalue()


def saved_by_torch(tensor: torch.Tensor) -> bytes:
    buffer = io.BytesIO()
    torch.save({"a": tensor}, buffer)
    return buffer.getvalue()


def compare(old: bytes, new: bytes) -> TensorValues | None:
    """Compare the tensors called `a` of two files."""
    infos = []
    for data in (old, new):
        found = read_tensors(io.BytesIO(data), len(data))
        assert found is not None
        infos.append(found["a"])
    with TensorFile(io.BytesIO(old)) as old_file, TensorFile(io.BytesIO(new)) as new_file:
        return compare_values(infos[0], old_file, infos[1], new_file)


def expect(old: Array, new: Array, values: TensorValues | None) -> None:
    """Check the values against NumPy on whole arrays."""
    changed = int(
        np.count_nonzero(old.reshape(-1).view(f"V{old.itemsize}") != new.reshape(-1).view(f"V{old.itemsize}"))
    )
    if values is None:
        assert not changed
        return
    assert (values.items, values.changed_items) == (old.size, changed)
    wide = np.complex128 if old.dtype.kind == "c" else np.float64
    a, b = (one.astype(wide).reshape(-1) for one in (old, new))
    kept = np.isfinite(a) & np.isfinite(b)
    assert values.nonfinite_old == np.count_nonzero(~np.isfinite(a))
    assert values.nonfinite_new == np.count_nonzero(~np.isfinite(b))
    a, b = a[kept], b[kept]
    norm_a, norm_b = np.linalg.norm(a), np.linalg.norm(b)
    assert values.max_abs_difference == (np.abs(b - a).max() if a.size else 0.0)
    expected = np.linalg.norm(b - a) / norm_a if norm_a else None
    assert values.relative_l2 == (expected if expected is None else pytest.approx(expected, rel=1e-9))
    cosine = np.vdot(a, b).real / (norm_a * norm_b) if norm_a and norm_b else None
    assert values.cosine == (cosine if cosine is None else pytest.approx(cosine, rel=1e-9, abs=1e-12))


NUMBERS = {
    "float64": st.floats(-1e100, 1e100, width=64) | st.sampled_from([math.nan, math.inf, -math.inf, -0.0, 0.0]),
    "float32": st.floats(width=32) | st.just(math.nan),
    "float16": st.floats(width=16) | st.just(math.nan),
    "int32": st.integers(-(2**31), 2**31 - 1),
    "uint8": st.integers(0, 255),
    "bool": st.booleans(),
    "complex64": st.complex_numbers(max_magnitude=1e9, width=64),
    "complex128": st.complex_numbers(max_magnitude=1e9),
}


@settings(deadline=None)
@given(data=st.data(), dtype=st.sampled_from(sorted(NUMBERS)), block=st.sampled_from([1, 3, 1000]))
def test_the_distances_are_those_of_numpy_on_whole_arrays(data: st.DataObject, dtype: str, block: int) -> None:
    pairs = data.draw(st.lists(st.tuples(NUMBERS[dtype], NUMBERS[dtype]), min_size=1, max_size=20))
    kept = data.draw(st.lists(st.booleans(), min_size=len(pairs), max_size=len(pairs)))
    old = np.array([one for one, _ in pairs], dtype=dtype)
    new = np.array([one if keep else other for (one, other), keep in zip(pairs, kept, strict=True)], dtype=dtype)
    with mock.patch.object(tensorvalues, "BLOCK_ITEMS", block), np.errstate(all="ignore"):
        expect(old, new, compare(npz(old), npz(new)))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float8_e4m3fn, torch.float8_e5m2])
def test_every_pattern_of_the_short_types_is_the_number_that_torch_says(dtype: torch.dtype) -> None:
    size = dtype.itemsize
    bits = np.arange(256**size, dtype=f"u{size}")
    expected = torch.from_numpy(bits.view(f"i{size}").copy()).view(dtype).to(torch.float64).numpy()
    numbers = to_numbers(bits, str(dtype).removeprefix("torch."))
    np.testing.assert_array_equal(numbers, expected)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float8_e4m3fn, torch.float8_e5m2])
def test_distances_of_short_types_are_those_of_the_numbers(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    old = torch.randn(1000).to(dtype)
    new = (old.to(torch.float32) * 1.25).to(dtype)
    values = compare(saved_by_torch(old), saved_by_torch(new))
    assert values is not None
    a, b = (one.to(torch.float64) for one in (old, new))
    assert values.max_abs_difference == float((b - a).abs().max())
    assert values.relative_l2 == pytest.approx(float((b - a).norm() / a.norm()))


def test_tensors_that_lie_in_memory_otherwise_are_compared_by_their_places() -> None:
    tensor = torch.randn(40, 30)
    assert compare(saved_by_torch(tensor), saved_by_torch(tensor.t().contiguous().t())) is None
    moved = tensor.clone()
    moved[3, 7] += 1
    values = compare(saved_by_torch(tensor.t().contiguous().t()), saved_by_torch(moved))
    assert values is not None
    assert values.changed_items == 1
    assert values.max_abs_difference == pytest.approx(1)


def test_the_byte_order_makes_no_difference() -> None:
    array = np.linspace(0, 1, 50)
    assert compare(npz(array), npz(array.astype(">f8"))) is None
    assert compare(npz(array * 1j), npz((array * 1j).astype(">c16"))) is None


def test_strings_and_records_are_compared_by_their_bytes() -> None:
    assert compare(npz(np.array(["a", "b"])), npz(np.array(["a", "b"]))) is None
    values = compare(npz(np.array(["a", "b"])), npz(np.array(["a", "c"])))
    assert values == TensorValues(items=2)


def test_a_nan_that_stays_is_no_change_and_a_sign_of_zero_is_one() -> None:
    old, new = np.array([math.nan, 0.0, 1.0]), np.array([math.nan, -0.0, 1.0])
    assert compare(npz(old), npz(old)) is None
    values = compare(npz(old), npz(new))
    assert values is not None
    assert (values.changed_items, values.max_abs_difference, values.nonfinite_old) == (1, 0.0, 1)


def test_a_view_of_too_much_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensorvalues, "MAX_GATHERED_BYTES", 1000)
    wide = torch.randn(100, 100)
    with pytest.raises(FormatError, match="too many"):
        compare(saved_by_torch(wide[:, ::2]), saved_by_torch(wide[:, 1::2]))
    assert compare(saved_by_torch(wide.t()), saved_by_torch(wide.t() + 1)) is not None


def test_a_compressed_array_that_is_damaged_is_an_error_of_ours() -> None:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, a=np.random.default_rng(0).integers(0, 9, 10_000))
    good = buffer.getvalue()
    bad = bytearray(good)
    bad[len(bad) // 2] ^= 0xFF
    with pytest.raises(FormatError, match="uncompressed"):
        compare(good, bytes(bad))


def test_memory_stays_small_however_large_the_tensor_is() -> None:
    import tracemalloc

    old = np.zeros(2_000_000, dtype=np.float32)
    files = [io.BytesIO(npz(array)) for array in (old, old + 1)]
    infos = []
    for file in files:
        found = read_tensors(file, len(file.getbuffer()))
        assert found is not None
        infos.append(found["a"])
    tracemalloc.start()
    with TensorFile(files[0]) as first, TensorFile(files[1]) as second:
        values = compare_values(infos[0], first, infos[1], second)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert values is not None
    assert values.changed_items == 2_000_000
    assert peak_bytes < 4_000_000
