"""Checkout: what a plan says, written into a directory.

- Each chunk is fetched once, whatever the number of files that lie in it, and written where it belongs; a few are under
  way at once, which bounds memory.
- A file is written under a temporary name in its own directory and gets its name when it is whole. What stood there
  before, also a link, is replaced; nothing else in the target is touched.
- Of a large file, what was written before a checkout was broken off is not fetched again (`part`).
- What stands in the way is found before the first file is written.
- A chunk that cannot be read spoils the files that need it. All others are written, then one error names those.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from keepsake._chunks.workers import run_workers
from keepsake._model.manifest import Entry
from keepsake._snapshots.fetch import Chunk, ChunkSource
from keepsake._snapshots.overlay import CheckoutPlan, check_for_windows, find_look_alikes, plan_checkout
from keepsake._snapshots.part import LARGE_BYTES, Part
from keepsake._snapshots.paths import parent_of
from keepsake._snapshots.target import Target
from keepsake.errors import ConflictError, CorruptionError, KeepsakeError, NotFoundError, StoreError, WriteError
from keepsake.notices import notice

__all__ = ["CheckoutPlan", "CheckoutResult", "plan_checkout", "run_checkout"]

MAX_STORE_ERRORS = 8
"""A store that failed this often is down, and the rest is not tried."""

MAX_NAMED = 100
"""So many spoilt files are named in an error."""


@dataclass(frozen=True, slots=True)
class CheckoutResult:
    """What a checkout has done."""

    files: int
    """How many files were written."""
    size_bytes: int
    """Their total length."""
    links: int
    """How many symbolic links were made."""
    missing: tuple[Entry, ...]
    """What could not be written since the snapshot does not hold it; each entry's `reason` says why."""
    refused_links: tuple[str, ...]
    """Symbolic links that this system, or its user, cannot make."""


def run_checkout(
    plan: CheckoutPlan,
    chunks: ChunkSource,
    target: Path,
    *,
    threads: int = 2,
    on_progress: Callable[[int], None] | None = None,
) -> CheckoutResult:
    """Write what a plan says into a directory.

    Args:
        plan: what to write.
        chunks: where the bytes come from.
        target: where to; made if it is not there.
        threads: how many chunks to fetch and write at once.
        on_progress: called with the number of bytes that have just been written, by one thread at a time.

    Raises:
        ConflictError: something of another kind stands in the way, or this system cannot hold the names. Nothing was
            written.
        CorruptionError, NotFoundError: chunks are damaged or missing. The error names the files that need them; all
            others were written.
        WriteError, PermissionDeniedError: writing failed. Files that were whole by then were written, others not.
    """
    if os.name == "nt":
        check_for_windows(plan)
    with Target(target) as place:
        _refuse_look_alikes(plan, place)
        return _Checkout(plan, chunks, place, on_progress).run(threads)


def _refuse_look_alikes(plan: CheckoutPlan, target: Target) -> None:
    pair = find_look_alikes(plan)
    if pair is not None and not target.tells_apart(*pair):
        raise ConflictError(
            f"{pair[0]!r} and {pair[1]!r} would be the same file in {target.root}",
            hint="nothing was written; its file system ignores case or accents: check out one of them alone",
        )


class _File:
    """A file under way."""

    __slots__ = ("entry", "error", "is_large", "lock", "name", "part", "pending")

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.lock = threading.Lock()
        self.pending = sum(1 for extent in entry.extents if extent.size_bytes)
        """How many pieces are still to be written."""
        self.name: str | None = None
        """What it is called until it is whole: its temporary name while one exists."""
        self.is_large = entry.size_bytes >= LARGE_BYTES
        self.part: Part | None = None
        """Where it is written when it is large, and an earlier checkout may have written some of it."""
        self.error: KeepsakeError | None = None

    def close_part(self) -> None:
        """Let others have its part, if it has one."""
        if self.part is not None:
            self.part.close()
            self.part = None


class _Piece(NamedTuple):
    """Where a stretch of a chunk belongs."""

    file: _File
    offset: int
    start: int
    stop: int


