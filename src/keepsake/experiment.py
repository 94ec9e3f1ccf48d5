"""An experiment: one run of a program, while it goes on or as it was saved."""

from __future__ import annotations

import contextlib
import importlib
import operator
import os
import threading
import weakref
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, SupportsIndex, TypeAlias

from keepsake._model.annotations import check_tags, check_text
from keepsake._model.events import Body, ExperimentState, SessionState, open_sessions, references
from keepsake._model.facts import ExperimentFacts
from keepsake._model.ids import short_id
from keepsake._model.times import LocalTime, now_text
from keepsake._model.values import Value, to_metrics
from keepsake._repository.heartbeat import list_heartbeats
from keepsake._repository.repository import Repository
from keepsake._tracking.liveness import Status, experiment_error, experiment_status
from keepsake._tracking.place import Place
from keepsake.checkpoint import Checkpoint, Origin, PrimaryMetric, checkpoint_json
from keepsake.checkpointlist import CheckpointList, best_checkpoint, only_primary_metric
from keepsake.errors import FileNotSavedError, InvalidInputError, KeepsakeError, NotFoundError
from keepsake.notices import warn

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from matplotlib.axes import Axes

    from keepsake._analysis.compare import Subject
    from keepsake._analysis.diff import Diff
    from keepsake._tracking.session import Session
    from keepsake.checkout import Checkout
    from keepsake.comparison import Comparable, SnapshotFiles

NewEvent: TypeAlias = dict[str, Any]
_STEP_LIMIT = 1 << 63

KEPT_LOGS = 10_000
"""So many of the last logged metrics, and at most twice that, are kept while an experiment is written to: some 6 MB. A
run of weeks logs a gigabyte, which is read again when somebody asks for it."""


@dataclass(frozen=True)
class LogEntry:
    """Metrics that were logged between checkpoints."""

    created: datetime
    step: int | None
    metrics: dict[str, Value]


