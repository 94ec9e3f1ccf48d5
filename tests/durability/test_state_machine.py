"""Whatever processes do to two repositories, between any two operations of each other, or dying on the way: both hold
what a plain dictionary holds."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

import keepsake
from keepsake import Checkpoint, Experiment
from keepsake._model.keys import CHUNKS, GARBAGE, HEARTBEATS, INTENTS, MANIFESTS, digest_of_key
from keepsake._repository.collect import collect
from keepsake._repository.intent import list_intended
from keepsake._repository.push import push
from keepsake._repository.repository import Repository
from keepsake._tracking.ending import tracked
from keepsake.errors import NotFoundError
from tests.depth import depth
from tests.durability.moments import Files, Killed, Moments, Site, end_processes

CODE: Files = {"code/train.py": b"print('training')\n" * 20}
"""Saved with every experiment."""
MAX_OPERATION = 24
"""Most of what is done takes about so many operations on the stores."""
MAX_LIVE = 4


def _make_pool() -> list[dict[str, bytes]]:
    """Make contents of which each shares most with the others; two of them have a file of several chunks."""
    random = Random(0)
    common = {f"part-{number}": random.randbytes(random.randrange(1500)) for number in range(20)}
    weights = random.randbytes(1_100_000)
    pool = [common | {f"part-{random.randrange(20)}": random.randbytes(500) for _ in range(3)} for _ in range(6)]
    pool[0]["weights"] = weights
    pool[1]["weights"] = weights[:700_000] + random.randbytes(100) + weights[700_000:]
    return pool


POOL = _make_pool()
"""Few contents, so that what was deleted, and is about to be collected, is saved again."""


@dataclass
class Kept:
    """What a repository must hold: the model."""

    experiments: dict[str, dict[str, Files]] = field(default_factory=dict)
    """Contents by experiment id and checkpoint id."""
    gone: set[str] = field(default_factory=set)
    """Ids of deleted experiments and checkpoints."""

    def add(self, experiment_id: str, checkpoint_id: str, files: Files) -> None:
        """Add a checkpoint unless it, or its experiment, was deleted."""
        if self.gone.isdisjoint((experiment_id, checkpoint_id)):
            self.experiments.setdefault(experiment_id, {})[checkpoint_id] = files

    def delete(self, one: str) -> None:
        """Delete an experiment or checkpoint."""
        self.gone.add(one)
        self.experiments.pop(one, None)
        for checkpoints in self.experiments.values():
            checkpoints.pop(one, None)

    def ids(self) -> dict[str, set[str]]:
        """Return the ids alone."""
        return {experiment_id: set(checkpoints) for experiment_id, checkpoints in self.experiments.items()}


@dataclass
class Live:
    """A session that may go on."""

    place: int
    experiment: Experiment


@dataclass(frozen=True)
class Choice:
    """On what something is done, drawn beforehand; `number` chooses among what is there."""

    place: int
    number: int
    content: int
    directory: str


def choices(directory: str) -> st.SearchStrategy[Choice]:
    """Draw choices; two that act at the same time save different directories, as different scripts do."""
    return st.builds(Choice, st.integers(0, 1), st.integers(0, 5), st.integers(0, len(POOL) - 1), st.just(directory))


ACTIONS = ["save", "save", "save elsewhere", "begin", "stop", "settle", "collect", "collect", "push", "delete"]
ACTIONS += ["delete a checkpoint"]
actions = st.sampled_from(ACTIONS)
numbers = st.integers(1, MAX_OPERATION)


class Processes(RuleBasedStateMachine):
    """Sessions at two sites, collectors, deletions, and pushes from one to the other."""

    make_root: Callable[[], Path]
    done: ClassVar[Counter[str]]

    def __init__(self) -> None:
        super().__init__()
        self.moments = Moments()
        root = self.make_root()
        self.sites = [Site(root / name, self.moments) for name in ("here", "there")]
        self.kept = [Kept(), Kept()]
        self.live: list[Live] = []
        self.saved: dict[str, Files] = {}
        """All checkpoints whose calls have returned."""
        self.unsure: list[Files] = []
        """What was being saved when the process died: its event may have been written."""
        self.to_delete: set[str] = set()
        """What was being deleted then."""
        self.has_died_pushing = False
        self.has_died_collecting = False
        for place in (0, 1):
            self._begin(Choice(place, 0, 0, "data"))
            self._save(Choice(place, place, 2 + place, "data"))

    # Rules

    @rule(action=actions, choice=choices("data"))
    def act(self, action: str, choice: Choice) -> None:
        self._perform(action, choice)
        if action == "collect":
            self._assert_nothing_unreached(choice.place)

    @rule(action=actions, choice=choices("data"), number=numbers)
    def die_while_acting(self, action: str, choice: Choice, number: int) -> None:
        try:
            with self.moments.before(number, self.moments.die):
                self._perform(action, choice)
        except Killed:
            self.done[f"died: {action}"] += 1
            self.has_died_pushing |= action == "push"
            self.has_died_collecting |= action == "collect"
            self._end()
        self._look_again()
        self.unsure.clear()
        self.to_delete.clear()

    @rule(action=actions, choice=choices("data"), number=numbers, other=actions, others_choice=choices("other"))
    def act_while_another_acts(
        self, action: str, choice: Choice, number: int, other: str, others_choice: Choice
    ) -> None:
        def meet() -> None:
            self.done[f"met: {other}"] += 1
            self._perform(other, others_choice, is_other=True)

        with self.moments.before(number, meet):
            self._perform(action, choice)
        self._look_again()
        self.to_delete.clear()

    @rule()
    def die(self) -> None:
        self._end()
        self._read_everything()

    @invariant()
    def both_list_what_they_must(self) -> None:
        assert [_ids(self._found(place)) for place in (0, 1)] == [kept.ids() for kept in self.kept]

    def teardown(self) -> None:
        while self.live:
            self._stop(Choice(0, 0, 0, "data"))
        self.both_list_what_they_must()
        for place, site in enumerate(self.sites):
            # The next process finishes what the dead left.
            with site.experiments.create(quiet=True) as experiment:
                self.kept[place].experiments[experiment.id] = {}
            assert {one.status for one in site.experiments.list()} <= {"finished", "lost"}
            assert [*site.opened.store.list(HEARTBEATS)] == []
            if not self.has_died_pushing:
                assert [*site.opened.store.list(INTENTS)] == []
            self.done["collected"] += collect(site.opened, young_s=0.0).objects
            self._assert_nothing_unreached(place)
        self._read_everything()

    # What processes do

    def _perform(self, action: str, choice: Choice, *, is_other: bool = False) -> None:
        if action == "save" and is_other:
            action = "save elsewhere"  # another process has a session of its own
        {
            "begin": self._begin,
            "save": self._save,
            "save elsewhere": self._save_elsewhere,
            "stop": self._stop,
            "settle": self._settle,
            "collect": self._collect,
            "push": self._push,
            "delete": self._delete,
            "delete a checkpoint": self._delete_checkpoint,
        }[action](choice)

    def _begin(self, choice: Choice) -> None:
        if len(self.live) < MAX_LIVE:
            site = self.sites[choice.place]
            site.write_files("code", CODE)
            experiment = site.experiments.create(path="code", quiet=True)
            self.kept[choice.place].experiments[experiment.id] = {}
            self.live.append(Live(choice.place, experiment))

    def _save(self, choice: Choice) -> None:
        if self.live:
            live = self.live[choice.number % len(self.live)]
            self._save_to(live, choice)
            if not any(one is live for one in self.live):  # stopped meanwhile: saving went on in another session
                self.live.append(live)

    def _save_elsewhere(self, choice: Choice) -> None:
        """Save to an experiment that another session may be writing to."""
        known = sorted(self.kept[choice.place].experiments)
        if not known:
            return
        wanted = known[choice.number % len(known)]
        try:
            live = Live(choice.place, self.sites[choice.place].experiments.get(wanted))
            self._save_to(live, choice)
        except NotFoundError:
            assert wanted in self.to_delete | self.kept[choice.place].gone  # by another process meanwhile
            return
        if len(self.live) < MAX_LIVE:
            self.live.append(live)
        else:
            live.experiment.stop()

    def _save_to(self, live: Live, choice: Choice) -> None:
        files = {f"{choice.directory}/{name}": content for name, content in POOL[choice.content].items()}
        self.sites[live.place].write_files(choice.directory, files)
        self.unsure.append(files | CODE)
        checkpoint = live.experiment.checkpoint(path=choice.directory, quiet=True)
        self.saved[checkpoint.id] = self.unsure.pop()
        self.kept[live.place].add(live.experiment.id, checkpoint.id, self.saved[checkpoint.id])

    def _stop(self, choice: Choice) -> None:
        if self.live:
            self.live.pop(choice.number % len(self.live)).experiment.stop()

    def _settle(self, choice: Choice) -> None:
        keepsake.wait()

    def _collect(self, choice: Choice) -> None:
        self.done["collected"] += collect(self.sites[choice.place].opened, young_s=0.0).objects

    def _push(self, choice: Choice) -> None:
        source, target = choice.place, 1 - choice.place
        before = copy.deepcopy(self.kept[source])
        self.to_delete |= before.gone
        push(self.sites[source].opened, self.sites[target].opened)
        for one in before.gone:
            self.kept[target].delete(one)
        # Of what was deleted at the source meanwhile, the push may have seen either.
        later = self.kept[source].gone - before.gone
        self.to_delete |= later
        for experiment_id, checkpoints in before.experiments.items():
            if self.kept[target].gone.isdisjoint([experiment_id]) and experiment_id not in later:
                self.kept[target].experiments.setdefault(experiment_id, {})
                for checkpoint_id in checkpoints.keys() - later:
                    self.kept[target].add(experiment_id, checkpoint_id, checkpoints[checkpoint_id])

    def _delete(self, choice: Choice) -> None:
        site, kept = self.sites[choice.place], self.kept[choice.place]
        known = sorted(kept.experiments)
        if known:
            one = known[choice.number % len(known)]
            self._delete_one(kept, one, lambda: site.experiments.get(one).delete())

    def _delete_checkpoint(self, choice: Choice) -> None:
        site, kept = self.sites[choice.place], self.kept[choice.place]
        known = sorted((one, owner) for owner, checkpoints in kept.experiments.items() for one in checkpoints)
        if known:
            one, owner = known[choice.number % len(known)]
            self._delete_one(kept, one, lambda: _find(site.experiments.get(owner), one).delete())

    def _delete_one(self, kept: Kept, one: str, delete: Callable[[], None]) -> None:
        self.to_delete.add(one)
        try:
            delete()
        except NotFoundError:
            assert self._is_gone(kept, one)  # another process has deleted it meanwhile
        kept.delete(one)

    # Looking

    def _end(self) -> None:
        self.live.clear()
        end_processes()
        for site in self.sites:
            site.reopen()

    def _is_gone(self, kept: Kept, one: str) -> bool:
        there = kept.ids()
        return one not in there and not any(one in checkpoints for checkpoints in there.values())

    def _found(self, place: int) -> dict[str, dict[str, Checkpoint]]:
        return {one.id: {each.id: each for each in one.checkpoints} for one in self.sites[place].experiments.list()}

    def _look_again(self) -> None:
        """Adopt what may have happened, where both are right, and read everything."""
        for place, kept in enumerate(self.kept):
            found = self._found(place)
            may_vanish = self.to_delete | self.kept[1 - place].gone
            known = {*kept.experiments, *(one for each in kept.experiments.values() for one in each)}
            for one in known:
                if one not in found and not any(one in checkpoints for checkpoints in found.values()):
                    assert one in may_vanish or any(
                        one in checkpoints and experiment_id in may_vanish
                        for experiment_id, checkpoints in kept.experiments.items()
                    )
            # What this place never had, such as a checkpoint that was not deleted after all, may still come here.
            for one in (may_vanish & known) - {*found, *(one for checkpoints in found.values() for one in checkpoints)}:
                kept.delete(one)
            for experiment_id, checkpoints in found.items():
                assert experiment_id not in kept.gone
                adopted = kept.experiments.setdefault(experiment_id, {})
                for checkpoint_id, checkpoint in checkpoints.items():
                    assert checkpoint_id not in kept.gone
                    if checkpoint_id not in adopted:
                        adopted[checkpoint_id] = self._identify(checkpoint)
        self._read_everything()

    def _identify(self, checkpoint: Checkpoint) -> Files:
        """Return what an unexpected checkpoint holds, which must be something that was saved."""
        candidates = [self.saved[checkpoint.id]] if checkpoint.id in self.saved else self.unsure
        (files,) = [one for one in candidates if one.keys() == checkpoint.files().keys()][:1]
        self.saved[checkpoint.id] = files
        return files

    def _read_everything(self) -> None:
        for place, site in enumerate(self.sites):
            found = self._found(place)
            assert _ids(found) == self.kept[place].ids()
            for experiment_id, checkpoints in self.kept[place].experiments.items():
                for checkpoint_id, files in checkpoints.items():
                    assert _read(found[experiment_id][checkpoint_id]) == files
            assert [f"{problem.key}: {problem.message}" for problem in site.check().problems] == []

    def _assert_nothing_unreached(self, place: int) -> None:
        repository = self.sites[place].opened
        if not self.has_died_collecting:  # such a list stays until nobody can be acting on it any more
            assert [*repository.store.list(GARBAGE)] == []
        stored = {digest_of_key(info.key) for kind in (CHUNKS, MANIFESTS) for info in repository.store.list(kind)}
        assert stored <= _reached(repository) | list_intended(repository.store, now_s=0.0)


def _ids(found: dict[str, dict[str, Checkpoint]]) -> dict[str, set[str]]:
    return {experiment_id: set(checkpoints) for experiment_id, checkpoints in found.items()}


def _find(experiment: Experiment, checkpoint_id: str) -> Checkpoint:
    for checkpoint in experiment.checkpoints:
        if checkpoint.id == checkpoint_id:
            return checkpoint
    raise NotFoundError(f"no checkpoint {checkpoint_id}")


def _read(checkpoint: Checkpoint) -> Files:
    content = {}
    for path in checkpoint.files():
        with checkpoint.open(path) as file:
            content[path] = file.read()
    return content


def _reached(repository: Repository) -> set[str]:
    """Return the digests of everything that some listed experiment or checkpoint needs."""
    states = repository.list_experiments().experiments
    bodies = [body for state in states for body in (state.created, *state.checkpoints)]
    manifests = {digest for body in bodies for digest in body.get("manifests") or ()}
    return manifests | {chunk for one in manifests for chunk in repository.load_manifest(one).digests()}


@pytest.fixture(autouse=True)
def nothing_left_open() -> Iterator[None]:
    yield
    assert tracked() == []


@pytest.mark.slow
@pytest.mark.timeout(420)
def test_two_repositories_hold_what_a_dictionary_holds(tmp_path_factory: pytest.TempPathFactory) -> None:
    class OnThisDisk(Processes):
        make_root = staticmethod(lambda: tmp_path_factory.mktemp("sites"))
        done: ClassVar[Counter[str]] = Counter()

    run_state_machine_as_test(
        OnThisDisk,
        settings=settings(
            max_examples=depth(8, 100),
            stateful_step_count=20,
            deadline=None,
            phases=set(Phase) - {Phase.explain},  # it traces every line
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )
    print(OnThisDisk.done)
