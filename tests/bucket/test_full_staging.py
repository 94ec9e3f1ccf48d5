"""A disk of staging that is full: training waits for the bucket, and no file of a checkpoint is lost."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import keepsake
from keepsake._tracking.ending import tracked
from keepsake.errors import WriteError
from tests.bucket.places import content, move_to_another_machine
from tests.durability.scripts import finish, start_script, write_script
from tests.smalldisk import mounted_disk

DISK_BYTES = 6_000_000
SIZE_BYTES = 1_000_000


@pytest.fixture(autouse=True)
def disk(user_directory: Path, project: Path) -> Iterator[Path]:
    """A file system of its own for staging and the cache."""
    with mounted_disk(user_directory / "cache", DISK_BYTES) as directory:
        yield directory
        for session in tracked():
            session.stop("finished")


def free_bytes(disk: Path) -> int:
    return os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize


def save(experiment: keepsake.Experiment, seed: int, name: str = "weights", size_bytes: int = SIZE_BYTES) -> None:
    Path(name).write_bytes(content(seed, size_bytes))
    experiment.checkpoint(path=name, step=seed)


def assert_saved(experiment: keepsake.Experiment, seeds: range, name: str = "weights", size: int = SIZE_BYTES) -> None:
    there = {one.step: one for one in keepsake.experiments.get(experiment.id).checkpoints}
    assert [one for one in seeds if there[one].open(name).read() != content(one, size)] == []
    assert keepsake.Project().check().problems == []


def fill_with_copies(disk: Path) -> Path:
    """Fill the disk to the last byte with copies of what was read; return their directory."""
    directory = disk / "keepsake" / "objects" / "chunks"
    directory.mkdir(parents=True, mode=0o700)
    with contextlib.suppress(OSError), (directory / "copy").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    return directory


def test_copies_of_what_was_read_give_way_to_a_new_experiment(disk: Path) -> None:
    directory = fill_with_copies(disk)
    experiment = keepsake.init()
    assert list(directory.iterdir()) == []
    save(experiment, 0)
    experiment.stop()
    assert_saved(experiment, range(1))


def test_copies_of_what_was_read_give_way_to_a_checkpoint(disk: Path) -> None:
    experiment = keepsake.init()
    directory = fill_with_copies(disk)
    save(experiment, 0)
    assert list(directory.iterdir()) == []
    experiment.stop()
    assert_saved(experiment, range(1))


@pytest.mark.parametrize("courier", ["on", "off"])
def test_checkpoints_that_do_not_fit_together_are_all_saved(
    courier: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KEEPSAKE_COURIER", courier)
    experiment = keepsake.init()
    for seed in range(20):
        save(experiment, seed)
    experiment.stop()
    said = capsys.readouterr().err
    assert said.count("is full; waiting") == 1
    assert "could not be saved" not in said
    move_to_another_machine(tmp_path / "other", monkeypatch)
    assert_saved(experiment, range(20))


def test_a_checkpoint_that_is_larger_than_half_the_disk_is_followed_by_another() -> None:
    experiment = keepsake.init()
    for seed in range(3):
        save(experiment, seed, size_bytes=4_000_000)
    experiment.stop()
    assert_saved(experiment, range(3), size=4_000_000)


def test_what_does_not_fit_on_the_disk_is_given_up_soon_and_does_not_fill_it(
    disk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("weights").write_bytes(content(0, 7_000_000))
    with pytest.raises(WriteError, match="No space left"):
        keepsake.init(path="weights")
    assert free_bytes(disk) > 5_000_000
    experiment = keepsake.init()
    for seed in (0, 1):
        save(experiment, seed, size_bytes=7_000_000)
        assert free_bytes(disk) > 5_000_000
    save(experiment, 2)
    experiment.stop()
    assert "the files at step 0, 1 could not be saved anywhere" in capsys.readouterr().err
    assert_saved(experiment, range(2, 3))


def test_threads_that_fill_the_disk_together_lose_nothing() -> None:
    experiment = keepsake.init()

    def train(number: int) -> None:
        for step in range(3):
            save(experiment, number * 3 + step, f"weights-{number}", size_bytes=2_500_000)

    threads = [threading.Thread(target=train, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    experiment.stop()
    for number in range(3):
        assert_saved(experiment, range(number * 3, number * 3 + 3), f"weights-{number}", 2_500_000)


SCRIPT = """
    import random, sys
    import keepsake
    number = int(sys.argv[1])
    experiment = keepsake.init()
    for step in range(3):
        with open(f"weights-{number}", "wb") as file:
            file.write(random.Random(number * 3 + step).randbytes(2_500_000))
        experiment.checkpoint(path=f"weights-{number}", step=number * 3 + step)
"""


def test_processes_that_fill_the_disk_together_lose_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEEPSAKE_COURIER", "on")
    script = write_script(SCRIPT)
    processes = [start_script(script, number) for number in range(3)]
    talks = [finish(process)[1] for process in processes]
    assert [talk for talk in talks if "could not be saved" in talk or "warning" in talk] == []
    monkeypatch.setenv("KEEPSAKE_COURIER", "off")
    found = {
        min(one.step or 0 for one in experiment.checkpoints) // 3: experiment
        for experiment in keepsake.experiments.list()
    }
    for number in range(3):
        assert_saved(found[number], range(number * 3, number * 3 + 3), f"weights-{number}", 2_500_000)
