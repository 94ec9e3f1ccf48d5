"""What the tests of the command line work with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import keepsake


@dataclass(frozen=True)
class Done:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str
    data: bytes
    """Standard output as bytes."""


class RunCli(Protocol):
    def __call__(self, *arguments: str, at: Path | None = None, answer: str = "") -> Done: ...


@dataclass(frozen=True)
class TwoExperiments:
    """A project with two experiments of two checkpoints each, which differ in their learning rate."""

    directory: Path
    project: keepsake.Project

    @property
    def first(self) -> keepsake.Experiment:
        return self.project.experiments.list()[0]

    @property
    def second(self) -> keepsake.Experiment:
        return self.project.experiments.list()[1]
