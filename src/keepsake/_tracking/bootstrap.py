"""The first steps of a courier's process: out of the way, one of a kind, then to work.

`dispatch` runs this file as a script, with a JSON document on standard input. Until the lock is held, it imports
nothing but small modules of the standard library: of several that are started at once, all but one end there.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import sys
import time

LOCK_ATTEMPTS = 5
"""Who looks whether a courier runs holds the lock for a moment, too; so one refusal does not mean that one does."""
ATTEMPT_INTERVAL_S = 0.05


def main() -> None:
    """Read what to do, take the lock, and be the courier."""
    with contextlib.suppress(OSError):
        os.nice(19)
    name_process("keepsake-courier")
    document = json.load(sys.stdin)
    leave_standard_input()
    descriptor = take_lock(document["lock_path"])
    if descriptor is None:
        return
    # What the last one had to say, or what kept it from starting, is over.
    os.truncate(document["log_path"], 0)
    sys.path += document["module_directories"]
    from keepsake._tracking.courier import run_courier

    run_courier(document["instructions"], descriptor)
    # Not through the interpreter's own end, which would wait for a thread that hangs in a system call.
    sys.stderr.flush()
    os._exit(0)


def take_lock(path: str) -> int | None:
    """Lock the courier's file and return its descriptor; None when another courier holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    for attempt in range(LOCK_ATTEMPTS):
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
        time.sleep(ATTEMPT_INTERVAL_S * (attempt < LOCK_ATTEMPTS - 1))
    os.close(descriptor)
    return None


def leave_standard_input() -> None:
    """Put nothing in the place of the pipe that the instructions came through."""
    descriptor = os.open(os.devnull, os.O_RDONLY)
    os.dup2(descriptor, 0)
    os.close(descriptor)


def name_process(name: str) -> None:
    """Have `top` and `ps` say what this process is, where the system allows it; Linux takes 15 characters."""
    with contextlib.suppress(OSError), open("/proc/self/comm", "w", encoding="ascii") as file:  # noqa: PTH123
        file.write(name[:15])


if __name__ == "__main__":
    main()
