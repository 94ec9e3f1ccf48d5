"""A repository that stops working in the middle of training: training goes on, and what it saved gets there later."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import keepsake
from keepsake import Experiment, Project
from keepsake._model.ids import new_id
from keepsake._repository.check import check_repository
from keepsake._repository.repository import Repository
from keepsake._snapshots.ignore import IgnoreRules
from keepsake._snapshots.save import save_snapshot
from keepsake._snapshots.scan import scan_path
from keepsake._tracking.delivery import Delivery
from keepsake._tracking.session import Session
from keepsake.errors import KeepsakeError, StoreError
from keepsake.stores.around import Operation
from keepsake.stores.local import LocalStore
from keepsake.testing import FaultyStore
from keepsake.testing.faulty import Effect
from tests.durability.scripts import assert_clean, content_hash, sha
from tests.smalldisk import mounted_disk

Disk = Path
Warnings = pytest.CaptureFixture[str]


def warnings_in(text: str) -> list[str]:
    return [line for line in text.splitlines() if "warning:" in line]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """A file system of 4 MB of its own."""
    with mounted_disk(tmp_path / "disk", 4 << 20) as directory:
        yield directory


def make_read_only(disk: Disk) -> None:
    """Put a read-only view over the disk; what is open for writing cannot be made read-only from outside."""
    subprocess.run(["mount", "--bind", str(disk), str(disk)], check=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", str(disk)], check=True)


def make_writable(disk: Disk) -> None:
    subprocess.run(["umount", str(disk)], check=True)


def fill(disk: Disk) -> Path:
    """Fill the disk to the last byte; return the file that does."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    return ballast


def begin(disk: Disk, **arguments: object) -> tuple[Project, Experiment]:
    project = Project(repository=str(disk / "repository"), directory=Path.cwd())
    return project, project.experiments.create(quiet=True, **arguments)  # type: ignore[arg-type]


def save(experiment: Experiment, content: bytes) -> tuple[str, str]:
    Path("weights").write_bytes(content)
    return experiment.checkpoint(path="weights", metrics={"size": len(content)}).id, sha(content)


def assert_saved(project: Project, experiment_id: str, told: list[tuple[str, str]]) -> None:
    read = project.experiments.get(experiment_id)
    assert [(one.id, content_hash(one, "weights")) for one in read.checkpoints] == told
    report = project.check()
    assert [problem.message for problem in report.problems] == []


def test_a_repository_that_becomes_read_only_gets_everything_when_it_can_be_written_again(
    disk: Disk, capsys: Warnings
) -> None:
    project, experiment = begin(disk)
    told = [save(experiment, b"before" * 10_000)]
    make_read_only(disk)
    told += [save(experiment, b"while %d" % number * 10_000) for number in range(3)]
    experiment.log(loss=1.0)
    output = capsys.readouterr().err
    assert len(warnings_in(output)) == 1
    assert "training goes on" in output
    assert len(project.experiments.get(experiment.id).checkpoints) == 1
    make_writable(disk)
    experiment.stop()
    assert warnings_in(capsys.readouterr().err) == []
    assert experiment.status == "finished"
    assert len(project.experiments.get(experiment.id).logs) == 1
    assert_saved(project, experiment.id, told)


def test_wait_delivers_what_is_in_staging_or_says_where_it_is(disk: Disk) -> None:
    project, experiment = begin(disk)
    make_read_only(disk)
    told = [save(experiment, b"while" * 10_000)]
    with pytest.raises(
        StoreError, match=r"is not complete in .*what was saved since the failure is in file://.*staging"
    ):
        keepsake.wait()
    make_writable(disk)
    keepsake.wait()
    assert_saved(project, experiment.id, told)
    experiment.stop()
    assert_saved(project, experiment.id, told)


def test_what_a_script_could_not_deliver_the_next_one_does(disk: Disk, capsys: Warnings) -> None:
    project, experiment = begin(disk)
    told = [save(experiment, b"before" * 10_000)]
    make_read_only(disk)
    told += [save(experiment, b"while %d" % number * 10_000) for number in range(3)]
    capsys.readouterr()
    experiment.stop()
    (said,) = warnings_in(capsys.readouterr().err)
    assert "is not complete" in said
    assert "staging" in said
    make_writable(disk)
    with project.experiments.create(quiet=True):
        assert_saved(project, experiment.id, told)
        assert project.experiments.get(experiment.id).status == "finished"


def test_a_full_disk_gets_everything_when_there_is_room_again(disk: Disk, capsys: Warnings) -> None:
    project, experiment = begin(disk)
    (disk / "ballast").write_bytes(os.urandom(2_000_000))
    told = [save(experiment, os.urandom(300_000)) for _ in range(12)]
    assert len(warnings_in(capsys.readouterr().err)) == 1
    (disk / "ballast").unlink()
    subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
    experiment.stop()
    assert experiment.status == "finished"
    assert warnings_in(capsys.readouterr().err) == []
    assert_saved(project, experiment.id, told)


