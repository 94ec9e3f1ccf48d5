"""The tensors of a weights file by name: of safetensors, `torch.save`, `.npz` and `.npy`, without their libraries.

- A file is known by its content, never by its name, and only headers are read here.
- Nothing that a file says is executed (see `torchpickle`), and nothing that it claims is believed: a tensor that leaves
  its storage makes the file unreadable, with a reason.
- Names are those that the file has. In a `torch.save` file, which nests, they are joined by dots: `model.fc1.weight`,
  `optimizer.state.0.exp_avg`. Types are called as PyTorch and NumPy call them: `float32`, `bfloat16`.
"""

from __future__ import annotations

import ast
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from operator import mul
from typing import Any, BinaryIO

from keepsake._analysis.dtypes import NPY_TYPES, SAFETENSORS_TYPES, item_size_bytes
from keepsake._analysis.torchpickle import TorchTensor, read_torch_pickle
from keepsake._chunks import npy, safetensors, zipped
from keepsake._chunks.structure import MAX_HEADER_BYTES, MAX_TENSORS, NoStructureError, Read
from keepsake.errors import FormatError, KeepsakeError

WEIGHTS_HEAD_BYTES = 16
"""What `is_weights` has to see of a file."""
_MAX_NPY_HEADER_BYTES = 64 * 1024
_MOST_THINGS = 10 * MAX_TENSORS
_DEEPEST = 100
"""How many things are looked at in nested containers, and how deep."""


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """A tensor in a file: what it is, and where its items are."""

    name: str
    """Empty for the one array of a `.npy` file."""
    dtype: str
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    """How many items it is from one to the next, along each axis."""
    start: int
    """Where the first item is: in the file, or in the uncompressed `member`."""
    storage_start: int
    storage_stop: int
    """The bytes of the file that hold it, compressed or not. Others may lie there, too."""
    is_big_endian: bool = False
    member: str = ""
    """The member of the archive that has to be uncompressed first; empty when the items stand in the file."""

    @property
    def count(self) -> int:
        """How many items it has."""
        return _product(self.shape)

    @property
    def size_bytes(self) -> int:
        """How long its items are, one after another."""
        return self.count * item_size_bytes(self.dtype)

    @property
    def span_items(self) -> int:
        """How many items it is from its first to behind its last, which lie between or are its own."""
        return 1 + sum((length - 1) * step for length, step in zip(self.shape, self.strides, strict=True))

    @property
    def stored_range(self) -> tuple[int, int]:
        """The bytes of the file that are its own: those of its span, or all of the member if that is compressed."""
        item_size = item_size_bytes(self.dtype)
        if self.member or not item_size:
            return self.storage_start, self.storage_stop
        return self.start, self.start + self.span_items * item_size

    @property
    def is_contiguous(self) -> bool:
        """Whether its items follow one another in the order of its axes."""
        return self.strides == contiguous_strides(self.shape) or self.count <= 1

    @property
    def is_dense(self) -> bool:
        """Whether its items fill their span, each once, in some order of the axes."""
        order = sorted((step, length) for length, step in zip(self.shape, self.strides, strict=True) if length != 1)
        expected = 1
        for step, length in order:
            if step != expected:
                return False
            expected *= length
        return True


def is_weights(head: bytes, size_bytes: int) -> bool:
    """Say whether a file that begins with `head` (`WEIGHTS_HEAD_BYTES` of it) may hold tensors."""
    return head.startswith((zipped.MAGIC, npy.MAGIC)) or safetensors.is_safetensors(head, size_bytes)


def read_tensors(file: BinaryIO, size_bytes: int) -> dict[str, TensorInfo] | None:
    """Return the tensors of a file by name, in the order of the file; None when it is of none of these kinds.

    Args:
        file: open for reading, seekable.
        size_bytes: its length.

    Raises:
        FormatError: it is of such a kind, and cannot be read; the message says why.
        KeepsakeError: from reading the file.
    """

    def read(start: int, stop: int) -> bytes:
        file.seek(start)
        data = file.read(stop - start)
        if len(data) != stop - start:
            raise NoStructureError("the file ends too early")
        return data

    try:
        head = read(0, min(WEIGHTS_HEAD_BYTES, size_bytes))
        if head.startswith(npy.MAGIC):
            found = [_npy_tensor("", read, 0, size_bytes)]
        elif head.startswith(zipped.MAGIC):
            found = _zip_tensors(file, read, size_bytes)
        elif safetensors.is_safetensors(head, size_bytes):
            found = list(_safetensors(read, size_bytes))
        else:
            return None
    except KeepsakeError:
        raise
    except NoStructureError as error:
        raise FormatError(str(error)) from error
    except Exception as error:  # a header that lies may break any parser: that file cannot be read
        raise FormatError(f"{type(error).__name__}: {error}") from error
    if len(found) > MAX_TENSORS:
        raise FormatError(f"it has more than {MAX_TENSORS} tensors")
    return {tensor.name: tensor for tensor in found} if found or not head.startswith(zipped.MAGIC) else None


def contiguous_strides(shape: Sequence[int]) -> tuple[int, ...]:
    """Return the strides, in items, of a tensor whose last axis runs fastest."""
    return tuple(accumulate(reversed(shape[1:]), mul, initial=1))[::-1] if shape else ()


