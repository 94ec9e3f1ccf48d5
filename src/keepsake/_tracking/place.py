"""A place: where a project's files, its repository and this machine's own notes about it are.

It opens nothing until it is asked to, so that wrong arguments can be refused before anything is made.
"""

from __future__ import annotations

import contextlib
import math
import re
from pathlib import Path

from keepsake._model.keys import CHUNKS, HEARTBEATS, JOURNALS, MANIFESTS
from keepsake._repository.journal import list_segments
from keepsake._repository.repository import VERSION, Repository
from keepsake._tracking.dispatch import Dispatcher
from keepsake.errors import NotFoundError, StoreError
from keepsake.stores.base import Store
from keepsake.stores.local import LocalStore
from keepsake.stores.memory import MemoryStore
from keepsake.stores.overlay import OverlayStore

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
        delivers_to: offline, the URL of the repository for which `store` is the staging.
        is_disabled: whether experiments that are begun shall leave nothing.
        cache: directory for copies of what was read from beyond a network.
        cache_limit_bytes: how much they may take; 0 for none.
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
        delivers_to: str | None = None,
        is_disabled: bool = False,
        cache: Path | None = None,
        cache_limit_bytes: int = 0,
    ) -> None:
        self.directory = directory
        self.store = store
        self.locks = locks
        self.staging = staging
        self.is_default = is_default
        self.exit_timeout_s = exit_timeout_s
        self.dispatcher = dispatcher
        self.delivers_to = delivers_to
        self.is_disabled = is_disabled
        self.cache = cache
        self.cache_limit_bytes = cache_limit_bytes
        self._home: Repository | None = None
        self._view: Repository | None = None
        self._is_assumed = False

    @property
    def excluded(self) -> list[Path]:
        """What is never part of a snapshot: the repository and staging, wherever they lie."""
        roots = [self.staging]
        return [*roots, self.store.root] if isinstance(self.store, LocalStore) else roots

    def open_home(self, *, create: bool = False) -> Repository:
        """Open the repository itself, once; with `create`, to write to it, and it is made when it is not there.

        Raises:
            NotFoundError: there is none.
            UnsupportedVersionError: it is to be written to, and its format is one that is only read.
        """
        if self._home is None:
            if create:
                self._home, made = Repository.open_or_create(self.store)
                if made:
                    self._keep_out_of_git()
            else:
                self._home = Repository.open(self.store)
            if self._is_assumed:
                self._view, self._is_assumed = None, False
        if create:
            self._home.check_writable()
        return self._home

    def open_repository(self) -> Repository:
        """Open the repository to look at: what is staged for it on this machine is seen as if it were there already.

        Raises `NotFoundError` when there is none, and nothing staged for one.
        """
        return self._view if self._view is not None else self.look_for_repository()

    def look_for_repository(self) -> Repository:
        """Open the repository as `open_repository` does, and believe nothing that was assumed of it.

        Raises:
            NotFoundError: there is none, and nothing staged for one.
            StoreError: it cannot be looked at; the hint says how to see what is staged for it.
        """
        try:
            home = self.open_home()
        except NotFoundError:
            staged = self._find_staged()
            if staged is None:
                raise
            # Before the first delivery. Who opens the repository later takes it as it is by then.
            self._view, self._is_assumed = self._with_staging(Repository(self.store, staged.id)), True
            return self._view
        except StoreError as error:
            if self._find_staged() is not None:
                here = "KEEPSAKE_MODE=offline shows what is on this machine, `keepsake push` delivers it later"
                error.hint = f"{error.hint}; {here}" if error.hint else here
            raise
        if self._view is None:
            self._view = self._with_staging(home)
        return self._view

    def _find_staged(self) -> Repository | None:
        """Return the staging of a repository beyond a network that cannot be looked at, if it holds anything."""
        home = Repository(self.store, "")
        staging = self.find_staging(home) if home.is_remote else None
        return staging if staging is not None and any(True for _ in staging.store.list(JOURNALS)) else None

    def assume_repository(self, repository_id: str) -> Repository:
        """Return the repository to look at as one that has this id, without asking for it, until `open_home` does."""
        if self._view is None:
            self._view, self._is_assumed = self._with_staging(Repository(self.store, repository_id)), True
        return self._view

    def open_staging(self, home: Repository) -> Repository:
        """Open the staging repository for `home`, made when it is not there."""
        return Repository.open_or_create(LocalStore(staging_root(self.staging, home)))[0]

    def find_staging(self, home: Repository) -> Repository | None:
        """Open the staging repository for `home` if there is one that can be read."""
        return find_staging(self.staging, home)

    def unseen_experiments(self) -> list[str]:
        """Return the experiments of which something waits in staging for a disk, where no reader sees it."""
        home = self.open_home() if isinstance(self.store, LocalStore) else None
        staging = self.find_staging(home) if home is not None and home.version == VERSION else None
        if home is None or staging is None:
            return []
        staged = list_segments(staging.store).items()
        return [one for one, names in staged if any(home.store.head(name.key) is None for name in names)]

    def without_traces(self) -> Place:
        """Return the place of an experiment that leaves nothing: its repository ends with this process."""
        return Place(self.directory, MemoryStore(), locks=self.locks, staging=self.staging, is_disabled=True)

    def writable_store(self) -> Store:
        """Return the store, to write single events to; a repository is made there when only staging has one.

        Raises:
            UnsupportedVersionError: the repository's format is one that is only read.
        """
        self.open_home(create=True)
        return self.store

    def _with_staging(self, repository: Repository) -> Repository:
        if not repository.is_remote or repository.version != VERSION:
            return repository

        def find_staged() -> Store | None:
            staging = self.find_staging(repository)
            return staging.store if staging is not None else None

        store: Store = self.store
        if self.cache is not None and self.cache_limit_bytes:
            from keepsake.stores.cache import CacheStore

            store = CacheStore(store, self.cache, self.cache_limit_bytes, prefixes=(MANIFESTS, CHUNKS))
        # Heartbeats, too: those of offline sessions are there, and nowhere else.
        store = OverlayStore(store, find_staged, prefixes=(JOURNALS, MANIFESTS, CHUNKS, HEARTBEATS))
        return Repository(store, repository.id)

    def _keep_out_of_git(self) -> None:
        """A repository inside a project is not source code; git leaves it alone without the user's doing."""
        if isinstance(self.store, LocalStore) and self.store.root.name == DEFAULT_REPOSITORY:
            ignore = self.store.root / ".gitignore"
            # On a disk that has just become full or read-only, what is written next says so.
            with contextlib.suppress(OSError):
                if not ignore.exists():
                    ignore.write_text("*\n", encoding="ascii")


def find_staging(directory: Path, home: Repository) -> Repository | None:
    """Open the staging repository for `home` if there is one that can be read.

    Args:
        directory: of this user's staging repositories.
        home: the repository that the experiments belong to.
    """
    root = staging_root(directory, home)
    try:
        return Repository.open(LocalStore(root)) if root.is_dir() else None
    except (LookupError, StoreError, PermissionError):
        return None


def staging_root(directory: Path, home: Repository) -> Path:
    """Return the directory of the staging repository for `home`."""
    return directory / (remote_staging_name(home.store.url) if home.is_remote else home.id)


def remote_staging_name(url: str) -> str:
    """Return the name of the staging repository for a repository beyond a network.

    It follows from the URL, since offline nobody can ask for the repository's id.
    """
    import hashlib  # 5 ms, which a listing of a directory need not spend

    readable = re.sub(r"[^A-Za-z0-9.-]+", "-", url)[:60].strip("-.")
    return f"{readable}.{hashlib.blake2b(url.encode(), digest_size=6).hexdigest()}"
