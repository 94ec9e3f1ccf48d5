"""Chunks on their way to a reader: a few kept decoded, some fetched ahead, several fetched at once.

Bounded: what is kept takes at most `limit_bytes`, and at most as many chunks are fetched ahead as there are threads.
Threads are made when they are first needed. A forked child (a PyTorch data loader's worker) has none of its parent's
threads and perhaps a lock that nobody will release, so it starts anew.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Protocol, TypeAlias

from keepsake.errors import CorruptionError, NotFoundError

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

Chunk: TypeAlias = bytes | memoryview


class ChunkSource(Protocol):
    """Where chunks come from: a `ChunkStore`."""

    def get(self, digest: str) -> Chunk:
        """Return a chunk, verified."""


class ChunkFetcher:
    """The chunks of one file, by digest.

    Args:
        chunks: where they come from.
        name: of the file, for messages.
        limit_bytes: how much to keep decoded.
        threads: how many chunks to fetch at once.
    """

    def __init__(self, chunks: ChunkSource, name: str, *, limit_bytes: int, threads: int) -> None:
        self._chunks = chunks
        self._name = name
        self._limit_bytes = limit_bytes
        self._threads = threads
        self._process = 0
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None
        self._kept: OrderedDict[str, Chunk] = OrderedDict()
        self._kept_bytes = 0
        self._coming: dict[str, Future[Chunk]] = {}
        self._check_process()

    def get(self, digest: str) -> Chunk:
        """Return a chunk and keep it: one that is kept, is on its way, or is fetched now.

        Raises:
            NotFoundError, CorruptionError: as the chunk store does; the message names the file.
        """
        self._check_process()
        with self._lock:
            kept = self._kept.get(digest)
            if kept is not None:
                self._kept.move_to_end(digest)
                return kept
            coming = self._coming.pop(digest, None)
        chunk = coming.result() if coming is not None else self._fetch(digest)
        with self._lock:
            self._keep(digest, chunk)
        return chunk

    def get_each(self, digests: Sequence[str], use: Callable[[str, Chunk], None], *, keep: Iterable[str]) -> None:
        """Call `use` with every one of the (distinct) digests and its chunk, several at once, in any order.

        Args:
            digests: what is wanted.
            use: called in several threads.
            keep: which of them will be wanted again soon.
        """
        self._check_process()
        again = set(keep)

        def work(digest: str) -> None:
            chunk = self._take(digest)
            use(digest, chunk)
            if digest in again:
                with self._lock:
                    self._keep(digest, chunk)

        if len(digests) < 2 or self._threads < 2:
            for digest in digests:
                work(digest)
            return
        futures = [self._get_pool().submit(work, digest) for digest in digests]
        try:
            for future in futures:
                future.result()
        finally:
            for future in futures:
                future.cancel()
            # Nobody may write into the reader's buffer once this has returned.
            for future in futures:
                if not future.cancelled():
                    future.exception()

    def fetch_ahead(self, digests: Iterable[str]) -> None:
        """Begin to fetch chunks that will be wanted next; those for which there is no room are passed over."""
        self._check_process()
        with self._lock:
            for digest, future in list(self._coming.items()):
                if future.done():  # and was passed by: what was fetched is kept, what failed will fail again
                    del self._coming[digest]
                    if future.exception() is None:
                        self._keep(digest, future.result())
            for digest in digests:
                if len(self._coming) >= self._threads:
                    return
                if digest not in self._kept and digest not in self._coming:
                    self._coming[digest] = self._get_pool().submit(self._fetch, digest)

    def drop_ahead(self) -> None:
        """Give up what nobody is fetching yet: the reader went elsewhere."""
        self._check_process()
        with self._lock:
            self._coming = {digest: future for digest, future in self._coming.items() if not future.cancel()}

    def close(self) -> None:
        """Let go of all chunks and threads."""
        self._check_process()
        with self._lock:
            self._coming.clear()
            self._kept.clear()
            self._kept_bytes = 0
            if self._pool is not None:
                self._pool.shutdown(wait=False, cancel_futures=True)
                self._pool = None

    def _check_process(self) -> None:
        if os.getpid() == self._process:
            return
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._pool = None
        self._kept.clear()
        self._kept_bytes = 0
        self._coming.clear()

    def _get_pool(self) -> ThreadPoolExecutor:
        if self._pool is None:
            from concurrent.futures import ThreadPoolExecutor

            self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="keepsake-read")
        return self._pool

    def _take(self, digest: str) -> Chunk:
        """Return a chunk without keeping it.

        In a thread of the pool, waiting for one that is on its way is safe: it was submitted earlier, so some thread
        is at it already.
        """
        with self._lock:
            kept = self._kept.get(digest)
            coming = None if kept is not None else self._coming.pop(digest, None)
        if kept is not None:
            return kept
        return coming.result() if coming is not None else self._fetch(digest)

    def _fetch(self, digest: str) -> Chunk:
        try:
            return self._chunks.get(digest)
        except (CorruptionError, NotFoundError) as error:
            what = "is missing" if isinstance(error, NotFoundError) else "is damaged"
            raise type(error)(
                f"{self._name!r} cannot be read: its chunk {digest} {what}: {error.message}", hint=error.hint
            ) from error

    def _keep(self, digest: str, chunk: Chunk) -> None:
        """Keep a chunk, and let go of those that were not wanted for longest. The lock is held."""
        previous = self._kept.pop(digest, None)
        self._kept_bytes += len(chunk) - (len(previous) if previous is not None else 0)
        self._kept[digest] = chunk
        while self._kept_bytes > self._limit_bytes and len(self._kept) > 1:
            _, dropped = self._kept.popitem(last=False)
            self._kept_bytes -= len(dropped)
