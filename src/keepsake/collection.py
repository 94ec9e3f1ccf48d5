"""The experiments of a project: making them, finding them, listing them."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from keepsake._model.annotations import check_annotations
from keepsake._model.events import ExperimentState, SessionState
from keepsake._model.ids import check_prefix, ids_nearest, new_id, resolve_prefix, short_id
from keepsake._model.notebook import find_notebook
from keepsake._model.times import now_text
from keepsake._model.values import to_params
from keepsake._repository.heartbeat import list_heartbeats
from keepsake._repository.repository import Repository
from keepsake._tracking.liveness import is_alive
from keepsake._tracking.place import Place
from keepsake._version import __version__
from keepsake.checkpoint import Checkpoint
from keepsake.directories import cache_directory, private_directory
from keepsake.errors import ConfigError, InvalidInputError, KeepsakeError, NotFoundError
from keepsake.experiment import Experiment
from keepsake.experimentlist import ExperimentList
from keepsake.notices import notice, notice_once, warn

if TYPE_CHECKING:
    from pathlib import Path

    from pandas import DataFrame

    from keepsake._catalog.catalog import Catalog, CatalogListing
    from keepsake._catalog.curves import CurveReader
    from keepsake._catalog.snapshot import Snapshot
    from keepsake._tracking.session import Session

ExperimentFilter: TypeAlias = Callable[[Experiment], object]

_CANDIDATES = 3
"""Ids that are named when one is not there."""
_NAMED = 3
"""Experiments that are named of which more waits in staging."""


class FindsPlace(Protocol):
    """A project, as its collection of experiments sees it."""

    def find_place(self) -> Place:
        """Find the places of the project as they are configured now."""

    def describe_absence(self) -> KeepsakeError:
        """Make the error for a project that has no repository yet."""


class OnePlace:
    """A project for one operation: where it is is found once, and its repository opened once.

    Args:
        project: which one.
    """

    def __init__(self, project: FindsPlace) -> None:
        self._project = project

    @functools.cached_property
    def _place(self) -> Place:
        return self._project.find_place()

    def find_place(self) -> Place:
        """Return the places that were found first."""
        return self._place

    def describe_absence(self) -> KeepsakeError:
        """Make the error for a project that has no repository yet."""
        return self._project.describe_absence()


class ExperimentCollection:
    """The experiments of one project.

    Those of the current project are `keepsake.experiments`, those of another one `keepsake.Project(...).experiments`.
    """

    def __init__(self, project: FindsPlace) -> None:
        self._project = project

    def create(
        self,
        path: str | os.PathLike[str] | None = None,
        params: object = None,
        quiet: bool = False,
        disable_heartbeat: bool = False,
        *,
        name: str | None = None,
        tags: Iterable[str] = (),
        notes: str | None = None,
        on_error: Literal["warn", "raise"] = "warn",
    ) -> Experiment:
        """Begin an experiment: `keepsake.init()` for this project.

        Args:
            path: a file or directory to save, relative to the project directory; nothing is saved when None.
            params: what goes in: a mapping, an `argparse.Namespace` or a dataclass instance.
            quiet: whether to say nothing about it.
            disable_heartbeat: whether others shall not see that it runs.
            name: what to call it.
            tags: words to find it by.
            notes: free text about it.
            on_error: "warn" lets training go on when the store fails later, "raise" raises.

        Raises:
            InvalidInputError: an argument cannot be used; nothing was created.
            ConfigError: the project is not configured properly.
            StoreError: the repository cannot be written.
        """
        from keepsake._tracking.secrets import mask_params

        body: dict[str, Any] = {"type": "experiment", "id": new_id(), "params": mask_params(to_params(params))}
        body |= check_annotations(name, tags, notes)
        if on_error not in ("warn", "raise"):
            raise InvalidInputError(f"on_error must be 'warn' or 'raise', not {on_error!r}")
        place = self._project.find_place()
        save_files = None
        if path is not None:
            from keepsake._tracking.files import FoundFiles

            files = FoundFiles(place, path)
            body["path"] = files.path
            save_files = files.saver(quiet=quiet)
            if not quiet:
                files.mention_large()
        body |= _circumstances(place)
        stopped = _stop_others_in_notebook()
        if place.is_disabled:
            from keepsake._tracking.disabled import DisabledSession

            place = place.without_traces()
            session: Session = DisabledSession(place.open_home(create=True), body["id"], locks=place.locks)
        else:
            session = _begin_session(place, body["id"], on_error, heartbeat=not disable_heartbeat)
        event = session.write_first(body, save_files)
        if not quiet:
            _announce(place, body, stopped)
        state = ExperimentState(
            body["id"],
            {"time": now_text()} | event,
            session.id,
            name=body.get("name"),
            tags=tuple(body.get("tags", ())),
            notes=body.get("notes"),
        )
        state.sessions[session.id] = SessionState(session.id)
        return Experiment(place, state, session=session)

    def get(self, experiment_id: str | None = None, *, experiment_id_prefix: str | None = None) -> Experiment:
        """Return one experiment.

        Args:
            experiment_id: its id, or an unambiguous beginning of it of at least three digits.
            experiment_id_prefix: the same, as scripts for Keepsake 0.x name it.

        Raises:
            NotFoundError: there is none.
            AmbiguousPrefixError: several ids begin so; they are listed.
            InvalidInputError: it has fewer than three digits, or is no string.
            ConfigNotFoundError: there is no repository.
        """
        prefix = experiment_id if experiment_id is not None else experiment_id_prefix
        if prefix is None:
            raise InvalidInputError("get() needs the id of an experiment, or its beginning")
        found = {one.id: one for one in self.find([prefix])[prefix]}
        if not found:
            raise absent_id(self, prefix, noun="experiment")
        return found[resolve_prefix(prefix, found, noun="experiment")]

    def get_checkpoint(self, checkpoint_id: str) -> Checkpoint:
        """Return the checkpoint of any experiment whose id is, or begins with, `checkpoint_id`. Errors as in `get`."""
        found = {one.id: one for one in self.find_checkpoints([checkpoint_id])[checkpoint_id]}
        if not found:
            raise absent_id(self, checkpoint_id, noun="checkpoint")
        return found[resolve_prefix(checkpoint_id, found, noun="checkpoint")]

    def for_one_operation(self) -> ExperimentCollection:
        """Return the same experiments, for several looks at them that make one operation."""
        return ExperimentCollection(OnePlace(self._project))

    def find(self, prefixes: Iterable[str]) -> dict[str, list[Experiment]]:
        """Return the experiments whose ids begin so, for each of the prefixes.

        Raises:
            InvalidInputError: one cannot begin an id, or has fewer than three digits.
            ConfigNotFoundError: there is no repository.
        """
        digits = {prefix: check_prefix(prefix, noun="experiment") for prefix in prefixes}
        place = self._project.find_place()
        repository = self._open(place)
        found: dict[str, list[Experiment]] = {}
        for prefix, wanted in digits.items():
            found[prefix] = [Experiment(place, state) for state in repository.find_experiments(wanted)]
        _tell_of_unseen(place)
        return found

    def find_checkpoints(self, prefixes: Iterable[str]) -> dict[str, list[Checkpoint]]:
        """Return the checkpoints whose ids begin so, for each of the prefixes. Errors as in `find`."""
        digits = {prefix: check_prefix(prefix, noun="checkpoint") for prefix in prefixes}
        place = self._project.find_place()
        states = self._open_catalog(place).find_checkpoints(list(digits.values()))
        checkpoints = [one for state in states for one in Experiment(place, state).checkpoints]
        return {prefix: [one for one in checkpoints if one.id.startswith(wanted)] for prefix, wanted in digits.items()}

    def list(
        self,
        filter: ExperimentFilter | str | Sequence[str] | None = None,  # noqa: A002 (the name of the API)
        sort: str | None = None,
        limit: int | None = None,
    ) -> ExperimentList:
        """Return the experiments of the repository, oldest first, as they are now.

        Args:
            filter: which ones: an expression such as `"params.lr < 0.01 and status = finished"`, several that must all
                hold, or a function of an experiment. One for which the function raises is left out, with one warning
                for all of them. `docs/filters.md` describes the language.
            sort: what to order them by: `"best.accuracy-desc"`, or several names separated by commas.
            limit: at most so many: the newest, or with `sort` the first.

        Raises:
            ConfigNotFoundError: there is no repository.
            InvalidInputError: an argument cannot be used, or no experiment has anything under a name to sort by.
        """
        expressions, keep = _check_filter(filter)
        if sort is not None and not isinstance(sort, str):
            raise InvalidInputError(f"sort must be a string, not {sort!r}", hint='for example sort="best.loss"')
        if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 1):
            raise InvalidInputError(f"limit must be a whole number of at least 1, not {limit!r}")
        query = None
        if expressions or sort is not None:
            from keepsake._catalog.query import Query

            query = Query.parse(expressions, sort, datetime.now(timezone.utc))
        place = self._project.find_place()
        listing = self._open_catalog(place).list_experiments(
            query, limit=limit if keep is None else None, find_running=functools.partial(_find_running, place)
        )
        _report(listing)
        _tell_of_unseen(place)
        experiments = ExperimentList(Experiment(place, state) for state in listing.experiments)
        if keep is None:
            return experiments
        kept = ExperimentList(_filtered(experiments, keep))
        if limit is None:
            return kept
        return kept[:limit] if sort is not None else kept[-limit:]

    def to_dataframe(self) -> DataFrame:
        """Return a pandas DataFrame with a row an experiment."""
        return self.list().to_dataframe()

    def _open(self, place: Place) -> Repository:
        return _open_repository(self._project, place)

    def _open_catalog(self, place: Place) -> Catalog:
        return _open_catalog(self._open(place))

    def __repr__(self) -> str:
        return f"ExperimentCollection({self._project!r})"

    def _repr_html_(self) -> str:
        from keepsake._analysis.html import error_html

        try:
            return self.list()._repr_html_()
        except KeepsakeError as error:
            return str(error_html(error))


def open_snapshot(project: FindsPlace) -> Snapshot:
    """Return all experiments of a project as columns, to look at again and again; empty until it is refreshed.

    Raises:
        ConfigNotFoundError: there is no repository.
    """
    from keepsake._catalog.snapshot import Snapshot

    place = project.find_place()
    return Snapshot(_open_catalog(_open_repository(project, place)), functools.partial(_find_running, place))


def open_curves(project: FindsPlace) -> CurveReader:
    """Return what reads the measurements of a project's experiments as arrays.

    It knows the experiments that there were when the catalog was brought up to date last, by a listing or a snapshot.

    Raises:
        ConfigNotFoundError: there is no repository.
    """
    from keepsake._catalog.curves import CurveReader
    from keepsake._catalog.measurementcache import MeasurementCache

    repository = _open_repository(project, project.find_place())
    catalog = _open_catalog(repository)
    try:
        directory = private_directory(cache_directory(os.environ) / "measurements")
    except ConfigError:
        return CurveReader(repository, catalog.path)
    return CurveReader(repository, catalog.path, MeasurementCache(directory, f"{repository.id} {repository.store.url}"))


def find_known_snapshot(project: FindsPlace) -> Snapshot | None:
    """Return the snapshot of a repository that this machine has seen before, to read what it knew then, without a look.

    None when it has not.
    """
    from keepsake._catalog.catalog import find_repository_id
    from keepsake._catalog.snapshot import Snapshot

    place, directory = project.find_place(), _catalog_directory()
    known = find_repository_id(place.store.url, directory) if directory is not None else None
    if known is None:
        return None
    return Snapshot(_open_catalog(place.assume_repository(known)), lambda sessions: ())  # noqa: ARG005 (nobody is asked)


def _open_repository(project: FindsPlace, place: Place) -> Repository:
    try:
        return place.look_for_repository()
    except NotFoundError:
        raise project.describe_absence() from None


def _open_catalog(repository: Repository) -> Catalog:
    from keepsake._catalog.catalog import Catalog

    return Catalog(repository, _catalog_directory())


def _catalog_directory() -> Path | None:
    try:
        return private_directory(cache_directory(os.environ) / "catalogs")
    except ConfigError:
        return None  # a machine that keeps nothing: everything is read each time


def absent_id(experiments: ExperimentCollection, prefix: str, *, noun: str) -> NotFoundError:
    """Make the error for a beginning that no id of a `noun` has, with what may have been meant."""
    return NotFoundError(
        f"no {noun} has an id that starts with {prefix!r}",
        hint=f"{_what_was_meant(experiments, prefix, noun)}"
        "`keepsake ls` shows the experiments, `keepsake show ID` the checkpoints of one",
    )


def _what_was_meant(experiments: ExperimentCollection, prefix: str, noun: str) -> str:
    if noun == "checkpoint" and experiments.find([prefix])[prefix]:
        return "that is an experiment; "
    if noun == "experiment":
        owners = sorted({short_id(one.experiment_id) for one in experiments.find_checkpoints([prefix])[prefix]})
        if len(owners) == 1:
            return f"that is a checkpoint of experiment {owners[0]}; "
    near = [short_id(one) for one in ids_nearest(prefix, (one.id for one in experiments.list()))][:_CANDIDATES]
    return f"did you mean {' or '.join(near)}? " if near else ""


def _begin_session(place: Place, experiment_id: str, on_error: Literal["warn", "raise"], *, heartbeat: bool) -> Session:
    from keepsake._tracking.session import Session

    repository = place.open_home(create=True)
    _finish_others(place, repository)
    return Session(
        repository,
        experiment_id,
        locks=place.locks,
        open_staging=place.open_staging,
        exit_timeout_s=place.exit_timeout_s,
        dispatcher=place.dispatcher,
        on_error=on_error,
        heartbeat=heartbeat,
    )


def _announce(place: Place, body: Mapping[str, Any], stopped: Sequence[str]) -> None:
    """Say what runs, unless nothing is saved of it."""
    from keepsake._tracking.announcement import Announcement

    if place.is_disabled:
        notice_once("KEEPSAKE_MODE is disabled: nothing is saved")
        return
    if body["environment"]["git"] is None:
        from keepsake._tracking.git import why_unknown

        reason = why_unknown(place.directory)
        if reason:
            notice_once(f"no commit is recorded with the experiment, since {reason}")
    if place.is_default:
        remark = f"no keepsake.yaml found: {place.directory} is the project, .keepsake in it the repository"
    else:
        remark = ""
    where = place.store.url
    if place.delivers_to is not None:
        where = f"this machine; `keepsake push` delivers it to {place.delivers_to}"
    Announcement(
        experiment_id=body["id"],
        name=body.get("name"),
        where=where,
        remark=remark,
        stopped=stopped,
        notebook=find_notebook(body["environment"]),
    ).make()


def _check_filter(wanted: object) -> tuple[Sequence[str], ExperimentFilter | None]:
    """Return the expressions and the function that a filter consists of."""
    if wanted is None:
        return (), None
    if isinstance(wanted, str):
        return (wanted,), None
    if callable(wanted):
        return (), wanted
    if isinstance(wanted, (list, tuple)) and all(isinstance(one, str) for one in wanted):
        return wanted, None
    raise InvalidInputError(
        f"filter must be an expression, a list of them, or a function of an experiment, not {wanted!r}",
        hint='for example filter="params.lr < 0.1", or filter=lambda experiment: experiment.params["lr"] < 0.1',
    )


def _find_running(place: Place, sessions: Mapping[str, Sequence[str]]) -> set[str]:
    """Return the experiments of which a session lives, of those whose sessions have not all said that they ended."""
    heartbeats = list_heartbeats(place.open_repository().store)
    return {
        experiment_id
        for experiment_id, unfinished in sessions.items()
        if any(is_alive(session_id, heartbeats, place.locks) for session_id in unfinished)
    }


def _report(listing: CatalogListing) -> None:
    """Say what a listing could not read, and what nothing is known by."""
    if listing.problems:
        error = listing.problems[0][1]
        more = f" (and {len(listing.problems) - 1} more)" if len(listing.problems) > 1 else ""
        warn(f"a part of the repository cannot be read: {error}{more}; `keepsake check` lists everything")
    for name, near in listing.unknown:
        suggestion = f"; did you mean {' or '.join(near)}?" if near else ""
        notice(f"no experiment has {name!r}, which the filter speaks of{suggestion}")


def _tell_of_unseen(place: Place) -> None:
    """Say which experiments have more than is shown, since the disk of the repository failed or was full."""
    unseen = place.unseen_experiments()
    if unseen:
        named = ", ".join(map(short_id, unseen[:_NAMED]))
        more = f" and {len(unseen) - _NAMED} more" if len(unseen) > _NAMED else ""
        where = f"waits in {place.staging}, since it could not be written"
        notice_once(f"of {named}{more}, more {where}; `keepsake push` delivers it")


def _filtered(experiments: Iterable[Experiment], keep: ExperimentFilter) -> Iterator[Experiment]:
    failures: list[tuple[str, Exception]] = []
    for experiment in experiments:
        try:
            if keep(experiment):
                yield experiment
        except Exception as error:  # noqa: BLE001 (somebody else's function; it is reported below)
            failures.append((experiment.short_id(), error))
    if failures:
        first, reason = failures[0]
        which = f"{len(failures)} experiments, which are" if len(failures) > 1 else "an experiment, which is"
        warn(f"the filter failed for {which} left out; first for {first}: {type(reason).__name__}: {reason}")


def _circumstances(place: Place) -> dict[str, Any]:
    from keepsake._tracking.environment import record_environment

    return {
        "project": place.directory.name,
        "environment": record_environment(place.directory),
        "keepsake_version": __version__,
    }


def _finish_others(place: Place, repository: Repository) -> None:
    """Have done what processes that died on this machine left to do: by the courier, or here where there is none.

    Failing is no error: the next process tries again.
    """
    if place.dispatcher is not None and place.dispatcher.ensure():
        return
    from keepsake._tracking.delivery import Delivery
    from keepsake._tracking.recovery import mark_lost_sessions

    try:
        Delivery(repository, place.staging, place.locks).deliver()
        mark_lost_sessions(repository, place.locks)
    except KeepsakeError as error:
        warn(f"what an earlier process left behind could not be finished: {error}")


def _stop_others_in_notebook() -> list[str]:
    """Finish the experiments before this one in a notebook, which has one at a time, and return their ids."""
    from keepsake._tracking.ending import tracked
    from keepsake._tracking.notebook import in_notebook

    if not in_notebook():
        return []
    sessions = tracked()
    for session in sessions:
        session.stop("finished")
    return [session.experiment_id for session in sessions]
