"""A place: where a project's files, its repository and this machine's own notes about it are.

It opens nothing until it is asked to, so that wrong arguments can be refused before anything is made.
"""

from __future__ import annotations

import math
from pathlib import Path

from keepsake._repository.repository import Repository
from keepsake.errors import InvalidInputError, StoreError
from keepsake.stores.base import AppendStore, Store
from keepsake.stores.local import LocalStore

DEFAULT_REPOSITORY = ".keepsake"


class Place:
    """The places of one project.

    Args:
        directory: the project directory; saved paths are relative to it.
        store: where the repository is.
        locks: directory of the session locks of this user and machine.
        staging: directory of this user's staging repositories.
        is_default: whether nothing was configured, so that the user should be told.
        exit_timeout_s: see `Session`.
    """

    def __init__(
        self,
        directory: Path,
        store: Store,
        *,
        locks: Path,
        staging: Path,
        is_default: bool = False,
        exit_timeout_s: float = math.inf,
    ) -> None:
        self.directory = directory
        self.store = store
        self.locks = locks
        self.staging = staging
        self.is_default = is_default
        self.exit_timeout_s = exit_timeout_s
        self._repository: Repository | None = None

    @property
    def excluded(self) -> list[Path]:
        """What is never part of a snapshot: the repository and staging, wherever they lie."""
        roots = [self.staging]
        return [*roots, self.store.root] if isinstance(self.store, LocalStore) else roots

    def open_repository(self, *, create: bool = False) -> Repository:
        """Open the repository once; make it when it is not there and `create` says so.

        Raises:
            NotFoundError: there is none.
        """
        if self._repository is None:
            if create:
                self._repository, made = Repository.open_or_create(self.store)
                if made:
                    self._keep_out_of_git()
            else:
                self._repository = Repository.open(self.store)
        return self._repository

    def open_staging(self, home: Repository) -> Repository:
        """Open the staging repository for `home`, made when it is not there."""
        return Repository.open_or_create(LocalStore(self.staging / home.id))[0]

    def find_staging(self, home: Repository) -> Repository | None:
        """Open the staging repository for `home` if there is one that can be read."""
        root = self.staging / home.id
        try:
            return Repository.open(LocalStore(root)) if root.is_dir() else None
        except (LookupError, StoreError):
            return None

    def append_store(self) -> AppendStore:
        """Return the store, to write events to. Raises `InvalidInputError` when they cannot be appended there."""
        if not isinstance(self.store, AppendStore):
            raise InvalidInputError(f"{self.store.url} cannot be written to directly")
        return self.store

    def _keep_out_of_git(self) -> None:
        """A repository inside a project is not source code; git leaves it alone without the user's doing."""
        if isinstance(self.store, LocalStore) and self.store.root.name == DEFAULT_REPOSITORY:
            ignore = self.store.root / ".gitignore"
            if not ignore.exists():
                ignore.write_text("*\n", encoding="ascii")
