"""A store on a local disk, or on a network file system mounted like one: an object is a file, its key the path.

- An object appears whole: it is written under a temporary name in its own directory and renamed, or linked where it
  must not replace another. A process that is killed leaves a temporary file at worst, which no listing shows.
- A write reaches the disk when it is `durable` or synced later: then the file, and every directory up to the root's
  parent that this process does not know to be on the disk already.
- Directories are made when a write finds them missing, the root included, and never removed.
- Files that are not ours are left alone: symbolic links are never followed to an object, and names that are no keys are
  not listed.

A small put costs about 30 µs on Linux, an append about 2 µs; nearly all of that is the system's.
"""

# ruff: noqa: PTH100, PTH105, PTH108, PTH112, PTH120
# This runs for every object, and os functions on plain strings are several times faster than pathlib.

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from keepsake.errors import ConflictError, InvalidInputError
from keepsake.stores._appender import LocalAppender
from keepsake.stores._directories import Directories
from keepsake.stores._files import (
    CREATE_FLAGS,
    READ_FLAGS,
    discard,
    read_all,
    rename_unless_exists,
    sync_descriptor,
    sync_path,
    write_all,
)
from keepsake.stores._oserrors import ABSENT, absent, read_error, write_error
from keepsake.stores._temporary import is_temporary, temporary_name
from keepsake.stores.base import Appender, Data, DirectoryInfo, Level, ObjectInfo, check_key, check_range, is_key

_DELETED_ON_NFS = ".nfs"
"""What a network file system calls a deleted file that a process still has open."""


