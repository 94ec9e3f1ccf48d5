"""Deleting experiments."""

from __future__ import annotations

from pathlib import Path

import pytest

import keepsake
from keepsake._repository.collect import collect
from keepsake._repository.repository import Repository
from keepsake.errors import NotFoundError
from keepsake.stores.local import LocalStore
from tests.api.runs import make_run, only_experiment, run_script


def test_a_deleted_experiment_is_gone_with_its_checkpoints() -> None:
    kept, deleted = make_run(), make_run()
    keepsake.experiments.get(deleted.id).delete()
    assert keepsake.experiments.list() == [kept]
    for get in (
        lambda: keepsake.experiments.get(deleted.id),
        lambda: keepsake.experiments.get_checkpoint(deleted.checkpoints[0].id),
        deleted.refresh,
    ):
        with pytest.raises(NotFoundError):
            get()


def test_deleting_twice_is_an_error() -> None:
    experiment = make_run()
    experiment.delete()
    with pytest.raises(NotFoundError, match=experiment.id):
        experiment.delete()


def test_a_list_deletes_all_of_its_experiments() -> None:
    good = make_run((0.9,))
    for loss in (0.1, 0.2):
        make_run((loss,))
    bad = keepsake.experiments.list(lambda exp: exp.best().metrics["loss"] < 0.5)  # type: ignore[union-attr, operator]
    assert len(bad) == 2
    bad.delete()
    assert keepsake.experiments.list() == [good]


def test_a_list_passes_over_what_is_deleted_already() -> None:
    make_run()
    make_run()
    experiments = keepsake.experiments.list()
    experiments[0].delete()
    experiments.delete()
    assert keepsake.experiments.list() == []


def test_deleting_an_experiment_that_this_process_writes_ends_it() -> None:
    experiment = keepsake.init()
    experiment.checkpoint(step=1)
    experiment.delete()
    assert keepsake.experiments.list() == []
    experiment.stop()
    assert keepsake.experiments.list() == []


def test_a_checkpoint_after_deletion_warns_once_and_does_not_bring_it_back(
    capsys: pytest.CaptureFixture[str], project: object
) -> None:
    experiment = keepsake.init(quiet=True)
    only_experiment().delete()
    for _ in range(3):
        experiment.checkpoint(path=".", loss=1.0)
    experiment.stop()
    assert keepsake.experiments.list() == []
    assert capsys.readouterr().err.count("deleted") == 1


def test_an_experiment_is_deleted_for_other_processes_too() -> None:
    experiment = make_run()
    result = run_script("import sys, keepsake\nkeepsake.experiments.get(sys.argv[1]).delete()", experiment.short_id())
    assert result.returncode == 0, result.stderr
    assert keepsake.experiments.list() == []


def test_the_checkpoints_of_others_open_after_a_deletion() -> None:
    Path("w").write_text("shared content")
    first, second = keepsake.init(), keepsake.init()
    first.checkpoint("w")
    second.checkpoint("w")
    first.stop()
    second.stop()
    first.delete()
    with only_experiment().checkpoints[0].open("w") as file:
        assert file.read() == b"shared content"
    assert keepsake.Project().check().is_clean


@pytest.mark.parametrize("stopped_before", [True, False])
def test_a_checkpoint_after_own_deletion_warns_once_and_runs_nothing(
    stopped_before: bool, capsys: pytest.CaptureFixture[str], project: Path
) -> None:
    experiment = make_run(stop=stopped_before)
    experiment.delete()
    capsys.readouterr()
    for step in range(3):
        experiment.checkpoint(step=step, loss=1.0)
        experiment.log(loss=1.0)
    assert capsys.readouterr().err.count("deleted") == 1
    assert not experiment.is_running()
    assert list((project / ".keepsake" / "heartbeats").glob("*")) == []
    assert keepsake.experiments.list() == []


def test_a_deleted_experiment_can_still_be_shown() -> None:
    running = keepsake.init(name="gone")
    looked_at = only_experiment()
    running.delete()
    for one in (running, looked_at):
        assert "gone" in repr(one)
        assert "gone" in one._repr_html_()


def test_reading_what_was_deleted_and_collected_meanwhile_says_where_it_went(project: Path) -> None:
    Path("w").write_bytes(b"content")
    with keepsake.init() as experiment:
        kept = experiment.checkpoint("w")
    opened = kept.open("w")
    experiment.delete()
    collect(Repository.open(LocalStore(project / ".keepsake")), young_s=0)
    for read in (opened.read, lambda: kept.open("w").read(), lambda: kept.checkout("out", quiet=True)):
        with pytest.raises(NotFoundError) as caught:
            read()
        assert "it goes when what needs it is deleted and the space collected" in str(caught.value)
