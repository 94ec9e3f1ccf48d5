"""Reading a tarball of format 1, whoever made it: in one pass, in bounded memory, and nothing of it is believed.

- An object is read in windows, decompressed and cut into members as it comes; no member is ever held whole.
- Only regular files below `<id>/` are given out, and by no path that a snapshot may not hold. A tarball with a path
  that leaves its directory was made by somebody else, and is refused whole, as is one whose headers need much memory.
- It is whole when its end was reached and gzip's checksum was right; what was given out before counts only then.
"""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, cast

from keepsake._snapshots.paths import NEVER_SAVED_NAMES, why_unusable
from keepsake.errors import CorruptionError, KeepsakeError
from keepsake.stores.base import Store

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

WINDOW_BYTES = 1024 * 1024
"""What is read of an object at once, and the most that may be asked of what it decompresses to: headers that need more
(a name of a megabyte) are no real ones."""

MAX_MEMBERS = 10_000_000
"""More than any project has; empty members of a made-up tarball compress to nearly nothing."""


_UNREADABLE = (CorruptionError, EOFError, gzip.BadGzipFile, tarfile.TarError, zlib.error, ValueError, OverflowError)
"""What reading bytes that are no tarball raises."""


@dataclass(frozen=True, slots=True)
class Member:
    """A file of a tarball, to be read before the next one is asked for."""

    path: str
    """As a snapshot holds it: relative to the project directory."""
    size_bytes: int
    content: BinaryIO

    def windows(self) -> Iterator[bytes]:
        """Yield the file's bytes, a window at a time."""
        return iter(lambda: self.content.read(WINDOW_BYTES), b"")


@dataclass(frozen=True, slots=True)
class Unwanted:
    """A member that is not given out."""

    path: str
    reason: str
    """Follows the path in a sentence."""
    is_foreign: bool
    """Whether Keepsake 0.x did not write it."""


@contextmanager
def open_tarball(store: Store, key: str, owner_id: str) -> Iterator[Iterator[Member | Unwanted]]:
    """Open a tarball; in the `with` block, its members come in their order.

    Args:
        store: what holds it.
        key: its key.
        owner_id: the id of the experiment or checkpoint that it belongs to.

    Raises:
        NotFoundError: there is no such object.
        CorruptionError: it is not whole, or it holds what no Keepsake has written. Only after the last member it is
            certain that it is not.
    """
    try:
        with gzip.GzipFile(fileobj=io.BufferedReader(_ObjectReader(store, key), WINDOW_BYTES)) as unzipped:
            yield _members(unzipped, owner_id)
    except _UNREADABLE as error:
        if isinstance(error, KeepsakeError) and not isinstance(error, CorruptionError):
            raise
        what = error.message if isinstance(error, CorruptionError) else f"{error}"
        raise CorruptionError(
            f"{key} in {store.url} is damaged: {what}",
            hint="Keepsake 0.x leaves such a file when it is killed while it uploads; a backup may have a whole one",
        ) from error


def _members(unzipped: gzip.GzipFile, owner_id: str) -> Iterator[Member | Unwanted]:
    source = _Grudging(unzipped)
    with tarfile.open(fileobj=cast("BinaryIO", source), mode="r:", encoding="utf-8") as archive:
        for number, info in enumerate(archive):
            if number >= MAX_MEMBERS:
                raise CorruptionError(f"it has more than {MAX_MEMBERS:,} members")
            if not info.isdir():  # which the files in it make; Keepsake 0.x wrote none
                yield _member(archive, info, owner_id)
            archive.members.clear()  # type: ignore[attr-defined]  # which would come to hold every header
    # `tarfile` takes a header that it cannot read for the end.
    if source.last != bytes(tarfile.BLOCKSIZE):
        raise CorruptionError("it stops in the middle of its members")
    while unzipped.read(WINDOW_BYTES):
        pass  # up to gzip's checksum


def _member(archive: tarfile.TarFile, info: tarfile.TarInfo, owner_id: str) -> Member | Unwanted:
    prefix, slash, path = info.name.removeprefix("./").partition("/")
    if prefix != owner_id or not slash:
        raise CorruptionError(f"it holds {info.name!r}, which does not belong to it")
    reason = why_unusable(path)
    if reason is not None and _is_of_version_control(path):
        return Unwanted(path, "belongs to version control, which is not saved", is_foreign=False)
    if reason is not None:
        raise CorruptionError(f"it holds the path {path!r}: {reason}")
    content = archive.extractfile(info) if info.isreg() and not info.issparse() else None
    if content is None:
        return Unwanted(path, "is no regular file, and Keepsake 0.x saved nothing else", is_foreign=True)
    return Member(path, info.size, cast("BinaryIO", content))


def _is_of_version_control(path: str) -> bool:
    """Say whether nothing is wrong with a path but that Keepsake 0.x saved some of what this one does not."""
    parts = [part for part in path.split("/") if part.lower() not in NEVER_SAVED_NAMES]
    return why_unusable("/".join(parts) or "file") is None


class _ObjectReader(io.RawIOBase):
    """An object as a stream, read in windows: tarballs may be larger than memory."""

    def __init__(self, store: Store, key: str) -> None:
        super().__init__()
        self._store = store
        self._key = key
        self._position = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        with memoryview(buffer) as whole, whole.cast("B") as view:
            stop = self._position + min(len(view), WINDOW_BYTES)
            data = self._store.get_range(self._key, self._position, stop)
            view[: len(data)] = data
        self._position += len(data)
        return len(data)


class _Grudging:
    """A stream that trusts no header: `tarfile` reads those of any length whole, and goes where they say.

    It gives no more than a window at once, and never goes back, which would begin to decompress anew.
    """

    def __init__(self, stream: gzip.GzipFile) -> None:
        self.last = b""
        """What was read last."""
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= WINDOW_BYTES:
            raise CorruptionError("one of its headers is longer than any real one")
        data = self._stream.read(size)
        while 0 < len(data) < size:
            more = self._stream.read(size - len(data))
            if not more:
                break
            data += more
        self.last = data
        return data

    def seek(self, position: int) -> int:
        if position < self._stream.tell():
            raise CorruptionError("its members lie in each other")
        return self._stream.seek(position)

    def tell(self) -> int:
        return self._stream.tell()
