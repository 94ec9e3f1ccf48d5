"""Temporary names: what a file is called until it is whole and gets its own name.

A name says host, boot and process, so that a person can tell what left it behind. Such a file is nobody's object: it is
not listed, and can be removed when it has not changed for a day.
"""

from __future__ import annotations

import itertools
import os

_PREFIX = ".tmp."
_MAX_HOST = 32
"""Longer host names are cut, so that a name stays well under the 143 bytes that encrypting file systems allow."""

_counter = itertools.count()
_of_process: tuple[int, str] = (0, "")


def temporary_name() -> str:
    """Return a name that no other thread, process or machine uses, for a file that is not whole yet."""
    global _of_process
    pid = os.getpid()
    if _of_process[0] != pid:
        from keepsake.machine import boot_id, host_name

        # Random besides, since containers may share host name, boot and process ids.
        name = f"{_PREFIX}{host_name()[:_MAX_HOST]}.{boot_id()[:8]}.{pid}.{os.urandom(4).hex()}."
        _of_process = (pid, name)
    return f"{_of_process[1]}{next(_counter):x}"


def is_temporary(name: str) -> bool:
    """Say whether the file called `name` (without its directory) is one that is not whole yet, or never became so."""
    return name.startswith(_PREFIX)
