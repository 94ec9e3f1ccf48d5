"""`keepsake rm` and `keepsake collect`: deleting, and getting the space back."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

import keepsake
from keepsake._model.keys import JOURNALS
from keepsake.stores.url import open_store
from keepsake.testing import RecordingStore
from tests.cli.subjects import RunCli, TwoExperiments


def make_old(repository: Path) -> None:
    """Make everything look two hours old, as collecting leaves alone what is younger than one."""
    for path in repository.rglob("*"):
        if path.is_file():
            info = path.stat()
            os.utime(path, (info.st_atime - 7200, info.st_mtime - 7200))


def test_an_experiment_is_gone_from_the_list_at_once(cli: RunCli, trained: TwoExperiments) -> None:
    first, second = trained.first, trained.second
    assert cli("rm", "-f", first.short_id(), at=trained.directory).code == 0
    assert cli("ls", "-q").out.split() == [second.id]
    assert cli("show", first.id).code == 3


def test_a_checkpoint_no_longer_lists(cli: RunCli, trained: TwoExperiments) -> None:
    gone, kept = trained.first.checkpoints
    assert cli("rm", "-f", gone.id, at=trained.directory).code == 0
    assert [one.id for one in trained.first.checkpoints] == [kept.id]
    assert len(trained.second.checkpoints) == 2


def test_it_says_what_goes_before_it_asks(cli: RunCli, trained: TwoExperiments) -> None:
    experiment, checkpoint = trained.first, trained.second.checkpoints[0]
    done = cli("rm", experiment.id, checkpoint.id, answer="n\n", at=trained.directory)
    assert done.code == 1
    assert f"experiment {experiment.short_id()} with 2 checkpoints" in done.err
    assert f"checkpoint {checkpoint.short_id()} (step 0" in done.err
    assert "frees up to" in done.err
    assert len(trained.project.experiments.list()) == 2


def test_many_ids_are_looked_up_at_once(trained: TwoExperiments, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [one.id for each in (trained.first, trained.second) for one in (each, *each.checkpoints)]
    stores: list[RecordingStore] = []

    def record(url: str, options: Mapping[str, object]) -> RecordingStore:
        stores.append(RecordingStore(open_store(url, options)))
        return stores[-1]

    monkeypatch.setattr("keepsake.project.open_store", record)
    listings = []
    for wanted in (ids[1:2], ids):
        stores.clear()
        assert [one.id for one in trained.project.get_all(wanted)] == wanted
        listings.append(sum(store.count("list", JOURNALS) + store.count("list_level", JOURNALS) for store in stores))
    # Of each further id where a journal could be; the catalog looks once.
    assert listings[1] - listings[0] == 5


def test_a_whole_id_of_an_experiment_is_not_looked_for_among_checkpoints(
    trained: TwoExperiments, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[list[str]] = []
    real = keepsake.collection.ExperimentCollection.find_checkpoints

    def count(self: keepsake.ExperimentCollection, prefixes: Iterable[str]) -> dict[str, list[keepsake.Checkpoint]]:
        looked.append(list(prefixes))
        return real(self, looked[-1])

    monkeypatch.setattr(keepsake.collection.ExperimentCollection, "find_checkpoints", count)
    checkpoint = trained.first.checkpoints[0].id
    found = trained.project.get_all([trained.first.id, trained.second.short_id(), checkpoint])
    assert [one.id for one in found] == [trained.first.id, trained.second.id, checkpoint]
    assert looked == [[trained.second.short_id(), checkpoint]]


def test_one_wrong_id_deletes_nothing(cli: RunCli, trained: TwoExperiments) -> None:
    assert cli("rm", "-f", trained.first.id, "00000000", at=trained.directory).code == 3
    assert len(trained.project.experiments.list()) == 2


def test_without_a_terminal_and_without_force_it_refuses(cli: RunCli, trained: TwoExperiments) -> None:
    done = cli("rm", trained.first.id, at=trained.directory)
    assert done.code == 2
    assert "hint: pass -f" in done.err


def test_delete_is_another_name(cli: RunCli, trained: TwoExperiments) -> None:
    assert cli("delete", "-f", trained.first.id, at=trained.directory).code == 0
    assert len(trained.project.experiments.list()) == 1


def test_collect_frees_what_rm_left_and_a_dry_run_only_says_so(cli: RunCli, trained: TwoExperiments) -> None:
    repository = trained.directory / ".keepsake"
    cli("rm", "-f", trained.first.id, trained.second.id, at=trained.directory)
    make_old(repository)
    objects = [path for path in (repository / "chunks").rglob("*") if path.is_file()]
    planned = json.loads(cli("collect", "--dry-run", "--json").out)
    assert planned["planned"]["objects"] > 0
    assert planned["deleted"]["objects"] == 0
    assert [path for path in (repository / "chunks").rglob("*") if path.is_file()] == objects
    done = json.loads(cli("collect", "--json").out)
    assert done["deleted"] == planned["planned"]
    assert [path for path in (repository / "chunks").rglob("*") if path.is_file()] == []


def test_collect_says_what_is_too_young_to_go(cli: RunCli, trained: TwoExperiments) -> None:
    cli("rm", "-f", trained.first.id, at=trained.directory)
    done = cli("collect")
    assert "deleted 0 objects" in done.err
    assert "more can go when they are an hour old" in done.err
    young = json.loads(cli("collect", "--dry-run", "--json").out)["young"]
    assert young["objects"] > 0
    assert young["size_bytes"] > 0
    assert "once they are an hour old" in cli("du").err


def test_du_adds_up(cli: RunCli, trained: TwoExperiments) -> None:
    usage = json.loads(cli("du", "--json", at=trained.directory).out)
    assert {one["experiment_id"] for one in usage["experiments"]} == {trained.first.id, trained.second.id}
    assert usage["logical_bytes"] == sum(one["logical_bytes"] for one in usage["experiments"]) > 20000
    table = cli("du").out
    assert table.splitlines()[0].split() == ["EXPERIMENT", "LOGICAL", "STORED", "SHARED"]
    assert trained.first.short_id() in table