def test_a_disk_that_is_full_to_the_last_byte_tears_no_event(disk: Disk, capsys: Warnings) -> None:
    project, experiment = begin(disk)
    ballast = fill(disk)
    told = [experiment.checkpoint(number=number, note="x" * 500).id for number in range(30)]
    assert len(warnings_in(capsys.readouterr().err)) == 1
    ballast.unlink()
    experiment.stop()
    read = project.experiments.get(experiment.id)
    assert [one.id for one in read.checkpoints] == told
    assert read.status == "finished"
    assert project.check().problems == []


def test_a_repository_that_is_read_only_from_the_start_is_an_error_at_once(disk: Disk, capsys: Warnings) -> None:
    begin(disk)[1].stop()
    make_read_only(disk)
    with pytest.raises(StoreError, match="Read-only"):
        begin(disk)
    assert "went" not in capsys.readouterr().err


def test_with_on_error_raise_a_failure_is_raised(disk: Disk) -> None:
    project, experiment = begin(disk, on_error="raise")
    told = [save(experiment, b"before" * 10_000)]
    make_read_only(disk)
    with pytest.raises(StoreError, match="Read-only"):
        save(experiment, b"while" * 10_000)
    make_writable(disk)
    told.append(save(experiment, b"after" * 10_000))
    experiment.stop()
    assert_saved(project, experiment.id, told)


