"""What the comparison of web pages needs of a program: recording experiments, serving them, and when they are seen."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

from benchmarks.peers.interface import Needs


@dataclass(frozen=True)
class Experiment:
    """An experiment as it is given to every program."""

    name: str
    params: Mapping[str, float]
    metrics: Mapping[str, list[float]]
    """Values by name, one a step."""


class WebPage(ABC):
    """A program with a web page, used in the current directory."""

    title: ClassVar[str]
    needs: ClassVar[Needs]
    environment: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """Variables that keep it from asking questions and from calling home."""

    @abstractmethod
    def version(self) -> str:
        """Return the version that is measured."""

    @abstractmethod
    def record(self, experiments: list[Experiment]) -> None:
        """Record experiments; not timed."""

    @staticmethod
    @abstractmethod
    def command(python: Path, port: int) -> list[str]:
        """Return the command that serves what was recorded."""

    @staticmethod
    @abstractmethod
    def table(port: int, last: str) -> tuple[str, str] | None:
        """Return the address of the list of experiments, and JavaScript that is true when `last` is seen in it.

        None when the page has no such list.
        """

    @staticmethod
    @abstractmethod
    def curves(port: int) -> tuple[str, str] | None:
        """Return the address of the curves of all experiments, and JavaScript that is true when any is drawn.

        None when no address shows them.
        """
