"""Sharing a directory among users: new files and directories take group and mode from the root of the store.

A process's umask usually hides files from the group or keeps the group from writing, and a directory's setgid bit is
lost on copies and on some file systems; so neither is relied upon. What cannot be changed (a group that the user is not
in) stays as it is: that is no error. On Windows access is inherited, and nothing is done here.
"""

# ruff: noqa: PTH101, PTH116
# This runs for every object, and os functions on plain strings are several times faster than pathlib.

from __future__ import annotations

import contextlib
import os
import stat

_OWNER_OF_FILE = stat.S_IRUSR | stat.S_IWUSR
_DIRECTORY_BITS = stat.S_IRWXU | stat.S_IRWXG | stat.S_IRWXO | stat.S_ISGID


class Sharing:
    """The group and modes that the root directory asks for."""

    def __init__(self, root: str) -> None:
        status = os.stat(root)
        self._group = status.st_gid
        self.file_mode = status.st_mode & 0o666 | _OWNER_OF_FILE
        """Mode to create files with; the umask still takes away from it."""
        self.directory_mode = status.st_mode & _DIRECTORY_BITS | stat.S_IRWXU
        self._files_fit = os.name == "nt"

    def adopt_file(self, descriptor: int) -> None:
        """Give a file that was just created group and mode, unless the first one had them by itself."""
        if self._files_fit:
            return
        status = os.fstat(descriptor)
        if status.st_gid == self._group and stat.S_IMODE(status.st_mode) == self.file_mode:
            self._files_fit = True
            return
        with contextlib.suppress(OSError):
            if status.st_gid != self._group:
                os.fchown(descriptor, -1, self._group)
            # Only now: without the group, these bits would open the file to another one.
            os.fchmod(descriptor, self.file_mode)

    def adopt_directory(self, path: str) -> None:
        """Give a directory that was just created group and mode."""
        if os.name == "nt":
            return
        with contextlib.suppress(OSError):
            status = os.stat(path)
            if status.st_gid != self._group:
                os.chown(path, -1, self._group)
            if status.st_mode & _DIRECTORY_BITS != self.directory_mode:
                os.chmod(path, self.directory_mode)
