"""Where the tensors of a zip archive lie: storages of `torch.save` and arrays of `.npz`, unless they are compressed.

`torch.save` writes each storage as a member `<name>/data/<key>`, and a pickle `<name>/data.pkl` that names for each key
how many items it has. The pickle is never executed: a pattern finds the tuples, and whatever it misses or mistakes only
costs efficiency. Members of other kinds count as other bytes, archives within archives too.
"""

from __future__ import annotations

import re
import struct
import zipfile
from collections.abc import Iterator

from keepsake._chunks import npy
from keepsake._chunks.structure import MAX_HEADER_BYTES, MAX_TENSORS, NoStructureError, Read, Tensor

MAGIC = b"PK\x03\x04"

_CENTRAL_MAGIC = b"PK\x01\x02"
_LOCAL_HEADER = struct.Struct("<4s22xHH")
_ENCRYPTED = 1
_ITEM_SIZES = (1, 2, 4, 8, 16)

_STRING = rb"(?:X[\s\S]{4}|\x8c[\s\S])"
_MEMO = rb"(?:q[\s\S]|r[\s\S]{4}|\x94)?"
_KEY = _STRING + rb"(?P<key>\d{1,9})" + _MEMO
_DEVICE = rb"(?:" + _STRING + rb"[a-z][a-z0-9_:]{0,15}" + _MEMO + rb"|h[\s\S]|j[\s\S]{4})"
_COUNT = rb"(?:K(?P<u8>[\s\S])|M(?P<u16>[\s\S]{2})|J(?P<i32>[\s\S]{4})|\x8a\x05(?P<i40>[\s\S]{5}))"
_STORAGE = re.compile(_KEY + _DEVICE + _COUNT + rb"t")
"""The tail of a persistent id, `('storage', <class>, '<key>', '<device>', <number of items>)`, in protocols 2 to 5."""


def find_tensors(read: Read, size_bytes: int) -> list[Tensor]:
    """Return the tensors, in any order."""
    members = [member for member in list_members(read, size_bytes) if is_stored(member)]
    return [*_storages(members, read, size_bytes), *_arrays(members, read, size_bytes)]


def list_members(read: Read, size_bytes: int) -> list[zipfile.ZipInfo]:
    """Return all members of the archive that are not encrypted."""
    with zipfile.ZipFile(_Source(read, size_bytes)) as archive:
        return [member for member in archive.infolist() if not member.flag_bits & _ENCRYPTED]


def is_stored(member: zipfile.ZipInfo) -> bool:
    """Say whether the member's bytes stand in the archive as they are."""
    return member.compress_type == zipfile.ZIP_STORED and member.file_size == member.compress_size


def find_pickle(members: list[zipfile.ZipInfo]) -> tuple[zipfile.ZipInfo, str] | None:
    """Return the pickle of an archive that `torch.save` wrote, and what the names of its storages begin with."""
    pickled = next((member for member in members if member.filename.endswith("data.pkl")), None)
    return None if pickled is None else (pickled, pickled.filename.removesuffix("data.pkl") + "data/")


def _storages(members: list[zipfile.ZipInfo], read: Read, size_bytes: int) -> Iterator[Tensor]:
    """Yield the storages of an archive that `torch.save` wrote; nothing for any other."""
    found = find_pickle(members)
    if found is None:
        return
    pickled, prefix = found
    start, stop = data_range(pickled, read, size_bytes)
    counts = _count_items(read(start, stop)) if stop - start <= MAX_HEADER_BYTES else {}
    for member in members:
        if member.filename.startswith(prefix) and member.file_size:
            start, stop = data_range(member, read, size_bytes)
            yield Tensor(start, stop, _item_size(member.file_size, counts.get(member.filename[len(prefix) :], 0)))


def _arrays(members: list[zipfile.ZipInfo], read: Read, size_bytes: int) -> Iterator[Tensor]:
    for member in members:
        if member.filename.endswith(".npy"):
            start, stop = data_range(member, read, size_bytes)
            try:
                yield npy.find_array(read, start, stop)
            except NoStructureError:
                continue  # an array of objects, a pickle: other bytes


def _count_items(pickled: bytes) -> dict[str, int]:
    """Return how many items each storage has, by key, as far as the pattern finds them."""
    return {
        match["key"].decode("ascii"): int.from_bytes(
            match["u8"] or match["u16"] or match["i32"] or match["i40"], "little"
        )
        for match in _STORAGE.finditer(pickled)
    }


def _item_size(length: int, count: int) -> int:
    size = length // count if count else 0
    return size if size in _ITEM_SIZES and size * count == length else 0


def data_range(member: zipfile.ZipInfo, read: Read, size_bytes: int) -> tuple[int, int]:
    """Return where the bytes of a member lie, compressed or not. Its local header alone knows the padding."""
    header_stop = member.header_offset + _LOCAL_HEADER.size
    if not 0 <= member.header_offset < header_stop <= size_bytes:
        raise NoStructureError("a member lies outside the archive")
    magic, name_length, extra_length = _LOCAL_HEADER.unpack(read(member.header_offset, header_stop))
    start = header_stop + name_length + extra_length
    if magic != MAGIC or start + member.compress_size > size_bytes:
        raise NoStructureError("a member has no local header, or leaves the archive")
    return start, start + member.compress_size


class _Source:
    """As much of a binary file as `zipfile` needs to read the central directory, with a limit on each read."""

    def __init__(self, read: Read, size_bytes: int) -> None:
        self._read = read
        self._size_bytes = size_bytes
        self._position = 0

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        position = offset + (0, self._position, self._size_bytes)[whence]
        if position < 0:
            raise OSError("seek before the beginning")
        self._position = position
        return position

    def tell(self) -> int:
        return self._position

    def read(self, size: int = -1) -> bytes:
        start = min(self._position, self._size_bytes)
        stop = self._size_bytes if size < 0 else min(start + size, self._size_bytes)
        if stop - start > MAX_HEADER_BYTES:
            raise NoStructureError("the central directory is longer than that of any model")
        data = self._read(start, stop)
        if data.count(_CENTRAL_MAGIC) > MAX_TENSORS:
            raise NoStructureError("the archive has more members than any model")
        self._position = stop
        return data
