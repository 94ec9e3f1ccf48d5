"""Collecting on a real repository: what goes, what stays, and what happens when a writer comes in between."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

import keepsake
from keepsake._model.ids import new_id
from keepsake._model.keys import CHUNKS, GARBAGE, INTENTS
from keepsake._model.manifest import Manifest
from keepsake._repository.collect import CollectResult, collect
from keepsake._repository.intent import create_intent, save_with_intent
from keepsake._repository.repository import Repository
from keepsake._repository.usage import measure_usage
from keepsake.errors import FormatError
from keepsake.stores.local import LocalStore
from keepsake.testing import FaultyStore, Operation

T = TypeVar("T")


@pytest.fixture
def project(tmp_path: Path) -> keepsake.Project:
    return keepsake.Project(directory=tmp_path)


def save_experiment(project: keepsake.Project, content: bytes) -> keepsake.Experiment:
    (Path(str(project.directory)) / "weights.bin").write_bytes(content)
    experiment = project.experiments.create(quiet=True)
    experiment.checkpoint("weights.bin")
    experiment.stop()
    return experiment


def repository_of(project: keepsake.Project) -> Repository:
    return Repository.open(LocalStore(Path(str(project.directory)) / ".keepsake"))


def collect_now(repository: Repository, *, dry_run: bool = False) -> CollectResult:
    """Collect young objects too: nothing but speed rests on leaving them alone."""
    return collect(repository, young_s=0, dry_run=dry_run)


def read(project: keepsake.Project, experiment_id: str) -> bytes:
    checkpoint = project.experiments.get(experiment_id).latest()
    assert checkpoint is not None
    return checkpoint.open("weights.bin").read()


def test_nothing_that_an_experiment_reaches_is_deleted(project: keepsake.Project) -> None:
    kept = save_experiment(project, b"kept" * 1000)
    result = collect_now(repository_of(project))
    assert (result.objects, result.plan.keys) == (0, ())
    assert read(project, kept.id) == b"kept" * 1000


def test_what_only_a_deleted_experiment_reached_goes(project: keepsake.Project) -> None:
    kept, deleted = save_experiment(project, b"kept" * 1000), save_experiment(project, os.urandom(10_000))
    deleted.delete()
    before = measure_usage(repository_of(project))
    result = collect_now(repository_of(project))
    after = measure_usage(repository_of(project))
    assert result.objects == 2, "a chunk and a manifest"
    assert result.size_bytes == before.reclaimable_bytes == before.stored_bytes - after.stored_bytes
    assert after.reclaimable_bytes == 0
    assert read(project, kept.id) == b"kept" * 1000
    assert project.check().is_clean


def test_what_another_experiment_shares_stays(project: keepsake.Project) -> None:
    content = os.urandom(10_000)
    deleted, kept = save_experiment(project, content), save_experiment(project, content)
    deleted.delete()
    collect_now(repository_of(project))
    assert read(project, kept.id) == content


def test_a_dry_run_plans_what_the_real_run_does_and_touches_nothing(project: keepsake.Project) -> None:
    save_experiment(project, os.urandom(10_000)).delete()
    repository = repository_of(project)
    planned = collect_now(repository, dry_run=True)
    assert planned.objects == 0
    assert all(repository.store.head(key) for key in planned.plan.keys)
    done = collect_now(repository)
    assert done.plan == planned.plan
    assert not any(repository.store.head(key) for key in planned.plan.keys)


def test_young_objects_are_left_alone(project: keepsake.Project) -> None:
    save_experiment(project, os.urandom(10_000)).delete()
    assert project.collect().objects == 0


def test_an_intent_protects_what_no_event_refers_to_yet(project: keepsake.Project) -> None:
    experiment = save_experiment(project, os.urandom(10_000))
    repository = repository_of(project)
    manifest_digest = repository.load_experiment(experiment.id).checkpoints[0]["manifests"][0]
    digests = [manifest_digest, *repository.load_manifest(manifest_digest).digests()]
    experiment.delete()
    create_intent(repository.store, "5" * 32, digests)
    assert collect_now(repository).plan.keys == ()


def test_saving_leaves_no_intent_and_collecting_no_list(project: keepsake.Project) -> None:
    save_experiment(project, os.urandom(10_000)).delete()
    save_experiment(project, b"kept")
    repository = repository_of(project)
    collect_now(repository)
    assert [*repository.store.list(INTENTS), *repository.store.list(GARBAGE)] == []


@pytest.mark.parametrize("moment", ["before the list", "between list and second mark", "while it deletes"])
def test_saving_the_same_content_while_a_collector_runs_loses_nothing(project: keepsake.Project, moment: str) -> None:
    content = os.urandom(10_000)
    save_experiment(project, content).delete()
    store = FaultyStore(LocalStore(Path(str(project.directory)) / ".keepsake"))
    saved: list[keepsake.Experiment] = []

    class Interloper(FaultyStore):
        """Lets a writer in at one moment of the collector."""

        def perform(self, operation: Operation, act: Callable[[], T]) -> T:
            due = {
                "before the list": operation.name == "put" and operation.key.startswith(GARBAGE),
                "between list and second mark": operation.name == "list" and operation.key == INTENTS and self._listed,
                "while it deletes": operation.name == "delete" and operation.key.startswith(CHUNKS),
            }[moment]
            if operation.name == "put" and operation.key.startswith(GARBAGE):
                self._listed = True
            if due and not saved:
                saved.append(save_experiment(project, content))
            return super().perform(operation, act)

        _listed = False

    collect(Repository.open(Interloper(store)), young_s=0)
    assert len(saved) == 1
    assert read(project, saved[0].id) == content
    assert project.check().is_clean


def test_a_collector_whose_clock_is_days_ahead_leaves_what_is_being_saved(
    project: keepsake.Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_experiment(project, b"kept")
    repository = repository_of(project)
    digest, other = repository.chunks.put(os.urandom(10_000)), repository.chunks.put(os.urandom(10_000))
    create_intent(repository.store, new_id(), [digest])
    set_clock(monkeypatch, days_ahead=9)
    assert collect(repository_of(project)).objects == 1
    assert [repository_of(project).chunks.is_known(one) for one in (digest, other)] == [True, False]


def test_a_writer_whose_clock_is_days_ahead_heeds_what_is_about_to_be_deleted(
    project: keepsake.Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_experiment(project, b"content" * 1000).delete()
    repository = repository_of(project)
    saved: list[keepsake.Experiment] = []

    class Interloper(FaultyStore):
        """Lets a writer in when the collector has looked at the intents for the last time."""

        def perform(self, operation: Operation, act: Callable[[], T]) -> T:
            if operation.name == "delete" and operation.key.startswith(CHUNKS) and not saved:
                with monkeypatch.context() as patch:
                    set_clock(patch, days_ahead=3)
                    saved.append(save_experiment(project, b"content" * 1000))
            return super().perform(operation, act)

    collect(Repository.open(Interloper(repository.store)), young_s=0)
    assert read(project, saved[0].id) == b"content" * 1000


def set_clock(patch: pytest.MonkeyPatch, *, days_ahead: float) -> None:
    """Set the clock of this machine, not that of the disk."""
    real = time.time
    patch.setattr(time, "time", lambda: real() + days_ahead * 24 * 3600)


def test_a_chunk_that_goes_after_it_was_looked_up_is_saved_again(project: keepsake.Project) -> None:
    first = save_experiment(project, b"first" * 1000)
    repository = repository_of(project)
    digest = repository.load_experiment(first.id).checkpoints[0]["manifests"][0]
    manifest = repository.load_manifest(digest)
    rounds: list[int] = []

    def save(target: Repository) -> Manifest:
        rounds.append(1)
        if len(rounds) == 1:
            for info in list(target.store.list(CHUNKS)):
                target.store.delete(info.key)
        else:
            target.chunks.put(b"first" * 1000)
        return manifest

    saved_digest, intent = save_with_intent(repository, "5" * 32, save)
    assert saved_digest == digest
    assert len(rounds) == 2
    assert [info.key for info in repository.store.list(INTENTS)] == [intent]
    assert read(project, first.id) == b"first" * 1000


def damage_journal(root: Path) -> None:
    path = next((root / "journals").rglob("*.jsonl"))
    data = bytearray(path.read_bytes())
    data[30] ^= 1
    path.write_bytes(data)


def damage_manifest(root: Path) -> None:
    next(path for path in (root / "manifests").rglob("*") if path.is_file()).write_bytes(b"")


def lose_manifest(root: Path) -> None:
    next(path for path in (root / "manifests").rglob("*") if path.is_file()).unlink()


def damage_intent(root: Path) -> None:
    (root / "intents").mkdir(exist_ok=True)
    (root / "intents" / "a.b.json").write_bytes(b'{"crc":"00000000","digests":[]}\n')


@pytest.mark.parametrize("damage", [damage_journal, damage_manifest, lose_manifest, damage_intent])
def test_nothing_is_deleted_while_something_cannot_be_read(
    project: keepsake.Project, damage: Callable[[Path], None]
) -> None:
    save_experiment(project, b"kept")
    root = Path(str(project.directory)) / ".keepsake"
    damage(root)
    orphan = repository_of(project).chunks.put(b"nobody refers to this")
    with pytest.raises(FormatError):
        collect_now(repository_of(project))
    assert repository_of(project).chunks.is_known(orphan)


def test_what_dead_collectors_and_writers_left_is_removed_after_its_time(project: keepsake.Project) -> None:
    save_experiment(project, b"kept")
    root = Path(str(project.directory)) / ".keepsake"
    old_list, new_list = root / "garbage" / "old.a.json", root / "garbage" / "new.b.json"
    old_list.parent.mkdir()
    from keepsake._model.lines import encode_line

    for path in (old_list, new_list):
        path.write_bytes(encode_line({"keys": []}, place=f"garbage/{path.name}".encode()))
    os.utime(old_list, (0, 0))
    temporary = root / "chunks" / ".tmp.host.1.2"
    temporary.write_bytes(b"half")
    os.utime(temporary, (0, 0))
    result = collect_now(repository_of(project))
    assert (old_list.exists(), new_list.exists(), temporary.exists()) == (False, True, False)
    assert result.temporary_files == 1


def test_what_is_being_written_stays_beside_a_collector_whose_clock_is_days_ahead(
    project: keepsake.Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_experiment(project, b"kept")
    temporary = Path(str(project.directory)) / ".keepsake" / "chunks" / ".tmp.host.1.2"
    temporary.write_bytes(b"half")
    ahead_s = time.time() + 3 * 24 * 3600
    monkeypatch.setattr("keepsake._repository.collect.time.time", lambda: ahead_s)
    assert collect_now(repository_of(project)).temporary_files == 0
    assert temporary.exists()


def test_usage_tells_logical_stored_and_shared_bytes(project: keepsake.Project) -> None:
    content = os.urandom(100_000)
    save_experiment(project, content)
    alone = project.du()
    second = save_experiment(project, content)
    second.checkpoint("weights.bin")
    second.stop()
    both = project.du()
    assert alone.logical_bytes == 100_000
    assert alone.experiments[0].shared_bytes == 0
    assert both.logical_bytes == 300_000
    assert both.reclaimable_bytes == 0
    for usage in both.experiments:
        assert usage.shared_bytes == usage.stored_bytes
    assert both.stored_bytes < alone.stored_bytes + 10_000, "the same content is stored once"
