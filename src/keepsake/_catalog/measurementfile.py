"""Measurements as bytes: a head, then arrays one after another, each with a checksum, so that a column is read alone.

    magic, length of the head (u32), checksum of the head (u32); all numbers little-endian
    the head: JSON
    padding to a multiple of 8, and the arrays, each padded likewise

Nothing here reads or writes files.
"""

from __future__ import annotations

import functools
import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from keepsake._catalog.encoding import CatalogDamagedError
from keepsake._catalog.measurements import Column, Measurements

if TYPE_CHECKING:
    from numpy.typing import NDArray

PREFIX_BYTES = 16
MAGIC = b"ksmeas1\n"
_BASES = (("times_us", "<i8"), ("steps", "<f8"), ("writers", "<i4"), ("checkpoints", "<u8"))
_EVERY_ROW = -1

Read = Callable[[int, int], bytes]
Consumed = Mapping[tuple[str, int], int]
"""How many bytes of each segment, by session and number, the measurements are made of."""


class Place(NamedTuple):
    """Where an array is, from the end of the head."""

    start: int
    stop: int
    crc: int


@dataclass(frozen=True)
class Head:
    """What a file says of itself."""

    arrays_start: int
    """Where the arrays begin in the file."""
    rows: int
    bases: Mapping[str, Place]
    columns: Mapping[str, tuple[Place | None, Place]]
    """Where rows and values of a column are; no place for the rows when it has every row."""
    consumed: Consumed
    document: Mapping[str, Any]

    @functools.cached_property
    def every_row(self) -> NDArray[Any]:
        """The rows of a column that has all of them."""
        import numpy as np

        return np.arange(self.rows, dtype=np.int32)


def encode_measurements(owner: str, measurements: Measurements, consumed: Consumed) -> list[bytes]:
    """Return the parts of a file.

    Args:
        owner: says of what the measurements are.
        measurements: with all columns loaded.
        consumed: see `Consumed`.
    """
    arrays = _Arrays()
    bases = {name: arrays.add(getattr(measurements, name), dtype) for name, dtype in _BASES}
    columns: dict[str, list[Any]] = {}
    for name, column in measurements.columns.items():
        if column is not None:
            has_every_row = len(column.rows) == len(measurements)
            rows = _EVERY_ROW if has_every_row else arrays.add(column.rows, "<i4")
            columns[name] = [rows, arrays.add(column.values, "<f8")]
    document = {
        "owner": owner,
        "rows": len(measurements),
        "consumed": [[*segment, size_bytes] for segment, size_bytes in consumed.items()],
        "sessions": measurements.sessions,
        "last_events": dict(measurements.last_events),
        "deleted": sorted(measurements.deleted),
        "is_deleted": measurements.is_deleted,
        "began_us": measurements.began_us,
        "places": arrays.places,
        "bases": bases,
        "columns": columns,
    }
    head = json.dumps(document, separators=(",", ":")).encode("ascii")
    prefix = MAGIC + len(head).to_bytes(4, "little") + zlib.crc32(head).to_bytes(4, "little")
    return [prefix, head, bytes(-len(head) % 8), *arrays.parts]


class _Arrays:
    """Arrays that are written one after another; equal ones once."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.places: list[tuple[int, int, int]] = []
        self._known: dict[bytes, int] = {}
        self._size_bytes = 0

    def add(self, array: NDArray[Any], dtype: str) -> int:
        """Add an array and return its number."""
        data = array.astype(dtype, copy=False).tobytes()
        number = self._known.setdefault(data, len(self.places))
        if number == len(self.places):
            self.places.append((self._size_bytes, self._size_bytes + len(data), zlib.crc32(data)))
            self.parts += (data, bytes(-len(data) % 8))
            self._size_bytes += len(data) + -len(data) % 8
        return number


def head_size_bytes(prefix: bytes) -> int:
    """Return how long prefix and head are together. Raises `CatalogDamagedError` when this begins no such file."""
    if len(prefix) < PREFIX_BYTES or not prefix.startswith(MAGIC):
        raise CatalogDamagedError("these are no measurements")
    return PREFIX_BYTES + int.from_bytes(prefix[8:12], "little")


def decode_head(data: bytes, owner: str) -> Head:
    """Decode a head from the beginning of a file.

    Raises:
        CatalogDamagedError: it is damaged, or that of another owner.
    """
    stop = head_size_bytes(data)
    text = data[PREFIX_BYTES:stop]
    try:
        if len(data) < stop or zlib.crc32(text) != int.from_bytes(data[12:16], "little"):
            raise ValueError("its checksum is wrong")
        document = json.loads(text)
        if document["owner"] != owner:
            raise ValueError("they are another's")
        places = [Place(*place) for place in document["places"]]
        return Head(
            arrays_start=stop + -stop % 8,
            rows=document["rows"],
            bases={name: places[number] for name, number in document["bases"].items()},
            columns={
                name: (None if rows == _EVERY_ROW else places[rows], places[values])
                for name, (rows, values) in document["columns"].items()
            },
            consumed={(session, number): size for session, number, size in document["consumed"]},
            document=document,
        )
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise CatalogDamagedError(f"the head of measurements cannot be read: {error}") from error


def decode_bases(head: Head, read: Read) -> Measurements:
    """Return the measurements, without a column.

    Args:
        head: of the file.
        read: returns bytes `start` to `stop` of the file.

    Raises:
        CatalogDamagedError: they are damaged.
    """
    arrays = {name: _decode_array(head, head.bases[name], dtype, read) for name, dtype in _BASES}
    document = head.document
    return Measurements(
        **arrays,
        columns=dict.fromkeys(head.columns),
        sessions=tuple(document["sessions"]),
        last_events=document["last_events"],
        deleted=frozenset(document["deleted"]),
        is_deleted=document["is_deleted"],
        began_us=document["began_us"],
    )


def decode_column(head: Head, name: str, read: Read) -> Column:
    """Return one column; as `decode_bases`."""
    rows, values = head.columns[name]
    every_row = head.every_row if rows is None else _decode_array(head, rows, "<i4", read)
    return Column(every_row, _decode_array(head, values, "<f8", read))


def _decode_array(head: Head, place: Place, dtype: str, read: Read) -> NDArray[Any]:
    import numpy as np

    data = read(head.arrays_start + place.start, head.arrays_start + place.stop)
    if len(data) != place.stop - place.start or zlib.crc32(data) != place.crc:
        raise CatalogDamagedError("an array of measurements is damaged")
    return np.frombuffer(data, dtype)
