"""A network and a server that fail: nothing is lost, nothing is there twice, and it is said."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest

import keepsake
from keepsake._model.keys import CHUNKS, JOURNALS
from keepsake.errors import StoreError
from keepsake.stores._bucketoptions import check_options
from keepsake.stores.cloud import CloudStore
from keepsake.stores.url import open_store
from tests.bucket.conftest import configure
from tests.bucket.places import bucket, content, staged_keys
from tests.courier.processes import until
from tests.durability.scripts import run_script
from tests.servers.fault_proxy import Fault, FaultProxy, Request
from tests.servers.seaweedfs import S3Server, run_seaweedfs

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


def test_a_slow_line_only_takes_longer(through_proxy: FaultProxy) -> None:
    through_proxy.latency_s = 0.02
    experiment = run_experiment()
    through_proxy.latency_s = 0.0
    assert_all_is_there(experiment)


@pytest.mark.parametrize("fault", ["lost", "500 after"])
def test_a_conditional_put_whose_answer_is_lost_makes_the_repository_once(
    fault: Fault, through_proxy: FaultProxy
) -> None:
    through_proxy.fault = fault
    conditional: list[Request] = []

    def strikes(request: Request) -> bool:
        if request.method == "PUT" and request.is_conditional:
            conditional.append(request)
        return conditional == [request]

    through_proxy.strikes = strikes
    experiment = run_experiment()
    through_proxy.fault = None
    assert through_proxy.struck == 1
    assert conditional[0].path.endswith("/repository.json")
    assert len(conditional) > 1  # it was sent again, refused, and recognised as our own
    assert_all_is_there(experiment)


MEMORY = """
    import os, sys
    import keepsake

    def peak_mb():
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))

    experiment = keepsake.init()
    open("weights", "wb").write(os.urandom(1_000_000))
    experiment.checkpoint(path="weights")
    keepsake.wait()
    before = peak_mb()
    for step in range(5):
        with open("weights", "wb") as file:
            for _ in range(20):
                file.write(os.urandom(1_000_000))
        experiment.checkpoint(path="weights", step=step)
        print("captured", peak_mb() - before, flush=True)
    experiment.stop()
    print("delivered", peak_mb() - before, flush=True)
"""


@pytest.mark.parametrize("fault", ["503", "truncate"])
def test_memory_is_bounded_whatever_the_bucket_does(fault: Fault, through_proxy: FaultProxy) -> None:
    through_proxy.fault, through_proxy.latency_s = fault, 0.02
    through_proxy.strikes = every(4)
    status, lines, talk = run_script(MEMORY)
    assert status == 0, talk
    through_proxy.fault = None
    assert [words[0] for words in lines] == ["captured"] * 5 + ["delivered"]
    assert max(float(words[1]) for words in lines) < 60  # of 100 MB
    assert len(keepsake.experiments.list()[0].checkpoints) == 6


def test_a_checkpoint_asks_nothing_of_the_bucket(through_proxy: FaultProxy) -> None:
    experiment = keepsake.init()
    sent = len(through_proxy.requests)
    for step in range(3):
        Path("weights").write_bytes(content(step))
        experiment.checkpoint(path="weights", step=step)
        experiment.log({"loss": 0.5})
    assert len(through_proxy.requests) == sent
    experiment.stop()


def can_be_read(url: str, server: S3Server) -> bool:
    """Say whether a server that has started again has found its files."""
    with contextlib.suppress(StoreError):
        return open_store(url, server.options).head("repository.json") is not None
    return False


def is_delivered() -> bool:
    """Deliver; say whether that worked, and all of it can be read."""
    with contextlib.suppress(StoreError):
        keepsake.Project().deliver()
        return keepsake.Project().check().problems == []
    return False


def test_a_server_that_is_killed_in_the_middle_of_an_upload_and_comes_back_has_everything(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = "s3://killed/root"
    with contextlib.ExitStack() as running:
        server = running.enter_context(run_seaweedfs(tmp_path / "weed"))
        proxy = running.enter_context(FaultProxy(server.endpoint))
        CloudStore("s3", "killed", "", check_options("s3", server.options)).create_bucket()
        configure(project, url, server.options | {"endpoint": proxy.endpoint})
        experiment = keepsake.init()
        for step in range(3):
            Path("weights").write_bytes(content(step, 6_000_000))
            experiment.checkpoint(path="weights", step=step)
        sent, proxy.latency_s = len(proxy.requests), 0.05
        delivering = threading.Thread(target=experiment.stop)
        delivering.start()
        until(lambda: len(proxy.requests) > sent + 8)
    delivering.join()
    with run_seaweedfs(tmp_path / "weed", server.base) as server:
        configure(project, url, server.options)
        until(lambda: can_be_read(url, server) and is_delivered())
        (found,) = keepsake.experiments.list()
        assert [one.open("weights").read() for one in found.checkpoints] == [content(n, 6_000_000) for n in range(3)]
        assert found.status == "finished"
        assert keepsake.Project().check().problems == []
    assert "is not complete in s3://killed/root" in capsys.readouterr().err


def test_a_host_that_swallows_everything_is_an_error_within_seconds(project: Path, s3_server: S3Server) -> None:
    with socket.socket() as hole, contextlib.ExitStack() as callers:
        hole.bind(("127.0.0.1", 0))
        hole.listen(0)
        for _ in range(3):  # more than fit into its queue, so that nobody else is answered
            caller = callers.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(hole.getsockname())
        endpoint = f"http://127.0.0.1:{hole.getsockname()[1]}"
        configure(project, "s3://bucket/root", s3_server.options | {"endpoint": endpoint})
        started = time.monotonic()
        with pytest.raises(StoreError, match=r"cannot be reached|in time"):
            keepsake.init()
        assert time.monotonic() - started < 30
