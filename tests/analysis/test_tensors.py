"""Tensors by name in files that the real libraries wrote, and what files get that lie."""

from __future__ import annotations

import argparse
import collections
import io
import json
import pickle
import struct
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file

from keepsake._analysis.tensors import TensorInfo, is_weights, read_tensors
from keepsake._analysis.tensorvalues import TensorFile
from keepsake.errors import FormatError

TORCH_DTYPES = [
    torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.float16, torch.bfloat16,
    torch.float32, torch.float64, torch.complex64, torch.complex128, torch.float8_e4m3fn, torch.float8_e5m2,
    torch.uint16, torch.uint32, torch.uint64,
]  # fmt: skip


def read(data: bytes) -> dict[str, TensorInfo]:
    found = read_tensors(io.BytesIO(data), len(data))
    assert found is not None
    return found


def bytes_of(data: bytes, info: TensorInfo) -> bytes:
    """Return the items of a tensor in the order of its axes."""
    with TensorFile(io.BytesIO(data)) as file:
        return b"".join(block.tobytes() for block in file.read_blocks(info, in_memory_order=False))


def saved_by_torch(thing: Any, **options: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(thing, buffer, **options)
    return buffer.getvalue()


def raw(tensor: torch.Tensor) -> bytes:
    flat = tensor.detach().contiguous().flatten()
    return flat.view(torch.uint8).numpy().tobytes() if flat.numel() else b""


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_every_type_that_torch_saves_is_read_with_its_name_shape_and_bytes(protocol: int) -> None:
    torch.manual_seed(0)
    tensors = {f"t.{dtype}": (torch.randn(3, 5) * 9).to(dtype) for dtype in TORCH_DTYPES}
    data = saved_by_torch(tensors, pickle_protocol=protocol)
    found = read(data)
    assert list(found) == list(tensors)
    for name, tensor in tensors.items():
        assert (found[name].dtype, found[name].shape) == (str(tensor.dtype).removeprefix("torch."), (3, 5))
        assert bytes_of(data, found[name]) == raw(tensor), name


def test_a_training_state_is_read_with_dotted_names() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.BatchNorm1d(3))
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.randn(8, 4)).sum().backward()
    optimizer.step()
    state = {
        "model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": 7, "lr": 0.1, "note": "x",
        "shape": torch.Size([3, 4]), "device": torch.device("cpu"), "dtype": torch.float32, "none": None,
        "history": [torch.zeros(2), (torch.ones(1),)], "parameter": torch.nn.Parameter(torch.ones(2)),
    }  # fmt: skip
    names = set(read(saved_by_torch(state)))
    assert {"model.0.weight", "model.1.running_mean", "model.1.num_batches_tracked"} <= names
    assert {"optimizer.state.0.exp_avg", "optimizer.state.3.step", "history.0", "history.1.0", "parameter"} <= names
    assert not {"step", "lr", "shape"} & names


@pytest.mark.parametrize(
    "view",
    [
        lambda t: t, lambda t: t.t(), lambda t: t[1:, 2:], lambda t: t[::2, 1], lambda t: t[2, 3],
        lambda t: t[:1].expand(6, 8), lambda t: t.reshape(2, 3, 8).permute(2, 0, 1), lambda t: t[:0],
    ],
)  # fmt: skip
def test_views_are_read_in_the_order_of_their_axes(view: Callable[[torch.Tensor], torch.Tensor]) -> None:
    tensor = view(torch.arange(48.0).reshape(6, 8))
    data = saved_by_torch({"v": tensor})
    info = read(data)["v"]
    assert info.shape == tuple(tensor.shape)
    assert bytes_of(data, info) == raw(tensor)


