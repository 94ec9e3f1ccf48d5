"""Forks beside SQLite: a process does not fork while another of its threads is inside a database.

SQLite has locks that belong to the whole process and are held for a moment, also while a database is opened. A child in
which a thread that holds one does not go on would wait for it in its first listing, for ever
(https://www.sqlite.org/howtocorrupt.html, "Carrying an open database connection across a fork()").
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator

PATIENCE_S = 5.0
"""A fork waits no longer for others, nor others for a fork: a thread may be inside for as long as a network takes, or
wait for something that the thread has that forks."""


class Gate:
    """Counts the threads that are inside a database, and lets nobody in while one waits to fork."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._depths: dict[int, int] = {}
        self._forks = 0

    @contextlib.contextmanager
    def inside(self) -> Iterator[None]:
        """Be inside for the `with` block; a thread may enter again."""
        me = threading.get_ident()
        with self._changed:
            self._changed.wait_for(lambda: not self._forks or me in self._depths, PATIENCE_S)
            self._depths[me] = self._depths.get(me, 0) + 1
        try:
            yield
        finally:
            with self._changed:
                depth = self._depths.pop(me) - 1
                if depth:
                    self._depths[me] = depth
                self._changed.notify_all()

    def before_fork(self) -> None:
        """Wait until no other thread is inside, and keep all out."""
        me = threading.get_ident()
        self._changed.acquire()
        self._forks += 1
        self._changed.wait_for(lambda: not self._depths.keys() - {me}, PATIENCE_S)

    def after_fork(self) -> None:
        """Let others in again, in the process that has forked."""
        self._forks -= 1
        self._changed.notify_all()
        self._changed.release()

    def after_fork_in_child(self) -> None:
        """Forget the threads that do not exist here."""
        me = threading.get_ident()
        self._changed, self._forks = threading.Condition(), 0
        self._depths = {me: self._depths[me]} if me in self._depths else {}


gate = Gate()
"""The one of this process."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=gate.before_fork, after_in_parent=gate.after_fork, after_in_child=gate.after_fork_in_child
    )
