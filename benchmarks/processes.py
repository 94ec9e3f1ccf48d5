"""Processes: the processor time of a program together with everything that it starts, also in the background.

A background process detaches itself, so whoever started the program neither waits for it nor is charged for it. Linux
gives orphans to the nearest ancestor that has declared itself a subreaper (prctl(2), `PR_SET_CHILD_SUBREAPER`). Once
such an ancestor has waited for all of them, its `RUSAGE_CHILDREN` holds the time of every one, without any privilege.
The one gap is children of a process that ignores `SIGCHLD`: the system forgets their time.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import time
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36
_POLL_S = 0.02


def become_subreaper() -> None:
    """Let orphaned descendants become children of this process."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def is_running(pid: int) -> bool:
    """Say whether there is such a process, whoever's it is."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def find_children(pid: int) -> list[int]:
    """Return the processes whose parent is `pid` now, those included that have ended and were not waited for."""
    children = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = path.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
            if int(fields[1]) == pid:
                children.append(int(path.parent.name))
    return children


def find_descendants(pid: int) -> list[int]:
    """Return the children of `pid`, theirs, and so on."""
    found = find_children(pid)
    for child in found:
        found.extend(find_children(child))
    return found


def processor_s(pid: int) -> float:
    """Return the processor time of a process and of the children that it has waited for; 0 when it has gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def wait_for_all(timeout_s: float) -> list[str]:
    """Wait until this process, a subreaper, has no children left; end those that stay on.

    Returns:
        The command lines of those that had not ended after `timeout_s`. They were asked to, and then made to.
    """
    deadline = time.monotonic() + timeout_s
    while _reap() and time.monotonic() < deadline:
        time.sleep(_POLL_S)
    stayed: list[str] = []
    for number in (signal.SIGTERM, signal.SIGKILL):
        children = find_children(os.getpid())
        stayed = stayed or [_command_of(pid) for pid in children]
        for pid in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        deadline = time.monotonic() + 5.0
        while _reap() and time.monotonic() < deadline:
            time.sleep(_POLL_S)
    return stayed


def _reap() -> bool:
    """Wait for the children that have ended; say whether any are left."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True


def _command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return f"process {pid}"
