"""What the comparison needs of a program: how to install it, and how people save, restore and log with it.

A program is used in a process of its own, by a Python that has it (`worker`); only its class is seen elsewhere. So its
module imports nothing but the standard library until an object is made.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

WEIGHTS = "weights"
"""The directory that is saved, below the project."""


@dataclass(frozen=True)
class Needs:
    """What must be there to run a program."""

    python: tuple[str, ...] = ()
    """Requirements, for pip, in a virtual environment of the program's own."""
    debian: tuple[str, ...] = ()
    """Debian packages; they are unpacked beside the environment and not installed."""
    build: tuple[str, ...] = ()
    """Debian packages with headers that pip needs to build the requirements."""
    commands: tuple[str, ...] = ()
    """Programs that this machine has to have."""


class Program(ABC):
    """A program that saves checkpoints, used in the current directory, which is the project's.

    Everything that it stores must end up below the project directory or the home directory that it is given.
    """

    title: ClassVar[str]
    how: ClassVar[str]
    """What is called to save and to restore, for the reader of the table."""
    needs: ClassVar[Needs] = Needs()
    environment: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """Variables that keep it from asking questions and from calling home."""

    @abstractmethod
    def version(self) -> str:
        """Return the version that is measured."""

    @abstractmethod
    def begin(self) -> None:
        """Make a repository and begin a run in it; not timed."""

    @abstractmethod
    def save(self, step: int) -> str:
        """Save the directory `WEIGHTS`, and return by what name it is found again; this is what is timed.

        Between two calls the files are written anew where they changed, so what is kept must not refer to them.
        """

    @abstractmethod
    def end(self) -> None:
        """End the run, and return when all that was saved has been written in its final form; not timed."""


class Restorer(ABC):
    """A program that gives back what it saved."""

    @abstractmethod
    def restore(self, reference: str, target: Path) -> Path:
        """Write what was saved under `reference`, in a fresh process; this is what is timed.

        Args:
            reference: what `Program.save` returned.
            target: an empty directory; a program may write to the project's own `WEIGHTS` instead, which is missing.

        Returns:
            The directory that now holds the files that were in `WEIGHTS`.
        """


class Tracker(ABC):
    """A program that records metrics during a run."""

    @abstractmethod
    def log(self, step: int, metrics: dict[str, float]) -> None:
        """Record some metrics; this is what is timed."""


@dataclass(frozen=True)
class Job:
    """What a worker is to do."""

    program: str
    """The module's name in `benchmarks.peers`."""
    action: str
    """`version`, `save`, `restore` or `log`."""
    result: str
    """The file to write, in JSON."""
    series: tuple[str, ...] = ()
    """To save: the directories whose files are to be in `WEIGHTS`, one after the other."""
    reference: str = ""
    target: str = ""
    calls: int = 0
    """How often to log."""


@dataclass(frozen=True)
class Saved:
    """What saving a series took."""

    calls_s: list[float] = field(default_factory=list)
    references: list[str] = field(default_factory=list)
    apart_s: float = 0.0
    """Processor time for what is not the program's: starting Python, importing, writing the files to be saved."""
