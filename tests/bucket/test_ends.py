"""The end of a script whose repository is in a bucket behind a slow line: what is said when nobody waits any longer."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest

import keepsake
from keepsake._tracking import progress
from tests.bucket.conftest import configure
from tests.bucket.places import bucket, content
from tests.durability.scripts import finish, start_script, write_script
from tests.servers.fault_proxy import FaultProxy
from tests.servers.seaweedfs import S3Server

SCRIPT = """
    import os
    import keepsake
    experiment = keepsake.init(quiet=True)
    for step in range(8):
        open("weights", "wb").write(os.urandom(1_000_000))
        experiment.checkpoint(path="weights", step=step)
"""


@pytest.fixture
def slow(project: Path, s3_server: S3Server, s3_url: str) -> str:
    """The URL of a bucket to which little may be sent in a second."""
    configure(project, s3_url, s3_server.options | {"upload_mb_s": 1})
    return s3_url


def start() -> subprocess.Popen[str]:
    return start_script(write_script(SCRIPT))


def deliver(project: Path, s3_server: S3Server, s3_url: str) -> None:
    """Deliver without a limit, and see to it that all has come."""
    configure(project, s3_url, s3_server.options)
    keepsake.Project().deliver()
    (experiment,) = bucket().list_experiments().experiments
    assert len(experiment.checkpoints) == 8


@pytest.mark.parametrize("courier", ["on", "off"])
def test_when_time_is_up_it_is_said_who_delivers_the_rest(
    courier: str, project: Path, slow: str, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEEPSAKE_COURIER", courier)
    monkeypatch.setenv("KEEPSAKE_EXIT_TIMEOUT_S", "1.6")
    process = start()
    _, talk = finish(process)
    assert process.returncode == 0, talk
    who = "the courier" if courier == "on" else "`keepsake push` or the next `keepsake.init()` here"
    assert talk.splitlines()[-1] == f"keepsake: time is up; everything is saved, and {who} delivers it to {slow}"
    assert "done after" not in talk
    assert "not complete" not in talk
    deliver(project, s3_server, slow)


def test_ctrl_c_while_it_delivers_says_who_delivers_the_rest(project: Path, slow: str, s3_server: S3Server) -> None:
    process = start()
    assert process.stderr is not None
    assert "everything is saved; delivering to s3://" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    _, talk = finish(process)
    assert process.returncode == 0, talk
    who = "`keepsake push` or the next `keepsake.init()` here"
    assert talk == f"keepsake: interrupted; everything is saved, and {who} delivers it to {slow}\n"
    deliver(project, s3_server, slow)


def test_what_the_bucket_takes_a_part_of_is_not_called_done(
    project: Path,
    s3_server: S3Server,
    s3_url: str,
    proxy: FaultProxy,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(progress, "SLOW_S", -1.0)
    configure(project, s3_url, s3_server.options | {"endpoint": proxy.endpoint})
    experiment = keepsake.init()
    Path("weights").write_bytes(content(1))
    experiment.checkpoint(path="weights")
    proxy.strikes = lambda request: request.method == "PUT" and "/journals/" in request.path
    proxy.fault = "503"
    experiment.stop()
    said = capsys.readouterr().err
    assert "everything is saved; delivering to s3://" in said
    assert "is not complete in s3://" in said
    assert "done after" not in said
