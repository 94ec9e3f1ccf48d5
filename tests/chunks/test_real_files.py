"""Structure is found in what the real libraries write, with the right item sizes."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from keepsake._chunks import zipped
from keepsake._chunks.layout import Piece, Stretch, plan_layout
from keepsake._chunks.structure import Tensor

DTYPES = {
    torch.float32: 4,
    torch.float64: 8,
    torch.float16: 2,
    torch.bfloat16: 2,
    torch.int8: 1,
    torch.int64: 8,
    torch.bool: 1,
    torch.complex64: 8,
}


def tensors_by_dtype(length: int = 1000) -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return {str(dtype): (torch.randn(length + 7 * size) * 9).to(dtype) for dtype, size in DTYPES.items()}


def find_in_zip(path: Path) -> list[Tensor]:
    data = path.read_bytes()
    return zipped.find_tensors(lambda start, stop: data[start:stop], len(data))


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_every_storage_of_a_torch_archive_is_found_with_its_item_size(tmp_path: Path, protocol: int) -> None:
    path = tmp_path / "model.pt"
    tensors = tensors_by_dtype(70_000)
    torch.save({"model": tensors, "step": 3, "device": torch.device("cpu")}, path, pickle_protocol=protocol)
    data = path.read_bytes()
    found = {data[one.start : one.stop]: one.item_size for one in find_in_zip(path)}
    for name, tensor in tensors.items():
        raw = tensor.contiguous().view(torch.uint8).numpy().tobytes()
        assert found[raw] == tensor.element_size(), name


def test_views_of_one_storage_are_one_tensor(tmp_path: Path) -> None:
    base = torch.randn(5000)
    torch.save([base, base[10:20], base.view(50, 100).t()], tmp_path / "views.pt")
    assert [(one.stop - one.start, one.item_size) for one in find_in_zip(tmp_path / "views.pt")] == [(20_000, 4)]


def test_a_module_with_thousands_of_small_tensors_needs_few_chunks(tmp_path: Path) -> None:
    layers = [torch.nn.BatchNorm1d(64) for _ in range(400)]
    torch.save(torch.nn.Sequential(*layers).state_dict(), tmp_path / "norms.pt")
    data = (tmp_path / "norms.pt").read_bytes()
    layout = plan_layout(len(data), lambda start, stop: data[start:stop])
    assert layout.has_structure
    assert len(layout.cuts) < 12


def test_arrays_of_an_npz_are_found(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", a=np.zeros(1000, "f4"), b=np.arange(5), c=np.array([{}], dtype=object))
    found = find_in_zip(tmp_path / "a.npz")
    assert sorted((one.stop - one.start, one.item_size) for one in found) == [(40, 8), (4000, 4)]
    np.savez_compressed(tmp_path / "c.npz", a=np.zeros(1000, "f4"))
    assert find_in_zip(tmp_path / "c.npz") == []


def write_safetensors(path: Path) -> None:
    save_file(tensors_by_dtype(), path, metadata={"format": "pt"})


def write_legacy_torch(path: Path) -> None:
    torch.save(tensors_by_dtype(50_000), path, _use_new_zipfile_serialization=False)


def write_keras(path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import keras

        keras.Sequential([keras.Input((400,)), keras.layers.Dense(900)]).save(path)


@pytest.mark.parametrize(
    ("name", "write", "has_structure"),
    [
        ("m.safetensors", write_safetensors, True),
        ("legacy.pt", write_legacy_torch, False),
        ("m.keras", write_keras, False),
    ],
)
def test_other_formats_are_known_for_what_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, write: Callable[[Path], None], has_structure: bool
) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    write(tmp_path / name)
    data = (tmp_path / name).read_bytes()
    layout = plan_layout(len(data), lambda start, stop: data[start:stop])
    assert layout.has_structure == has_structure
    assert len(data) == sum(cut.size_bytes if isinstance(cut, Piece) else cut.stop - cut.start for cut in layout.cuts)
    assert has_structure or all(isinstance(cut, Stretch) for cut in layout.cuts)
