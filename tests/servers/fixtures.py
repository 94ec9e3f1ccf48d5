"""Servers as fixtures: one of a kind for all tests of a process, a bucket for every test."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from keepsake.stores._bucketoptions import check_options
from keepsake.stores.cloud import CloudStore
from tests.courier.processes import find_couriers, until
from tests.servers.azurite import run_azurite
from tests.servers.gcs import run_gcs
from tests.servers.moto_server import run_moto
from tests.servers.rclone import run_rclone
from tests.servers.seaweedfs import S3Server, run_seaweedfs

_numbers = itertools.count()


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory, users_root: Path) -> Iterator[S3Server]:
    """A SeaweedFS; it stays until the couriers that use it have ended."""
    with run_seaweedfs(tmp_path_factory.mktemp("seaweedfs")) as server:
        yield server
        until(lambda: not find_couriers(users_root), patience_s=60.0)


@pytest.fixture(scope="session")
def s3_bucket(s3_server: S3Server) -> str:
    """The name of a bucket of `s3_server` that all tests share; each keeps to a path of its own in it."""
    CloudStore("s3", "keepsake-tests", "", check_options("s3", s3_server.options)).create_bucket()
    return "keepsake-tests"


@pytest.fixture
def s3_url(s3_bucket: str) -> str:
    """The URL of an empty place in a bucket; it is opened with `s3_server.options`."""
    return f"s3://{s3_bucket}/test/{next(_numbers)}"


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """A Moto with the bucket `tests`."""
    with run_moto(tmp_path_factory.mktemp("moto")) as server:
        CloudStore("s3", "tests", "", check_options("s3", server.options)).create_bucket()
        yield server


@pytest.fixture(scope="session")
def rclone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """An `rclone serve s3` with the bucket `tests`: a server that ignores the condition of a conditional put."""
    with run_rclone(tmp_path_factory.mktemp("rclone"), "tests") as server:
        yield server


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory, users_root: Path) -> Iterator[dict[str, object]]:
    """Options for an Azurite with the container `tests`; it stays until the couriers that use it have ended."""
    with run_azurite(tmp_path_factory.mktemp("azurite"), "tests") as options:
        yield options
        until(lambda: not find_couriers(users_root), patience_s=60.0)


@pytest.fixture(scope="session")
def gcs(tmp_path_factory: pytest.TempPathFactory, users_root: Path) -> Iterator[dict[str, object]]:
    """Options for a server of Google Cloud Storage with the bucket `tests`; it stays until its couriers have ended."""
    with run_gcs(tmp_path_factory.mktemp("gcs"), "tests") as options:
        yield options
        until(lambda: not find_couriers(users_root), patience_s=60.0)
