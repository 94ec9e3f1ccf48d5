"""The token of the web page: random, and kept in a file that only its user can read, so that bookmarks stay valid."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path

from keepsake._tracking.lock import taking_turns
from keepsake.directories import cache_directory, lock_directory, private_directory
from keepsake.errors import ConfigError

TOKEN_BYTES = 32
_LETTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
_MIN_LETTERS = 32


def load_token(env: Mapping[str, str]) -> str:
    """Return this user's token, made when there is none; where nothing can be kept, one for this process alone."""
    try:
        return _load(private_directory(cache_directory(env) / "ui") / "token")
    except (ConfigError, OSError):
        return new_token()


def new_token() -> str:
    """Return a fresh random token."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def _load(path: Path) -> str:
    token = _read(path)
    if token is None:
        with taking_turns(lock_directory(), "token"):  # or one process would delete what another has just made
            token = _read(path) or _replace(path)
    return token


def _replace(path: Path) -> str:
    with contextlib.suppress(FileNotFoundError):
        path.unlink()  # others could read or write it, or it holds something else
    _create(path, new_token())
    return _read(path) or new_token()


def _read(path: Path) -> str | None:
    """Return the token in a file; None when there is none, or it is not this user's alone."""
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    except OSError:
        return None
    with os.fdopen(handle, encoding="ascii", errors="replace") as file:
        status = os.fstat(file.fileno())
        if hasattr(os, "getuid") and (status.st_uid != os.getuid() or status.st_mode & 0o077):
            return None
        if not stat.S_ISREG(status.st_mode):
            return None
        text = file.read(1000).strip()
    return text if len(text) >= _MIN_LETTERS and _LETTERS.issuperset(text) else None


def _create(path: Path, token: str) -> None:
    """Write the file whole, unless another process was quicker."""
    handle, name = tempfile.mkstemp(dir=path.parent)  # of mode 0600
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(token + "\n")
        with contextlib.suppress(FileExistsError):
            os.link(name, path)
    finally:
        Path(name).unlink()