class LocalStore:
    """An `AppendStore` in a directory.

    Args:
        root: the directory; it is made by the first write. A relative one is taken from the current directory now.

    Raises:
        InvalidInputError: `root` is the root of a file system.
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = Path(os.path.abspath(root))
        if self.root == self.root.parent:
            raise InvalidInputError(
                f"{self.root} is the root of a file system and cannot be a store", hint="give a directory in it"
            )
        self._root = _native_root(str(self.root))
        self._directories = Directories(self._root)

    def __repr__(self) -> str:
        return f"LocalStore({str(self.root)!r})"

    @property
    def url(self) -> str:
        """The root as a `file://` URL."""
        from urllib.parse import quote_from_bytes

        path = self.root.as_posix()
        return "file://" + quote_from_bytes(os.fsencode(path if path.startswith("/") else f"/{path}"))

    def get(self, key: str) -> bytes:
        """Return the object. Raises `NotFoundError` when there is none."""
        return self._read(key, 0, None)

    def get_range(self, key: str, start: int, stop: int) -> bytes:
        """Return bytes `start` to `stop` (exclusive) of the object, fewer where it ends before `stop`."""
        check_range(start, stop)
        return self._read(key, start, stop)

    def put(self, key: str, data: Data, *, durable: bool = False) -> None:
        """Write the object, replacing any other, atomically. With `durable` it survives a power loss on return."""
        path = self._path(key)
        temporary = self._write_temporary(key, path, data, durable)
        try:
            os.replace(temporary, path)
            if durable:
                self._directories.sync([path])
        except OSError as error:
            discard(temporary)
            raise write_error(error, key, self.url) from error

    def create(self, key: str, data: Data, *, durable: bool = False) -> bool:
        """Write the object unless there is one; say whether it was written. Of several creators, one wins."""
        path = self._path(key)
        temporary = self._write_temporary(key, path, data, durable)
        try:
            created = rename_unless_exists(temporary, path)
            if not created:
                discard(temporary)
            elif durable:
                self._directories.sync([path])
        except OSError as error:
            discard(temporary)
            raise write_error(error, key, self.url) from error
        return created

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Yield every object whose key starts with `prefix` (any string), in no promised order.

        Objects written or deleted meanwhile may or may not appear; all others appear exactly once. A directory that
        may not be read is a `PermissionDeniedError`, not an empty one.
        """
        return self._walk(prefix, temporary=False)

    def list_level(self, prefix: str) -> Level:
        """Return the objects and directories directly under `prefix`, which ends with a `/`."""
        objects: list[ObjectInfo] = []
        directories: list[DirectoryInfo] = []
        if not is_key(prefix[:-1]):
            return Level(objects, directories)
        for entry in self._entries(prefix, "", again=True):
            status = self._status_of(prefix, entry) if is_key(entry.name) and not is_temporary(entry.name) else None
            if status is None:
                continue
            if stat.S_ISDIR(status.st_mode):
                directories.append(_directory_info(f"{prefix}{entry.name}/", status))
            elif stat.S_ISREG(status.st_mode) and not entry.name.startswith(_DELETED_ON_NFS):
                objects.append(_info(prefix + entry.name, status))
        return Level(objects, directories)

    def list_temporary(self) -> Iterator[ObjectInfo]:
        """Yield the files that are not whole yet or never became so; `delete` takes their keys.

        Those that a writer is at are among them, so only what has not changed for long may be deleted.
        """
        return self._walk("", temporary=True)

    def head(self, key: str) -> ObjectInfo | None:
        """Describe the object, or return None when there is none."""
        try:
            status = os.lstat(self._path(key))
        except OSError as error:
            if error.errno in ABSENT:
                return None
            raise read_error(error, key, self.url) from error
        return _info(key, status) if stat.S_ISREG(status.st_mode) else None

    def delete(self, key: str) -> None:
        """Delete the object; an absent one is no error."""
        path = self._path(key)
        try:
            os.unlink(path)
        except OSError as error:
            # What systems answer when asked to unlink a directory differs.
            if error.errno not in ABSENT and not os.path.isdir(path):
                raise write_error(error, key, self.url) from error

    def sync(self, keys: Iterable[str]) -> None:
        """Return when the named objects survive a power loss. Absent ones are passed over."""
        paths = []
        for key in keys:
            path = self._path(key)
            try:
                sync_path(path)
                paths.append(path)
            except OSError as error:
                if error.errno not in ABSENT:
                    raise write_error(error, key, self.url) from error
        try:
            self._directories.sync(paths)
        except OSError as error:
            raise write_error(error, "directories", self.url) from error

    def open_append(self, key: str) -> Appender:
        """Create the object `key` empty and open it for appending. Raises `ConflictError` when it exists."""
        try:
            descriptor = self._create_file(self._path(key), os.O_APPEND)
        except FileExistsError as error:
            raise ConflictError(f"there is an object {key} in {self.url} already") from error
        except OSError as error:
            raise write_error(error, key, self.url) from error
        return LocalAppender(descriptor, key, self.url)

    def rename(self, key: str, new_key: str) -> None:
        """Give an object another key, atomically; what stood there is replaced. Raises `NotFoundError` when absent."""
        source, target = self._path(key), self._path(new_key)
        try:
            try:
                os.replace(source, target)
            except FileNotFoundError:
                self._directories.make(os.path.dirname(target))
                os.replace(source, target)
        except OSError as error:
            if error.errno in ABSENT and not os.path.lexists(source):
                raise absent(key, self.url) from error
            raise write_error(error, new_key, self.url) from error

    def touch(self, key: str) -> None:
        """Set the object's modification time to now, where there is one and that is allowed."""
        with contextlib.suppress(OSError):
            os.utime(self._path(key))

    def _path(self, key: str) -> str:
        check_key(key)
        return f"{self._root}{os.sep}{key if os.sep == '/' else key.replace('/', os.sep)}"

    def _read(self, key: str, start: int, stop: int | None) -> bytes:
        path = self._path(key)
        try:
            descriptor = os.open(path, READ_FLAGS)
            try:
                status = os.fstat(descriptor)
                if not stat.S_ISREG(status.st_mode):
                    raise absent(key, self.url)
                end = status.st_size if stop is None else min(stop, status.st_size)
                return read_all(descriptor, start, end)
            finally:
                os.close(descriptor)
        except OSError as error:
            if os.name == "nt" and os.path.isdir(path):
                raise absent(key, self.url) from error  # opening a directory is "access denied" there
            raise read_error(error, key, self.url) from error

    def _write_temporary(self, key: str, path: str, data: Data, durable: bool) -> str:
        """Write `data` to a new file beside `path` and return its path; when that fails, nothing stays behind."""
        temporary = f"{os.path.dirname(path)}{os.sep}{temporary_name()}"
        try:
            descriptor = self._create_file(temporary)
            try:
                write_all(descriptor, data)
                if durable:
                    sync_descriptor(descriptor)
            finally:
                os.close(descriptor)  # which is where a network file system reports a full disk
        except OSError as error:
            discard(temporary)
            raise write_error(error, key, self.url) from error
        except BaseException:
            discard(temporary)
            raise
        return temporary

    def _create_file(self, path: str, flags: int = 0) -> int:
        """Create a file that must not exist and return its descriptor, open for writing."""
        sharing = self._directories.sharing()
        try:
            descriptor = os.open(path, CREATE_FLAGS | flags, sharing.file_mode)
        except FileNotFoundError:
            self._directories.make(os.path.dirname(path))
            descriptor = os.open(path, CREATE_FLAGS | flags, sharing.file_mode)
        sharing.adopt_file(descriptor)
        return descriptor

    def _walk(self, prefix: str, *, temporary: bool) -> Iterator[ObjectInfo]:
        head, slash, rest = prefix.rpartition("/")
        if slash and not is_key(head):
            return
        pending = [(head + slash, rest)]
        while pending:
            directory, beginning = pending.pop()
            for entry in self._entries(directory, beginning, again=not temporary):
                name = entry.name
                if not is_key(name):
                    continue
                if self._is_directory(directory, entry):
                    pending.append((f"{directory}{name}/", ""))
                elif is_temporary(name) == temporary and not name.startswith(_DELETED_ON_NFS):
                    status = self._status_of(directory, entry)
                    if status is not None and stat.S_ISREG(status.st_mode):
                        yield _info(directory + name, status)

    def _entries(self, directory: str, beginning: str, *, again: bool) -> Iterator[os.DirEntry[str]]:
        """Yield the entries of one directory whose names begin so, each once.

        With `again` the directory is read once more when one has vanished by the time that the next is asked for: it
        may have been renamed, and is to be listed under the name that it has now.
        """
        seen: set[str] = set()
        has_vanished = True
        while has_vanished:
            has_vanished = False
            for entry in self._scan(directory):
                if entry.name.startswith(beginning) and entry.name not in seen:
                    seen.add(entry.name)
                    yield entry
                    has_vanished = has_vanished or (again and not is_temporary(entry.name) and _has_vanished(entry))

    def _is_directory(self, directory: str, entry: os.DirEntry[str]) -> bool:
        try:
            return entry.is_dir(follow_symlinks=False)
        except OSError as error:  # where a listing does not say what the entries are
            raise read_error(error, directory + entry.name, self.url) from error

    def _status_of(self, directory: str, entry: os.DirEntry[str]) -> os.stat_result | None:
        """Return the status of a directory's entry, or None when it has vanished."""
        try:
            # What Windows says in a listing lacks the number that tells files apart.
            return os.lstat(entry.path) if os.name == "nt" else entry.stat(follow_symlinks=False)
        except OSError as error:
            if error.errno in ABSENT:
                return None
            raise read_error(error, directory + entry.name, self.url) from error

    def _scan(self, directory: str) -> Sequence[os.DirEntry[str]]:
        """Read one directory, given as a key with a `/` at its end; one that vanished is empty."""
        path = f"{self._root}{os.sep}{directory}"
        try:
            with os.scandir(path) as entries:
                return [*entries]
        except OSError as error:
            if error.errno in ABSENT:
                return []
            raise read_error(error, directory, self.url) from error


def _native_root(root: str) -> str:
    """Return the root as the system takes it, without a separator at its end."""
    if os.name == "nt":  # the form that allows paths of more than 260 characters
        root = root.replace("/", "\\")
        if not root.startswith("\\\\?\\"):
            root = "\\\\?\\UNC" + root[1:] if root.startswith("\\\\") else "\\\\?\\" + root
    return root.rstrip(os.sep)


def _has_vanished(entry: os.DirEntry[str]) -> bool:
    """Say whether a directory's entry is gone; costs nothing for one whose status was asked for and found."""
    try:
        entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return False


def _info(key: str, status: os.stat_result) -> ObjectInfo:
    tag = f"{status.st_ino:x}-{status.st_size:x}-{status.st_mtime_ns:x}"
    return ObjectInfo(key, status.st_size, status.st_mtime_ns, tag)


def _directory_info(prefix: str, status: os.stat_result) -> DirectoryInfo:
    # Programs that copy directories set the modification time back; nobody can set the other one.
    changed_ns = max(status.st_mtime_ns, status.st_ctime_ns)
    tag = f"{status.st_ino:x}-{status.st_mtime_ns:x}-{status.st_ctime_ns:x}"
    return DirectoryInfo(prefix, changed_ns, tag)
