"""Directories of their own for every test: none touches the caches, locks and staging of the user who runs them."""

from __future__ import annotations

import functools
import gc
import itertools
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from keepsake._tracking import environment
from keepsake._tracking.packages import imported_packages
from tests.courier.processes import find_couriers, until
from tests.depth import depth
from tests.servers.fixtures import azurite, gcs, moto, rclone, s3_bucket, s3_server, s3_url  # noqa: F401 (fixtures)

_numbers = itertools.count()

# Tests run beside each other: threads that compute together would mostly wait for each other.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

# Images of containers like to forbid it, and then each of the hundreds of processes that the tests start compiles anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# How busy the machine is says nothing about the code.
settings.register_profile(
    "keepsake", deadline=None, max_examples=depth(50, 200), suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("keepsake")


def pytest_collection_finish() -> None:
    """Take what was imported by now, gigabytes of modules, out of the garbage collector's way."""
    gc.collect()
    gc.freeze()


ONE_AFTER_THE_OTHER = (
    "tests/ui/browser/",
    "tests/test_benchmarks_page",
    "tests/bucket/test_crowd",
    "tests/bucket/test_offline",
)
"""Tests that change the networks of this machine, and those in a browser, which gives up its requests when one does."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have one worker run these; the others share the rest (`--dist loadgroup`)."""
    for item in items:
        if item.nodeid.startswith(ONE_AFTER_THE_OTHER):
            item.add_marker(pytest.mark.xdist_group("network"))


@pytest.fixture
def packages_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read what is imported into this process once: it changes little, and takes longer than most else of a test.

    (Which packages are recorded is the matter of `tests/tracking`.)
    """
    monkeypatch.setattr(environment, "imported_packages", _read_packages)


_read_packages = functools.cache(imported_packages)


@pytest.fixture(scope="session")
def users_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("users")


@pytest.fixture(scope="session", autouse=True)
def no_courier_is_left_over(users_root: Path) -> Iterator[None]:
    """A courier ends by itself a few seconds after the last session; every one that a test has started must."""
    yield
    if Path("/proc").is_dir():
        until(lambda: not find_couriers(users_root), patience_s=60.0)


@pytest.fixture(autouse=True)
def user_directory(users_root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Pretend to be a user who never used Keepsake; processes that the test starts are that user, too."""
    directory = users_root / str(next(_numbers))
    (directory / "tmp").mkdir(parents=True)
    monkeypatch.setenv("XDG_CACHE_HOME", str(directory / "cache"))
    monkeypatch.setenv("TMPDIR", str(directory / "tmp"))
    monkeypatch.setattr(tempfile, "tempdir", None)
    for name in list(os.environ):
        if name.startswith(("KEEPSAKE_", "AWS_", "AZURE_", "GOOGLE_")):
            monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(directory / name.lower()))
    # A courier a test would be a process a test. Those that are about it take this back: `tests/courier`.
    monkeypatch.setenv("KEEPSAKE_COURIER", "off")
    return directory
