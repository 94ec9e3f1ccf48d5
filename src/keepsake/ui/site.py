"""What is served: one project, whose repository is opened once, and all of its experiments in memory."""

from __future__ import annotations

import contextlib
import functools
import threading
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from keepsake._catalog.snapshot import Changes, State
from keepsake._model.ids import check_prefix
from keepsake._repository.repository import Repository
from keepsake._tracking.place import Place
from keepsake._tracking.secrets import mask_url
from keepsake.checkpoint import Checkpoint
from keepsake.collection import ExperimentCollection, find_known_snapshot, open_curves, open_snapshot
from keepsake.errors import AmbiguousPrefixError, KeepsakeError, NotFoundError
from keepsake.experiment import Experiment
from keepsake.project import Project
from keepsake.stores.base import AppendStore
from keepsake.ui.extremes import Extremes
from keepsake.ui.table import EncodedTable, Table
from keepsake.ui.upkeep import Upkeep

if TYPE_CHECKING:
    from keepsake._catalog.curves import CurveReader
    from keepsake._repository.usage import Usage
    from keepsake.ui.saved import SavedFiles

WARM_UP_PAUSE_S = 1.0
"""Between having the first answer ready and making the later ones quick: the page that was just opened goes first."""
RECENT_S = 1.0
"""How long what was seen of the repository counts as now while somebody types."""
FILES_KEPT = 16
"""Lists of saved files that are remembered."""


class OpenProject(Project):
    """A project that is found once, its repository opened once, and its experiments looked for in memory."""

    _place: Place | None = None

    def find_place(self) -> Place:
        """Return the places that were found first."""
        if self._place is None:
            self._place = super().find_place()
        return self._place

    @functools.cached_property
    def upkeep(self) -> Upkeep:
        """Keeps the experiments up to date."""
        is_remote = not isinstance(self.find_place().store, AppendStore)
        return Upkeep(
            lambda: open_snapshot(self),
            lambda: find_known_snapshot(self) if is_remote else None,
            lambda: None if is_remote else self._check_repository(),
            is_remote=is_remote,
        )

    def _check_repository(self) -> None:
        """Raise `ConfigNotFoundError` when the repository is gone from its disk, or its disk is."""
        try:
            Repository.open(self.find_place().store)
        except NotFoundError:
            raise self.describe_absence() from None

    @property
    def experiments(self) -> KnownCollection:
        """The experiments of this project."""
        return KnownCollection(self)


class KnownCollection(ExperimentCollection):
    """The experiments of a project, looked for in what is kept up to date of them, and not in the repository.

    Args:
        project: whose they are.
    """

    def __init__(self, project: OpenProject) -> None:
        super().__init__(project)
        self._place = project.find_place()
        self._upkeep = project.upkeep

    def for_one_operation(self) -> KnownCollection:
        """Return this: its place was found once."""
        return self

    def find(self, prefixes: Iterable[str]) -> dict[str, list[Experiment]]:
        """Return the experiments whose ids begin so, for each of the prefixes; errors as of `ExperimentCollection`."""
        prefixes = list(prefixes)
        digits = {prefix: check_prefix(prefix, noun="experiment") for prefix in prefixes}
        state = self._upkeep.refresh()
        if self._upkeep.path is None:
            return super().find(prefixes)  # a machine that keeps nothing
        return {prefix: self._load(state.find_ids(wanted)) for prefix, wanted in digits.items()}

    def find_checkpoints(self, prefixes: Iterable[str]) -> dict[str, list[Checkpoint]]:
        """Return the checkpoints whose ids begin so, for each of the prefixes; errors as of `ExperimentCollection`."""
        prefixes = list(prefixes)
        digits = {prefix: check_prefix(prefix, noun="checkpoint") for prefix in prefixes}
        state = self._upkeep.refresh()
        if self._upkeep.path is None:
            return super().find_checkpoints(prefixes)
        return {
            prefix: [
                checkpoint
                for experiment in self._load(state.find_with_checkpoint(wanted))
                for checkpoint in experiment.checkpoints
                if checkpoint.id.startswith(wanted)
            ]
            for prefix, wanted in digits.items()
        }

    def _load(self, experiment_ids: list[str]) -> list[Experiment]:
        return [Experiment(self._place, state) for state in self._upkeep.load(experiment_ids)]


