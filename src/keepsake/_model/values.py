"""Values: what params and metrics may hold, and how the things that training scripts pass become values.

A value is None, a bool, an int of at most 4,300 digits, a float (NaN and infinities too), a string, or a list or
dictionary of values. The rules, in this order:

- **Strings.** An enum member becomes `Class.MEMBER`, or its text when it is a string itself. Paths (anything with
  `__fspath__`), dates, times and time zones, UUIDs, decimals and fractions, devices and dtypes become their string.
- **Dictionaries.** Mappings, dataclass instances, namespaces (`argparse.Namespace`), pydantic models. Keys are strings;
  numbers, booleans and None become the text that JSON has for them, as labels by class often are.
- **Lists.** Sequences and sets; a set is sorted. Generators are refused: reading one would use it up.
- **Arrays and their scalars** of NumPy, PyTorch, TensorFlow, JAX, CuPy and others by protocol, without importing any of
  them: `tolist()`, `item()` or `__array__()`. Up to 10,000 elements; more belong into a file.
- **Everything else is refused**, with its dotted place and type.

A dictionary of plain values takes a fast path, since a metrics-only checkpoint has 40 µs in all.
"""

from __future__ import annotations

import enum
import functools
import json
from collections.abc import Callable, Mapping, Sequence, ValuesView
from collections.abc import Set as AbstractSet
from dataclasses import fields
from typing import Any, TypeAlias

from keepsake._model.arrays import array_to_plain, is_array, size_of_array
from keepsake.errors import InvalidInputError

Value: TypeAlias = "bool | int | float | str | list[Value] | dict[str, Value] | None"

MAX_ARRAY_ITEMS = 10_000
"""Most elements of an array or range. At 20 bytes each that is 200 KB of text for every reader of the journal."""

MAX_ITEMS = 1_000_000
"""Most values in one call, counting those that stand in several places each time: a guard against lists that share
their parts so that they would unfold without end."""

MAX_DEPTH = 100
"""Deepest nesting. The JSON code of the standard library recurses; it shares some 1,000 levels with all its callers."""

MAX_DIGITS = 4300
"""Most digits of a whole number: Python itself writes and reads no longer ones unless it is set to,
https://docs.python.org/3/library/stdtypes.html#int-max-str-digits, so that nobody could print them."""

_TOO_LARGE = 10**MAX_DIGITS
_LISTS = (Sequence, AbstractSet, ValuesView)
_BYTES = (bytes, bytearray, memoryview)
_PLAIN: frozenset[type] = frozenset({type(None), bool, float, str})
"""What needs no look; an int needs one at its size."""
_CONTAINERS: frozenset[type] = frozenset({dict, list, tuple, set, frozenset})

# By name, so that none of these modules is imported. A subclass counts: `pandas.Timestamp` is a datetime.
_AS_STRING = frozenset(
    {
        "datetime.date",
        "datetime.time",
        "datetime.timedelta",
        "datetime.tzinfo",
        "decimal.Decimal",
        "fractions.Fraction",
        "uuid.UUID",
        "numpy.dtype",
        "numpy.datetime64",
        "numpy.timedelta64",
        "torch.device",
        "torch.dtype",
        "torch.layout",
        "torch.memory_format",
        "tensorflow.python.framework.dtypes.DType",
    }
)
_NUMPY_SCALARS = frozenset({"numpy.generic"})
_NAMESPACES = frozenset({"argparse.Namespace", "types.SimpleNamespace"})
_HINTS = {
    "bytes": "decode it to a string, or save it as a file",
    "complex": "store its real and imaginary part, or its magnitude",
    "generator": "make it a list: list(…)",
    "function": "store its name",
    "type": "store its name",
}


def to_value(thing: object, *, name: str) -> Value:
    """Convert anything that the rules of this module accept.

    Args:
        thing: what to convert. It is left as it is; lists and dictionaries in the result are new ones.
        name: the dotted place it comes from, for messages ("params.optim").

    Raises:
        InvalidInputError: it, or something in it, cannot be stored; the message names the dotted place and the type.
    """
    if _is_plain(thing):
        return thing  # type: ignore[return-value]
    return _Conversion().convert(thing, name)


def to_params(params: object) -> dict[str, Value]:
    """Convert the params of an experiment.

    Args:
        params: a mapping, an `argparse.Namespace`, a dataclass instance, a pydantic model, or None for no params.

    Raises:
        InvalidInputError: it is none of these, or holds something that cannot be stored.
    """
    return _to_dictionary(params, "params")