def test_safetensors_are_read_with_their_names_and_types(tmp_path: Path) -> None:
    torch.manual_seed(0)
    plain = [dtype for dtype in TORCH_DTYPES if dtype is not torch.complex128]
    tensors = {f"t.{dtype}": (torch.randn(3, 5) * 9).to(dtype) for dtype in plain}
    save_file(tensors, tmp_path / "m.safetensors", metadata={"format": "pt"})
    data = (tmp_path / "m.safetensors").read_bytes()
    found = read(data)
    assert set(found) == set(tensors)
    for name, tensor in tensors.items():
        assert (found[name].dtype, found[name].shape) == (str(tensor.dtype).removeprefix("torch."), (3, 5))
        assert bytes_of(data, found[name]) == raw(tensor)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed], ids=["stored", "compressed"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_npz_arrays_are_read_compressed_or_not_in_either_order(save: Any, order: Any) -> None:
    arrays = {
        "a": np.arange(24, dtype="<i4").reshape(4, 6), "b": np.linspace(0, 1, 5), "scalar": np.float32(3),
        "big": np.arange(6, dtype=">f8").reshape(2, 3), "complex": np.arange(3) * 1j, "empty": np.zeros((0, 3)),
    }  # fmt: skip
    buffer = io.BytesIO()
    save(buffer, **{name: np.asarray(array, order=order) for name, array in arrays.items()})
    found = read(buffer.getvalue())
    assert set(found) == set(arrays)
    for name, array in arrays.items():
        native = np.asarray(array).astype(np.asarray(array).dtype.newbyteorder("="))
        assert (found[name].shape, found[name].dtype) == (native.shape, native.dtype.name)
        assert bytes_of(buffer.getvalue(), found[name]) == native.tobytes()


def test_a_npy_file_is_one_array_without_a_name() -> None:
    buffer = io.BytesIO()
    np.save(buffer, np.arange(10.0))
    ((name, info),) = read(buffer.getvalue()).items()
    assert (name, info.dtype, info.shape) == ("", "float64", (10,))


@pytest.mark.parametrize("array", [np.array(["a", "bc"]), np.zeros(2, dtype=[("x", "f4"), ("y", "i2")])])
def test_arrays_of_other_things_are_named_with_a_length_of_no_items(array: np.ndarray[Any, Any]) -> None:
    buffer = io.BytesIO()
    np.save(buffer, array)
    (info,) = read(buffer.getvalue()).values()
    assert (info.shape, info.size_bytes) == ((2,), 0)


@pytest.mark.parametrize("data", [b"", b"PK", b"plain text, nothing else", b"\x89PNG\r\n\x1a\n" + bytes(30)])
def test_what_is_no_weights_file_is_none(data: bytes) -> None:
    assert not is_weights(data[:16], len(data))
    assert read_tensors(io.BytesIO(data), len(data)) is None


def test_a_zip_archive_of_other_files_holds_no_tensors() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("readme.txt", "hello")
    assert read_tensors(buffer, len(buffer.getvalue())) is None


class Bomb:
    """What runs code when it is unpickled as usual."""

    def __reduce__(self) -> tuple[Any, ...]:
        return eval, ("open('/tmp/keepsake-was-here', 'w')",)


@pytest.mark.parametrize(
    ("thing", "name"),
    [
        (Bomb(), "builtins.eval|__builtin__.eval"),
        (argparse.Namespace(lr=1), "argparse.Namespace"),
        (torch.nn.Linear(2, 2), "torch.nn.modules.linear.Linear"),
        (collections.defaultdict(int), "collections.defaultdict"),
        (np.float64(1.5), "numpy.+scalar"),
    ],
)
def test_whatever_is_no_tensor_or_plain_container_is_refused_by_its_name(thing: Any, name: str) -> None:
    with pytest.raises(FormatError, match=name):
        read(saved_by_torch({"x": thing, "t": torch.zeros(2)}))


def test_a_pickle_cannot_reach_into_this_program() -> None:
    """Names with dots reach attributes in protocol 4: `collections.OrderedDict.fromkeys`."""
    body = pickle.PROTO + b"\x04" + b"\x8c\x0bcollections\x8c\x14OrderedDict.fromkeys\x93."
    with pytest.raises(FormatError, match="fromkeys"):
        read(archive_with(body))


@pytest.mark.parametrize(
    "body",
    [
        b"\x80\x02}r\xff\xff\xff\x7f.",  # a memo index of two thousand million
        b"\x80\x05\x96" + struct.pack("<Q", 1 << 40) + b".",  # a byte array of a terabyte
        b"\x80\x02", b"", b"\x80\x02K\x01K\x02", b"cos\nsystem\n(S'true'\ntR.", b"\x80\x02]q\x00h\x00a.",
        b"\x80\x02" + b"(" * 100_000 + b".", b"\x80\x02" + b"]" + b"](a" * 10,
    ],
)  # fmt: skip
def test_pickles_that_ask_for_too_much_or_make_no_sense_are_refused(body: bytes) -> None:
    with pytest.raises(FormatError):
        read(archive_with(body))


@pytest.mark.parametrize(
    "tensor",
    [
        {"offset": 100}, {"shape": (100,)}, {"shape": (2,), "strides": (1 << 40,)}, {"shape": (-1,)}, {"shape": "no"},
        {"offset": -1}, {"offset": 1.5}, {"strides": (1, 1)}, {"shape": (1 << 70,)}, {"key": "9"}, {"strides": None},
    ],
)  # fmt: skip
def test_a_tensor_that_leaves_its_storage_makes_the_file_unreadable(tensor: dict[str, Any]) -> None:
    said = {"key": "0", "offset": 0, "shape": (4,), "strides": (1,)} | tensor
    with pytest.raises(FormatError, match=r"leaves|no length|no list|axes|KeyError"):
        read(archive_with(torch_pickle(**said)))


def test_the_archive_of_these_tests_is_one_that_is_read() -> None:
    data = archive_with(torch_pickle(key="0", offset=1, shape=(3,), strides=(1,)))
    assert bytes_of(data, read(data)[""]) == struct.pack("<3f", 2, 3, 4)


@pytest.mark.parametrize(
    "rows",
    [
        {"a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 100]}},
        {"a": {"dtype": "F32", "shape": [3], "data_offsets": [0, 16]}},
        {"a": {"dtype": "F32", "shape": [-4], "data_offsets": [0, 16]}},
        {"a": {"dtype": "F32", "shape": [4], "data_offsets": [16, 0]}},
        {"a": {"dtype": "F32", "shape": [4], "data_offsets": [-16, 0]}},
        {"a": {"dtype": 3, "shape": [4], "data_offsets": ["0", "16"]}},
        {"a": 1},
        [],
    ],
)
def test_a_safetensors_header_that_lies_makes_the_file_unreadable(rows: Any) -> None:
    header = json.dumps(rows).encode()
    header = header if header[:1] == b"{" else b"{" + header
    with pytest.raises(FormatError):
        read(struct.pack("<Q", len(header)) + header + bytes(16))


@given(data=st.data())
def test_files_with_other_bytes_here_and_there_are_read_or_refused(data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from(EXAMPLES)))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.integers(0, len(content)))]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of `ast` and `zipfile`, about what they read
        try:
            found = read_tensors(io.BytesIO(bytes(content)), len(content)) or {}
        except FormatError:
            return
    for info in found.values():
        assert 0 <= info.storage_start <= info.storage_stop <= len(content)


