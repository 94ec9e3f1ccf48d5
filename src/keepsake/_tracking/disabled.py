"""A session that leaves nothing: for experiments while `KEEPSAKE_MODE` is `disabled`.

Its events stay in the memory of this process, so that every call on the experiment works; files are not read at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from keepsake._model.times import now_text
from keepsake._repository.repository import Repository
from keepsake._tracking.files import SaveFiles
from keepsake._tracking.session import Session
from keepsake._tracking.writer import Body
from keepsake.errors import InternalError


class DisabledSession(Session):
    """A session of which nobody else learns.

    Args:
        repository: in memory.
        experiment_id: the experiment.
        locks: directory of the session locks, in which none is made.
    """

    def __init__(self, repository: Repository, experiment_id: str, *, locks: Path) -> None:
        super().__init__(repository, experiment_id, locks=locks, open_staging=_refuse, heartbeat=False)

    def begin(self) -> None:
        """Count as begun."""
        self._is_begun = True

    def write_first(self, body: Body, save_files: SaveFiles | None) -> Body:  # noqa: ARG002 (nothing is saved)
        """Keep the `experiment` event in memory."""
        return super().write_first(body, None)

    def save_checkpoint(self, body: Body, step: int | None, save_files: SaveFiles | None) -> Body:  # noqa: ARG002
        """Keep a `checkpoint` event in memory, which says why no file can be opened."""
        return super().save_checkpoint({**body, "unsaved": "KEEPSAKE_MODE is disabled"}, step, None)

    def write(self, body: Body) -> Body:
        """Keep an event in memory, but for what is only logged: of that, the experiment keeps the last."""
        if body["type"] != "log":
            return super().write(body)
        if not self.is_open:
            self._resume()
        return body | {"time": now_text()}

    def stop(self, status: str, error: Mapping[str, str] | None = None, *, threads: int | None = None) -> None:  # noqa: ARG002
        """Keep in memory how it ended."""
        if self.is_open:
            self.is_stopped = True
            self._write_stop(status, error)


def _refuse(repository: Repository) -> Repository:
    raise InternalError(f"nothing can be staged for {repository.store.url}")
