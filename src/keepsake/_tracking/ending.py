"""How a program ends, seen from inside: the status that its experiments get, and the hooks that write it.

No signal handlers are installed: a signal that kills is found out by the next process, and Ctrl-C is an exception.
"""

from __future__ import annotations

import atexit
import functools
import os
import sys
from collections.abc import Mapping
from typing import Protocol

from keepsake._tracking.notebook import in_notebook
from keepsake.notices import notice, warn


def status_of_exception(error: BaseException | None) -> tuple[str, dict[str, str] | None]:
    """Return status and error of an experiment that ended with `error`, or without one."""
    if error is None or (isinstance(error, SystemExit) and error.code in (None, 0)):
        return "finished", None
    if isinstance(error, KeyboardInterrupt):
        return "interrupted", None
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    return "failed", {"type": name, "message": _message(error)}


class Stoppable(Protocol):
    """What ends with the program."""

    experiment_id: str

    def stop(self, status: str, error: Mapping[str, str] | None = None, *, threads: int | None = None) -> None:
        """End, however the program does."""


_open: set[Stoppable] = set()


def track(session: Stoppable) -> None:
    """Have `session` stopped when the program ends; it lives until then, also when nobody holds it any more."""
    _open.add(session)
    _register_exit_hook()


def untrack(session: Stoppable) -> None:
    """Forget a session that has ended."""
    _open.discard(session)


def tracked() -> list[Stoppable]:
    """Return the sessions of this process that have not ended."""
    return list(_open)


@functools.cache
def _register_exit_hook() -> None:
    """Stop the open sessions when this interpreter ends, once however often this is called.

    A process that `multiprocessing` made does not run `atexit` functions, but its own finalizers.
    """
    atexit.register(stop_open_sessions)
    multiprocessing = sys.modules.get("multiprocessing.process")
    if multiprocessing is not None and multiprocessing.parent_process() is not None:
        from multiprocessing.util import Finalize

        Finalize(None, stop_open_sessions, exitpriority=0)


def _after_fork_in_child() -> None:
    # What is open belongs to the parent, and so do its finalizers.
    _open.clear()
    _register_exit_hook.cache_clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)


def stop_open_sessions() -> None:
    """End what is still open. The interpreter no longer starts threads here, so one thread does the work."""
    status, error = status_of_exception(None if _is_interactive() else _last_exception())
    for session in tracked():
        try:
            session.stop(status, error, threads=1)
        except KeyboardInterrupt:
            if session in _open:  # else it has ended, and said who does the rest
                notice("interrupted; everything is saved, and the rest is done later")
                return
        except Exception as failure:  # noqa: BLE001 (nothing above could handle it, and the other sessions count too)
            warn(f"an experiment could not be ended properly: {failure}")


def _last_exception() -> BaseException | None:
    """Return the exception that ended the program: the interpreter keeps what it printed as unhandled.

    In a process that `multiprocessing` made, it is still being handled (up to Python 3.12; later ones leave no trace of
    it). A `sys.exit()` of the main program leaves none either, whatever its code.
    """
    last = sys.exc_info()[1] or getattr(sys, "last_exc", None) or getattr(sys, "last_value", None)
    return last if isinstance(last, BaseException) else None


def _is_interactive() -> bool:
    """Say whether exceptions are shown and lived on with, as at a prompt and in a notebook."""
    return hasattr(sys, "ps1") or in_notebook()


def _message(error: BaseException) -> str:
    try:
        return str(error)[:2000]
    except Exception:  # noqa: BLE001 (somebody else's __str__)
        return ""
