"""Dispatch: a session sees to it that a courier runs for its repository, and starts one when there is none.

The courier is in a terminal session of its own and nobody's child: the script that started it does not meet it in
`os.wait()`, neither Ctrl-C nor the end of the script reaches it, and it holds nothing of the script's open. Not to get
one is no error: the session then does without.
"""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from keepsake._tracking.instructions import Instructions
from keepsake._tracking.lock import is_locked
from keepsake._tracking.priority import THREAD_VARIABLES
from keepsake._tracking.secrets import mask_url
from keepsake.stores.url import PATH_VARIABLES

GRACE_S = 2.0
"""So long a courier may take to start before another is started. Two do no harm."""
MAX_FAILURES = 3
"""After so many that were started and never ran, no more are started by this process."""

_TICK_NS = 20_000_000
"""File times may lag behind the clock by a tick of the system."""
_MODULES = ("keepsake", "numpy", "blake3", "zstandard")
"""What the courier imports besides the standard library."""
_BUCKET_MODULES = ("obstore", "boto3")
"""What it imports for a bucket, where they are installed."""
_DETACH = 'exec 3<&0; "$@" <&3 3<&- &'
"""A shell that ends at once leaves the courier to the system; what a shell puts into the background has no standard
input unless it is given one."""


@dataclass(slots=True)
class _Attempts:
    """What this process has tried for one repository."""

    started_s: float | None = None
    started_ns: int = 0
    failures: int = 0


_attempts: dict[Path, _Attempts] = {}


class Dispatcher:
    """Sees to the courier of one repository."""

    def __init__(self, instructions: Instructions) -> None:
        self.instructions = instructions

    def is_running(self) -> bool:
        """Say whether a courier of this user and machine serves the repository now."""
        return is_locked(self.instructions.lock_path)

    def ensure(self) -> bool:
        """Start a courier unless one runs or is about to; say whether there is one to rely on. Never raises."""
        attempts = _attempts.setdefault(self.instructions.lock_path, _Attempts())
        if self.is_running():
            return True
        if attempts.started_s is not None:
            if self._has_answered(attempts):
                attempts.failures = 0  # it worked, and has ended or been killed since
            elif time.monotonic() - attempts.started_s < GRACE_S:
                return True
            else:
                attempts.failures += 1
        if attempts.failures >= MAX_FAILURES:
            return False
        attempts.started_s, attempts.started_ns = time.monotonic(), time.time_ns()
        try:
            return start_courier(self.instructions)
        except (OSError, RuntimeError, ValueError):
            # No process may be started: a limit, a sandbox, the end of the interpreter.
            return False

    def _has_answered(self, attempts: _Attempts) -> bool:
        """Say whether a courier has begun to work since the last start: it then writes into its lock file."""
        try:
            status = self.instructions.lock_path.stat()
        except OSError:
            return False
        return status.st_size > 0 and status.st_mtime_ns >= attempts.started_ns - _TICK_NS


def start_courier(instructions: Instructions) -> bool:
    """Start a courier; say whether that is possible here.

    It ends at once when another one runs. Takes a few milliseconds.

    Raises:
        OSError, RuntimeError: the system refuses to start a process.
    """
    command = courier_command(instructions)
    if command is None:
        return False
    import subprocess

    document = {
        "lock_path": str(instructions.lock_path),
        "log_path": str(instructions.log_path),
        "module_directories": _module_directories(),
        "instructions": instructions.to_document(),
    }
    with (
        instructions.log_path.open("ab") as log,
        subprocess.Popen(  # noqa: S603 (nothing of it is taken from outside this process)
            ["/bin/sh", "-c", _DETACH, "sh", *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=log,
            cwd="/",
            env={**os.environ, **_whole_paths(), **dict.fromkeys(THREAD_VARIABLES, "1")},
            start_new_session=True,
        ) as shell,
    ):
        shell.communicate(json.dumps(document).encode())
    return shell.returncode == 0


def _whole_paths() -> dict[str, str]:
    """Return the variables of the clouds that are relative paths, as absolute ones: a courier runs elsewhere."""
    values = {name: value for name in PATH_VARIABLES if (value := os.environ.get(name))}
    return {name: str(Path(value).absolute()) for name, value in values.items() if not value.startswith("~")}


def courier_command(instructions: Instructions) -> list[str] | None:
    """Return the command that is a courier; None where there cannot be one. Everybody on the machine may read it."""
    python, script = _find_python(), Path(__file__).with_name("bootstrap.py")
    if python is None or not script.is_file():
        return None
    # Isolated and without `site`: neither the user's directory nor start-up files of an environment have a say.
    return [python, "-I", "-S", str(script), mask_url(instructions.store_url)]


def _find_python() -> str | None:
    """Return the interpreter, or None where the program is something else that has Python inside."""
    name = os.path.basename(sys.executable or "").lower()  # noqa: PTH119 (of text that may be empty)
    is_python = name.startswith(("python", "pypy")) and not getattr(sys, "frozen", False)
    return sys.executable if is_python and os.name == "posix" else None


def _module_directories() -> list[str]:
    """Return the directories from which to import what the courier needs, as this process does."""
    from importlib.util import find_spec

    directories: dict[str, None] = {}
    for name in (*_MODULES, *_BUCKET_MODULES):
        spec = find_spec(name)
        if spec is not None and spec.origin is not None:
            place = Path(spec.origin).absolute().parent
            directories[str(place.parent if spec.submodule_search_locations is not None else place)] = None
    return list(directories)
