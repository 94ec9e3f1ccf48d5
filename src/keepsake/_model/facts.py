"""The facts of an experiment: what was recorded when it began, and never changes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from keepsake._model.events import ExperimentState
from keepsake._model.times import LocalTime
from keepsake._model.values import Value


class ExperimentFacts:
    """What an experiment's first event says, by name. A field that an older or newer Keepsake left out is None."""

    _state: ExperimentState

    @property
    def id(self) -> str:
        """64 hex digits."""
        return self._state.id

    @property
    def created(self) -> datetime:
        """When it began; aware, in local time."""
        return LocalTime.from_text(self._state.created["time"])

    @property
    def params(self) -> dict[str, Value]:
        """What went in, by name."""
        params: dict[str, Value] = self._state.created.get("params") or {}
        return params

    @property
    def path(self) -> str | None:
        """What was saved when it began, relative to the project directory."""
        return self._text("path")

    @property
    def environment(self) -> Mapping[str, Any]:
        """All that was recorded of the machine, the program and the code's git state."""
        return self._state.environment()

    @property
    def user(self) -> str | None:
        """Who started it."""
        return self._recorded("user")

    @property
    def host(self) -> str | None:
        """Name of the machine that it was started on."""
        return self._recorded("host")

    @property
    def command(self) -> str | None:
        """The command that started it, as it can be run again; secrets are masked."""
        return self._recorded("command")

    @property
    def python_version(self) -> str | None:
        """Version of Python that it ran with."""
        return self._recorded("python_version")

    @property
    def python_packages(self) -> dict[str, str]:
        """The distributions behind the modules that were imported when it began, with their versions."""
        return dict(self.environment.get("python_packages") or {})

    @property
    def git(self) -> dict[str, Any] | None:
        """Commit, branch, remote and whether there were uncommitted changes; None outside a git repository."""
        return self.environment.get("git")

    @property
    def keepsake_version(self) -> str | None:
        """Version of Keepsake that wrote it."""
        return self._text("keepsake_version")

    @property
    def project(self) -> str | None:
        """Name of the project directory that it was started for."""
        return self._text("project")

    def _recorded(self, name: str) -> str | None:
        text: str | None = self._state.recorded(name)
        return text

    def _text(self, field: str) -> str | None:
        value = self._state.created.get(field)
        return value if isinstance(value, str) else None
