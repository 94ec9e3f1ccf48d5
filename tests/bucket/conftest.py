from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from keepsake._tracking.ending import tracked
from tests.cli.conftest import cli  # noqa: F401 (a fixture)
from tests.servers.fault_proxy import FaultProxy
from tests.servers.seaweedfs import S3Server


@pytest.fixture
def project(tmp_path: Path, s3_server: S3Server, s3_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project whose repository is in a bucket; its directory is the current one."""
    directory = tmp_path / "project"
    directory.mkdir()
    configure(directory, s3_url, s3_server.options)
    monkeypatch.chdir(directory)
    yield directory
    for session in tracked():
        session.stop("finished")


@pytest.fixture
def proxy(s3_server: S3Server) -> Iterator[FaultProxy]:
    """What stands between the client and `s3_server` when its endpoint is used instead."""
    with FaultProxy(s3_server.endpoint) as proxy:
        yield proxy


def configure(directory: Path, url: str, options: dict[str, object]) -> None:
    """Write a `keepsake.yaml`; JSON is YAML, too."""
    document = {"repository": url, "repository_options": options}
    (directory / "keepsake.yaml").write_text(json.dumps(document))
