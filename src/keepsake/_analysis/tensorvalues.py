"""How far the values of a tensor moved from one file to another, in bounded memory.

- Items count as changed when their bits differ. So a NaN that stays is no change, and 0.0 that became -0.0 is one.
- Distances are those of the numbers in float64, over the items that are finite on both sides; how many are not is
  said. Integers beyond 2**53 are rounded for that.
- Tensors are read in blocks. One that is a view (transposed, sliced) is read whole, and not at all when it is too much.
"""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, BinaryIO

from keepsake._analysis.diff import TensorValues
from keepsake._analysis.dtypes import has_numbers, item_size_bytes, to_numbers
from keepsake._analysis.tensors import TensorInfo
from keepsake.errors import FormatError

if TYPE_CHECKING:
    from types import TracebackType

    from numpy.typing import NDArray

BLOCK_ITEMS = 32 * 1024
"""What is compared at once: 256 KiB of float64 and some copies of that, which a processor's cache holds."""
MAX_GATHERED_BYTES = 256 * 1024 * 1024
"""The most that is read whole of a tensor that is a view."""


class TensorFile:
    """A weights file whose tensors are read. Closing it closes the file."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self._open = ExitStack()
        self._open.callback(file.close)
        self._archive: zipfile.ZipFile | None = None

    def __enter__(self) -> TensorFile:  # noqa: PYI034 (typing.Self is of Python 3.11)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def read_blocks(self, info: TensorInfo, *, in_memory_order: bool, every: int = 1) -> Iterator[NDArray[Any]]:
        """Yield the bits of the items as unsigned integers, `BLOCK_ITEMS` at a time (`complex128`: as pairs of them).

        Args:
            info: the tensor.
            in_memory_order: whether to read a dense tensor as it lies there, instead of in the order of its axes.
            every: yield the first of so many blocks only, and pass over the others.

        Raises:
            FormatError: it is a view of too much, or the file ends too early.
        """
        if in_memory_order or info.is_contiguous:
            with ExitStack() as stack:
                source = self._source(info, stack)
                for start in range(0, info.count, BLOCK_ITEMS * every):
                    if every > 1:
                        source.seek(info.start + start * item_size_bytes(info.dtype))
                    yield _read_bits(source, info, min(BLOCK_ITEMS, info.count - start))
        else:
            items = self._gather(info)
            for start in range(0, info.count, BLOCK_ITEMS * every):
                yield items[start : start + BLOCK_ITEMS]

    def read_bytes(self, info: TensorInfo) -> Iterator[bytes]:
        """Yield what is stored of a tensor whose type is not known, compressed or not."""
        self.file.seek(info.storage_start)
        for start in range(info.storage_start, info.storage_stop, BLOCK_ITEMS):
            yield _read_exactly(self.file, min(BLOCK_ITEMS, info.storage_stop - start))

    def _gather(self, info: TensorInfo) -> NDArray[Any]:
        import numpy as np

        if max(info.span_items, info.count) * item_size_bytes(info.dtype) > MAX_GATHERED_BYTES:
            raise FormatError("its items do not follow one another, and there are too many to sort them")
        with ExitStack() as stack:
            span = _read_bits(self._source(info, stack), info, info.span_items)
        steps = [step * span.strides[0] for step in info.strides]
        shape = (*info.shape, *span.shape[1:])
        view = np.lib.stride_tricks.as_strided(span, shape, (*steps, *span.strides[1:]), writeable=False)
        return view.reshape(info.count, *span.shape[1:])

    def _source(self, info: TensorInfo, stack: ExitStack) -> BinaryIO:
        """Return a file that stands at the tensor's first item."""
        if not info.member:
            self.file.seek(info.start)
            return self.file
        if self._archive is None:
            self._archive = self._open.enter_context(zipfile.ZipFile(self.file))
        source = stack.enter_context(self._archive.open(info.member))
        source.seek(info.start)
        return source  # type: ignore[return-value]


def compare_values(old: TensorInfo, old_file: TensorFile, new: TensorInfo, new_file: TensorFile) -> TensorValues | None:
    """Compare two tensors of one type and shape; None when all their bits are the same.

    Raises:
        FormatError: one of them cannot be read, or is a view of too much.
        KeepsakeError: from reading the files.
    """
    try:
        if not item_size_bytes(old.dtype):
            return _compare_bytes(old, old_file, new, new_file)
        return _compare_items(old, old_file, new, new_file)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise FormatError(f"it cannot be uncompressed: {error}") from error