def _safetensors(read: Read, size_bytes: int) -> Iterator[TensorInfo]:
    rows, data_start = safetensors.read_header(read, size_bytes)
    for name, row in rows.items():
        shape = _shape(row["shape"])
        start, stop = (data_start + _natural(offset) for offset in row["data_offsets"])
        dtype = SAFETENSORS_TYPES.get(row["dtype"], str(row["dtype"]))
        info = TensorInfo(name, dtype, shape, contiguous_strides(shape), start, start, stop)
        if not start <= stop <= size_bytes or (item_size_bytes(dtype) and info.size_bytes != stop - start):
            raise NoStructureError(f"its tensor {name!r} does not fit its place")
        yield info


def _npy_tensor(name: str, read: Read, start: int, stop: int) -> TensorInfo:
    header, items_start = npy.read_header(read, start, stop)
    if len(header) > _MAX_NPY_HEADER_BYTES:
        raise NoStructureError("the header of an array is longer than any")
    said = ast.literal_eval(header.decode("latin-1").strip())
    shape = _shape(said["shape"])
    strides = contiguous_strides(shape[::-1])[::-1] if said["fortran_order"] else contiguous_strides(shape)
    descr = said["descr"] if isinstance(said["descr"], str) else "records"
    dtype = NPY_TYPES.get(descr[1:], descr)
    info = TensorInfo(name, dtype, shape, strides, items_start, items_start, stop, is_big_endian=descr[:1] == ">")
    if items_start + info.size_bytes > stop:
        raise NoStructureError("an array is longer than its place")
    return info


def _zip_tensors(file: BinaryIO, read: Read, size_bytes: int) -> list[TensorInfo]:
    members = zipped.list_members(read, size_bytes)
    pickled = zipped.find_pickle(members)
    if pickled is not None:
        return list(_torch_tensors(*pickled, members, read, size_bytes))
    arrays = [member for member in members if member.filename.endswith(".npy")]
    return [_npz_tensor(member, file, read, size_bytes) for member in arrays]


def _npz_tensor(member: zipfile.ZipInfo, file: BinaryIO, read: Read, size_bytes: int) -> TensorInfo:
    name = member.filename.removesuffix(".npy")
    start, stop = zipped.data_range(member, read, size_bytes)
    if zipped.is_stored(member):
        return _npy_tensor(name, read, start, stop)
    with zipfile.ZipFile(file) as archive, archive.open(member) as content:

        def read_content(start: int, stop: int) -> bytes:
            content.seek(start)
            return content.read(stop - start)

        info = _npy_tensor(name, read_content, 0, member.file_size)
    return TensorInfo(
        name, info.dtype, info.shape, info.strides, info.start, start, stop, info.is_big_endian, member.filename
    )


def _torch_tensors(
    pickled: zipfile.ZipInfo, prefix: str, members: list[zipfile.ZipInfo], read: Read, size_bytes: int
) -> Iterator[TensorInfo]:
    if not zipped.is_stored(pickled) or pickled.file_size > MAX_HEADER_BYTES:
        raise NoStructureError("its pickle is compressed, or longer than that of any model")
    places: dict[str, tuple[int, int]] = {}
    is_big_endian = False
    for member in members:
        if member.filename.startswith(prefix) and zipped.is_stored(member):
            places[member.filename[len(prefix) :]] = zipped.data_range(member, read, size_bytes)
        elif member.filename == f"{prefix.removesuffix('data/')}byteorder":
            is_big_endian = read(*zipped.data_range(member, read, size_bytes)).strip() == b"big"
    document = read_torch_pickle(read(*zipped.data_range(pickled, read, size_bytes)))
    for name, tensor in _named_tensors(document):
        start, stop = places[tensor.storage.key]
        item_size = item_size_bytes(tensor.dtype)
        first = start + _natural(tensor.offset) * item_size
        info = TensorInfo(
            name, tensor.dtype, _shape(tensor.shape), _shape(tensor.strides), first, start, stop, is_big_endian
        )
        if len(info.strides) != len(info.shape) or (info.count and first + info.span_items * item_size > stop):
            raise NoStructureError(f"its tensor {name!r} leaves its storage")
        yield info


def _named_tensors(document: object) -> Iterator[tuple[str, TorchTensor]]:
    """Yield the tensors in nested containers with their dotted names, in order.

    A container may stand in several places, and even in itself, so what is looked at is counted.
    """
    left = _MOST_THINGS
    waiting: list[tuple[str, int, object]] = [("", 0, document)]
    while waiting:
        name, depth, thing = waiting.pop()
        if isinstance(thing, TorchTensor):
            yield name, thing
            continue
        items: list[tuple[object, object]] = []
        if isinstance(thing, Mapping):
            items = list(thing.items())
        elif isinstance(thing, (list, tuple)):
            items = list(enumerate(thing))
        left -= len(items)
        if left < 0 or depth > _DEEPEST:
            raise NoStructureError("its containers hold more than any model, or themselves")
        waiting += [(f"{name}.{key}" if name else str(key), depth + 1, item) for key, item in reversed(items)]


def _shape(numbers: Any) -> tuple[int, ...]:
    if not isinstance(numbers, (list, tuple)):
        raise NoStructureError("a shape is no list of numbers")
    return tuple(_natural(number) for number in numbers)


def _natural(number: Any) -> int:
    if type(number) is not int or not 0 <= number < 1 << 62:
        raise NoStructureError(f"{number!r} is no length")
    return number


def _product(shape: Sequence[int]) -> int:
    product = 1
    for length in shape:
        product *= length
    return product
