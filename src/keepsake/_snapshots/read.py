"""Reading a saved file: seekable, straight from its chunks, fetching no more of them than it needs.

A small read fetches one chunk at most and may come back short, as raw reads may; `open_entry` wraps the reader so that
nobody has to care. A large one fetches all chunks that it covers at once. Who reads on for a while gets the next chunks
fetched ahead. Every chunk is verified before a byte of it is returned.
"""

from __future__ import annotations

import io
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from keepsake._snapshots.fetch import Chunk, ChunkFetcher, ChunkSource
from keepsake.errors import CorruptionError, FileNotSavedError, InvalidInputError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

    from keepsake._model.manifest import Entry

BUFFER_BYTES = 64 * 1024
"""What a buffered reader asks for at once. Skeleton chunks are smaller, and a copy of this takes 5 µs."""

KEEP_BYTES = 64 * 1024 * 1024
"""Room for the chunks that a reader jumps between: several of the longest (16 MiB), or the many small ones of a zip."""

AHEAD_AFTER_BYTES = 4 * 1024 * 1024
"""Who has read this much without a jump, and then reads again, is taken to read on: more than one tensor's chunk."""

NEAR_BYTES = 2 * BUFFER_BYTES
"""So far is no jump: that is how readers of zip files go from one member to the next."""


class _Piece(NamedTuple):
    """What one extent contributes to a read."""

    digest: str
    start: int
    stop: int
    is_whole: bool
    """Whether the read takes the extent to its end."""

    @property
    def size_bytes(self) -> int:
        return self.stop - self.start


