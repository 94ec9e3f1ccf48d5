"""What is recorded of the circumstances of a run: who, where, with what code, packages and machine.

Recording never fails and takes some ten milliseconds: what cannot be found out is None. Environment variables are never
recorded, since secrets live there.
"""

from __future__ import annotations

import contextlib
import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from typing import cast

from keepsake._model.notebook import FIELD, encode_notebook
from keepsake._model.values import Value
from keepsake._tracking.git import read_git
from keepsake._tracking.notebook import in_notebook, read_notebook
from keepsake._tracking.packages import imported_packages
from keepsake._tracking.secrets import mask_command
from keepsake._tracking.system import read_cpu, read_cuda, read_gpus, read_memory_bytes, read_platform

MAX_COMMAND_LENGTH = 4096
"""Longer commands are cut; they carry a program in `python -c`, or a list of files that a shell filled in."""


def record_environment(directory: Path) -> dict[str, Value]:
    """Describe this process and its surroundings; every value is None where it cannot be found out.

    Args:
        directory: the project directory, whose git repository is described.

    Returns:
        user, host, command (as it can be run again, secrets masked), working_directory (relative to the project),
        python_version, python_implementation, python_packages (versions by distribution name), platform, cpu {name,
        count, usable}, memory_bytes, gpu (list of names), cuda {driver, version}, git {commit, branch, remote, dirty}.
        In a notebook also notebook {path, cell, cells (list of number and source), left_out}.
    """
    readers: dict[str, Callable[[], Value]] = {
        "user": read_user,
        "host": platform.node,
        "command": read_command,
        "working_directory": lambda: _relative_working_directory(directory),
        "python_version": platform.python_version,
        "python_implementation": platform.python_implementation,
        "python_packages": lambda: cast("dict[str, Value]", imported_packages()),
        "platform": read_platform,
        "cpu": read_cpu,
        "memory_bytes": read_memory_bytes,
        "gpu": lambda: read_gpus(),
        "cuda": lambda: read_cuda(),
        "git": lambda: read_git(directory),
    }
    if in_notebook():
        readers[FIELD] = lambda: _notebook(directory)
    return {name: _read_or_none(read) for name, read in readers.items()}


def read_user() -> str:
    """Return the user's name; in a container without one, the number."""
    import getpass

    with contextlib.suppress(KeyError, OSError, ImportError):
        return getpass.getuser()
    return str(os.getuid())


def read_command() -> str:
    """Return the command of this process as one line for a shell, with secrets masked.

    The interpreter stands as `python`, which finds it again on another machine. A notebook has no command of its own
    and is called `notebook`.
    """
    if in_notebook():
        return "notebook"
    interpreter, *arguments = sys.orig_argv or ["python", *sys.argv]
    command = mask_command([_program_name(interpreter), *arguments])
    return command if len(command) <= MAX_COMMAND_LENGTH else command[: MAX_COMMAND_LENGTH - 1] + "…"


def _notebook(directory: Path) -> Value:
    found = read_notebook(directory, os.environ)
    return None if found is None else encode_notebook(found)


def _program_name(interpreter: str) -> str:
    name = Path(interpreter).name
    # python3.11, python.exe and the like; another program that embeds Python keeps its name.
    return "python" if name.lower().startswith("python") or not name else name


def _relative_working_directory(directory: Path) -> str:
    return os.path.relpath(Path.cwd(), directory).replace(os.sep, "/")


def _read_or_none(read: Callable[[], Value]) -> Value:
    try:
        return read()
    except Exception:  # noqa: BLE001 (a fact less must not keep a training from starting, whatever the system says)
        return None
