"""Moments: before a chosen operation on a store something else happens. Another process acts, or this one dies."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from keepsake import Project
from keepsake._repository.repository import Repository
from keepsake._tracking.ending import tracked, untrack
from keepsake._tracking.place import Place
from keepsake._tracking.session import Session
from keepsake.directories import lock_directory
from keepsake.stores.around import Operation, Result, StoreAround
from keepsake.stores.memory import MemoryStore

Files = dict[str, bytes]
"""Contents by path relative to the project directory."""


class Killed(BaseException):
    """The process was killed. No program can catch this."""


class Moments:
    """Counts the operations on several stores, and lets something happen before one of them."""

    def __init__(self) -> None:
        self._left = 0
        self._event: Callable[[], object] | None = None
        self._is_dead = False

    @contextmanager
    def before(self, number: int, event: Callable[[], object]) -> Iterator[None]:
        """Have `event` happen before so many-th operation of the `with` block, counted from 1, if it has so many."""
        self._left, self._event = number, event
        try:
            with _one_thread():
                yield
        finally:
            self._event, self._is_dead = None, False

    def die(self) -> None:
        """Be dead from now on, for the rest of the `with` block."""
        self._is_dead = True
        raise Killed

    def pass_one(self) -> None:
        """Be told that an operation is about to begin."""
        if self._is_dead:
            raise Killed
        if self._event is not None:
            self._left -= 1
            if self._left == 0:
                event, self._event = self._event, None
                event()


class MomentStore(StoreAround):
    """A store in memory, each operation of which is a moment; its URL is its own."""

    def __init__(self, moments: Moments, name: str) -> None:
        super().__init__(MemoryStore())
        self._moments = moments
        self._name = name

    @property
    def url(self) -> str:
        """Where session locks say that their session writes to."""
        return f"memory://{self._name}"

    def perform(self, operation: Operation, act: Callable[[], Result]) -> Result:
        """Carry out the operation unless something comes in between."""
        self._moments.pass_one()
        return act()


class Site(Project):
    """A project with its repository on a `MomentStore`.

    Args:
        root: an empty directory for the user's files.
        moments: counts what is done to the repository.
    """

    def __init__(self, root: Path, moments: Moments) -> None:
        super().__init__(directory=root / "project")
        self._root = root
        self._store = MomentStore(moments, f"{root.parent.name}/{root.name}")
        self.project_directory = root / "project"
        self.project_directory.mkdir(parents=True)
        self.reopen()
        self._place.open_home(create=True)

    def reopen(self) -> None:
        """Open everything anew, as a process does that has just started."""
        staging = self._root / "staging"
        self._place = Place(self.project_directory, self._store, locks=lock_directory(), staging=staging)

    def find_place(self) -> Place:
        """Return the simulated place instead of looking for a configured one."""
        return self._place

    @property
    def opened(self) -> Repository:
        """The repository."""
        return self._place.open_repository()

    def write_files(self, directory: str, files: Mapping[str, bytes]) -> None:
        """Have a directory of the project consist of these files, which all lie in it."""
        shutil.rmtree(self.project_directory / directory, ignore_errors=True)
        for path, content in files.items():
            place = self.project_directory / path
            place.parent.mkdir(exist_ok=True)
            place.write_bytes(content)


def end_processes() -> None:
    """End every session of this process without a word, as when it is killed."""
    for session in tracked():
        if isinstance(session, Session):
            session._presence.stop_beating()
            session.after_fork_in_child()  # lets go of what belongs to another process
        untrack(session)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Have no more threads be started, as at a limit of the system: so the operations always come in one order."""
    with patch.object(threading.Thread, "start", side_effect=RuntimeError("can't start new thread")):
        yield
