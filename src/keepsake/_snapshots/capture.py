"""Capturing files: a stream of tasks that several threads take from, and what becomes of them.

A task reads one chunk's worth of bytes or a few, and puts them into the chunk store. Tasks are made as they are taken,
one at a time: whoever takes one opens the next file, plans its layout, or cuts the next window of a stretch. So memory
holds no more than what the threads work on, and big and small files go the same way.

A file is captured when all of its tasks are done and it has not changed since it was opened.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from keepsake._chunks.layout import LARGE_TENSOR_BYTES, LONG_STRETCH_BYTES, Layout, Piece, Stretch, plan_layout
from keepsake._chunks.workers import run_workers
from keepsake._model.manifest import Extent
from keepsake._snapshots.buffers import Buffers
from keepsake._snapshots.bundle import MAX_BUNDLE_BYTES, MAX_BUNDLE_FILES, Bundle, ends_bundle
from keepsake._snapshots.source import SourceFile, UnreadableError

if TYPE_CHECKING:
    from keepsake._chunks.chunkstore import ChunkStore
    from keepsake._snapshots.scan import Found

_WINDOW_CHUNKS = 16
"""How many chunks of average length one window of a stretch holds; four of the longest."""


class Task(Protocol):
    """Something to read and store."""

    def run(self, capture: Capture) -> None:
        """Do it. Trouble with a user's file is noted; errors of the store are raised."""


class Capture:
    """One attempt to store files.

    Args:
        root: the directory that paths are relative to.
        chunks: where the bytes go.

    Attributes:
        extents: of every file that was captured, by path.
        failures: the others, by path: the file as it was met, and the reason why it could not be captured.
    """

    def __init__(self, root: str, chunks: ChunkStore) -> None:
        self.chunks = chunks
        self.buffers = Buffers()
        self.extents: dict[str, tuple[Extent, ...]] = {}
        self.failures: dict[str, tuple[Found, str]] = {}
        self._root = root
        self._open: set[SourceFile] = set()

    def run(self, files: Sequence[Found], *, threads: int) -> None:
        """Store `files`, which are in the order of their paths. Raises only what the store raises."""
        try:
            run_workers(self._work, self._tasks(files), threads=threads)
        finally:
            for source in self._open:
                source.close()

    def open(self, found: Found) -> SourceFile:
        """Open a file that `close` closes, or else the end of the run."""
        source = SourceFile(found.source or f"{self._root}/{found.path}")
        self._open.add(source)
        return source

    def close(self, source: SourceFile) -> None:
        """Close a file."""
        self._open.discard(source)
        source.close()

    def fail(self, found: Found, error: UnreadableError) -> None:
        """Note that a file could not be captured."""
        met = found if error.size_bytes is None else replace(found, size_bytes=error.size_bytes)
        self.failures[found.path] = (met, error.reason)

    def _work(self, tasks: Iterator[Task]) -> None:
        for task in tasks:
            task.run(self)

    def _tasks(self, files: Sequence[Found]) -> Iterator[Task]:
        """Yield the tasks for files of any length; what is short and has no structure waits for its bundle."""
        bundle: list[Found] = []
        for found in files:
            file = None if found.size_bytes < LARGE_TENSOR_BYTES else self._begin(found)
            if file is not None and (file.layout.has_structure or found.size_bytes >= LONG_STRETCH_BYTES):
                yield from file.tasks(self)
            elif found.path not in self.failures:
                if file is not None:
                    self.close(file.source)
                if sum(member.size_bytes for member in bundle) + found.size_bytes > MAX_BUNDLE_BYTES:
                    yield Bundle(bundle)
                    bundle = []
                bundle.append(found)
                if ends_bundle(found.path) or len(bundle) == MAX_BUNDLE_FILES:
                    yield Bundle(bundle)
                    bundle = []
        if bundle:
            yield Bundle(bundle)

    def _begin(self, found: Found) -> _File | None:
        """Open a file and plan its layout; None when that fails, which is noted."""
        source = None
        try:
            source = self.open(found)
            return _File(found, source, plan_layout(source.size_bytes, source.read))
        except UnreadableError as error:
            if source is not None:
                self.close(source)
            self.fail(found, error)
            return None