class FileReader(io.RawIOBase):
    """A saved file as a raw, read-only, seekable stream. Like any raw stream, not for several threads at once.

    Args:
        entry: the file.
        chunks: where its chunks come from.
        threads: how many chunks to fetch at once.
    """

    mode = "rb"

    def __init__(self, entry: Entry, chunks: ChunkSource, *, threads: int = 2) -> None:
        super().__init__()
        self.name = entry.path
        self._extents = [extent for extent in entry.extents if extent.size_bytes]
        self._stops = list(accumulate(extent.size_bytes for extent in self._extents))
        self._size_bytes = self._stops[-1] if self._stops else 0
        self._fetcher = ChunkFetcher(chunks, entry.path, limit_bytes=KEEP_BYTES, threads=threads)
        self._ahead = max(3, threads)
        self._position = 0
        self._run_start = 0

    def readable(self) -> bool:
        """Say yes."""
        self._check_open()
        return True

    def seekable(self) -> bool:
        """Say yes."""
        self._check_open()
        return True

    def tell(self) -> int:
        """Return the position, in bytes from the start."""
        self._check_open()
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move, perhaps beyond the end, and return the new position."""
        self._check_open()
        origins = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size_bytes}
        if whence not in origins:
            raise ValueError(f"invalid whence ({whence}, should be 0, 1 or 2)")
        position = origins[whence] + offset
        if position < 0:
            raise ValueError(f"negative seek position {position}")
        if abs(position - self._position) > NEAR_BYTES:
            self._run_start = position
            self._fetcher.drop_ahead()
        self._position = position
        return position

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill `buffer` and return how many bytes it got: all of them unless the file ends, fewer if it is small."""
        self._check_open()
        with memoryview(buffer) as whole, whole.cast("B") as view:
            stop = min(self._position + len(view), self._size_bytes)
            if stop <= self._position:
                return 0
            if len(view) > BUFFER_BYTES:
                self._read_large(view, stop)
            else:
                stop = self._read_small(view, stop)
            return self._advance(stop)

    def readall(self) -> bytes:
        """Return the rest of the file."""
        self._check_open()
        if self._position >= self._size_bytes:
            return b""
        # A BytesIO lends its bytes for writing and then gives them away, all without a copy: three times as fast as
        # joining the chunks, and half the memory.
        data = io.BytesIO(bytes(self._size_bytes - self._position))
        with data.getbuffer() as view:
            self._read_large(view, self._size_bytes)
        self._advance(self._size_bytes)
        return data.getvalue()

    def close(self) -> None:
        """Let go of chunks and threads. Closing twice is no error."""
        if not self.closed:
            try:
                self._fetcher.close()
            finally:
                super().close()

    def _read_small(self, view: memoryview, stop: int) -> int:
        """Copy what the extent at the position holds, at most up to `stop`, and return where that ends."""
        piece = next(self._pieces(self._position, stop))
        view[: piece.size_bytes] = self._cut(piece, self._fetcher.get(piece.digest))
        return self._position + piece.size_bytes

    def _read_large(self, view: memoryview, stop: int) -> None:
        """Copy everything up to `stop`, chunks in any order."""
        places: dict[str, list[tuple[int, _Piece]]] = {}
        offset = 0
        for piece in self._pieces(self._position, stop):
            places.setdefault(piece.digest, []).append((offset, piece))
            offset += piece.size_bytes

        def copy(digest: str, chunk: Chunk) -> None:
            for start, piece in places[digest]:
                view[start : start + piece.size_bytes] = self._cut(piece, chunk)

        # Wanted again: what the read leaves off in, and small pieces, whose chunks hold what lies between others
        # (names, headers, padding).
        again = (
            digest
            for digest, group in places.items()
            if any(not piece.is_whole or piece.size_bytes < BUFFER_BYTES for _, piece in group)
        )
        self._fetcher.get_each(list(places), copy, keep=again)

    def _advance(self, stop: int) -> int:
        """Move to `stop` after a read, and return how far that is."""
        count = stop - self._position
        has_read_on = self._position - self._run_start >= AHEAD_AFTER_BYTES
        self._position = stop
        if has_read_on and stop < self._size_bytes:
            index = bisect_right(self._stops, stop)
            self._fetcher.fetch_ahead(extent.digest for extent in self._extents[index : index + self._ahead])
        return count

    def _pieces(self, start: int, stop: int) -> Iterator[_Piece]:
        """Yield what lies from `start` to `stop`, in order."""
        index = bisect_right(self._stops, start)
        while start < stop:
            extent = self._extents[index]
            base = extent.stop - self._stops[index]
            end = min(stop, self._stops[index])
            yield _Piece(extent.digest, base + start, base + end, end == self._stops[index])
            start = end
            index += 1

    def _cut(self, piece: _Piece, chunk: Chunk) -> memoryview:
        if piece.stop > len(chunk):
            raise CorruptionError(
                f"{self.name!r} cannot be read: its manifest asks for bytes up to {piece.stop} of chunk "
                f"{piece.digest}, which has {len(chunk)}"
            )
        return memoryview(chunk)[piece.start : piece.stop]

    def _check_open(self) -> None:
        if self.closed:
            raise ValueError("I/O operation on closed file")


def open_entry(entry: Entry, chunks: ChunkSource, *, threads: int = 2) -> io.BufferedReader:
    """Open a saved file for reading.

    Args:
        entry: the file.
        chunks: where its chunks come from.
        threads: how many chunks to fetch at once.

    Returns:
        A binary, seekable file; its `name` is the path in the snapshot.

    Raises:
        FileNotSavedError: the file could not be read when the snapshot was saved; the message says why.
        InvalidInputError: this is a directory or a symbolic link.
    """
    if entry.kind == "missing":
        raise FileNotSavedError(
            f"{entry.path!r} is missing from the snapshot: when it was saved, it {entry.reason or 'could not be read'}",
            hint="other files of the same snapshot are not affected",
        )
    if entry.kind == "link":
        raise InvalidInputError(
            f"{entry.path!r} was saved as a symbolic link to {entry.target!r}", hint="open what it points to"
        )
    if entry.kind != "file":
        raise InvalidInputError(f"{entry.path!r} is a directory", hint="open one of the files in it")
    return io.BufferedReader(FileReader(entry, chunks, threads=threads), BUFFER_BYTES)
