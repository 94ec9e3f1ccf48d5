"""Repositories in buckets, named as in the examples."""

from __future__ import annotations

from pathlib import Path

import pytest

import keepsake
from tests.bucket.conftest import configure
from tests.servers.seaweedfs import S3Server


def test_a_project_in_a_bucket_is_trained_in_and_analysed(
    project: Path, s3_server: S3Server, s3_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "AWS_ACCESS_KEY_ID": s3_server.options["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": s3_server.options["secret_access_key"],
        "AWS_ENDPOINT_URL": s3_server.endpoint,
        "AWS_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, str(value))
    (project / "model.pkl").write_bytes(b"a model")
    trained = keepsake.Project(repository=s3_url, directory=str(project))
    experiment = trained.experiments.create(path=".", params={"foo": "bar"})
    experiment.checkpoint(path="model.pkl", step=1, metrics={"loss": 0.5}, primary_metric=("loss", "minimize"))
    experiment.stop()
    (found,) = keepsake.Project(repository=s3_url).experiments.list()
    assert found.params == {"foo": "bar"}
    best = found.best()
    assert best is not None
    assert best.open("model.pkl").read() == b"a model"


def test_the_configuration_names_a_bucket(project: Path, s3_server: S3Server, s3_url: str) -> None:
    configure(project, s3_url, s3_server.options)
    keepsake.init(params={"foo": "bar"}).stop()
    assert [one.params for one in keepsake.experiments.list()] == [{"foo": "bar"}]
