"""`keepsake show`: everything about an experiment or a checkpoint."""

from __future__ import annotations

import json

import pytest

import keepsake
from tests.cli.subjects import RunCli, TwoExperiments


def test_an_experiment_is_shown_with_its_params_and_checkpoints(cli: RunCli, trained: TwoExperiments) -> None:
    done = cli("show", trained.first.short_id(), at=trained.directory)
    assert done.code == 0
    assert done.out.startswith(f"Experiment {trained.first.id}\n")
    assert "learning_rate  0.1" in done.out
    lines = [line for line in done.out.splitlines() if line.startswith(f"  {trained.first.checkpoints[1].short_id()}")]
    assert len(lines) == 1
    assert "0.05 (best)" in lines[0]
    assert "\x1b[" not in done.out


def test_a_checkpoint_is_shown_with_its_files(cli: RunCli, trained: TwoExperiments) -> None:
    checkpoint = trained.second.checkpoints[0]
    done = cli("show", checkpoint.id[:12], at=trained.directory)
    assert done.out.startswith(f"Checkpoint {checkpoint.id}\n")
    assert "weights.bin  5.00 kB" in done.out
    assert "train.py" in done.out
    assert "(primary, minimize)" in done.out


def test_checkpoints_without_metrics_are_listed(cli: RunCli, trained: TwoExperiments) -> None:
    with trained.project.experiments.create(quiet=True) as experiment:
        for step in range(2):
            experiment.checkpoint(step=step)
    out = cli("show", experiment.id, at=trained.directory).out
    lines = [line.split() for line in out.partition("\nCheckpoints\n")[2].splitlines()]
    assert [line[:2] for line in lines] == [
        ["id", "step"],
        *([one.short_id(), f"{one.step}"] for one in experiment.checkpoints),
    ]


@pytest.mark.parametrize("damage", ["it is missing", "it is damaged"])
def test_a_checkpoint_whose_files_are_lost_is_shown_with_the_reason(
    cli: RunCli, trained: TwoExperiments, damage: str
) -> None:
    checkpoint = trained.second.checkpoints[0]
    for manifest in (trained.directory / ".keepsake" / "manifests").rglob("*"):
        if manifest.is_file():
            manifest.unlink() if damage == "it is missing" else manifest.write_bytes(b"?")
    done = cli("show", checkpoint.id, at=trained.directory)
    assert done.code == 0
    assert "(primary, minimize)" in done.out
    assert "\nFiles\n  PROBLEM: " in done.out
    assert "manifest " in done.out.partition("PROBLEM: ")[2]


def test_json_of_an_experiment_is_what_the_api_says(cli: RunCli, trained: TwoExperiments) -> None:
    document = json.loads(cli("show", "--json", trained.first.id, at=trained.directory).out)
    assert document == trained.first.to_json()


def test_json_of_a_checkpoint_names_its_experiment(cli: RunCli, trained: TwoExperiments) -> None:
    checkpoint = trained.first.checkpoints[0]
    document = json.loads(cli("show", "--json", checkpoint.id, at=trained.directory).out)
    assert document["id"] == checkpoint.id
    assert document["metrics"] == {"loss": 0.1, "val/acc": 0.0}
    assert document["experiment"]["id"] == trained.first.id
    assert "checkpoints" not in document["experiment"]


def test_json_has_no_nan_in_it(cli: RunCli, trained: TwoExperiments) -> None:
    experiment = trained.project.experiments.create(params={"x": float("inf")}, quiet=True)
    experiment.checkpoint(loss=float("nan"))
    experiment.stop()
    done = cli("show", "--json", experiment.id, at=trained.directory)

    def refuse(name: str) -> None:
        raise AssertionError(name)

    document = json.loads(done.out, parse_constant=refuse)
    assert document["params"] == {"x": "Infinity"}
    assert document["checkpoints"][0]["metrics"] == {"loss": "NaN"}


def test_many_checkpoints_are_counted_unless_all_are_asked_for(cli: RunCli, trained: TwoExperiments) -> None:
    experiment = trained.project.experiments.create(quiet=True)
    for step in range(50):
        experiment.checkpoint(step=step, loss=1.0)
    experiment.stop()
    some = cli("show", experiment.id, at=trained.directory).out
    everything = cli("show", "--all", experiment.id).out
    assert "30 earlier ones: --all shows them" in some
    assert experiment.checkpoints[0].short_id() not in some
    assert all(one.short_id() in everything for one in experiment.checkpoints)


def test_colour_marks_headings_when_it_is_asked_for(cli: RunCli, trained: TwoExperiments) -> None:
    assert "\x1b[1mParams\x1b[0m" in cli("show", "--color", trained.first.id, at=trained.directory).out


def test_what_people_wrote_cannot_move_the_cursor(cli: RunCli, trained: TwoExperiments) -> None:
    hostile = "\x1b[2J\r\x07evil"
    experiment = trained.project.experiments.create(params={hostile: hostile}, name=hostile, notes=hostile, quiet=True)
    experiment.checkpoint(metrics={hostile: 1.0})
    experiment.stop()
    for identifier in (experiment.id, experiment.checkpoints[0].id):
        out = cli("show", identifier, at=trained.directory).out
        assert "evil" in out
        assert not set(out) & {"\x1b", "\r", "\x07"}


def test_an_id_that_is_not_there_exits_with_3(cli: RunCli, trained: TwoExperiments) -> None:
    done = cli("show", "00000000", at=trained.directory)
    assert done.code == 3
    assert done.out == ""
    assert "no experiment and no checkpoint" in done.err
    assert "hint: " in done.err


def test_an_id_that_is_not_there_names_the_one_that_was_meant(cli: RunCli, trained: TwoExperiments) -> None:
    right = trained.first.short_id()
    wrong = right[:3] + ("0" if right[3] != "0" else "1") + right[4:]
    for command in ("show", "log", "tag", "rm"):
        done = cli(command, wrong, at=trained.directory)
        assert (done.code, f"did you mean {right}" in done.err) == (3, True), command


def test_what_is_no_id_at_all_exits_with_3(cli: RunCli, trained: TwoExperiments) -> None:
    assert cli("show", "baseline", at=trained.directory).code == 3


def test_an_ambiguous_id_names_the_candidates(
    cli: RunCli, trained: TwoExperiments, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = ["abc" + "0" * 61, "abc" + "1" * 61]
    for one in ids:
        monkeypatch.setattr("keepsake.collection.new_id", lambda one=one: one)
        trained.project.experiments.create(quiet=True).stop()
    done = cli("show", "abc", at=trained.directory)
    assert done.code == 3
    assert all(one[:7] in done.err for one in ids)
    assert cli("show", "abc0").code == 0


def test_too_short_a_prefix_is_a_usage_error(cli: RunCli, trained: TwoExperiments) -> None:
    assert cli("show", "ab", at=trained.directory).code == 2


def test_the_repository_option_may_stand_before_or_after_the_command(cli: RunCli, trained: TwoExperiments) -> None:
    url = (trained.directory / ".keepsake").as_uri()
    elsewhere = trained.directory.parent
    before = cli("-R", url, "show", "--json", trained.first.id, at=elsewhere)
    after = cli("show", "--json", trained.first.id, "-R", url, at=elsewhere)
    by_directory = cli("show", "-D", str(trained.directory), "--json", trained.first.id, at=elsewhere)
    assert before.out == after.out == by_directory.out
    assert json.loads(before.out)["keepsake_version"] == keepsake.__version__