class _Pickler(pickle._Pickler):
    """Writes what `torch.save` would write of a tensor with any numbers."""

    def persistent_id(self, thing: Any) -> Any:
        return thing if isinstance(thing, tuple) and thing[:1] == ("storage",) else None


class _Tensor:
    def __init__(self, **said: Any) -> None:
        self.said = said

    def __reduce__(self) -> tuple[Any, ...]:
        storage = ("storage", torch.FloatStorage, self.said["key"], "cpu", 4)
        rebuild = torch._utils._rebuild_tensor_v2
        hooks: collections.OrderedDict[str, Any] = collections.OrderedDict()
        return rebuild, (storage, self.said["offset"], self.said["shape"], self.said["strides"], False, hooks)


def torch_pickle(**said: Any) -> bytes:
    buffer = io.BytesIO()
    _Pickler(buffer, 2).dump(_Tensor(**said))
    return buffer.getvalue()


def archive_with(pickled: bytes) -> bytes:
    """Return an archive as of `torch.save`, with four floats as its one storage."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("m/data.pkl", pickled)
        archive.writestr("m/data/0", struct.pack("<4f", 1, 2, 3, 4))
    return buffer.getvalue()


def _examples() -> list[bytes]:
    plain, npz = io.BytesIO(), io.BytesIO()
    np.save(plain, np.arange(3.0))
    np.savez(npz, a=np.arange(3.0), b=np.ones((2, 2), order="F"))
    header = b'{"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}}'
    safe = struct.pack("<Q", len(header)) + header + bytes(16)
    return [plain.getvalue(), npz.getvalue(), safe, saved_by_torch({"a": torch.ones(2, 2)})]


EXAMPLES = _examples()