def to_metrics(metrics: object, extra: Mapping[str, object]) -> dict[str, Value]:
    """Convert the metrics of a checkpoint.

    Args:
        metrics: a mapping or another form that `to_params` accepts, or None for no metrics.
        extra: further metrics, given as keyword arguments.

    Raises:
        InvalidInputError: a name stands in both, or something cannot be stored.
    """
    values = _to_dictionary(metrics, "metrics")
    if not extra:
        return values
    twice = sorted(values.keys() & extra.keys())
    if twice:
        raise InvalidInputError(
            f"the metric {twice[0]!r} was given twice: in metrics and as a keyword argument", hint="leave one out"
        )
    values.update(_to_dictionary(extra, "metrics"))
    return values


def get_dotted(values: Mapping[str, Value], name: str) -> Value:
    """Return the value at a dotted place: `optim.lr`, and `layers.0.size` for places in a list.

    A key that contains dots itself wins over the dots between keys.

    Raises:
        KeyError: there is no such place.
    """
    found = _find_dotted(values, name)
    if found is _ABSENT:
        raise KeyError(name)
    return found  # type: ignore[return-value]


_ABSENT = object()


def _find_dotted(values: object, name: str) -> object:
    if isinstance(values, list):
        values = {str(index): value for index, value in enumerate(values)}
    if not isinstance(values, Mapping):
        return _ABSENT
    if name in values:
        return values[name]
    dot = name.rfind(".")
    while dot >= 0:
        if name[:dot] in values:
            found = _find_dotted(values[name[:dot]], name[dot + 1 :])
            if found is not _ABSENT:
                return found
        dot = name.rfind(".", 0, dot)
    return _ABSENT


def _to_dictionary(given: object, noun: str) -> dict[str, Value]:
    if type(given) is dict:
        for key, item in given.items():
            if not _is_plain(item) or type(key) is not str:
                break
        else:
            return given.copy()
    if given is None:
        return {}
    if _reader_of_items(given) is None:
        what = f"the class {given.__name__}" if isinstance(given, type) else type(given).__name__
        raise InvalidInputError(f"{noun} must be a dictionary, not {what}", hint=f'{noun}={{"name": value}}')
    return _Conversion().convert(given, noun)  # type: ignore[return-value]


class _Conversion:
    """One conversion: where it stands, to notice cycles, and how much it may still take."""

    def __init__(self) -> None:
        self._around: set[int] = set()
        self._items_left = MAX_ITEMS

    def convert(self, thing: object, name: str) -> Value:
        """Convert one thing and all that is in it."""
        if _is_plain(thing):
            return thing  # type: ignore[return-value]
        if type(thing) not in _CONTAINERS:
            scalar: Value = _call_foreign(_to_scalar, thing, name)
            if isinstance(scalar, int) and not _is_plain(scalar):
                raise InvalidInputError(
                    f"{name} is a whole number of more than {MAX_DIGITS:,} digits, which cannot be stored",
                    hint="save it as a file, or store hex(…) of it",
                )
            if scalar is not None:
                return scalar
        if id(thing) in self._around:
            raise InvalidInputError(f"{name} contains itself, which cannot be stored")
        if len(self._around) >= MAX_DEPTH:
            raise InvalidInputError(f"{name} is nested more than {MAX_DEPTH} deep", hint="save it as a file")
        self._around.add(id(thing))
        try:
            return self._convert_container(thing, name)
        finally:
            self._around.discard(id(thing))

    def _convert_container(self, thing: object, name: str) -> Value:
        read_items = _reader_of_items(thing)
        if read_items is not None:
            return self._convert_items(_call_foreign(read_items, thing, name), name)
        if is_array(type(thing)):
            _check_size(thing, size_of_array(thing), name)
            plain = _call_foreign(array_to_plain, thing, name)
            return self._convert_list(plain, name) if type(plain) is list else self.convert(plain, name)
        if not isinstance(thing, _LISTS) or isinstance(thing, _BYTES):
            raise _refusal(thing, name)
        if isinstance(thing, range):
            _check_size(thing, len(thing), name)
        values = self._convert_list(_call_foreign(list, thing, name), name)
        return sorted(values, key=_set_order) if isinstance(thing, AbstractSet) else values

    def _convert_items(self, items: dict[Any, Any], name: str) -> dict[str, Value]:
        self._take(len(items), name)
        values: dict[str, Value] = {}
        for key, item in items.items():
            text = str.__str__(key) if isinstance(key, str) else _key_text(key, name)
            if text in values:
                raise InvalidInputError(f"{name} has two keys that are written {text!r}", hint="leave one out")
            values[text] = item if _is_plain(item) else self.convert(item, f"{name}.{text}")
        return values

    def _convert_list(self, items: list[Any], name: str) -> list[Value]:
        self._take(len(items), name)
        return [item if _is_plain(item) else self.convert(item, f"{name}.{index}") for index, item in enumerate(items)]

    def _take(self, count: int, name: str) -> None:
        self._items_left -= count
        if self._items_left < 0:
            raise InvalidInputError(f"{name} holds more than {MAX_ITEMS:,} values in all", hint="save them as a file")