class _Checkout:
    """One run: which files are under way, and what each chunk contributes to them."""

    def __init__(
        self, plan: CheckoutPlan, chunks: ChunkSource, target: Target, on_progress: Callable[[int], None] | None
    ) -> None:
        self._plan = plan
        self._chunks = chunks
        self._target = target
        self._on_progress = on_progress
        self._lock = threading.Lock()
        self._store_errors = 0
        self._files = [_File(entry) for entry in plan.entries if entry.kind == "file"]
        self._pieces = _by_chunk(self._files)

    def run(self, threads: int) -> CheckoutResult:
        """Do it all."""
        self._prepare()
        try:
            for file in self._files:
                if not file.pending:
                    self._finish(file)
            run_workers(self._work, list(self._pieces), threads=threads)
        except BaseException as error:
            # A disk that is full is not left so.
            self._end_files(keeps_parts=not isinstance(error, WriteError))
            raise
        self._end_files(keeps_parts=True)
        links = [entry for entry in self._plan.entries if entry.kind == "link"]
        refused = tuple(entry.path for entry in links if not self._make_link(entry))
        self._raise_spoilt()
        size_bytes = self._plan.size_bytes
        return CheckoutResult(len(self._files), size_bytes, len(links) - len(refused), self._plan.missing, refused)

    def _prepare(self) -> None:
        """Make every directory, so that what stands in the way is found first."""
        written = [entry for entry in self._plan.entries if entry.kind != "missing"]
        for path in sorted({entry.path if entry.kind == "directory" else parent_of(entry.path) for entry in written}):
            self._target.make_directory(path)
        if not self._target.was_empty:
            for entry in written:
                if entry.kind != "directory":
                    self._target.check_free(entry.path)

    def _work(self, digests: Iterator[str]) -> None:
        for digest in digests:
            pieces = [piece for piece in self._pieces[digest] if piece.file.error is None]
            if not pieces:
                continue
            there, chunk = self._find_in_parts(digest, pieces)
            if chunk is None:
                chunk = self._fetch(digest, pieces)
            if chunk is not None:
                for piece in pieces:
                    self._write(piece, digest, chunk, is_there=piece is there)

    def _find_in_parts(self, digest: str, pieces: list[_Piece]) -> tuple[_Piece | None, Chunk | None]:
        """Return a chunk that an earlier checkout has written, and where."""
        for piece in pieces:
            if piece.file.is_large and piece.start == 0:
                self._begin(piece.file)
                part = piece.file.part
                chunk = part.find_chunk(digest, piece.offset, piece.stop) if part is not None else None
                if chunk is not None:
                    return piece, chunk
        return None, None

    def _fetch(self, digest: str, pieces: list[_Piece]) -> Chunk | None:
        """Return a chunk, or None when it cannot be read, which spoils the files of `pieces`."""
        try:
            return self._chunks.get(digest)
        except KeepsakeError as error:
            with self._lock:
                self._store_errors += isinstance(error, StoreError)
                if self._store_errors >= MAX_STORE_ERRORS:
                    raise
            for piece in pieces:
                piece.file.error = error
            return None

    def _write(self, piece: _Piece, digest: str, chunk: Chunk, *, is_there: bool) -> None:
        file = piece.file
        if piece.stop > len(chunk):
            file.error = CorruptionError(
                f"the manifest asks for bytes up to {piece.stop} of chunk {digest}, which has {len(chunk)}"
            )
        if file.error is not None:
            return
        name = self._begin(file)
        if not is_there:
            self._target.write_at(file.entry.path, name, memoryview(chunk)[piece.start : piece.stop], piece.offset)
        with file.lock:
            file.pending -= 1
            is_whole = not file.pending
        if is_whole:
            self._finish(file)
        if self._on_progress is not None:
            with self._lock:
                self._on_progress(piece.stop - piece.start)

    def _begin(self, file: _File) -> str:
        """Return the temporary name of a file, which exists from then on."""
        with file.lock:
            if file.name is None:
                begun = self._target.open_part(file.entry) if file.is_large else None
                if begun is not None:
                    file.name, file.part = begun
                else:
                    name = self._target.new_name()
                    self._target.create(file.entry.path, name, executable=file.entry.executable)
                    file.name = name
            return file.name

    def _finish(self, file: _File) -> None:
        """Give a file that is whole its own name."""
        self._target.publish(file.entry.path, self._begin(file))
        file.name = None
        file.close_part()

    def _end_files(self, *, keeps_parts: bool) -> None:
        """Remove what is not whole, but for the parts of large files that may yet become so."""
        for file in self._files:
            if file.name is not None:
                is_hopeless = isinstance(file.error, CorruptionError | NotFoundError)
                if file.part is not None and keeps_parts and not is_hopeless:
                    path, root = file.entry.path, self._target.root
                    notice(f"what is there of {path} stays in {root}, and the same checkout goes on with it")
                else:
                    # What stopped the checkout is about to be raised, and says more than that its traces cannot be
                    # removed either. Scans pass over them.
                    with contextlib.suppress(KeepsakeError):
                        self._target.discard(file.entry.path, file.name)
            file.close_part()

    def _make_link(self, entry: Entry) -> bool:
        name = self._target.new_name()
        try:
            self._target.link(entry.path, name, entry.target)
        except NotImplementedError:
            return False
        try:
            self._target.publish(entry.path, name)
        except BaseException:
            self._target.discard(entry.path, name)
            raise
        return True

    def _raise_spoilt(self) -> None:
        spoilt = [(file.entry.path, file.error) for file in self._files if file.error is not None]
        if not spoilt:
            return
        # Damage says more than absence.
        error = next((error for _, error in spoilt if isinstance(error, CorruptionError)), spoilt[0][1])
        kind = type(error) if isinstance(error, CorruptionError | NotFoundError | StoreError) else CorruptionError
        paths = ", ".join(repr(path) for path, _ in spoilt[:MAX_NAMED]) + (", …" if len(spoilt) > MAX_NAMED else "")
        raise kind(
            f"{len(spoilt)} of {len(self._files)} files cannot be checked out: {paths}. The others were written to "
            f"{self._target.root}. The reason: {error.message}",
            hint=error.hint,
        ) from error


def _by_chunk(files: list[_File]) -> dict[str, list[_Piece]]:
    """Return what each chunk contributes, the chunks in the order in which the files need them."""
    pieces: dict[str, list[_Piece]] = {}
    for file in files:
        offset = 0
        for extent in file.entry.extents:
            if extent.size_bytes:
                pieces.setdefault(extent.digest, []).append(_Piece(file, offset, extent.start, extent.stop))
                offset += extent.size_bytes
    return pieces
