"""A machine whose power can be cut: a project with its repository on a `PowerLossStore`, from one boot to the next."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from random import Random

from keepsake import Checkpoint, Experiment, Project
from keepsake._chunks.chunkstore import ChunkStore
from keepsake._repository.repository import Repository
from keepsake._tracking.ending import tracked, untrack
from keepsake._tracking.place import Place
from keepsake._tracking.session import Session
from keepsake.directories import lock_directory
from keepsake.stores.memory import MemoryStore
from keepsake.testing import FaultyStore, PowerLossStore

Files = dict[str, bytes]


class PowerCut(BaseException):
    """The power went while something was done. No program can catch this."""


class Machine(Project):
    """A machine with one project.

    Args:
        root: an empty directory for what is not simulated: the user's files.
    """

    def __init__(self, root: Path) -> None:
        super().__init__(directory=root / "project")
        self.files_directory = root / "project" / "data"
        self.files_directory.mkdir(parents=True)
        self._staging = root / "staging"
        self.disk = PowerLossStore(MemoryStore())
        self.store = FaultyStore(self.disk)
        self.boot()

    def find_place(self) -> Place:
        """Return the simulated place instead of looking for a configured one."""
        return self._place

    @property
    def opened(self) -> Repository:
        """The repository, as it is opened since the last boot."""
        return self._place.open_repository()

    def boot(self) -> None:
        """Start; what was written before this moment may have suffered."""
        self._place = Place(self.files_directory.parent, self.store, locks=lock_directory(), staging=self._staging)
        repository = self._place.open_home(create=True)
        repository.chunks = ChunkStore(self.store, booted_ns=time.time_ns())

    def cut_power(self, random: Random, *, survival: float = 0.5) -> frozenset[str]:
        """End every process without a word, lose what was not synced, and start again; return the keys that changed."""
        self.end_processes()
        if random.random() < 0.5:
            shutil.rmtree(lock_directory())  # the names of the locks were not synced either
        self.store.heal()
        changed = self.disk.cut_power(random, survival=survival)
        self.boot()
        return changed

    def end_processes(self) -> None:
        """End every session without a word, as when its process is killed."""
        for session in tracked():
            if isinstance(session, Session):
                session.after_fork_in_child()  # lets go of what belongs to another process
            untrack(session)

    def write_files(self, files: Mapping[str, bytes]) -> None:
        """Have the project's data consist of these files."""
        shutil.rmtree(self.files_directory)
        self.files_directory.mkdir()
        for name, content in files.items():
            (self.files_directory / name).write_bytes(content)

    def begin(self) -> Experiment:
        """Begin an experiment."""
        return self.experiments.create(quiet=True, disable_heartbeat=True)

    def found(self) -> dict[str, Checkpoint]:
        """Return every checkpoint that is listed, by its id."""
        return {one.id: one for experiment in self.experiments.list() for one in experiment.checkpoints}


def read_files(checkpoint: Checkpoint, files: Mapping[str, bytes]) -> Files:
    """Read the named files of a checkpoint."""
    return {name: checkpoint.open(f"data/{name}").read() for name in files}
