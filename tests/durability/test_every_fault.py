"""One operation of the store fails, whichever it is: a call says so or makes up for it, and nothing promised is lost.

A script runs once undisturbed, to list its operations, and then once for each that is to fail. What its calls had
promised when they returned is compared with what is there when the next process has begun.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from keepsake import Experiment
from keepsake._model.keys import CHUNKS, MANIFESTS
from keepsake._repository.check import check_repository
from keepsake._repository.collect import collect, mark
from keepsake._repository.push import push
from keepsake._repository.repository import Repository
from keepsake._tracking.ending import stop_open_sessions, tracked
from keepsake.errors import NotFoundError, StoreError
from keepsake.stores.base import Store
from keepsake.stores.memory import MemoryStore
from keepsake.stores.retry import RetryStore
from keepsake.testing import FaultyStore, RecordingStore
from keepsake.testing.faulty import Effect
from tests.depth import depth
from tests.durability.everything import ProjectOnStore, Script, write_code
from tests.durability.scripts import content_hash

PARTS = depth(1, 4)
"""Into so many tests each kind of fault is divided, for as many processes to share."""
NEVER_REPEATED = ("append", "open_append")


@dataclass(frozen=True)
class Fault:
    """How an operation fails."""

    name: str
    times: int | None
    """How many fail in a row; None for all from there on."""
    effect: Effect
    error: BaseException | None = None
    is_retried: bool = False
    """Whether a `RetryStore` tries again."""

    def __str__(self) -> str:
        return f"{self.name}-{'for ever' if self.times is None else 'once'}-{self.effect}"


BUSY = StoreError("busy", transient=True)
FAULTS = [
    *(Fault("failure", times, effect) for times in (1, None) for effect in ("none", "whole")),
    *(Fault("busy", times, effect, BUSY, is_retried=True) for times in (1, None) for effect in ("none", "whole")),
    *(Fault("interrupt", 1, effect, KeyboardInterrupt()) for effect in ("none", "whole")),
]


class Trial:
    """The script on a store that fails at one operation, and what is there afterwards.

    Args:
        directory: the project directory.
        root: where locks and staging are.
        fault: how the operation fails.
        at: which one, counted from 1.
    """

    def __init__(self, directory: Path, root: Path, fault: Fault, at: int) -> None:
        self._directory = directory
        self._root = root
        self._fault = fault
        self._healthy = MemoryStore()
        self._faulty = FaultyStore(self._healthy)
        self._faulty.fail(at=at, times=fault.times, effect=fault.effect, error=fault.error)
        store: Store = self._faulty
        if fault.is_retried:
            store = RetryStore(store, attempts=3, sleep=lambda _: None)
        self._script = Script(ProjectOnStore(directory, root, store))
        self._told = self._script.told

    def run(self) -> None:
        """Run the script, then begin again on the healthy store, and compare."""
        self._script.run()
        assert self._faulty.failed
        stop_open_sessions()  # as the end of a program does
        assert tracked() == []
        self._assert_said()
        project = ProjectOnStore(self._directory, self._root, self._healthy)
        project.experiments.create(quiet=True).stop()
        home = Repository.open(self._healthy)
        if (staging := project.find_place().find_staging(home)) is not None:
            assert push(staging, home).segments == 0
        self._assert_kept(project)
        assert [problem.message for problem in check_repository(home).problems] == []
        self._assert_collected(home)

    def _assert_said(self) -> None:
        """What is not at home was said not to be; what was tried again with success, nothing was said about."""
        was_said = bool(self._script.raised) or "warning:" in self._script.talk
        assert was_said or not self._missing()
        if self._fault.is_retried and self._fault.times and self._faulty.failed[0].name not in NEVER_REPEATED:
            assert not was_said, self._script.talk

    def _missing(self) -> set[str]:
        """Return the ids of the checkpoints that were promised and are not at home."""
        try:
            listing = Repository.open(self._healthy).list_experiments()
        except NotFoundError:
            return self._expected()
        return self._expected() - {body["id"] for state in listing.experiments for body in state.checkpoints}

    def _expected(self) -> set[str]:
        gone = self._told.deleted | self._told.perhaps_deleted
        return {one for one, (owner, *_) in self._told.checkpoints.items() if not gone & {one, owner}}

    def _assert_kept(self, project: ProjectOnStore) -> None:
        experiments = {experiment.id: experiment for experiment in project.experiments.list()}
        checkpoints = {one.id: one for experiment in experiments.values() for one in experiment.checkpoints}
        assert self._expected() <= checkpoints.keys()
        assert not self._told.deleted & (experiments.keys() | checkpoints.keys())
        for checkpoint_id in self._expected():
            one = checkpoints[checkpoint_id]
            content = content_hash(one, "weights") if one.path is not None else None
            assert (one.experiment_id, one.metrics["loss"], content) == self._told.checkpoints[checkpoint_id]
        for experiment in experiments.values():
            assert self._has_what_was_told(experiment)

    def _has_what_was_told(self, experiment: Experiment) -> bool:
        told = self._told
        losses = [one.metrics["loss"] for one in experiment.logs]
        return (
            (experiment.id not in told.logs or losses == [told.logs[experiment.id]])
            and experiment.name == told.names.get(experiment.id, experiment.name)
            and (experiment.id not in told.stopped or experiment.status == "finished")
        )

    def _assert_collected(self, home: Repository) -> None:
        """Nothing stays that nothing needs, and what is needed stays."""
        collect(home, young_s=0)
        assert check_repository(home).problems == []
        reached = mark(home, now_s=0)
        assert all(reached.has(info.key) for prefix in (CHUNKS, MANIFESTS) for info in home.store.list(prefix))


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_whichever_operation_fails_nothing_promised_is_lost(tmp_path: Path, fault: Fault, part: int) -> None:
    directory = write_code(tmp_path / "project")
    store = RecordingStore(MemoryStore())
    places = choose_places(kinds_of_operations(ProjectOnStore(directory, tmp_path / "undisturbed", store)), fault)
    for at in places[part::PARTS]:
        print(f"operation {at}")  # the last one is that which failed
        Trial(directory, tmp_path / str(at), fault, at).run()


def choose_places(kinds: list[str], fault: Fault) -> list[int]:
    """Choose at which operations a fault is tried: one of every kind at least, and of every kind of fault others, so
    that there is no operation at which nothing fails."""
    number = FAULTS.index(fault)
    stride = depth(len(FAULTS), 1)
    chosen = []
    for kind in set(kinds):
        places = [place for place, one in enumerate(kinds, 1) if one == kind]
        chosen += places[number % stride :: stride] or [places[number % len(places)]]
    return sorted(chosen)


def kinds_of_operations(project: ProjectOnStore) -> list[str]:
    """Run the script undisturbed; return what each operation does to which kind of key."""
    script = Script(project)
    script.run()
    assert script.raised == []
    assert "warning" not in script.talk
    assert isinstance(project.store, RecordingStore)
    return [f"{one.name} {one.key.partition('/')[0]}" for one in project.store.operations]
