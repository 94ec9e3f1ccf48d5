"""What the pickle of a `torch.save` file says of tensors, read by a machine that can make nothing else.

A pickle is a program. This reader lets it build plain containers and notes of tensors, and refuses everything else by
its name: a class or function that is not on the list below is never looked up, let alone called. What may be built
belongs to one reading and cannot be changed by the pickle.

Before that, the opcodes are looked over without running them, since the C unpickler takes memory for whatever number
an opcode claims (a memo index, the length of a byte array).
"""

from __future__ import annotations

import collections
import io
import pickle
import pickletools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from keepsake._analysis.dtypes import TORCH_STORAGES, item_size_bytes
from keepsake._chunks.structure import NoStructureError
from keepsake.errors import FormatError

_REFUSED_OPCODES = frozenset({"BYTEARRAY8", "NEXT_BUFFER", "READONLY_BUFFER", "EXT1", "EXT2", "EXT4", "INST", "OBJ"})
_MAX_OPCODES = 5_000_000
"""Some 40 a tensor: enough for the 100,000 tensors that are looked at in a file."""
_MOST_AXES = 64
"""As many as PyTorch allows: what builds a shape may not be used to copy long lists over and over."""


@dataclass(frozen=True, slots=True)
class Storage:
    """Items that tensors are views of: one member of the archive."""

    dtype: str
    key: str


@dataclass(frozen=True, slots=True)
class TorchTensor:
    """A tensor as the pickle describes it; nothing is checked yet, numbers may be anything."""

    storage: Storage
    dtype: str
    offset: Any
    shape: Any
    strides: Any


@dataclass(frozen=True, slots=True)
class _Type:
    """A type of items, or the class of a storage of them."""

    dtype: str


@dataclass(frozen=True, slots=True)
class _Function:
    """Stands for a function of PyTorch: what the pickle calls in its place."""

    make: Callable[..., Any]

    def __call__(self, *arguments: Any) -> Any:
        return self.make(*arguments)


def read_torch_pickle(data: bytes) -> Any:
    """Return what the pickle describes: containers, plain values, and `TorchTensor` for each tensor.

    Raises:
        FormatError: it asks for something else, which the message names.
        Exception: anything that unpickling raises for damaged bytes.
    """
    _check_opcodes(data)
    return _TensorUnpickler(io.BytesIO(data)).load()


def _check_opcodes(data: bytes) -> None:
    memo_size = 0
    for number, (opcode, argument, _) in enumerate(pickletools.genops(data)):
        if opcode.name in _REFUSED_OPCODES or number > _MAX_OPCODES:
            raise NoStructureError(f"its pickle is none that torch.save writes ({opcode.name} at {number})")
        if opcode.name in ("BINPUT", "LONG_BINPUT", "PUT"):
            place = int(argument or 0)
            if place > memo_size:
                raise NoStructureError("its pickle does not number what it remembers in order")
            memo_size = max(memo_size, place + 1)


class _TensorUnpickler(pickle.Unpickler):
    """An unpickler that finds what is on its list and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        """Return what stands for `module.name` here."""
        if module in ("torch", "torch.storage") and name in TORCH_STORAGES:
            return _Type(TORCH_STORAGES[name])
        if module == "torch" and item_size_bytes(name):
            return _Type(name)
        make = _FUNCTIONS.get((module, name))
        if make is None:
            raise FormatError(
                f"its pickle asks for {module}.{name}, and only tensors and plain containers are read",
                hint="save a state_dict() instead of whole objects",
            )
        return _Function(make)

    def persistent_load(self, pid: Any) -> Storage:
        """Return the storage of a persistent id: `("storage", <class>, <key>, <device>, <number of items>)`."""
        kind, storage_type, key = pid[:3]
        if kind != "storage" or not isinstance(storage_type, _Type) or not isinstance(key, str):
            raise NoStructureError("its pickle refers to something that is no storage")
        return Storage(storage_type.dtype, key)


def _rebuild_tensor(storage: Storage, offset: Any, shape: Any, strides: Any, *_grad_and_hooks: Any) -> TorchTensor:
    return TorchTensor(storage, storage.dtype, offset, shape, strides)


def _rebuild_typed_tensor(
    storage: Storage, offset: Any, shape: Any, strides: Any, _grad: Any, _hooks: Any, dtype: _Type, *_metadata: Any
) -> TorchTensor:
    """Make a tensor of an untyped storage: how types without a storage class (`float8_e5m2`, `uint16`) are saved."""
    return TorchTensor(storage, dtype.dtype, offset, shape, strides)


def _rebuild_parameter(tensor: TorchTensor, *_grad_hooks_and_state: Any) -> TorchTensor:
    return tensor


def _rebuild_size(items: Any = ()) -> tuple[Any, ...]:
    if len(items) > _MOST_AXES:
        raise NoStructureError(f"its pickle has a shape of {len(items)} axes")
    return tuple(items)


def _rebuild_device(*words: Any) -> str:
    return ":".join(map(str, words))


_FUNCTIONS: dict[tuple[str, str], Callable[..., Any]] = {
    ("collections", "OrderedDict"): lambda: collections.OrderedDict(),  # its items follow, one by one
    ("torch._utils", "_rebuild_tensor"): _rebuild_tensor,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("torch._utils", "_rebuild_tensor_v3"): _rebuild_typed_tensor,
    ("torch._utils", "_rebuild_parameter"): _rebuild_parameter,
    ("torch._utils", "_rebuild_parameter_with_state"): _rebuild_parameter,
    ("torch", "Size"): _rebuild_size,
    ("torch", "device"): _rebuild_device,
}
"""What `torch.save` calls for state dictionaries of models and optimizers, by module and name."""
