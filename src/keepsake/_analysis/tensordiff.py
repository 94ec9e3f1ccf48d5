"""Which tensors of a weights file changed, and how far: read only where the two files do not share their bytes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import BinaryIO, TypeAlias

from keepsake._analysis.diff import TensorChange, TensorsDiff, TensorState
from keepsake._analysis.filediff import locate
from keepsake._analysis.tensors import TensorInfo, read_tensors
from keepsake._analysis.tensorvalues import TensorFile, compare_values
from keepsake._model.manifest import Entry
from keepsake.errors import FormatError, KeepsakeError

Source: TypeAlias = "tuple[Entry | None, Callable[[Entry], BinaryIO]]"
"""A file, None where there is none, and what opens it."""


def compare_weights(old: Source, new: Source) -> TensorsDiff | None:
    """Compare the tensors of two files; a file that is not there has none.

    Returns:
        What changed, by name; None when one of them is no weights file after all.

    Raises:
        FormatError: the tensors of one cannot be found; the message says why.
        KeepsakeError: from reading the files.
    """
    with ExitStack() as stack:
        before, after = (_open_side(side, name, stack) for side, name in ((old, "old"), (new, "new")))
        if before is None or after is None:
            return None
        names = [*after.tensors, *(name for name in before.tensors if name not in after.tensors)]
        changes = [change for name in names if (change := _compare_tensor(name, before, after)) is not None]
        return TensorsDiff(tuple(changes), unchanged=len(names) - len(changes))


class _Side:
    """One of the two files: its tensors, and where their bytes are stored."""

    def __init__(self, entry: Entry | None, file: TensorFile | None, tensors: dict[str, TensorInfo]) -> None:
        self.entry = entry
        self.file = file
        self.tensors = tensors

    def state(self, name: str) -> TensorState | None:
        info = self.tensors.get(name)
        return None if info is None else TensorState(info.dtype, info.shape)


def _open_side(source: Source, which: str, stack: ExitStack) -> _Side | None:
    entry, open_entry = source
    if entry is None:
        return _Side(None, None, {})
    file = stack.enter_context(TensorFile(open_entry(entry)))
    try:
        tensors = read_tensors(file.file, entry.size_bytes)
    except FormatError as error:
        if type(error) is not FormatError:
            raise  # damage of what is stored
        raise FormatError(f"the tensors of the {which} file cannot be read: {error.message}") from error
    return None if tensors is None else _Side(entry, file, tensors)


def _compare_tensor(name: str, old: _Side, new: _Side) -> TensorChange | None:
    before, after = old.tensors.get(name), new.tensors.get(name)
    if before is None or after is None:
        return TensorChange(name, "added" if before is None else "removed", old.state(name), new.state(name))
    change = TensorChange(name, "changed", old.state(name), new.state(name))
    if change.old != change.new:
        return change
    if not before.count or _are_stored_alike(old, before, new, after):
        return None
    assert old.file is not None
    assert new.file is not None
    try:
        values = compare_values(before, old.file, after, new.file)
    except KeepsakeError as error:
        return TensorChange(name, "changed", change.old, change.new, problem=error.message)
    return None if values is None else TensorChange(name, "changed", change.old, change.new, values)


def _are_stored_alike(old: _Side, before: TensorInfo, new: _Side, after: TensorInfo) -> bool:
    """Say whether the bytes of both are known to be the same: then they need not be read."""
    assert old.entry is not None
    assert new.entry is not None
    if (before.strides, before.is_big_endian, bool(before.member)) != (
        after.strides,
        after.is_big_endian,
        bool(after.member),
    ):
        return False
    return locate(old.entry, *before.stored_range) == locate(new.entry, *after.stored_range)