class Site:
    """A project as it is served. All methods may be called by several threads at once.

    Args:
        project: which one.

    Raises:
        ConfigError: its configuration is wrong.
    """

    def __init__(self, project: Project) -> None:
        self.project = OpenProject(project.repository, project.directory)
        self.upkeep = self.project.upkeep
        self._table = Table()
        self._curves: CurveReader | None = None
        self.extremes = Extremes(lambda: self.curves)
        self._usage: tuple[str, Usage] | None = None
        self._measuring = threading.Lock()
        self.computing = threading.Lock()
        """Held while curves are computed: of threads that share an interpreter none would be done early."""
        self._saved: dict[str, tuple[str, str | None, SavedFiles]] = {}
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """The name of the project directory; where only a repository was named, the last part of its URL."""
        place = self.project.find_place()
        if self.project.repository is None or self.project.directory is not None:
            return place.directory.name
        url = urlsplit(place.store.url)
        parts = [part for part in unquote(url.path).split("/") if part not in ("", ".keepsake")]
        return parts[-1] if parts else url.netloc

    @property
    def repository_url(self) -> str:
        """The URL of the repository, without credentials."""
        return mask_url(self.project.find_place().store.url)

    @property
    def curves(self) -> CurveReader:
        """What all experiments have measured; opened when it is first asked for."""
        with self._lock:
            if self._curves is None:
                self._curves = open_curves(self.project)
            return self._curves

    def find_experiment_ids(self, prefixes: Iterable[str]) -> dict[str, str]:
        """Return the whole id for each beginning of one, without those that fit no experiment.

        Raises:
            InvalidInputError: one cannot begin an id.
            AmbiguousPrefixError: one fits several ids.
        """
        wanted = list(prefixes)
        found = _find_ids(self.upkeep.state, wanted)
        if len(found) < len(wanted):
            # Some may have begun since somebody looked.
            found |= _find_ids(self.refresh(), [prefix for prefix in wanted if prefix not in found])
        return found

    def open(self) -> None:
        """Open the repository, unless that takes a network. Raises `ConfigNotFoundError` when there is none."""
        self.upkeep.open()

    def refresh(self) -> State:
        """Return all experiments as they are now; of a repository in a bucket, as they were a few seconds ago.

        Raises:
            ConfigNotFoundError: there is no repository.
            StoreError: it cannot be read.
        """
        return self.upkeep.refresh()

    def recall(self) -> State:
        """Return all experiments as they were a moment ago, for who asks again at every key; errors as of `refresh`."""
        return self.upkeep.recall(RECENT_S)

    def encode(self, state: State) -> EncodedTable:
        """Return all experiments as JSON."""
        return self._table.encode(state, self.upkeep.path)

    def encode_changes(self, state: State, changes: Changes) -> dict[str, Any]:
        """Return what has changed as a document."""
        return self._table.changes(state, changes)

    def warm_up(self) -> None:
        """Make the first answers ready in the background."""
        threading.Thread(target=self._warm_up, daemon=True).start()

    def _warm_up(self) -> None:
        with contextlib.suppress(KeepsakeError):  # who asks is told
            self.encode(self.refresh())
            time.sleep(WARM_UP_PAUSE_S)
            self.refresh().columns  # noqa: B018 (decodes them all)

    def get(self, identifier: str) -> Experiment | Checkpoint:
        """Return the experiment or checkpoint whose id is, or begins with, `identifier`; errors as of `Project.get`."""
        return self.project.get(identifier)

    def get_experiment(self, identifier: str) -> Experiment:
        """Return an experiment by its id or the beginning of it; errors as of `ExperimentCollection.get`."""
        return self.project.experiments.get(identifier)

    def get_checkpoint(self, identifier: str) -> Checkpoint:
        """Return a checkpoint by its id or the beginning of it; errors as of `ExperimentCollection.get`."""
        return self.project.experiments.get_checkpoint(identifier)

    def saved_files(self, identifier: str) -> SavedFiles:
        """Return the saved files of an experiment or checkpoint; errors as of `get`.

        A page asks for one file of it after the other, and none of them ever changes, so it is remembered until the
        experiment or checkpoint is deleted.
        """
        state = self.refresh()
        with self._lock:
            kept = self._saved.get(identifier)
        if kept is not None and self._is_there(state, *kept[:2]):
            return kept[2]
        from keepsake.ui.saved import SavedFiles

        thing = self.get(identifier)
        files = SavedFiles(thing.saved_files())
        experiment_id, checkpoint_id = thing.id, None
        if isinstance(thing, Checkpoint):
            experiment_id, checkpoint_id = thing.experiment_id, thing.id
        with self._lock:
            self._saved.pop(identifier, None)
            while len(self._saved) >= FILES_KEPT:
                self._saved.pop(next(iter(self._saved)))
            self._saved[identifier] = experiment_id, checkpoint_id, files
        return files

    def _is_there(self, state: State, experiment_id: str, checkpoint_id: str | None) -> bool:
        """Say whether an experiment, and a checkpoint of it if one is given, has not been deleted."""
        if not state.has_id(experiment_id):
            return False
        if checkpoint_id is None:
            return True
        measurements = self.curves.load([experiment_id], ()).get(experiment_id)
        return measurements is not None and not measurements.has_deleted(checkpoint_id)

    def measure_usage(self) -> Usage:
        """Return what `Project.du` returns, once for as long as no experiment changes: it reads every manifest.

        Raises:
            FormatError: a part of the repository cannot be read.
        """
        with self._measuring:
            cursor = self.refresh().cursor
            if self._usage is None or self._usage[0] != cursor:
                self._usage = cursor, self.project.du()
            return self._usage[1]


def _find_ids(state: State, prefixes: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for prefix in prefixes:
        try:
            found[prefix] = state.find_id(prefix)
        except AmbiguousPrefixError:
            raise
        except NotFoundError:
            continue
    return found
