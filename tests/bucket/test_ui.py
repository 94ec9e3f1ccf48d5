"""The page's server on a repository in a bucket: what is known is shown at once, and looking is done aside."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import keepsake
from tests.bucket.conftest import configure
from tests.courier.processes import until
from tests.servers.fault_proxy import FaultProxy
from tests.servers.seaweedfs import S3Server
from tests.ui.serving import serving
from tests.ui.tables import Reader, rows_of


@pytest.fixture
def behind_proxy(project: Path, s3_server: S3Server, s3_url: str, proxy: FaultProxy) -> Iterator[FaultProxy]:
    """The proxy, through which the project reaches its repository."""
    configure(project, s3_url, s3_server.options | {"endpoint": proxy.endpoint})
    yield proxy
    proxy.fault = None


def train(name: str) -> keepsake.Experiment:
    experiment = keepsake.init(name=name, quiet=True)
    experiment.checkpoint(metrics={"loss": 1.0}, primary_metric=("loss", "minimize"))
    experiment.stop()
    keepsake.wait()
    return experiment


def test_what_is_known_is_shown_before_anything_is_asked_of_the_bucket(behind_proxy: FaultProxy) -> None:
    experiment = train("first")
    with serving(keepsake.Project()) as asker:
        document = asker.json("/experiments")
        assert [row["name"] for row in rows_of(document)] == ["first"]
    behind_proxy.fault = "503"
    behind_proxy.requests.clear()
    with serving(keepsake.Project()) as asker:
        assert asker.json("/experiments") == document
        assert asker.json("/select", filter="best.loss = 1")["places"] == [0]
        assert asker.json(f"/experiments/{experiment.id[:8]}")["name"] == "first"
        checkpoint = experiment.checkpoints[0].id
        assert asker.json(f"/experiments/{experiment.id}")["best_checkpoint"] == checkpoint


def test_what_others_have_saved_arrives_while_the_page_is_open(behind_proxy: FaultProxy) -> None:
    train("first")
    with serving(keepsake.Project()) as asker:
        reader = Reader(asker)
        train("second")

        def has_arrived() -> bool:
            reader.follow()
            return [row["name"] for row in reader.rows] == ["first", "second"]

        until(has_arrived)
        assert reader.reloads == 0


def test_a_bucket_that_nobody_has_looked_at_yet_is_waited_for(behind_proxy: FaultProxy) -> None:
    train("first")
    with serving(keepsake.Project()) as asker:
        assert [row["name"] for row in rows_of(asker.json("/experiments"))] == ["first"]


def test_an_outage_is_told_and_what_there_was_stays(behind_proxy: FaultProxy) -> None:
    train("first")
    with serving(keepsake.Project()) as asker:
        assert asker.json("/meta")["problems"] == []
        behind_proxy.refusal = (403, b"<Error><Code>AccessDenied</Code></Error>")
        until(lambda: bool(asker.json("/meta")["problems"]))
        (problem,) = asker.json("/meta")["problems"]
        assert "cannot be reached" in problem
        assert asker.json("/meta")["experiments"] == 1
        behind_proxy.refusal = None
        until(lambda: not asker.json("/meta")["problems"])