def _is_plain(thing: Any) -> bool:
    return -_TOO_LARGE < thing < _TOO_LARGE if type(thing) is int else type(thing) in _PLAIN


def _key_text(key: object, name: str) -> str:
    """Return the text of a key that is no string, as `json.dumps` has it."""
    if isinstance(key, int) and not -_TOO_LARGE < key < _TOO_LARGE:
        raise InvalidInputError(f"{name} has a key of more than {MAX_DIGITS:,} digits", hint="hex(key) is shorter")
    if key is None or isinstance(key, (int, float)):
        return json.dumps(key)
    raise InvalidInputError(
        f"{name} has the key {key!r} of type {_type_name(key)}; keys must be strings, or numbers",
        hint="str(key) makes it a string",
    )


def _to_scalar(thing: object) -> str | int | float | None:
    """Return the string or number that `thing` is or that stands for it; None when it is not of such a kind."""
    if isinstance(thing, str):
        # The text, also of a string enum: `str()` of one depends on the version of Python and on its base classes.
        return str.__str__(thing)
    if isinstance(thing, enum.Enum):
        return f"{type(thing).__name__}.{thing.name}" if thing.name is not None else repr(thing)
    if isinstance(thing, int):
        return int.__int__(thing)
    if isinstance(thing, float):
        return float.__float__(thing)
    kind: Any = type(thing)
    if hasattr(kind, "__fspath__"):
        path = kind.__fspath__(thing)
        return path.decode("utf-8", "surrogateescape") if isinstance(path, bytes) else str(path)
    if _is_one_of(kind, _AS_STRING):
        return str(thing)
    if isinstance(thing, type) and _is_one_of(thing, _NUMPY_SCALARS):
        return thing.__name__  # `dtype=numpy.float32` means the data type of that name
    return None


def _reader_of_items(thing: object) -> Callable[[Any], dict[Any, Any]] | None:
    """Return what reads keys and values out of `thing`, or None when it has no keys."""
    kind: Any = type(thing)
    if isinstance(thing, Mapping):
        return dict
    if hasattr(kind, "__dataclass_fields__"):
        return lambda instance: {field.name: getattr(instance, field.name) for field in fields(instance)}
    if callable(getattr(kind, "model_dump", None)):
        return lambda model: dict(model.model_dump())
    if kind not in _CONTAINERS and _is_one_of(kind, _NAMESPACES):
        return lambda namespace: dict(vars(namespace))
    return None


def _call_foreign(call: Callable[[Any], Any], thing: object, name: str) -> Any:
    """Run code that belongs to the user's object; its error becomes ours."""
    try:
        return call(thing)
    except Exception as error:
        raise InvalidInputError(
            f"{name}: this {_type_name(thing)} cannot be read: {type(error).__name__}: {error}"
        ) from error


def _check_size(thing: object, size: int | None, name: str) -> None:
    if size is not None and size > MAX_ARRAY_ITEMS:
        raise InvalidInputError(
            f"{name} is a {_type_name(thing)} of {size:,} elements; at most {MAX_ARRAY_ITEMS:,} can be stored here",
            hint="save it as a file and give its path to checkpoint(), or store a summary such as its mean",
        )


def _set_order(value: Value) -> tuple[int, bool, float, str]:
    """Order the elements of a set totally, so that equal sets give equal lists: numbers, then text, then the rest."""
    if isinstance(value, (bool, int, float)):
        is_nan = value != value
        return 0, is_nan, 0.0 if is_nan else value, ""
    if isinstance(value, str):
        return 1, False, 0.0, value
    return 2, False, 0.0, repr(value)


@functools.lru_cache(maxsize=256)
def _is_one_of(kind: type[Any], names: frozenset[str]) -> bool:
    """Say whether the class or one of its bases has one of these names. Remembered: metrics have few classes."""
    return any(f"{base.__module__}.{base.__qualname__}" in names for base in kind.__mro__)


def _type_name(thing: object) -> str:
    kind: Any = type(thing)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _refusal(thing: object, name: str) -> InvalidInputError:
    kind: Any = type(thing)
    hint = _HINTS.get(kind.__name__)
    if hint is None and hasattr(kind, "to_dict"):
        hint = "pass its .to_dict()"
    return InvalidInputError(
        f"{name} is of type {_type_name(thing)}, which cannot be stored",
        hint=hint or "pass a number, string, list or dictionary instead, or str(…) of it",
    )