class Experiment(ExperimentFacts):
    """One run of a training script.

    It is what `keepsake.init()` returns, to add checkpoints to, and what `experiments.get()` and `list()` return, to
    look at. Two of them are equal when their ids are.
    """

    def __init__(self, place: Place, state: ExperimentState, *, session: Session | None = None) -> None:
        self._place = place
        self._session = session
        self._lock = threading.RLock()
        self._state = state
        self._lacks_logs = False
        """Whether the state has only the last of what was logged."""
        self._checkpoints: CheckpointList | None = None
        if session is not None:
            _written[id(self)] = self

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what belongs to this process; another one that gets it goes on in a session of its own."""
        return self.__dict__ | {"_session": None, "_lock": None, "_checkpoints": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__ |= state
        self._lock = threading.RLock()

    def _load(self, state: ExperimentState, *, lacks_logs: bool = False) -> None:
        with self._lock:
            if self._session is not None and not self._session.is_at_home:
                known = {body["id"] for body in state.checkpoints}
                state.checkpoints += [body for body in self._state.checkpoints if body["id"] not in known]
            if self._session is not None:
                self._add_logs(state)
            self._state = state
            self._lacks_logs = lacks_logs
            self._checkpoints = None

    def _add_logs(self, state: ExperimentState) -> None:
        """Add to a state what is known besides: another thread may have logged since it was read."""
        times = {body["time"] for body in state.logs}
        state.logs += [body for body in self._state.logs if body["time"] not in times]

    # What people call it

    @property
    def name(self) -> str | None:
        """What its user calls it. May be set, now or later."""
        return self._state.name

    @name.setter
    def name(self, name: str | None) -> None:
        self._annotate(name=check_text("name", name))

    @property
    def notes(self) -> str | None:
        """Free text about it. May be set."""
        return self._state.notes

    @notes.setter
    def notes(self, notes: str | None) -> None:
        self._annotate(notes=check_text("notes", notes))

    @property
    def tags(self) -> tuple[str, ...]:
        """Words to find it by. May be set to any list of strings."""
        return self._state.tags

    @tags.setter
    def tags(self, tags: Iterable[str]) -> None:
        self._annotate(tags=check_tags(tags))

    # How it stands

    @property
    def status(self) -> Status:
        """How it stands: `running`, or how it ended.

        `finished`, `failed` (see `error`), `interrupted` (Ctrl-C), `lost` (it ended without a word) or `stopped`
        (written by Keepsake 0.x, which did not record how an experiment ended).

        Of an experiment that ran when it was read, the repository is asked again.
        """
        if self._session is not None and self._session.is_open:
            return "running"
        if not open_sessions(self._state):
            return experiment_status(self._state, {}, self._place.locks)
        repository = self._repository
        heartbeats = list_heartbeats(repository.store, self.id)
        # What ended since then has said how; of one that was deleted, what was read last is all there is.
        with contextlib.suppress(NotFoundError):
            self._load(repository.load_experiment(self.id))
        return experiment_status(self._state, heartbeats, self._place.locks)

    def is_running(self) -> bool:
        """Say whether some process is working on it."""
        return self.status == "running"

    @property
    def error(self) -> Mapping[str, str] | None:
        """Type and message of the exception that ended it, when it failed."""
        return experiment_error(self._state)

    @property
    def duration(self) -> timedelta | None:
        """Time between its beginning and its latest checkpoint; None without a checkpoint."""
        latest = self.latest()
        return latest.created - self.created if latest is not None else None

    def short_id(self) -> str:
        """Return the first seven digits of the id."""
        return short_id(self.id)

    # Checkpoints

    @property
    def checkpoints(self) -> CheckpointList:
        """Its checkpoints, in the order in which they were saved."""
        with self._lock:
            if self._checkpoints is None:
                origin = self._origin()
                bodies = self._state.checkpoints
                self._checkpoints = CheckpointList([Checkpoint(body, origin) for body in bodies], label=self._label())
            return self._checkpoints

    @property
    def logs(self) -> list[LogEntry]:
        """The metrics that were logged between checkpoints."""
        if self._lacks_logs:
            try:
                read = self._repository.load_experiment(self.id)
            except KeepsakeError as failure:
                warn(f"only the last of what experiment {self.short_id()} logged is at hand: {failure}")
            else:
                with self._lock:
                    self._add_logs(read)
                    self._state.logs, self._lacks_logs = read.logs, False
        with self._lock:
            bodies = [*self._state.logs]
        return [
            LogEntry(LocalTime.from_text(body["time"]), body.get("step"), body.get("metrics") or {}) for body in bodies
        ]

    def latest(self) -> Checkpoint | None:
        """Return the latest checkpoint, None without one."""
        if self._checkpoints is None:
            return self._checkpoint_of(self._state.latest_checkpoint())
        return self._checkpoints[-1] if self._checkpoints else None

    def best(self) -> Checkpoint | None:
        """Return the best checkpoint by the primary metric: the earliest of equals, None without a primary metric."""
        if self._checkpoints is None:
            return self._checkpoint_of(self._state.best_checkpoint())
        return best_checkpoint(self._checkpoints)

    def primary_metric(self) -> str:
        """Return the name of the primary metric. Raises `InvalidInputError` when there is none, or several."""
        from keepsake._analysis.history import metric_names

        names = {one.primary_metric.name for one in self.checkpoints if one.primary_metric is not None}
        return only_primary_metric(names, find_known=lambda: metric_names(self))

    # Writing

    def checkpoint(
        self,
        path: str | os.PathLike[str] | None = None,
        step: int | None = None,
        metrics: Mapping[str, object] | None = None,
        primary_metric: tuple[str, str] | None = None,
        quiet: bool = False,
        **more_metrics: object,
    ) -> Checkpoint:
        """Save a checkpoint. When this returns, what it saved survives the death of this process.

        Args:
            path: a file or directory to save, relative to the project directory; nothing is saved when None.
            step: its number; by default one more than that of the last checkpoint.
            metrics: what was measured, by name.
            primary_metric: name of the metric that decides what is best, and "maximize" or "minimize".
            quiet: whether to say nothing about files that could not be read.
            **more_metrics: recorded like `metrics`.

        Raises:
            InvalidInputError: an argument cannot be used; nothing was saved.
            KeepsakeError: saving failed, and the experiment was created with `on_error="raise"`. Otherwise a failure is
                a warning, and the data is kept and tried again.
        """
        body: NewEvent = {"metrics": to_metrics(metrics, more_metrics)}
        number = _check_step(step)
        if primary_metric is not None:
            body["primary_metric"] = PrimaryMetric.parse(primary_metric)._asdict()
        save_files = None
        if path is not None:
            from keepsake._tracking.files import FoundFiles

            files = FoundFiles(self._place, path)
            body["path"] = files.path
            save_files = files.saver(quiet=quiet)
        event = self._remember(self._writing_session().save_checkpoint(body, number, save_files))
        checkpoint = Checkpoint(event, self._origin())
        with self._lock:
            self.checkpoints.append(checkpoint)
            self._state.checkpoints.append(event)
        return checkpoint

    def log(self, metrics: Mapping[str, object] | None = None, step: int | None = None, **more_metrics: object) -> None:
        """Record metrics between checkpoints.

        Args:
            metrics: what was measured, by name.
            step: the number of the step that it was measured at.
            **more_metrics: recorded like `metrics`.

        Raises:
            InvalidInputError: an argument cannot be used; nothing was recorded.
        """
        body: NewEvent = {"type": "log", "metrics": to_metrics(metrics, more_metrics)}
        number = _check_step(step)
        if number is not None:
            body["step"] = number
        event = self._remember(self._writing_session().write(body))
        with self._lock:
            logs = self._state.logs
            logs.append(event)
            if len(logs) > 2 * KEPT_LOGS:
                del logs[:-KEPT_LOGS]
                self._lacks_logs = True

    def stop(self) -> None:
        """End the experiment: it is `finished`, and all that was saved is on disk, compact. Twice is no error.

        A script need not call this: its end does it. In a notebook, the next `keepsake.init()` does, or the end of the
        kernel.

        Ctrl-C ends the waiting and loses nothing; it is raised, so that a loop over many experiments ends as well.
        """
        self._stop("finished", None)

    def _stop(self, status: str, error: Mapping[str, str] | None) -> None:
        session = self._session
        if session is None or not session.is_open:
            return
        session.stop(status, error)
        if session.is_deleted:
            return
        try:
            lacks_logs = self._lacks_logs
            state = self._repository.load_experiment(self.id, with_logs=not lacks_logs)
            self._load(state, lacks_logs=lacks_logs)
        except KeepsakeError as failure:
            warn(f"experiment {self.short_id()} was stopped, but not read back: {failure}")

    def __enter__(self) -> Experiment:  # noqa: PYI034 (typing.Self is of Python 3.11)
        """Return the experiment; leaving the block stops it."""
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        from keepsake._tracking.ending import status_of_exception

        try:
            self._stop(*status_of_exception(error))
        except KeyboardInterrupt:
            if not isinstance(error, KeyboardInterrupt):
                raise
            # The first Ctrl-C leaves the block already; another one only ends the waiting.

    def delete(self) -> None:
        """Delete the experiment with its checkpoints, for good.

        Raises:
            NotFoundError: it was deleted already.
        """
        repository = self._repository
        repository.check_writable()
        state = repository.load_experiment(self.id)
        if self._session is not None:
            self._session.is_deleted = True
            self._session.stop("finished")
        from keepsake._tracking.recovery import append_event

        append_event(self._place.writable_store(), self.id, {"type": "delete"}, after=state.last_time)

    def _annotate(self, **changes: Any) -> None:
        body: NewEvent = {"type": "annotate", **changes}
        if self._session is not None and self._session.is_open:
            self._session.write(body)
        else:
            from keepsake._tracking.recovery import append_event

            append_event(self._place.writable_store(), self.id, body, after=self._state.last_time)
        self._state.name = changes.get("name", self._state.name)
        self._state.notes = changes.get("notes", self._state.notes)
        self._state.tags = tuple(changes.get("tags", self._state.tags))

    def _writing_session(self) -> Session:
        if self._session is None:
            _written[id(self)] = self
        with self._lock:
            if self._session is None:
                self._repository.check_writable()
                # Others may have written since this was read; what this session writes comes later than all of it.
                state = self._repository.load_experiment(self.id)
                last_step = max((body.get("step") or 0 for body in state.checkpoints), default=-1)
                from keepsake._tracking.session import Session

                self._session = Session(
                    self._place.open_home(),
                    self.id,
                    after=state.last_time,
                    next_step=last_step + 1,
                    locks=self._place.locks,
                    open_staging=self._place.open_staging,
                    exit_timeout_s=self._place.exit_timeout_s,
                    dispatcher=self._place.dispatcher,
                )
            return self._session

    def _remember(self, event: NewEvent) -> NewEvent:
        """Make an event that was just written one as it is read, and know of its session, which may be a new one."""
        session = self._session
        if session is not None and session.is_open:
            self._state.sessions.setdefault(session.id, SessionState(session.id))
        event.setdefault("time", now_text())
        return event

    # Reading

    def refresh(self) -> None:
        """Read again what the repository says of this experiment, also what other processes wrote meanwhile."""
        self._load(self._repository.load_experiment(self.id))

    def checkout(
        self,
        output_directory: str | os.PathLike[str],
        quiet: bool = False,
        *,
        path: str | os.PathLike[str] | None = None,
    ) -> None:
        """Copy its files and, over them, those of its best checkpoint (else the latest) to a directory.

        Arguments and errors are those of `Checkpoint.checkout`.
        """
        self.plan_checkout(output_directory, path=path).run(quiet=quiet)

    def plan_checkout(
        self, output_directory: str | os.PathLike[str], *, path: str | os.PathLike[str] | None = None
    ) -> Checkout:
        """Return what `checkout` would do: `.overwrites`, `.unchanged`, and `.run()` to do it. Errors as there."""
        checkpoint = self.best() or self.latest()
        if checkpoint is not None:
            return checkpoint.plan_checkout(output_directory, path=path)
        from keepsake.checkout import Checkout

        digests = references(self._state.created)
        if not digests:
            raise FileNotSavedError(
                f"experiment {self.short_id()} has no files", hint="pass path= to keepsake.init() to save some"
            )
        from keepsake._tracking.files import project_path

        only = None if path is None else project_path(path)
        what = f"experiment {self.short_id()}"
        return Checkout(self._repository, digests, output_directory, only=only, what=what)

    def diff(self, *others: Comparable, only: str | Sequence[str] | None = None, show_all: bool = False) -> Diff:
        """Compare it with other experiments or checkpoints; see `Checkpoint.diff`.

        Of an experiment, the metrics and files of its best checkpoint count, else of its latest.
        """
        from keepsake.comparison import compare_things

        return compare_things([self, *others], only=only, show_all=show_all)

    def to_subject(self) -> Subject:
        """Return what `diff` compares of it."""
        from keepsake.comparison import make_subject

        best = self.best()
        checkpoint = best or self.latest()
        body = next((one for one in self._state.checkpoints if checkpoint and one["id"] == checkpoint.id), None)
        chosen: Literal["best", "latest"] = "latest" if best is None else "best"
        return make_subject(
            self._repository, self._state, body, chosen=chosen if body is not None else None, status=self.status
        )

    def plot(self, metric: str | None = None, logy: bool = False, plot_only: bool = False) -> Axes:
        """Draw one metric, of its checkpoints and of what was logged between them; see `CheckpointList.plot`."""
        if not self.logs:
            return self.checkpoints.plot(metric, logy, plot_only)
        from keepsake._analysis.plot import plot_experiments

        return plot_experiments([self], metric or self.primary_metric(), logy=logy)

    def manifests(self) -> set[str]:
        """Return the digests of all manifests that it refers to: its own and those of its checkpoints."""
        bodies = [self._state.created, *self._state.checkpoints]
        return {digest for body in bodies for digest in references(body)}

    def saved_files(self) -> SnapshotFiles:
        """Return the files that were saved when it began, to list and open."""
        from keepsake.comparison import SnapshotFiles

        return SnapshotFiles(self._repository, references(self._state.created))

    def to_json(self, *, with_checkpoints: bool = True) -> dict[str, Any]:
        """Return everything about it as a dictionary that the `json` module can write."""
        document = {
            "id": self.id,
            "created": self._state.created["time"],
            "name": self.name,
            "tags": list(self.tags),
            "notes": self.notes,
            "status": self.status,
            "error": dict(self.error) if self.error is not None else None,
            "project": self.project,
            "params": self.params,
            "path": self.path,
            "environment": dict(self.environment),
            "keepsake_version": self.keepsake_version,
        }
        if with_checkpoints:
            document["checkpoints"] = [checkpoint_json(body) for body in self._state.checkpoints]
        return document

    @property
    def _repository(self) -> Repository:
        return self._place.open_repository()

    def _origin(self) -> Origin:
        return Origin(self._repository, self.id, tuple(references(self._state.created)), self.command)

    def _checkpoint_of(self, body: Body | None) -> Checkpoint | None:
        return Checkpoint(body, self._origin()) if body is not None else None

    def _label(self) -> str:
        return self.name or self.short_id()

    def __repr__(self) -> str:
        from keepsake._analysis.text import experiment_text

        return experiment_text(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Experiment) and self.id == other.id

    def __hash__(self) -> int:
        return hash(self.id)

    def _repr_html_(self) -> str:
        from keepsake._analysis.experimenthtml import experiment_html

        return str(experiment_html(self))


_written: weakref.WeakValueDictionary[int, Experiment] = weakref.WeakValueDictionary()
"""What this process writes to. By `id()`: several that are equal may be among them."""


def _after_fork_in_child() -> None:
    """Make their locks anew: a thread of the parent may hold one, which the child does not have."""
    for experiment in list(_written.values()):
        experiment._lock = threading.RLock()  # noqa: SLF001 (of this module)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)


def __getattr__(name: str) -> Any:
    """Give out what scripts for Keepsake 0.x import from here; it lives a layer above."""
    homes = {"ExperimentList": "keepsake.experimentlist", "ExperimentCollection": "keepsake.collection"}
    if name in homes:
        return getattr(importlib.import_module(homes[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _check_step(step: object) -> int | None:
    if step is None:
        return None
    if isinstance(step, bool) or not isinstance(step, SupportsIndex):
        raise InvalidInputError(f"step must be a whole number, not {step!r}")
    try:
        number = operator.index(step)
    except TypeError as error:  # arrays say that they have an index, whatever they hold
        raise InvalidInputError(f"step must be a whole number, not {step!r}") from error
    if not -_STEP_LIMIT <= number < _STEP_LIMIT:
        raise InvalidInputError("step must be a whole number of at most 64 bits", hint="count epochs or batches")
    return number