class _File:
    """A file under way: what has been stored of it, and how many of its tasks are not done yet."""

    def __init__(self, found: Found, source: SourceFile, layout: Layout) -> None:
        self.found = found
        self.source = source
        self.layout = layout
        self._stored: list[tuple[int, Extent]] = []
        self._error: UnreadableError | None = None
        self._pending = 1  # the making of the tasks itself
        self._lock = threading.Lock()

    def tasks(self, capture: Capture) -> Iterator[Task]:
        """Yield what there is to read, until something has failed."""
        try:
            for cut in self.layout.cuts:
                tasks = (_Gathered(self, cut),) if isinstance(cut, Piece) else self._windows(cut, capture.buffers)
                for task in tasks:
                    with self._lock:
                        self._pending += 1
                    yield task
                if self._error is not None:
                    break
        except UnreadableError as error:
            self._error = error
        self.end_task(capture)

    def add(self, start: int, extent: Extent) -> None:
        """Note that the bytes from `start` on are stored."""
        self._stored.append((start, extent))

    def end_task(self, capture: Capture, error: UnreadableError | None = None) -> None:
        """Note that a task is done, or has failed; after the last one, the file is captured or has failed."""
        with self._lock:
            self._error = self._error or error
            self._pending -= 1
            if self._pending:
                return
        try:
            if self._error is not None:
                raise self._error
            self.source.check_unchanged()
            capture.extents[self.found.path] = _in_order(self._stored)
        except UnreadableError as failure:
            capture.fail(self.found, failure)
        finally:
            capture.close(self.source)

    def _windows(self, stretch: Stretch, buffers: Buffers) -> Iterator[_Window]:
        """Read a stretch window by window and cut each; what follows the last cut is carried into the next."""
        from keepsake._chunks.fastcdc import find_cuts

        start, carried = stretch.start, b""
        while start < stretch.stop:
            length = min(stretch.average_bytes * _WINDOW_CHUNKS, stretch.stop - start)
            buffer = buffers.take(length)
            view = memoryview(buffer)[:length]
            view[: len(carried)] = carried
            self.source.read_into(view[len(carried) :], start + len(carried))
            cuts = find_cuts(view, average_bytes=stretch.average_bytes, last=start + length == stretch.stop)
            carried = bytes(view[cuts[-1] :])
            yield _Window(self, buffer, start, cuts)
            start += cuts[-1]


class _Gathered:
    """The task of storing one chunk that consists of ranges of a file."""

    def __init__(self, file: _File, piece: Piece) -> None:
        self._file = file
        self._piece = piece

    def run(self, capture: Capture) -> None:
        buffer = capture.buffers.take(self._piece.size_bytes)
        try:
            view = memoryview(buffer)[: self._piece.size_bytes]
            places = self._read_into(view)
            digest = capture.chunks.put(view)
        except UnreadableError as error:
            self._file.end_task(capture, error)
            return
        finally:
            capture.buffers.give_back(buffer)
        for (start, stop), place in zip(self._piece.ranges, places, strict=True):
            self._file.add(start, Extent(digest, place, place + stop - start))
        self._file.end_task(capture)

    def _read_into(self, view: memoryview) -> list[int]:
        """Read the ranges one after another; return where in the chunk each begins."""
        places, place = [], 0
        for start, stop in self._piece.ranges:
            self._file.source.read_into(view[place : place + stop - start], start)
            places.append(place)
            place += stop - start
        return places


class _Window:
    """The task of storing the chunks of a stretch that was read and cut."""

    def __init__(self, file: _File, buffer: bytearray, start: int, cuts: list[int]) -> None:
        self._file = file
        self._buffer = buffer
        self._start = start
        self._cuts = cuts

    def run(self, capture: Capture) -> None:
        view = memoryview(self._buffer)
        for start, stop in zip([0, *self._cuts], self._cuts, strict=False):
            digest = capture.chunks.put(view[start:stop])
            self._file.add(self._start + start, Extent(digest, 0, stop - start))
        capture.buffers.give_back(self._buffer)
        self._file.end_task(capture)


def _in_order(stored: list[tuple[int, Extent]]) -> tuple[Extent, ...]:
    """Return the extents in the order of the file; those that continue each other become one."""
    merged: list[Extent] = []
    for _, extent in sorted(stored, key=lambda placed: placed[0]):
        last = merged[-1] if merged else None
        if last is not None and last.digest == extent.digest and last.stop == extent.start:
            merged[-1] = Extent(last.digest, last.start, extent.stop)
        else:
            merged.append(extent)
    return tuple(merged)
