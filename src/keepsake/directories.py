"""Where Keepsake keeps what belongs to this user and machine and not to a repository: caches, staging, session locks.

All of it lies in directories that only the user may enter. One that belongs to somebody else, as anybody could have
created in a shared temporary directory, is refused.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
from collections.abc import Mapping
from pathlib import Path

from keepsake.errors import ConfigError

_HINT = "set XDG_CACHE_HOME or TMPDIR to a directory of your own that can be written"


def cache_directory(env: Mapping[str, str]) -> Path:
    """Return the directory for what can be lost: `$XDG_CACHE_HOME/keepsake`, else `~/.cache/keepsake`.

    Where there is no home directory, or it cannot be written (containers, service accounts, full quotas), it is
    `keepsake-<user id>` in the temporary directory. The directory exists on return.

    Raises:
        ConfigError: not even there, or that directory is somebody else's.
    """
    for candidate in _cache_candidates(env):
        with contextlib.suppress(ConfigError):
            return private_directory(candidate)
    return temporary_directory()


def staging_directory(env: Mapping[str, str]) -> Path:
    """Return the directory for staging repositories when no setting names one; see `cache_directory`."""
    return private_directory(cache_directory(env) / "staging")


def copies_directory(env: Mapping[str, str]) -> Path:
    """Return the directory for copies of what was read from buckets, which may not be there yet."""
    return cache_directory(env) / "objects"


def lock_directory() -> Path:
    """Return the directory for session locks. It is on a local disk: locks on network file systems are unreliable."""
    return private_directory(temporary_directory() / "locks")


def temporary_directory() -> Path:
    """Return this user's own directory in the system's temporary one.

    Raises:
        ConfigError: it cannot be created, or somebody else has created it.
    """
    try:
        parent = _system_directory()
    except OSError as error:
        raise ConfigError(f"there is no temporary directory: {error.strerror or error}", hint=_HINT) from error
    return private_directory(Path(parent) / f"keepsake-{_user_id()}")


def _system_directory() -> str:
    """Return what `tempfile.gettempdir()` does, where it is clear without importing that (5 ms) and writing a file."""
    parent = os.environ.get("TMPDIR", "/tmp")  # noqa: S108
    is_clear = os.name == "posix" and os.path.isabs(parent) and os.access(parent, os.W_OK | os.X_OK)  # noqa: PTH117
    if is_clear and "tempfile" not in sys.modules:
        return parent
    import tempfile

    return tempfile.gettempdir()


def private_directory(path: Path) -> Path:
    """Create a directory that only this user may enter, or check that the one there is this user's and is writable.

    Raises:
        ConfigError: it cannot be created or written, belongs to another user, or is a link that another user may have
            placed.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if hasattr(os, "getuid"):
            _check_private(path)
        if not os.access(path, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, "it cannot be written")
    except OSError as error:
        raise ConfigError(f"the directory {path} cannot be used: {error.strerror or error}", hint=_HINT) from error
    return path


def _check_private(path: Path) -> None:
    found = path.lstat()
    if stat.S_ISLNK(found.st_mode) and found.st_uid == os.getuid():
        found = path.stat()  # a link of the user's own, to a larger disk
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise ConfigError(f"the directory {path} belongs to another user", hint=f"remove it, or {_HINT}")
    if found.st_mode & 0o077:
        path.chmod(0o700)


def _cache_candidates(env: Mapping[str, str]) -> list[Path]:
    named = env.get("XDG_CACHE_HOME", "")
    # "All paths must be absolute; if an implementation encounters a relative path, it should ignore it." (XDG base
    # directory specification 0.8, https://specifications.freedesktop.org/basedir-spec/)
    candidates = [Path(named) / "keepsake"] if Path(named).is_absolute() else []
    home = env.get("HOME") or env.get("USERPROFILE") or ""
    if Path(home).is_absolute() and Path(home).is_dir():
        candidates.append(Path(home) / ".cache" / "keepsake")
    return candidates


def _user_id() -> str:
    if hasattr(os, "getuid"):
        return str(os.getuid())
    return "".join(letter for letter in os.environ.get("USERNAME", "user") if letter.isalnum())
