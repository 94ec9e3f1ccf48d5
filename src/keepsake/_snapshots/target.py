"""The directory that a checkout writes into, and never out of.

Every directory below it is reached one name at a time without following symbolic links, by descriptor where the system
has `openat`, so that nobody can swap one for a link meanwhile. Elsewhere (Windows) each is looked at before it is used.
A link that stands where a directory is needed is refused, whatever it points to. Files get their names when they are
whole.
"""

# ruff: noqa: PTH102, PTH103, PTH112, PTH118, PTH208
# All of it rests on `dir_fd`, which pathlib does not have.

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from keepsake._model.manifest import Entry
from keepsake._snapshots.part import Part, name_part, open_part
from keepsake._snapshots.paths import parent_of
from keepsake.errors import ConflictError, KeepsakeError
from keepsake.stores._oserrors import directory_error, write_error

if TYPE_CHECKING:
    from typing_extensions import Self

HAS_OPENAT = {os.open, os.mkdir, os.rename, os.symlink, os.unlink, os.stat} <= os.supports_dir_fd
_DIRECTORY_FLAGS = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)
_WRITE_FLAGS = os.O_WRONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_IN_THE_WAY = frozenset({errno.ENOTDIR, errno.ELOOP, errno.EMLINK, errno.EISDIR, errno.ENOTEMPTY})
"""What stands there is a link, a file or a directory. (FreeBSD says EMLINK for a link that was not to be followed.)"""

MAX_OPEN_DIRECTORIES = 64


class _Place(NamedTuple):
    """A directory as the functions of `os` take it."""

    prefix: str
    """What stands before a name."""
    dir_fd: int | None


class _OpenDirectory:
    """A descriptor and how many use it."""

    __slots__ = ("descriptor", "users")

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.users = 0


