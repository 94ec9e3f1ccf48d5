"""`keepsake diff`: what is different between experiments or checkpoints."""

from __future__ import annotations

import json

from keepsake._analysis import diff as analysis
from keepsake.cli import diff
from tests.cli.subjects import RunCli, TwoExperiments


def test_two_experiments_differ_in_params_metrics_and_code(cli: RunCli, trained: TwoExperiments) -> None:
    (trained.directory / "train.py").write_text("print('training harder')\n")
    third = trained.project.experiments.create(path=".", params={"learning_rate": 1.0, "layers": 2}, quiet=True)
    third.stop()
    out = cli("diff", trained.first.short_id(), third.short_id(), at=trained.directory).out
    assert "learning_rate  0.1  1" in out
    assert "layers" not in out
    assert "-print('training')" in out
    assert "+print('training harder')" in out


def test_two_checkpoints_of_one_experiment(cli: RunCli, trained: TwoExperiments) -> None:
    first, second = trained.first.checkpoints
    document = json.loads(cli("diff", "--json", first.id, second.id, at=trained.directory).out)
    assert [side["checkpoint_id"] for side in document["sides"]] == [first.id, second.id]


def test_only_one_section(cli: RunCli, trained: TwoExperiments) -> None:
    out = cli("diff", "--only", "params", trained.first.id, trained.second.id, at=trained.directory).out
    assert "Params" in out
    assert "Metrics" not in out


def test_stat_counts_instead_of_showing(cli: RunCli, trained: TwoExperiments) -> None:
    out = cli("diff", "--stat", trained.first.id, trained.second.id, at=trained.directory).out
    assert "learning_rate" not in out


def test_one_id_is_a_usage_error_and_an_unknown_one_exits_with_3(cli: RunCli, trained: TwoExperiments) -> None:
    assert cli("diff", trained.first.id, at=trained.directory).code == 2
    assert cli("diff", trained.first.id, "00000000").code == 3


def test_the_sections_of_the_command_are_those_of_the_comparison() -> None:
    assert diff.SECTIONS == analysis.SECTIONS
