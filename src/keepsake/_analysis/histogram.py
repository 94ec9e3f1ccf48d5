"""How the values of one tensor are distributed, in bounded memory and time.

- Of a long tensor, blocks at equal distances are read, and the result says of how many items it is.
- Numbers are those of float64; of complex ones it is the magnitude. What is not finite is counted apart.
"""

from __future__ import annotations

import math
import zipfile
import zlib
from typing import TYPE_CHECKING, Any, BinaryIO

from keepsake._analysis.dtypes import has_numbers, to_numbers
from keepsake._analysis.tensors import TensorInfo, read_tensors
from keepsake._analysis.tensorvalues import TensorFile
from keepsake.errors import FormatError, InvalidInputError, NotFoundError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BINS = 50
MAX_ITEMS = 4 * 1024 * 1024
"""What is read of one tensor at most: 32 MiB as float64."""


def tensor_histogram(file: BinaryIO, size_bytes: int, name: str) -> dict[str, Any]:
    """Describe the values of the tensor `name` of a weights file; `docs/ui-api.md` has the fields.

    Args:
        file: open for reading, seekable; it is closed.
        size_bytes: its length.
        name: of the tensor.

    Raises:
        InvalidInputError: this is no file of weights, or the tensor holds no numbers that are known.
        NotFoundError: it has no such tensor.
        FormatError: it cannot be read.
        KeepsakeError: from reading the file.
    """
    with TensorFile(file) as tensors:
        found = read_tensors(file, size_bytes)
        if found is None:
            raise InvalidInputError("this file has no tensors")
        if name not in found:
            raise NotFoundError(f"the file has no tensor {name!r}", hint="a preview of it lists the tensors")
        info = found[name]
        if not has_numbers(info.dtype):
            raise InvalidInputError(f"tensor {name!r} is of type {info.dtype}, whose numbers are not known here")
        try:
            values = _read_values(tensors, info)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
            raise FormatError(f"it cannot be uncompressed: {error}") from error
    document = {"dtype": info.dtype, "shape": list(info.shape), "count": info.count, "sampled": None}
    if len(values) < info.count:
        document["sampled"] = len(values)
    return document | summarize_values(values)


def _read_values(file: TensorFile, info: TensorInfo) -> NDArray[np.float64]:
    import numpy as np

    every = -(-info.count // MAX_ITEMS) if info.count else 1
    blocks = [
        to_numbers(bits, info.dtype) for bits in file.read_blocks(info, in_memory_order=info.is_dense, every=every)
    ]
    values: NDArray[Any] = np.concatenate(blocks) if blocks else np.empty(0)
    return np.abs(values) if np.iscomplexobj(values) else values


def summarize_values(values: NDArray[np.float64]) -> dict[str, Any]:
    """Return extremes, mean, deviation and histogram of the finite values, and how many are not finite, or zero."""
    import numpy as np

    finite = values[np.isfinite(values)]
    document: dict[str, Any] = {"min": None, "max": None, "mean": None, "std": None}
    document |= {"nonfinite": len(values) - len(finite), "zeros": int(np.count_nonzero(finite == 0))}
    if not len(finite):
        return document | {"edges": [], "counts": []}
    low, high = float(finite.min()), float(finite.max())
    with np.errstate(all="ignore"):
        document |= {"min": low, "max": high, "mean": float(finite.mean()), "std": float(finite.std())}
    return document | _bins(finite, low, high)


def _bins(finite: NDArray[np.float64], low: float, high: float) -> dict[str, Any]:
    import numpy as np

    if low == high or not math.isfinite(high - low):
        # One value, or a range that no float holds.
        return {"edges": [low, high], "counts": [len(finite)]}
    try:
        counts, edges = np.histogram(finite, BINS, (low, high))
    except ValueError:  # values so near to each other that no number lies between two edges
        return {"edges": [low, high], "counts": [len(finite)]}
    return {"edges": edges.tolist(), "counts": counts.tolist()}
