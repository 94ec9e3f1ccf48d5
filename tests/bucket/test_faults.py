"""A network and a server that fail: nothing is lost, nothing is there twice, and it is said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest

import keepsake
from keepsake._model.keys import CHUNKS, JOURNALS
from keepsake.errors import StoreError
from tests.bucket.conftest import configure
from tests.bucket.places import bucket, content, staged_keys
from tests.servers.fault_proxy import Fault, FaultProxy, Request
from tests.servers.seaweedfs import S3Server

FAULTS = [fault for fault in get_args(Fault) if fault != "stall"]


@pytest.fixture
def through_proxy(project: Path, s3_server: S3Server, s3_url: str, proxy: FaultProxy) -> FaultProxy:
    """The proxy, through which the project reaches its repository."""
    configure(project, s3_url, s3_server.options | {"endpoint": proxy.endpoint})
    return proxy


def every(number: int) -> Callable[[Request], bool]:
    """Return what strikes one request in so many."""
    seen = 0

    def strikes(_: Request) -> bool:
        nonlocal seen
        seen += 1
        return seen % number == 0

    return strikes


def run_experiment() -> keepsake.Experiment:
    experiment = keepsake.init()
    for step in range(3):
        Path("weights").write_bytes(content(step))
        experiment.checkpoint(path="weights", step=step, metrics={"loss": 1 / (step + 1)})
        keepsake.wait()
    experiment.stop()
    return experiment


def assert_all_is_there(experiment: keepsake.Experiment) -> None:
    journal = bucket().load_journal(experiment.id)
    assert [event.body["type"] for event in journal.events] == ["experiment", *["checkpoint"] * 3, "stop"]
    assert len({event.body["time"] for event in journal.events}) == 5
    found = keepsake.experiments.get(experiment.id)
    assert [one.open("weights").read() for one in found.checkpoints] == [content(step) for step in range(3)]
    store = bucket().store
    assert len(list(store.list(CHUNKS))) == 3
    assert len(list(store.list(JOURNALS))) == 1
    assert keepsake.Project().check().problems == []
    assert staged_keys() == set()


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_now_and_then_is_not_noticed(fault: Fault, through_proxy: FaultProxy) -> None:
    through_proxy.fault = fault
    through_proxy.strikes = every(3)
    experiment = run_experiment()
    through_proxy.fault = None
    assert through_proxy.struck > 5
    assert_all_is_there(experiment)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_bucket_that_fails_for_long_is_given_up_and_delivered_to_later(
    fault: Fault, through_proxy: FaultProxy, capsys: pytest.CaptureFixture[str]
) -> None:
    experiment = keepsake.init()
    through_proxy.fault = fault
    for step in range(3):
        Path("weights").write_bytes(content(step))
        experiment.checkpoint(path="weights", step=step)
    with pytest.raises(StoreError, match="is not complete in s3://"):
        keepsake.wait()
    experiment.stop()
    through_proxy.fault = None
    said = capsys.readouterr().err
    assert said.count("failed, and training goes on") == 1
    assert said.count("is not complete in s3://") == 1
    assert "testsecret" not in said
    keepsake.Project().deliver()
    assert_all_is_there(experiment)


def test_a_checkpoint_asks_nothing_of_the_bucket(through_proxy: FaultProxy) -> None:
    experiment = keepsake.init()
    sent = len(through_proxy.requests)
    for step in range(3):
        Path("weights").write_bytes(content(step))
        experiment.checkpoint(path="weights", step=step)
        experiment.log({"loss": 0.5})
    assert len(through_proxy.requests) == sent
    experiment.stop()