class Target:
    """A directory, made if need be, to be used by several threads. A context manager.

    Args:
        root: where it is. It may itself be a link to a directory.
        use_openat: whether to go by descriptors; by default where the system can.

    Raises:
        WriteError, PermissionDeniedError: it cannot be made.
    """

    def __init__(self, root: Path, *, use_openat: bool = HAS_OPENAT) -> None:
        self.root = root
        self._use_openat = use_openat
        self._lock = threading.Lock()
        self._open: OrderedDict[str, _OpenDirectory] = OrderedDict()
        self._suffix = os.urandom(4).hex()
        self._count = 0
        with self._translated(""):
            os.makedirs(root, exist_ok=True)
            self.was_empty = not os.listdir(root)
            self._root_fd = os.open(root, _DIRECTORY_FLAGS & ~getattr(os, "O_NOFOLLOW", 0)) if use_openat else -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Release descriptors. Closing twice is no error."""
        with self._lock:
            for directory in self._open.values():
                os.close(directory.descriptor)
            self._open.clear()
            if self._root_fd >= 0:
                os.close(self._root_fd)
                self._root_fd = -1

    def make_directory(self, path: str) -> None:
        """Make a directory and those above it, unless they are there.

        Raises:
            ConflictError: a file or a link stands in the way.
        """
        with self._directory(path):
            pass

    def new_name(self) -> str:
        """Return a name that nothing in the target has, for what is not whole yet. Short, as any name may be long."""
        with self._lock:
            self._count += 1
            return f".keepsake-{self._suffix}{self._count:x}.tmp"

    def write_at(self, path: str, name: str, data: memoryview, offset: int) -> None:
        """Write into the file called `name` in the directory of `path`."""
        with self._beside(path) as place:
            descriptor = os.open(place.prefix + name, _WRITE_FLAGS, dir_fd=place.dir_fd)
            try:
                _write_all(descriptor, data, offset)
            finally:
                os.close(descriptor)

    def create(self, path: str, name: str, *, executable: bool) -> None:
        """Create an empty file called `name` in the directory of `path`, with the mode that the umask leaves."""
        mode = 0o777 if executable else 0o666
        with self._beside(path) as place:
            os.close(os.open(place.prefix + name, _WRITE_FLAGS | os.O_CREAT | os.O_EXCL, mode, dir_fd=place.dir_fd))

    def open_part(self, entry: Entry) -> tuple[str, Part] | None:
        """Open the part of a large file, begun now or earlier; return its name, too. None when there can be none."""
        name = name_part(entry)
        with self._beside(entry.path) as place:
            mode = 0o777 if entry.executable else 0o666
            part = open_part(place.prefix + name, place.dir_fd, mode=mode, size_bytes=entry.size_bytes)
        return None if part is None else (name, part)

    def link(self, path: str, name: str, target: str) -> None:
        """Make a symbolic link called `name` in the directory of `path`.

        Raises:
            NotImplementedError: this system or user cannot make any.
        """
        with self._beside(path) as place:
            is_directory = os.name == "nt" and os.path.isdir(os.path.join(place.prefix, target))
            try:
                os.symlink(target, place.prefix + name, target_is_directory=is_directory, dir_fd=place.dir_fd)
            except OSError as error:
                if _cannot_link(error):
                    raise NotImplementedError from error
                raise

    def publish(self, path: str, name: str) -> None:
        """Give what is called `name` its own name, the last of `path`, replacing a file or link that stands there.

        Raises:
            ConflictError: a directory stands there.
        """
        with self._beside(path) as place:
            final = place.prefix + path.rpartition("/")[2]
            os.replace(place.prefix + name, final, src_dir_fd=place.dir_fd, dst_dir_fd=place.dir_fd)

    def discard(self, path: str, name: str) -> None:
        """Remove what is called `name` in the directory of `path`, if it is there."""
        with self._beside(path) as place, contextlib.suppress(FileNotFoundError):
            os.unlink(place.prefix + name, dir_fd=place.dir_fd)

    def check_free(self, path: str) -> None:
        """Raise `ConflictError` if a directory stands at `path`; files and links may be replaced."""
        with self._beside(path) as place, contextlib.suppress(FileNotFoundError):
            status = os.stat(place.prefix + path.rpartition("/")[2], dir_fd=place.dir_fd, follow_symlinks=False)
            if stat.S_ISDIR(status.st_mode):
                raise self._in_the_way(path)

    def tells_apart(self, name: str, other: str) -> bool:
        """Say whether the file system of the target takes two names for different ones."""
        with (
            self._translated(name),
            tempfile.TemporaryDirectory(prefix=".keepsake-", suffix=".tmp", dir=self.root) as place,
        ):
            os.makedirs(os.path.join(place, name))
            return not os.path.lexists(os.path.join(place, other))

    @contextlib.contextmanager
    def _beside(self, path: str) -> Iterator[_Place]:
        """Give the directory of `path`, made if need be, and turn what goes wrong into errors of ours that name it."""
        with self._directory(parent_of(path)) as place, self._translated(path):
            yield place

    @contextlib.contextmanager
    def _directory(self, path: str) -> Iterator[_Place]:
        if not self._use_openat:
            with self._translated(path):
                place = _Place(self._walk_by_path(path), None)
            yield place
            return
        if not path:
            yield _Place("", self._root_fd)
            return
        directory = self._acquire(path)
        try:
            yield _Place("", directory.descriptor)
        finally:
            self._release(directory)

    def _acquire(self, path: str) -> _OpenDirectory:
        with self._lock:
            directory = self._open.get(path)
            if directory is None:
                with self._translated(path):
                    directory = self._open[path] = _OpenDirectory(self._walk_by_descriptor(path))
            self._open.move_to_end(path)
            directory.users += 1
            if len(self._open) > MAX_OPEN_DIRECTORIES:
                longest_idle = next((one for one, other in self._open.items() if not other.users), None)
                if longest_idle is not None:
                    os.close(self._open.pop(longest_idle).descriptor)
            return directory

    def _release(self, directory: _OpenDirectory) -> None:
        with self._lock:
            directory.users -= 1

    def _walk_by_descriptor(self, path: str) -> int:
        """Open a directory from its nearest open ancestor, making what is not there."""
        start = path
        while start and start not in self._open:
            start = parent_of(start)
        descriptor = os.dup(self._open[start].descriptor if start else self._root_fd)
        rest = path[len(start) :].lstrip("/")
        try:
            for name in rest.split("/") if rest else ():
                lower = _open_directory(name, descriptor)
                os.close(descriptor)
                descriptor = lower
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def _walk_by_path(self, path: str) -> str:
        place = os.fspath(self.root) + os.sep
        for name in path.split("/") if path else ():
            place += name
            with contextlib.suppress(FileExistsError):
                os.mkdir(place)
            status = os.lstat(place)
            # On Windows, a reparse tag marks links of all kinds, junctions among them.
            is_link = stat.S_ISLNK(status.st_mode) or bool(getattr(status, "st_reparse_tag", 0))
            if is_link or not stat.S_ISDIR(status.st_mode):
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), place)
            place += os.sep
        return place

    @contextlib.contextmanager
    def _translated(self, path: str) -> Iterator[None]:
        try:
            yield
        except KeepsakeError:
            raise
        except OSError as error:
            if path and (error.errno in _IN_THE_WAY or isinstance(error, FileExistsError)):
                raise self._in_the_way(path) from error
            if not path:
                raise directory_error(error, os.fspath(self.root)) from error
            raise write_error(error, path, os.fspath(self.root)) from error

    def _in_the_way(self, path: str) -> ConflictError:
        return ConflictError(
            f"{path!r} cannot be written in {self.root}: a file, directory or symbolic link of another kind stands in "
            "its way",
            hint="check out into an empty directory, or move that away; links in the target are never followed",
        )


def _open_directory(name: str, dir_fd: int) -> int:
    """Open a directory, made if it is not there."""
    try:
        return os.open(name, _DIRECTORY_FLAGS, dir_fd=dir_fd)
    except FileNotFoundError:
        with contextlib.suppress(FileExistsError):
            os.mkdir(name, dir_fd=dir_fd)
        return os.open(name, _DIRECTORY_FLAGS, dir_fd=dir_fd)


_MAX_WRITE_BYTES = 1024 * 1024
"""So much is written at once, for the reason that `stores._files` gives."""


def _write_all(descriptor: int, data: memoryview, offset: int) -> None:
    if not hasattr(os, "pwrite"):
        os.lseek(descriptor, offset, os.SEEK_SET)
    while data:
        part = data[:_MAX_WRITE_BYTES]
        count = os.pwrite(descriptor, part, offset) if hasattr(os, "pwrite") else os.write(descriptor, part)
        data = data[count:]
        offset += count


def _cannot_link(error: OSError) -> bool:
    """Say whether no symbolic link can be made here at all: no privilege (Windows), or a file system without them."""
    unprivileged = getattr(error, "winerror", None) == 1314  # ERROR_PRIVILEGE_NOT_HELD
    return unprivileged or error.errno in (errno.EOPNOTSUPP, errno.ENOSYS, errno.EPERM)