def test_a_full_disk_for_staging_too_loses_files_but_no_metrics(
    disk: Disk, capsys: Warnings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEEPSAKE_STAGING", str(disk / "staging"))
    project, experiment = begin(disk)
    ballast = fill(disk)
    for number in range(20):
        Path("weights").write_bytes(os.urandom(300_000))
        experiment.checkpoint(path="weights", metrics={"number": number, "note": "x" * 1000})
    assert len(warnings_in(capsys.readouterr().err)) == 1
    ballast.unlink()
    experiment.stop()
    (said,) = warnings_in(capsys.readouterr().err)
    assert "the files at step 0, 1" in said
    read = project.experiments.get(experiment.id)
    assert [one.metrics["number"] for one in read.checkpoints] == list(range(20))
    with pytest.raises(KeepsakeError, match="could not be saved"):
        read.checkpoints[3].open("weights")
    assert project.check().problems == []


# Other failures, planned.


class Trial:
    """A session on a store that fails as planned."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.faulty = FaultyStore(LocalStore(root / "home"))
        self.home = Repository.open_or_create(self.faulty)[0]
        self.told: list[tuple[str, str]] = []
        self.experiment_id = new_id()
        (root / "locks").mkdir(exist_ok=True)
        self.session = Session(
            self.home,
            self.experiment_id,
            locks=root / "locks",
            open_staging=lambda _: Repository.open_or_create(LocalStore(root / "staging"))[0],
            heartbeat=False,
        )
        self.session.write_first({"type": "experiment", "id": self.experiment_id}, None)

    def save(self) -> None:
        content = os.urandom(10_000)
        (self.root / "weights").write_bytes(content)
        found = scan_path(self.root, "weights", IgnoreRules.load(self.root))
        event = self.session.save_checkpoint(
            {"path": "weights"}, None, lambda repository: save_snapshot(self.root, found, repository.chunks)
        )
        self.told.append((event["id"], sha(content)))

    def read(self) -> list[tuple[str, str]]:
        home = Repository.open(LocalStore(self.root / "home"))
        state = home.load_experiment(self.experiment_id)
        assert check_repository(home).problems == []
        found = []
        for body in state.checkpoints:
            with home.open_file(list(body["manifests"]), "weights") as file:
                found.append((body["id"], sha(file.read())))
        return found


OPERATIONS = ("put", "create", "open_append", "append", "rename", "list", "head", "delete", "sync", "get", "get_range")


@pytest.mark.parametrize(("name", "effect"), [("append", "part"), *itertools.product(OPERATIONS, ("none", "whole"))])
@pytest.mark.parametrize("times", [1, 3, None])
def test_whatever_fails_and_however_often_nothing_is_lost(
    tmp_path: Path, name: str, effect: Effect, times: int | None
) -> None:
    for at in (1, 2, 4):
        trial = Trial(tmp_path / f"{at}")
        trial.save()
        trial.faulty.fail(name, at=at, times=times, effect=effect)
        for _ in range(4):
            trial.save()
        trial.faulty.heal()
        trial.save()
        trial.session.stop("finished")
        assert trial.read() == trial.told


def test_a_store_that_fails_all_the_time_delivers_through_the_next_process(tmp_path: Path, capsys: Warnings) -> None:
    trial = Trial(tmp_path / "trial")
    trial.save()
    trial.faulty.fail(when=lambda operation: operation.name not in ("get", "list", "head"), times=None)
    for _ in range(3):
        trial.save()
    trial.session.stop("finished")
    said = warnings_in(capsys.readouterr().err)
    assert len(said) == 2
    assert len(trial.read()) == 1
    home = Repository.open(LocalStore(trial.root / "home"))
    staging_directory = trial.root / "stagings"
    staging_directory.mkdir()
    (trial.root / "staging").rename(staging_directory / home.id)
    delivery = Delivery(home, staging_directory, trial.root)
    assert delivery.deliver().segments > 0
    assert trial.read() == trial.told
    assert delivery.deliver().segments == 0


def test_the_repository_is_asked_again_while_training_goes_on(
    tmp_path: Path, capsys: Warnings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keepsake._tracking.writer.RETRY_INTERVAL_S", 0.0)
    trial = Trial(tmp_path / "trial")
    trial.faulty.fail("append", at=2, times=2)
    for _ in range(6):
        trial.save()
    assert trial.read() == trial.told
    assert "works again" in capsys.readouterr().err
    trial.session.stop("finished")
    assert trial.read() == trial.told


def test_when_even_staging_fails_events_are_kept_until_something_works(tmp_path: Path, capsys: Warnings) -> None:
    trial = Trial(tmp_path / "trial")
    (trial.root / "staging").write_text("not a directory")
    trial.faulty.fail("append", times=None)
    for number in range(3):
        trial.session.write({"type": "log", "metrics": {"number": number}})
    assert len(warnings_in(capsys.readouterr().err)) == 1
    trial.faulty.heal()
    trial.session.write({"type": "log", "metrics": {"number": 3}})
    trial.session.stop("finished")
    state = trial.home.load_experiment(trial.experiment_id)
    assert [body["metrics"]["number"] for body in state.logs] == [0, 1, 2, 3]


def test_events_that_can_be_written_nowhere_are_said_to_be_lost(tmp_path: Path, capsys: Warnings) -> None:
    trial = Trial(tmp_path / "trial")
    (trial.root / "staging").write_text("not a directory")
    trial.faulty.fail("append", times=None)
    trial.session.write({"type": "log", "metrics": {}})
    trial.session.stop("finished")
    assert "2 events could be written nowhere" in capsys.readouterr().err


def test_one_segment_that_cannot_be_renamed_is_read_all_the_same(tmp_path: Path) -> None:
    trial = Trial(tmp_path / "trial")
    trial.faulty.fail("rename", times=None)
    for number in range(400):
        trial.session.write({"type": "log", "metrics": {"number": number, "note": "x" * 1000}})
    trial.faulty.heal()
    trial.session.stop("finished")
    state = trial.home.load_experiment(trial.experiment_id)
    assert [body["metrics"]["number"] for body in state.logs] == list(range(400))
    assert not (trial.root / "staging").exists()


def test_only_failing_operations_are_counted(tmp_path: Path) -> None:
    trial = Trial(tmp_path / "trial")
    trial.faulty.fail("put", prefix="chunks/")
    trial.save()
    assert [type(one) for one in trial.faulty.failed] == [Operation]
    trial.session.stop("finished")
    assert trial.read() == trial.told


# Deleting.


def test_a_session_whose_experiment_is_deleted_warns_once_and_stores_nothing_more(capsys: Warnings) -> None:
    experiment = keepsake.init(quiet=True)
    save(experiment, b"before" * 10_000)
    keepsake.experiments.get(experiment.id).delete()
    capsys.readouterr()
    for _ in range(3):
        save(experiment, os.urandom(10_000))
        experiment.checkpoint(loss=1.0)
        experiment.log(loss=1.0)
    experiment.stop()
    (said,) = warnings_in(capsys.readouterr().err)
    assert "was deleted" in said
    assert keepsake.experiments.list() == []
    assert_clean()


def test_a_deleted_experiment_is_not_brought_back_from_staging(disk: Disk, capsys: Warnings) -> None:
    project, experiment = begin(disk)
    save(experiment, b"before" * 10_000)
    make_read_only(disk)
    save(experiment, b"while" * 10_000)
    experiment.stop()
    make_writable(disk)
    project.experiments.get(experiment.id).delete()
    with project.experiments.create(quiet=True) as other:
        pass
    assert [one.id for one in project.experiments.list()] == [other.id]
    shutil.rmtree(disk / "repository" / "heartbeats", ignore_errors=True)
    assert project.check().problems == []
