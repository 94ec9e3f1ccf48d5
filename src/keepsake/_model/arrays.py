"""Arrays and scalars of numeric libraries, known by protocol, so that none of those libraries is imported.

An array is what offers `tolist()` (NumPy, PyTorch, JAX, CuPy, pandas' unlabelled ones), `to_list()` (polars), `item()`
or `__array__()` (TensorFlow, Keras, h5py). Tensors that need a gradient, lie on a GPU or have a type that NumPy does
not know (bfloat16) take care of that themselves in `tolist()`.
"""

from __future__ import annotations

import math
from typing import Any

_PLAIN_FORMS = ("tolist", "to_list", "item", "__array__")


def is_array(kind: type) -> bool:
    """Say whether instances of this class are arrays or scalars of a numeric library.

    The class is asked and not the instance, since a mock, for one, answers to any name. What has a `to_dict()` is a
    data frame or a labelled series: its labels would be lost.
    """
    return any(hasattr(kind, form) for form in _PLAIN_FORMS) and not hasattr(kind, "to_dict") and kind is not memoryview


def size_of_array(array: Any) -> int | None:
    """Return the number of elements without touching them, or None when the array does not say."""
    numel = getattr(array, "numel", None)  # PyTorch, where `size` is a method
    size = numel() if callable(numel) else getattr(array, "size", None)
    if isinstance(size, int):
        return size
    try:
        shape = getattr(array, "shape", None)
        return len(array) if shape is None else math.prod(int(length) for length in shape)
    except (TypeError, ValueError):
        return None


def array_to_plain(array: Any) -> Any:
    """Return the array as a Python number, or as nested lists of them, or at least as something closer to that.

    Raises whatever the array raises, for instance because it has no data (PyTorch's meta device).
    """
    if getattr(getattr(array, "dtype", None), "kind", None) in ("m", "M"):
        # `tolist()` of dates in nanoseconds gives bare whole numbers; each element has a string of its own.
        return list(array) if array.shape else array[()]
    form = next(form for form in _PLAIN_FORMS if hasattr(type(array), form))
    plain = getattr(array, form)()
    # A wider float than Python's (`numpy.longdouble`) has nothing plainer than itself.
    return float(plain) if type(plain) is type(array) else plain
