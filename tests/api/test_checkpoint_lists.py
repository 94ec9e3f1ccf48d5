"""`experiment.checkpoints`: a list, with metrics and steps as lists of their own."""

from __future__ import annotations

import pytest

import keepsake
from keepsake import CheckpointList
from keepsake.errors import AmbiguousPrefixError, NotFoundError
from tests.api.runs import LOSSES, STEPS, make_run, only_experiment


def test_the_metrics_are_a_list_of_values_for_each_name() -> None:
    make_run()
    experiment = only_experiment()
    assert experiment.checkpoints.metrics["loss"] == [0.99, 0.87, 0.64]
    assert experiment.checkpoints.metrics["loss"] == [chk.metrics["loss"] for chk in experiment.checkpoints]


def test_the_steps_are_a_list() -> None:
    make_run()
    experiment = only_experiment()
    assert experiment.checkpoints.step == [0, 10, 20]
    assert experiment.checkpoints.step == [chk.step for chk in experiment.checkpoints]


def test_a_metric_that_some_checkpoints_lack_is_none_there() -> None:
    experiment = keepsake.init()
    experiment.checkpoint(loss=1.0)
    experiment.checkpoint(accuracy=0.5)
    assert experiment.checkpoints.metrics["loss"] == [1.0, None]
    assert "accuracy" in experiment.checkpoints.metrics
    assert list(experiment.checkpoints.metrics) == ["loss", "accuracy"]


def test_nested_metrics_are_addressed_with_dots() -> None:
    experiment = keepsake.init()
    experiment.checkpoint(metrics={"val": {"loss": 1.0}})
    experiment.checkpoint(metrics={"val.loss": 2.0})
    assert experiment.checkpoints.metrics["val.loss"] == [1.0, 2.0]


def test_a_metric_that_no_checkpoint_has_is_an_error_that_lists_the_known_ones() -> None:
    with pytest.raises(NotFoundError, match="'los'") as caught:
        make_run().checkpoints.metrics["los"]
    assert "loss" in str(caught.value.hint)


def test_a_metric_that_is_not_there_is_a_lookup_error() -> None:
    with pytest.raises(LookupError):
        make_run().checkpoints.metrics["nope"]


def test_slices_are_lists_of_the_same_kind() -> None:
    checkpoints = make_run().checkpoints
    for part, losses, steps in [
        (checkpoints[-2:], LOSSES[-2:], STEPS[-2:]),
        (checkpoints[::2], LOSSES[::2], STEPS[::2]),
        (checkpoints[::-1], LOSSES[::-1], STEPS[::-1]),
        (checkpoints[:2], LOSSES[:2], STEPS[:2]),
    ]:
        assert isinstance(part, CheckpointList)
        assert part.metrics["loss"] == list(losses)
        assert part.step == list(steps)


def test_a_list_of_checkpoints_is_a_list() -> None:
    checkpoints = make_run().checkpoints
    assert isinstance(checkpoints, list)
    assert len(checkpoints) == 3
    assert [checkpoint.step for checkpoint in checkpoints] == list(STEPS)
    assert checkpoints[-1].step == 20
    assert checkpoints[1] in checkpoints


def test_the_order_is_the_one_in_which_they_were_saved() -> None:
    experiment = keepsake.init()
    for step in (3, 1, 2):
        experiment.checkpoint(step=step)
    assert only_experiment().checkpoints.step == [3, 1, 2]


def test_a_checkpoint_is_looked_up_by_its_id_or_the_beginning_of_it() -> None:
    checkpoints = make_run().checkpoints
    assert checkpoints.get(checkpoints[1].id) is checkpoints[1]
    assert checkpoints.get(checkpoints[1].id[:8]).step == 10
    with pytest.raises(NotFoundError):
        checkpoints.get("f" * 64)


def test_an_ambiguous_beginning_of_an_id_is_refused_with_the_candidates(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = iter([f"abcd{number}" + "0" * 59 for number in range(3)])
    monkeypatch.setattr("keepsake._tracking.session.new_id", lambda: next(ids))
    checkpoints = make_run().checkpoints
    with pytest.raises(AmbiguousPrefixError) as caught:
        checkpoints.get("abcd")
    assert len(caught.value.candidates) == 3
    assert all(checkpoint.short_id() in str(caught.value) for checkpoint in checkpoints)


def test_an_experiment_without_checkpoints_has_an_empty_list() -> None:
    checkpoints = keepsake.init().checkpoints
    assert checkpoints == []
    assert checkpoints.step == []