def _compare_items(old: TensorInfo, old_file: TensorFile, new: TensorInfo, new_file: TensorFile) -> TensorValues | None:
    # What lies in memory alike can be read as it lies there, without being sorted.
    in_memory_order = old.strides == new.strides and old.is_dense
    sums = _Sums(old.dtype)
    for before, after in zip(
        old_file.read_blocks(old, in_memory_order=in_memory_order),
        new_file.read_blocks(new, in_memory_order=in_memory_order),
        strict=True,
    ):
        sums.add(before, after)
    return sums.result()


def _compare_bytes(old: TensorInfo, old_file: TensorFile, new: TensorInfo, new_file: TensorFile) -> TensorValues | None:
    same_length = old.storage_stop - old.storage_start == new.storage_stop - new.storage_start
    if same_length and all(
        before == after for before, after in zip(old_file.read_bytes(old), new_file.read_bytes(new), strict=True)
    ):
        return None
    return TensorValues(items=old.count)


class _Sums:
    """What has to be added up over the blocks of two tensors."""

    def __init__(self, dtype: str) -> None:
        self._dtype = dtype
        self._items = self._changed = self._nonfinite_old = self._nonfinite_new = 0
        self._largest = 0.0
        self._products: dict[str, list[float]] = {"difference": [], "old": [], "new": [], "both": []}

    def add(self, before: NDArray[Any], after: NDArray[Any]) -> None:
        """Add a block of bits from each of the two."""
        import numpy as np

        differing = before != after
        if differing.ndim > 1:
            differing = differing.any(axis=-1)
        self._items += len(before)
        self._changed += int(np.count_nonzero(differing))
        if not has_numbers(self._dtype):
            return
        old, new = to_numbers(before, self._dtype), to_numbers(after, self._dtype)
        with np.errstate(all="ignore"):
            products = _products(old, new)
            # Sums tell cheaper than a look at every item whether there may be one that is not finite.
            if not all(map(math.isfinite, products.values())):
                is_finite_old, is_finite_new = np.isfinite(old), np.isfinite(new)
                self._nonfinite_old += len(old) - int(np.count_nonzero(is_finite_old))
                self._nonfinite_new += len(new) - int(np.count_nonzero(is_finite_new))
                kept = is_finite_old & is_finite_new
                old, new = old[kept], new[kept]
                products = _products(old, new)
            if len(old):
                self._largest = max(self._largest, float(np.abs(new - old).max()))
        for name, product in products.items():
            self._products[name].append(product)

    def result(self) -> TensorValues | None:
        """Return what came of it; None when nothing differs."""
        if not self._changed:
            return None
        if not has_numbers(self._dtype):
            return TensorValues(items=self._items, changed_items=self._changed)
        norm = {name: _sum(parts) for name, parts in self._products.items()}
        old, new = math.sqrt(norm["old"]), math.sqrt(norm["new"])
        cosine = _ratio(norm["both"], old * new)
        return TensorValues(
            items=self._items,
            changed_items=self._changed,
            max_abs_difference=self._largest,
            relative_l2=_ratio(math.sqrt(norm["difference"]), old),
            cosine=None if cosine is None else max(-1.0, min(cosine, 1.0)),
            nonfinite_old=self._nonfinite_old,
            nonfinite_new=self._nonfinite_new,
        )


def _products(old: NDArray[Any], new: NDArray[Any]) -> dict[str, float]:
    """Return the scalar products of two vectors and of their difference."""
    import numpy as np

    difference = new - old
    pairs = {"difference": (difference, difference), "old": (old, old), "new": (new, new), "both": (old, new)}
    return {name: float(np.vdot(left, right).real) for name, (left, right) in pairs.items()}


def _sum(parts: list[float]) -> float:
    try:
        return math.fsum(parts)
    except (OverflowError, ValueError):  # a square beyond what a float holds, or infinities of both signs
        return math.inf


def _ratio(part: float, whole: float) -> float | None:
    """Return how large the part is, None where that is no finite number."""
    if not whole or not math.isfinite(whole) or not math.isfinite(part):
        return None
    return part / whole


def _read_bits(source: BinaryIO, info: TensorInfo, count: int) -> NDArray[Any]:
    import numpy as np

    size = item_size_bytes(info.dtype)
    # A complex number is two numbers, each with a byte order.
    word = size // 2 if info.dtype.startswith("complex") else size
    data = np.frombuffer(_read_exactly(source, count * size), f"{'>' if info.is_big_endian else '<'}u{word}")
    bits = data.astype(f"=u{word}", copy=False)
    return bits.reshape(count, 2) if size == 16 else bits.view(f"=u{size}")


def _read_exactly(source: BinaryIO, size_bytes: int) -> bytes:
    data = source.read(size_bytes)
    if len(data) != size_bytes:
        raise FormatError("the file ends before the tensor does")
    return data
