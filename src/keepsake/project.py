"""A project: a directory with its settings, on which all is called that concerns no single experiment, first `init`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from keepsake._model.ids import short_id
from keepsake._repository.repository import Repository
from keepsake._tracking.dispatch import Dispatcher
from keepsake._tracking.instructions import Instructions
from keepsake._tracking.place import Place, remote_staging_name
from keepsake.checkpoint import Checkpoint
from keepsake.collection import ExperimentCollection, absent_id
from keepsake.config import (
    DEFAULT_REPOSITORY,
    ProjectConfig,
    check_no_config,
    find_project,
    find_staging,
    read_settings,
    repository_not_found,
    write_config,
)
from keepsake.directories import copies_directory, lock_directory
from keepsake.errors import (
    AmbiguousPrefixError,
    ConfigError,
    ConfigNotFoundError,
    InvalidInputError,
    KeepsakeError,
    NotFoundError,
)
from keepsake.experiment import Experiment
from keepsake.stores.url import bucket_url, check_bucket, create_bucket, is_bucket, open_store

if TYPE_CHECKING:
    from keepsake._analysis.diff import Diff
    from keepsake._repository.check import CheckReport
    from keepsake._repository.collect import CollectResult
    from keepsake._repository.migrate import MigrateResult
    from keepsake._repository.push import PushResult
    from keepsake._repository.repair import RepairResult
    from keepsake._repository.usage import Usage


class Project:
    """A project whose places are given here, or else found as the configuration says.

    Nothing is opened before it is needed, and what is not given is found anew for each operation.

    Args:
        repository: URL of the repository, or its path relative to the project directory.
        directory: the project directory.
        debug: without effect; scripts for Keepsake 0.x pass it.
    """

    def __init__(
        self,
        repository: str | None = None,
        directory: str | os.PathLike[str] | None = None,
        debug: bool = False,
    ) -> None:
        self.repository = repository
        self.directory = directory
        self.debug = debug

    @property
    def experiments(self) -> ExperimentCollection:
        """The experiments of this project."""
        return ExperimentCollection(self)

    def get(self, identifier: str) -> Experiment | Checkpoint:
        """Return the experiment or checkpoint whose id is, or begins with, `identifier`.

        Raises:
            NotFoundError: there is none.
            AmbiguousPrefixError: it fits several; they are in `.candidates`.
            InvalidInputError: it cannot begin an id.
            ConfigNotFoundError: there is no repository.
        """
        return self.get_all([identifier])[0]

    def get_all(self, identifiers: Iterable[str]) -> list[Experiment | Checkpoint]:
        """Return what each of the identifiers names; as `get`, but the repository is looked through once for all."""
        wanted = list(identifiers)
        collection = self.experiments.for_one_operation()
        experiments = collection.find(wanted)
        # No two things have one whole id.
        others = [one for one in wanted if one not in {whole.id for whole in experiments[one]}]
        checkpoints = collection.find_checkpoints(others) if others else {}
        found: dict[str, list[Experiment | Checkpoint]] = {
            one: [*experiments[one], *checkpoints.get(one, [])] for one in wanted
        }
        for identifier in wanted:
            if not found[identifier]:
                raise absent_id(collection, identifier, noun="experiment and no checkpoint")
        return [_only(identifier, found[identifier]) for identifier in wanted]

    def push(
        self,
        to: str,
        *,
        on_progress: Callable[[int, int], None] | None = None,
        experiment_ids: Iterable[str] | None = None,
    ) -> PushResult:
        """Copy to another repository what it lacks of this one; it is made when it is not there.

        May be broken off at any moment, and called again.

        Args:
            to: URL of the repository, or its path relative to the project directory.
            on_progress: called with (bytes done, bytes in all as far as they are known).
            experiment_ids: copy only these.

        Returns:
            How many `segments` of journals and `chunks`, of `chunk_bytes`, were copied, and as `deleted` the ids of the
            experiments that were not, since they were deleted there.

        Raises:
            ConfigNotFoundError: there is no repository to copy from.
            ConfigError: the other one is in a bucket, and `KEEPSAKE_MODE` is offline.
            StoreError: one of the two failed; what has arrived stays.
            FormatError, NotFoundError: a part of this repository is damaged; the rest was copied.
        """
        from keepsake._repository.push import push

        target = Project(to, self._find_config().directory).find_place()
        _check_online(target)
        counter = _Counter(on_progress)
        return push(
            self._open(),
            target.open_home(create=True),
            experiment_ids=experiment_ids,
            on_progress=counter.advance,
            on_total=counter.expect,
        )

    def deliver(self, *, on_progress: Callable[[int, int], None] | None = None) -> PushResult:
        """Bring to the repository what waits for it in staging on this machine, also while training goes on.

        May be broken off at any moment, and called again.

        Args:
            on_progress: called with (bytes done, bytes in all as far as they are known).

        Returns:
            What was copied, as of `push`.

        Raises:
            ConfigError: `KEEPSAKE_MODE` is offline.
            StoreError: the repository or staging failed; what has arrived stays.
            FormatError, NotFoundError: a part of staging is damaged; all else has arrived.
        """
        from keepsake._tracking.delivery import Delivery

        place = self.find_place()
        _check_online(place)
        counter = _Counter(on_progress)
        delivery = Delivery(place.open_home(create=True), place.staging, place.locks)
        return delivery.deliver(on_progress=counter.advance, on_total=counter.expect)

    def check(self, on_progress: Callable[[int, int], None] | None = None) -> CheckReport:
        """Read and verify every object of the repository.

        Args:
            on_progress: called with (chunks done, chunks in all).

        Returns:
            What was looked at, and as `problems` each object that is damaged or missing, with its `key`, a `message`
            and what it `touches`; `is_clean` when there is none.

        Raises:
            ConfigNotFoundError: there is no repository.
        """
        from keepsake._repository.check import check_repository

        return check_repository(self._open(), on_progress=on_progress)

    def repair(self, report: CheckReport, sources: Iterable[str] = ()) -> RepairResult:
        """Bring back what a check found damaged or missing, from staging on this machine and from other repositories.

        A damaged chunk that nobody has is deleted, so that the same content can be stored again.

        Args:
            report: what `check` returned.
            sources: URLs or paths of repositories that may have what is damaged, such as an earlier copy of this one.

        Returns:
            The keys of what was `restored`, of what was `cleared` away, and of what was `left` as it is.

        Raises:
            ConfigNotFoundError: one of the repositories is not there.
            StoreError: one of them failed; what was restored until then stays.
        """
        from keepsake._repository.repair import repair

        repository = self._open()
        staging = self.find_place().find_staging(repository)
        directory = self._find_config().directory
        others = [Project(source, directory)._open() for source in sources]  # noqa: SLF001 (its own kind)
        keys = [problem.key for problem in report.problems]
        return repair(repository, keys, [*others, staging] if staging is not None else others)

    def collect(self, dry_run: bool = False) -> CollectResult:
        """Delete the chunks and manifests that no experiment reaches any more; safe beside running experiments.

        What is younger than an hour stays, since its checkpoint may be about to be written.

        Args:
            dry_run: whether only to say what would be deleted: the result's `plan`.

        Returns:
            How many `objects` of `size_bytes` were deleted, of the `plan`, which has the `keys` and `size_bytes` that
            nothing reaches, and how many objects, `young`, that are too young.

        Raises:
            ConfigNotFoundError: there is no repository.
            FormatError: a part of the repository cannot be read; nothing was deleted.
        """
        from keepsake._repository.collect import collect

        return collect(self._open(), dry_run=dry_run)

    def du(self) -> Usage:
        """Return how many bytes the experiments save, and how many the repository takes for them.

        In all, and of each of the `experiments`; the fields are those of `keepsake du --json`.

        Raises:
            ConfigNotFoundError: there is no repository.
            FormatError: a part of the repository cannot be read.
        """
        from keepsake._repository.usage import measure_usage

        return measure_usage(self._open())

    def diff(
        self, *things: str | Experiment | Checkpoint, only: str | Sequence[str] | None = None, show_all: bool = False
    ) -> Diff:
        """Compare experiments and checkpoints with the first of them; see `Checkpoint.diff`.

        Args:
            *things: two or more, as they are or by their ids, or the beginnings of those.
            only: what to compare.
            show_all: whether to list also what is the same everywhere.

        Raises:
            NotFoundError, AmbiguousPrefixError: an id fits none, or several.
            InvalidInputError: there is one thing only, or `only` is wrong.
            ConfigNotFoundError: there is no repository.
        """
        from keepsake.comparison import compare_things

        found = [self.get(thing) if isinstance(thing, str) else thing for thing in things]
        return compare_things(found, only=only, show_all=show_all)

    def reclaimable_bytes(self, things: Iterable[Experiment | Checkpoint]) -> int:
        """Return how many bytes at most deleting these would free: what they take, shared with others or not.

        Raises:
            NotFoundError, FormatError: a manifest of one is missing or damaged.
        """
        from keepsake._repository.usage import measure_reached

        return measure_reached(self._open(), {digest for one in things for digest in one.manifests()})

    @staticmethod
    def create_config(
        directory: str | os.PathLike[str] | None, repository: str | None, *, replace: bool = False
    ) -> Path:
        """Write the `keepsake.yaml` of a project and return its path.

        Args:
            directory: the project directory; the current one when None.
            repository: URL or path, relative to `directory`; `.keepsake` in it when None.
            replace: whether a `keepsake.yaml` that is there may be replaced.

        Raises:
            ConflictError: there is a `keepsake.yaml` already.
            ConfigError: the repository cannot be one, or the directory does not exist.
        """
        return write_config(directory, repository, replace=replace)

    @classmethod
    def set_up(
        cls,
        directory: str | os.PathLike[str] | None,
        repository: str | None,
        *,
        replace: bool = False,
        create_bucket: bool = False,
    ) -> tuple[Path, str]:
        """Make the repository of a project, and write its `keepsake.yaml` when that has worked.

        A `keepsake.yaml` that is there already is used, options included, when the bucket that it names is to be made.

        Args:
            directory: the project directory; the current one when None.
            repository: URL or path, relative to `directory`; `.keepsake` in it when None.
            replace: whether a `keepsake.yaml` that is there may be replaced.
            create_bucket: whether to make the bucket, too.

        Returns:
            The path of the `keepsake.yaml`, and the URL of the repository.

        Raises:
            ConflictError: there is a `keepsake.yaml` already.
            ConfigError: the repository cannot be one.
            StoreError: the repository, or its bucket, could not be made; no `keepsake.yaml` was written.
        """
        written = find_project(directory or ".", None, {})
        uses_written = create_bucket and repository is None and not replace and written.config_path is not None
        if not uses_written:
            check_no_config(directory, repository, replace=replace)
        project = cls(None if uses_written else repository or DEFAULT_REPOSITORY, directory or ".")
        if create_bucket:
            project.create_bucket()
        place = project.find_place()
        made = place.open_home(create=True)
        url = place.delivers_to or made.store.url
        if uses_written and written.config_path is not None:
            return written.config_path, url
        return write_config(directory, repository, replace=replace), url

    def create_bucket(self) -> None:
        """Make the bucket that the repository shall be in; one that is there and ours is no error.

        Raises:
            ConfigError: the repository is in no bucket, or not on S3: the hint has the command that makes it.
            ConflictError: somebody else has a bucket of this name.
            StoreError: it was refused.
        """
        config = self._find_config()
        create_bucket(config.repository_url, config.options)

    def _open(self) -> Repository:
        try:
            return self.find_place().open_home()
        except NotFoundError:
            raise self.describe_absence() from None

    def find_place(self) -> Place:
        """Find the project directory and its repository. Raises `ConfigError` when the configuration is wrong."""
        config = self._find_config()
        settings = read_settings(os.environ)
        locks, staging = lock_directory(), find_staging(settings, os.environ)
        delivers_to = None
        if settings.mode == "offline" and is_bucket(config.repository_url):
            # Now: what is saved for a bucket that cannot be one is found under no URL that is right.
            check_bucket(config.repository_url, config.options)
            delivers_to = bucket_url(config.repository_url)
            url, options = (staging / remote_staging_name(delivers_to)).as_uri(), {}
        else:
            url, options = config.repository_url, config.options
        store = open_store(url, options)
        dispatcher = None
        if config.courier if settings.courier is None else settings.courier:
            dispatcher = Dispatcher(Instructions(url, store.url, locks, staging, repository_options=options))
        return Place(
            config.directory,
            store,
            locks=locks,
            staging=staging,
            is_default=config.source == "default",
            exit_timeout_s=settings.exit_timeout_s,
            dispatcher=dispatcher,
            delivers_to=delivers_to,
            is_disabled=settings.mode == "disabled",
            cache=copies_directory(os.environ),
            cache_limit_bytes=settings.cache_limit_bytes,
        )

    def describe_absence(self) -> ConfigNotFoundError:
        """Make the error for a project that has no repository."""
        return repository_not_found(self._find_config(), read_settings(os.environ).mode)

    def _find_config(self) -> ProjectConfig:
        return find_project(self.directory, self.repository, os.environ)

    def __repr__(self) -> str:
        given = {"repository": self.repository, "directory": self.directory}
        return f"Project({', '.join(f'{name}={value!r}' for name, value in given.items() if value is not None)})"

    def _repr_html_(self) -> str:
        from keepsake._analysis.experimenthtml import project_html
        from keepsake._analysis.html import error_html
        from keepsake._tracking.secrets import mask_url

        try:
            place = self.find_place()
            return str(project_html(str(place.directory), mask_url(place.store.url), self.experiments.list()))
        except KeepsakeError as error:
            return str(error_html(error))


class _Counter:
    """Adds up what is done and what there is to do, for somebody who looks on."""

    def __init__(self, on_progress: Callable[[int, int], None] | None) -> None:
        self._on_progress = on_progress
        self._done = 0
        self._all = 0

    def expect(self, size_bytes: int) -> None:
        """Learn of more that is to be done."""
        self._all += size_bytes

    def advance(self, size_bytes: int) -> None:
        """Count what was done."""
        self._done += size_bytes
        if self._on_progress is not None:
            self._on_progress(self._done, self._all)


def _only(identifier: str, found: Sequence[Experiment | Checkpoint]) -> Experiment | Checkpoint:
    """Return the one thing whose id begins so."""
    for one in found:
        if one.id == identifier:
            return one
    if len(found) > 1:
        candidates = [one.id for one in found]
        raise AmbiguousPrefixError(
            f"{len(found)} experiments and checkpoints have an id that starts with {identifier!r}: "
            f"{', '.join(map(short_id, candidates[:8]))}{', …' if len(found) > 8 else ''}",
            candidates=candidates,
            hint="give more digits",
        )
    return found[0]


default_project = Project()
"""The project of the current directory, which the functions of the package work on."""
experiments = default_project.experiments
"""The experiments of the current project."""


def init(
    path: str | os.PathLike[str] | None = None,
    params: object = None,
    disable_heartbeat: bool = False,
    debug: bool = False,  # noqa: ARG001 (scripts for Keepsake 0.x pass it)
    *,
    quiet: bool = False,
    name: str | None = None,
    tags: Iterable[str] = (),
    notes: str | None = None,
    on_error: Literal["warn", "raise"] = "warn",
) -> Experiment:
    """Begin an experiment in the project of the current directory; see `ExperimentCollection.create`.

    Without a `keepsake.yaml` in the current directory or above it, the current directory is the project and `.keepsake`
    in it the repository. `debug` is without effect; scripts for Keepsake 0.x pass it.
    """
    return default_project.experiments.create(
        path,
        params,
        quiet,
        disable_heartbeat,
        name=name,
        tags=tags,
        notes=notes,
        on_error=on_error,
    )


def diff(
    *things: str | Experiment | Checkpoint, only: str | Sequence[str] | None = None, show_all: bool = False
) -> Diff:
    """Compare experiments and checkpoints of the current project, also by id; see `Project.diff`."""
    return default_project.diff(*things, only=only, show_all=show_all)


def migrate(
    old: str,
    new: str,
    *,
    directory: str | os.PathLike[str] | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> MigrateResult:
    """Copy a repository of Keepsake 0.x into one of this version, which is made when it is not there.

    Ids and times stay, equal files are stored once, and each is read back and compared. May be broken off at any moment
    and called again: it carries on, and completes experiments that went on meanwhile. The old one is only read.

    Args:
        old: URL or path of the old repository, relative to the project directory.
        new: URL or path of the new one.
        directory: the project directory; found from the current one when None.
        on_progress: called with (bytes done, bytes in all) of the old repository.

    Returns:
        What was copied, and in `problems` everything that could not be.

    Raises:
        ConfigNotFoundError: there is no repository at `old`.
        InvalidInputError: the one at `old` is not of Keepsake 0.x.
        ConfigError: the one at `new` is in a bucket, and `KEEPSAKE_MODE` is offline.
        UnsupportedVersionError: the one at `new` is of Keepsake 0.x, too.
        StoreError: one of the two failed; what has arrived stays.
    """
    from keepsake._repository.legacy.repository import LegacyRepository
    from keepsake._repository.migrate import migrate as run_migration

    project = Project(old, directory)
    try:
        source = project.find_place().open_home()
    except NotFoundError:
        raise project.describe_absence() from None
    if not isinstance(source, LegacyRepository):
        raise InvalidInputError(
            f"the repository at {source.store.url} is of this version already", hint="`keepsake push` copies it"
        )
    target = Project(new, directory).find_place()
    _check_online(target)
    return run_migration(source, target.open_home(create=True), on_progress=on_progress)


def _check_online(target: Place) -> None:
    """Raise `ConfigError` when what is copied there would stay on this machine."""
    if target.delivers_to is not None:
        raise ConfigError(
            f"nothing can be delivered to {target.delivers_to} offline",
            hint="unset KEEPSAKE_MODE, where there is a network",
        )


def wait() -> None:
    """Return when everything that this process saved so far is in its repository, compact, and survives a power loss.

    Raises:
        StoreError: a store failed, or what waits in staging cannot be delivered yet; nothing is lost.
    """
    from keepsake._tracking.ending import tracked
    from keepsake._tracking.progress import Waiting
    from keepsake._tracking.recovery import settle_dead_sessions
    from keepsake._tracking.session import Session

    with Waiting("making it compact") as waiting:
        for session in tracked():
            if isinstance(session, Session):
                session.settle(waiting)
                settle_dead_sessions(session.repository, lock_directory(), waiting=waiting)
