"""The power goes, at any moment: what was settled is there, and of what was not, nothing is wrong without saying so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

import keepsake
from keepsake import Experiment
from keepsake._model.keys import INTENTS, JOURNALS
from keepsake._repository.collect import collect
from keepsake._repository.push import push
from keepsake._repository.repository import Repository
from keepsake._tracking.ending import tracked
from keepsake.errors import FormatError, KeepsakeError
from keepsake.stores.memory import MemoryStore
from keepsake.testing import FaultyStore, PowerLossStore
from tests.depth import depth
from tests.durability.machine import Files, Machine, PowerCut, read_files

WEIGHTS_BYTES = 1_200_000
"""Enough to be cut into several chunks; the small files are bundled."""

seeds = st.integers(0, 2**32 - 1)
survivals = st.sampled_from([0.0, 0.3, 0.5, 0.8])


@pytest.fixture(autouse=True)
def nothing_left_open() -> Iterator[None]:
    yield
    assert tracked() == []


def new_files(seed: int) -> Files:
    random = Random(seed)
    files = {f"part-{number}": random.randbytes(random.randrange(3000)) for number in range(24)}
    return files | {"weights": random.randbytes(WEIGHTS_BYTES)}


def overlapping(files: Files, seed: int) -> Files:
    """Return files of which a few bytes differ."""
    random = Random(seed)
    weights = bytearray(files["weights"])
    start = random.randrange(len(weights) - 100)
    weights[start : start + 100] = random.randbytes(100)
    return files | {"weights": bytes(weights), f"part-{random.randrange(24)}": random.randbytes(500)}


class PowerLoss(RuleBasedStateMachine):
    """Sessions that save, wait, stop, delete and collect on a machine whose power goes now and then."""

    make_root: Callable[[], Path]

    def __init__(self) -> None:
        super().__init__()
        self.machine = Machine(self.make_root())
        self.files = new_files(0)
        self.live: list[Experiment] = []
        self.saved: dict[str, Files] = {}
        """What is in each checkpoint whose call has returned, and that was not deleted."""
        self.settled: set[str] = set()
        self.broken_off: list[Files] = []
        """What was being saved when the power went: its event may have been written."""
        self.deleted: set[str] = set()

    @precondition(lambda self: len(self.live) < 3)
    @rule()
    def begin(self) -> None:
        self.live.append(self.machine.begin())

    @precondition(lambda self: self.live)
    @rule(change=st.sampled_from(["new", "overlapping", "unchanged"]), seed=seeds)
    def save(self, change: str, seed: int) -> None:
        self._change_files(change, seed)
        checkpoint = self.live[seed % len(self.live)].checkpoint(path="data", step=seed % 100)
        self.saved[checkpoint.id] = self.files

    @precondition(lambda self: self.live)
    @rule()
    def wait(self) -> None:
        keepsake.wait()
        for experiment in self.live:
            self._remember_settled(experiment)

    @precondition(lambda self: self.live)
    @rule(seed=seeds)
    def stop(self, seed: int) -> None:
        experiment = self.live.pop(seed % len(self.live))
        experiment.stop()
        self._remember_settled(experiment)

    @precondition(lambda self: self.live)
    @rule(seed=seeds)
    def delete(self, seed: int) -> None:
        experiment = self.live.pop(seed % len(self.live))
        ids = {one.id for one in experiment.checkpoints}
        experiment.delete()
        self.deleted |= ids
        for one in ids:
            self.saved.pop(one, None)

    @rule()
    def collect(self) -> None:
        try:
            collect(self.machine.opened, young_s=0.0)
        except FormatError:
            assert not self.machine.check().is_clean

    @rule(seed=seeds, survival=survivals)
    def cut_power(self, seed: int, survival: float) -> None:
        random = Random(seed)
        self.live.clear()
        self.machine.cut_power(random, survival=survival)
        self._look(is_new_boot=True)
        if self.saved:
            self._save_again(self.saved[random.choice(sorted(self.saved))])

    @precondition(lambda self: self.live)
    @rule(
        what=st.sampled_from(["save", "wait", "stop", "collect"]),
        at=st.integers(1, 60),
        has_effect=st.booleans(),
        change=st.sampled_from(["new", "overlapping", "unchanged"]),
        seed=seeds,
        survival=survivals,
    )
    def cut_power_while(self, what: str, at: int, has_effect: bool, change: str, seed: int, survival: float) -> None:
        effect = "whole" if has_effect else "none"
        self.machine.store.fail(at=at, times=None, error=PowerCut(), effect=effect)  # type: ignore[arg-type]
        try:
            if what == "save":
                self.broken_off.append(new_files(seed) if change == "new" else overlapping(self.files, seed))
                self.save(change, seed)
                self.broken_off.pop()
            else:
                getattr(self, what)(**({"seed": seed} if what == "stop" else {}))
        except PowerCut:
            if what == "save":
                self.broken_off[-1] = self.files
        self.cut_power(seed, survival)

    def teardown(self) -> None:
        self.machine.store.heal()
        while self.live:
            self.stop(0)
        self._look()
        self.machine.cut_power(Random(0), survival=0)
        self._look(is_new_boot=True)

    def _change_files(self, change: str, seed: int) -> None:
        if change == "new":
            self.files = new_files(seed)
        elif change == "overlapping":
            self.files = overlapping(self.files, seed)
        self.machine.write_files(self.files)

    def _remember_settled(self, experiment: Experiment) -> None:
        self.settled |= {one.id for one in experiment.checkpoints}

    def _look(self, *, is_new_boot: bool = False) -> None:
        """Read everything that is listed, and compare it with what was saved and what `check` says."""
        found = self.machine.found()
        assert self.settled - self.deleted <= found.keys()
        assert found.keys().isdisjoint(self.deleted)
        report = self.machine.check()
        named = {touched.checkpoint_id for problem in report.problems for touched in problem.touches}
        unknown = 0
        for one, checkpoint in found.items():
            unknown += one not in self.saved
            candidates = [self.saved[one]] if one in self.saved else self.broken_off
            try:
                content = read_files(checkpoint, candidates[0])
            except KeepsakeError:
                assert one in named
                assert one not in self.settled
            else:
                assert one not in named
                assert content in candidates
                self.saved[one] = content
        assert unknown <= len(self.broken_off)
        if is_new_boot:
            # What is not listed is lost for good; what is, later processes only add to.
            self.saved = {one: files for one, files in self.saved.items() if one in found}

    def _save_again(self, files: Files) -> None:
        """What the power loss took a part of is saved by the next process: that makes it whole."""
        self.machine.write_files(files)
        experiment = self.machine.begin()
        checkpoint = experiment.checkpoint(path="data")
        assert read_files(checkpoint, files) == files
        experiment.stop()
        self.saved[checkpoint.id] = files
        self._remember_settled(experiment)
        self._look()


def test_whatever_is_done_when_the_power_goes(tmp_path_factory: pytest.TempPathFactory) -> None:
    class OnThisDisk(PowerLoss):
        make_root = staticmethod(lambda: tmp_path_factory.mktemp("machine"))

    run_state_machine_as_test(
        OnThisDisk,
        settings=settings(
            max_examples=depth(20, 100),
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    machine = Machine(tmp_path)
    machine.write_files(FILES)
    return machine


FILES = new_files(1)
DOUBTS = [pytest.param(seed, id=f"seed {seed}") for seed in range(10)]


@pytest.mark.parametrize("seed", DOUBTS)
def test_saving_the_same_again_does_not_endanger_what_is_settled(machine: Machine, seed: int) -> None:
    experiment = machine.begin()
    settled = experiment.checkpoint(path="data")
    keepsake.wait()
    experiment.checkpoint(path="data")
    machine.cut_power(Random(seed))
    assert read_files(machine.found()[settled.id], FILES) == FILES


def test_saving_again_heals_what_the_power_loss_damaged(machine: Machine) -> None:
    damaged = 0
    for seed in range(10):
        files = new_files(seed)
        machine.write_files(files)
        before = machine.begin().checkpoint(path="data")
        machine.cut_power(Random(seed), survival=0.7)
        damaged += any(touched.checkpoint_id for problem in machine.check().problems for touched in problem.touches)
        machine.write_files(files)
        with machine.begin() as experiment:
            after = experiment.checkpoint(path="data")
        found = machine.found()
        assert read_files(found[after.id], files) == files
        if before.id in found:
            assert read_files(found[before.id], files) == files
    assert damaged > 0


def cut_while(machine: Machine, at: int, act: Callable[[], object]) -> bool:
    """Cut the power before the given operation of `act`, and have nothing survive that was not synced; say whether."""
    machine.store.fail(at=at, times=None, error=PowerCut())
    try:
        act()
        return False
    except PowerCut:
        return True
    finally:
        machine.cut_power(Random(at), survival=0)


@pytest.mark.parametrize("end", ["wait", "stop"])
def test_at_every_step_of_settling_what_has_reached_the_disk_is_whole(tmp_path: Path, end: str) -> None:
    """Chunks are synced before the manifests that point to them, and those before the events."""
    is_cut, at, arrived = True, 1, set()
    while is_cut:
        machine = Machine(tmp_path / str(at))
        machine.write_files(FILES)
        experiment = machine.begin()
        checkpoint = experiment.checkpoint(path="data")
        is_cut = cut_while(machine, at, keepsake.wait if end == "wait" else experiment.stop)
        assert [problem.message for problem in machine.check().problems if problem.touches] == []
        found = machine.found()
        arrived.add(checkpoint.id in found)
        if checkpoint.id in found:
            assert read_files(found[checkpoint.id], FILES) == FILES
        at += 1
    assert at > 10
    assert arrived == {False, True}
    assert checkpoint.id in found


def test_at_every_step_of_a_push_what_has_arrived_is_whole(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.write_files(FILES)
    with machine.begin() as experiment:
        checkpoint = experiment.checkpoint(path="data")
    is_cut, at, arrived = True, 1, set()
    while is_cut:
        disk = PowerLossStore(MemoryStore())
        store = FaultyStore(disk)
        target, _ = Repository.open_or_create(store)
        store.fail(at=at, times=None, error=PowerCut())
        try:
            push(machine.opened, target, threads=1)
            is_cut = False
        except PowerCut:
            pass
        store.heal()
        disk.cut_power(Random(at), survival=0.4)
        states = target.list_experiments().experiments
        arrived.add(len(states))
        for body in (body for state in states for body in state.checkpoints):
            content = {name: target.open_file(body["manifests"], f"data/{name}").read() for name in FILES}
            assert (body["id"], content) == (checkpoint.id, FILES)
        at += 1
    assert arrived == {0, 1}
    assert len(states) == 1


def test_a_deletion_that_returned_is_not_undone(machine: Machine) -> None:
    experiment = machine.begin()
    checkpoint = experiment.checkpoint(path="data")
    keepsake.wait()
    experiment.delete()
    machine.cut_power(Random(0), survival=0)
    assert checkpoint.id not in machine.found()


def test_a_power_loss_while_somebody_collects_keeps_nobody_from_saving(tmp_path: Path) -> None:
    is_cut, at = True, 1
    while is_cut:
        machine = Machine(tmp_path / str(at))
        machine.write_files(FILES)
        with machine.begin() as experiment:
            experiment.checkpoint(path="data")
        experiment.delete()
        machine.store.fail(at=at, times=None, error=PowerCut())
        try:
            collect(machine.opened, young_s=0.0)
            is_cut = False
        except PowerCut:
            pass
        machine.cut_power(Random(at))
        with machine.begin() as experiment:
            checkpoint = experiment.checkpoint(path="data")
        assert experiment.checkpoints[0].open("data/weights").read() == FILES["weights"]
        machine.cut_power(Random(at), survival=0)
        assert read_files(machine.found()[checkpoint.id], FILES) == FILES
        assert machine.check().is_clean
        at += 1
    assert at > 10


def test_a_torn_intent_stops_collecting_until_its_session_is_found_dead(machine: Machine) -> None:
    experiment = machine.begin()
    machine.store.fail("append", prefix=JOURNALS, error=PowerCut())
    machine.store.fail("delete", times=None, error=PowerCut())
    with pytest.raises(PowerCut):
        experiment.checkpoint(path="data")
    machine.store.heal()
    (intent,) = machine.store.list(INTENTS)
    machine.store.put(intent.key, b"\0" * intent.size_bytes, durable=True)
    with pytest.raises(FormatError, match=intent.key):
        collect(machine.opened)
    assert [problem.key for problem in machine.check().problems] == [intent.key]
    machine.end_processes()
    machine.begin().stop()
    collect(machine.opened)
    assert machine.check().is_clean
