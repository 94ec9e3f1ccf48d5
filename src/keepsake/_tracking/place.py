"""A place: where a project's files, its repository and this machine's own notes about it are.

It opens nothing until it is asked to, so that wrong arguments can be refused before anything is made.
"""

from __future__ import annotations

import math
from pathlib import Path

from keepsake._repository.repository import Repository
from keepsake._tracking.dispatch import Dispatcher
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
        dispatcher: sees to the courier of the repository; None when there shall be none.
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
        dispatcher: Dispatcher | None = None,
    ) -> None:
        self.directory = directory
        self.store = store
        self.locks = locks
        self.staging = staging
        self.is_default = is_default
        self.exit_timeout_s = exit_timeout_s
        self.dispatcher = dispatcher
        self._repository: Repository | None = None

    @property
    def excluded(self) -> list[Path]:
        """What is never part of a snapshot: the repository and staging, wherever they lie."""
        roots = [self.staging]
        return [*roots, self.store.root] if isinstance(self.store, LocalStore) else roots

    def open_repository(self, *, create: bool = False) -> Repository:
        """Open the repository once; with `create`, to write to it, and it is made when it is not there.

        Raises:
            NotFoundError: there is none.
            UnsupportedVersionError: it is to be written to, and its format is one that is only read.
        """
        if self._repository is None:
            if create:
                self._repository, made = Repository.open_or_create(self.store)
                if made:
                    self._keep_out_of_git()
            else:
                self._repository = Repository.open(self.store)
        if create:
            self._repository.check_writable()
        return self._repository

    def open_staging(self, home: Repository) -> Repository:
        """Open the staging repository for `home`, made when it is not there."""
        return Repository.open_or_create(LocalStore(self.staging / home.id))[0]

    def find_staging(self, home: Repository) -> Repository | None:
        """Open the staging repository for `home` if there is one that can be read."""
        return find_staging(self.staging, home)

    def append_store(self) -> AppendStore:
        """Return the store, to write events to.

        Raises:
            InvalidInputError: events cannot be appended there.
            UnsupportedVersionError: the repository's format is one that is only read.
        """
        self.open_repository().check_writable()
        if not isinstance(self.store, AppendStore):
            raise InvalidInputError(f"{self.store.url} cannot be written to directly")
        return self.store

    def _keep_out_of_git(self) -> None:
        """A repository inside a project is not source code; git leaves it alone without the user's doing."""
        if isinstance(self.store, LocalStore) and self.store.root.name == DEFAULT_REPOSITORY:
            ignore = self.store.root / ".gitignore"
            if not ignore.exists():
                ignore.write_text("*\n", encoding="ascii")


def find_staging(directory: Path, home: Repository) -> Repository | None:
    """Open the staging repository for `home` if there is one that can be read.

    Args:
        directory: of this user's staging repositories.
        home: the repository that the experiments belong to.
    """
    root = directory / home.id
    try:
        return Repository.open(LocalStore(root)) if root.is_dir() else None
    except (LookupError, StoreError):
        return None
