"""Lines of a journal as arrays: those that differ in their numbers only are taken apart together, not one by one.

A training loop writes the same event again and again with other numbers. So a line is taken for a shape: the texts that
stand in it, and what stands between them. All lines of the same shape are compared and cut with NumPy, at a quarter of
the time that decoding them as JSON takes. What has no shape, or one of its own, is left to others: texts with a
backslash, numbers in lists, values that JSON has no number for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import repeat
from typing import TYPE_CHECKING, Any

from keepsake._model.encoding import decode_json
from keepsake.errors import KeepsakeError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BODY = len(b'{"crc":"01234567",')
"""Where what the checksum is of begins in a line, but for its brace."""
MAX_SHAPES = 16
"""A script that logs in more ways than this is read line by line for the rest."""

_TIME_BYTES = len("2026-01-02T03:04:05.123456Z")
_ID_DIGITS = 16
_QUOTE, _BACKSLASH, _NEWLINE = b'"\\\n'
_NUMBER = re.compile(rb":-?[0-9][-+.0-9eE]*([]},]+)", re.DOTALL)
_NUMBER_LETTERS = b"-+.0123456789eE "
_MOST_BYTES = 400
"""A line with a longer number or name is left to others."""
_EPOCH = date(1970, 1, 1).toordinal()


@dataclass
class Shaped:
    """Lines of one shape.

    Attributes:
        lines: their numbers in the data.
        times_us: in microseconds since 1970.
        ids: the beginnings of the ids as numbers; None when they have none.
        numbers: by the place in the document (`("metrics", "loss")`), one a line.
        constants: what is no number: bools, and None for everything else.
    """

    lines: NDArray[np.intp]
    times_us: NDArray[np.int64]
    ids: NDArray[np.uint64] | None
    numbers: dict[tuple[str, ...], NDArray[np.float64]]
    constants: Mapping[tuple[str, ...], bool | None]


@dataclass
class _Shape:
    """What lines have in common. Texts are numbered, and what follows text `n` is gap `n + 1`."""

    texts: dict[int, bytes] = field(default_factory=dict)
    """Those that must be the same: keys, and the type."""
    gaps: dict[int, bytes] = field(default_factory=dict)
    """Those that must be the same: they hold no number."""
    numbers: dict[int, tuple[tuple[str, ...], bytes]] = field(default_factory=dict)
    """Gaps with a number behind the colon: its place in the document, and what follows it."""
    constants: dict[tuple[str, ...], bool | None] = field(default_factory=dict)
    time: int | None = None
    id: int | None = None
    count: int = 2
    """How many texts there are; the first two are `crc` and its value."""


class LineReader:
    """The lines of a part of a journal.

    Args:
        data: whole lines.
    """

    def __init__(self, data: bytes) -> None:
        import numpy as np

        self._data = data
        self._bytes = np.frombuffer(data + bytes(_MOST_BYTES), np.uint8)
        self.stops = np.flatnonzero(self._bytes == _NEWLINE)
        self.starts = np.concatenate([np.zeros(1, np.intp), self.stops[:-1] + 1])
        self._quotes = np.flatnonzero(self._bytes == _QUOTE)
        self._first_quotes = np.searchsorted(self._quotes, self.starts)
        self._quote_counts = np.searchsorted(self._quotes, self.stops) - self._first_quotes

    def find_shaped(self, wanted: NDArray[np.bool_]) -> Iterator[Shaped]:
        """Yield the lines that share a shape with others; some may be left.

        Args:
            wanted: which lines may be taken.
        """
        import numpy as np

        left = wanted.copy()
        backslashes = np.flatnonzero(self._bytes == _BACKSLASH)
        left[np.searchsorted(self.stops, backslashes)] = False
        for _ in range(MAX_SHAPES):
            rest = np.flatnonzero(left)
            if not len(rest):
                return
            left[rest[0]] = False
            shape = _shape_of(self._data[self.starts[rest[0]] : self.stops[rest[0]]])
            if shape is None:
                continue
            found = self._cut(shape, rest[self._quote_counts[rest] == 2 * shape.count])
            if found is not None:
                left[found.lines] = False
                yield found

    def _cut(self, shape: _Shape, lines: NDArray[np.intp]) -> Shaped | None:
        """Take apart those lines that have the shape."""
        import numpy as np

        quotes = self._quotes[self._first_quotes[lines][:, None] + np.arange(2 * shape.count)]
        starts = np.concatenate([self.starts[lines][:, None], quotes[:, 1::2] + 1], axis=1)
        stops = np.concatenate([quotes[:, ::2], self.stops[lines][:, None]], axis=1)
        fits = np.ones(len(lines), bool)
        for place, text in shape.texts.items():
            fits &= self._are(quotes[:, 2 * place] + 1, quotes[:, 2 * place + 1], text)
        for place, text in shape.gaps.items():
            fits &= self._are(starts[:, place], stops[:, place], text)
        spans: dict[tuple[str, ...], tuple[Any, Any]] = {}
        for place, (name, after) in shape.numbers.items():
            first, last = starts[:, place], stops[:, place] - len(after)
            fits &= (last - first > 1) & (last - first < _MOST_BYTES)
            fits &= self._are(first, first + 1, b":") & self._are(last, stops[:, place], after)
            spans[name] = first + 1, last
        times_us, is_time = self._times(quotes, shape.time, fits)
        ids, is_id = self._ids(quotes, shape.id, fits)
        fits &= is_time & is_id
        numbers = {name: self._numbers(first[fits], last[fits]) for name, (first, last) in spans.items()}
        if not fits.any() or any(values is None for values in numbers.values()):
            return None
        return Shaped(
            lines=lines[fits],
            times_us=times_us[fits],
            ids=None if ids is None else ids[fits],
            numbers={name: values for name, values in numbers.items() if values is not None},
            constants=shape.constants,
        )

    def _windows(self, starts: NDArray[Any], length: int) -> NDArray[np.uint8]:
        """Return so many bytes, at most `_MOST_BYTES`, from each of the places on."""
        import numpy as np

        # What `sliding_window_view` returns, without the 50 µs that it takes to find out that it may.
        shape = (len(self._bytes) - length + 1, length)
        found: NDArray[np.uint8] = np.ndarray(shape, np.uint8, self._bytes.data, strides=(1, 1))[starts]
        return found

    def _are(self, starts: NDArray[Any], stops: NDArray[Any], text: bytes) -> NDArray[np.bool_]:
        """Say of each stretch whether it is this text."""
        import numpy as np

        fits: NDArray[np.bool_] = stops - starts == len(text)
        if len(text) > _MOST_BYTES:
            fits[:] = False
        elif text:
            found = self._windows(starts, len(text))
            fits &= found.view(f"V{len(text)}")[:, 0] == np.frombuffer(text, f"V{len(text)}")
        return fits

    def _matrix(
        self, quotes: NDArray[Any], place: int, fits: NDArray[np.bool_], length: int, *, exactly: bool
    ) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """Return the first bytes of a text of each line, and where it is long enough."""
        starts, stops = quotes[:, 2 * place] + 1, quotes[:, 2 * place + 1]
        is_long = fits & (stops - starts == length if exactly else stops - starts >= length)
        return self._windows(starts, length), is_long

    def _times(
        self, quotes: NDArray[Any], place: int | None, fits: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        import numpy as np

        assert place is not None
        letters, is_time = self._matrix(quotes, place, fits, _TIME_BYTES, exactly=True)
        digits = letters.astype(np.int64) - ord("0")
        marks = np.frombuffer(b"--T::.Z", np.uint8)
        is_time = is_time & (letters[:, [4, 7, 10, 13, 16, 19, 26]] == marks).all(axis=1)
        where = [0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18, 20, 21, 22, 23, 24, 25]
        digits = digits[:, where]
        is_time &= ((digits >= 0) & (digits <= 9)).all(axis=1)
        hours, minutes, seconds = (digits[:, one] * 10 + digits[:, one + 1] for one in (8, 10, 12))
        is_time &= (hours < 24) & (minutes < 60) & (seconds < 60)
        days = digits[:, :8] @ 10 ** np.arange(7, -1, -1)
        found = np.zeros(len(days), np.int64)
        for day in np.unique(days[is_time]).tolist():
            number = _day_number(day)
            if number is None:
                is_time &= days != day
            else:
                found[days == day] = number
        whole = ((found * 24 + hours) * 60 + minutes) * 60 + seconds
        return whole * 1_000_000 + digits[:, 14:] @ 10 ** np.arange(5, -1, -1), is_time

    def _ids(
        self, quotes: NDArray[Any], place: int | None, fits: NDArray[np.bool_]
    ) -> tuple[NDArray[np.uint64] | None, NDArray[np.bool_]]:
        import numpy as np

        if place is None:
            return None, fits
        letters, is_id = self._matrix(quotes, place, fits, _ID_DIGITS, exactly=False)
        values = _hex_values()[letters]
        is_id = is_id & (values < 16).all(axis=1)
        return values.astype(np.uint64) @ (np.uint64(16) ** np.arange(_ID_DIGITS - 1, -1, -1, dtype=np.uint64)), is_id

    def _numbers(self, starts: NDArray[Any], stops: NDArray[Any]) -> NDArray[np.float64] | None:
        """Read a number of each line; None when one is none."""
        import numpy as np

        lengths = stops - starts
        if not len(lengths):
            return None
        # With room for a space, whatever the last number is.
        letters = self._windows(starts, int(lengths.max()) + 1)
        letters[np.arange(letters.shape[1]) >= lengths[:, None]] = ord(" ")
        text = letters.tobytes()
        if text.translate(None, _NUMBER_LETTERS):
            return None
        try:
            return np.array([*map(float, text.split())], np.float64)
        except ValueError:
            return None

    def checksums_are_right(self, start: int) -> bool:
        """Say whether every line has the checksum of its body.

        Args:
            start: the checksum of what comes before the body: the place of the journal, and a brace.
        """
        import zlib

        import numpy as np

        if (self.stops - self.starts <= BODY).any():
            return False
        heads = self._windows(self.starts, BODY)
        marks = [*range(8), 16, 17]
        if not (heads[:, marks] == np.frombuffer(b'{"crc":"",', np.uint8)).all():
            return False
        values = _hex_values()[heads[:, 8:16]]
        if (values >= 16).any():
            return False
        told = values.astype(np.int64) @ 16 ** np.arange(7, -1, -1)
        view = memoryview(self._data)
        bodies = map(view.__getitem__, map(slice, (self.starts + BODY).tolist(), self.stops.tolist()))
        return list(map(zlib.crc32, bodies, repeat(start))) == list(told.tolist())

    def begin_with(self, text: bytes) -> NDArray[np.bool_]:
        """Say of each line whether what follows its checksum begins so."""
        return self._are(self.starts + BODY, self.starts + BODY + len(text), text)

    def lines(self, numbers: Sequence[int]) -> bytes:
        """Return some of the lines, whole."""
        return b"".join(self._data[self.starts[one] : self.stops[one] + 1] for one in numbers)


def _shape_of(line: bytes) -> _Shape | None:
    """Return the shape of a line, None when it has none."""
    parts = line.split(b'"')
    texts, gaps = parts[1::2], parts[::2]
    if b'"$' in line or len(gaps) != len(texts) + 1:
        return None
    try:
        body = decode_json(b"{" + line[BODY:])
    except KeepsakeError:
        return None
    shape = _Shape(texts={0: b"crc"}, gaps=dict(enumerate(gaps)))
    if not _walk(body, (), texts, shape) or shape.count != len(texts) or shape.time is None:
        return None
    return shape


def _walk(values: Mapping[str, Any], above: tuple[str, ...], texts: list[bytes], shape: _Shape) -> bool:
    """Go through a document in the order of its text; say whether it has a shape."""
    for key, value in values.items():
        place = (*above, key)
        if shape.count >= len(texts) or texts[shape.count] != key.encode("utf-8", "surrogatepass"):
            return False
        shape.texts[shape.count] = texts[shape.count]
        shape.count += 1
        if isinstance(value, dict) and value:
            if not _walk(value, place, texts, shape):
                return False
        elif not _take(value, place, texts, shape):
            return False
    return True


def _take(value: Any, place: tuple[str, ...], texts: list[bytes], shape: _Shape) -> bool:
    """Take note of a value that is no dictionary; its key was the last text."""
    if isinstance(value, str):
        _take_text(place, texts, shape)
    elif isinstance(value, (list, dict)):
        if not all(isinstance(item, str) for item in value):
            return False
        shape.constants[place] = None
        shape.count += len(value)
    elif value is None or isinstance(value, bool):
        shape.constants[place] = value
    else:
        found = _NUMBER.fullmatch(shape.gaps.pop(shape.count))
        if found is None or place in [name for name, _ in shape.numbers.values()]:
            return False
        shape.numbers[shape.count] = place, found[1]
    return True


def _take_text(place: tuple[str, ...], texts: list[bytes], shape: _Shape) -> None:
    if place == ("type",) and shape.count < len(texts):
        shape.texts[shape.count] = texts[shape.count]
    elif place == ("time",):
        shape.time = shape.count
    elif place == ("id",):
        shape.id = shape.count
    else:
        shape.constants[place] = None
    shape.count += 1


def _day_number(digits: int) -> int | None:
    """Return how many days after 1970 a date is that is written as eight digits; None when there is none."""
    try:
        return date(digits // 10_000, digits // 100 % 100, digits % 100).toordinal() - _EPOCH
    except ValueError:
        return None


def _hex_values() -> NDArray[np.uint8]:
    """Return for each byte the value of the hexadecimal digit that it is, 255 when it is none."""
    import numpy as np

    values = np.full(256, 255, np.uint8)
    values[np.frombuffer(b"0123456789abcdef", np.uint8)] = np.arange(16)
    return values
