"""A compute node without a network: its login node delivers from a shared disk, also while training goes on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import keepsake
from keepsake._model.keys import CHUNKS
from keepsake._repository.repository import Repository
from keepsake.cli.main import cli
from keepsake.errors import ConfigError, ConfigNotFoundError, StoreError
from keepsake.stores.local import LocalStore
from tests.bucket.conftest import configure
from tests.bucket.places import bucket, content, move_to_another_machine
from tests.durability.scripts import finish, write_script
from tests.legacy.repositories import experiment as old_experiment
from tests.legacy.repositories import write_repository
from tests.servers.machines import allows_namespaces, run_island
from tests.servers.seaweedfs import S3Server

SCRIPT = """
    import os, time
    import keepsake
    experiment = keepsake.init(params={"rate": 0.1})
    for step in range(6):
        data = os.urandom(200_000)
        with open("weights", "wb") as file:
            file.write(data)
        checkpoint = experiment.checkpoint(path="weights", step=step)
        print(checkpoint.id, data[:8].hex(), flush=True)
        while step == 2 and not os.path.exists("looked"):
            time.sleep(0.05)
"""


def read_step(process_lines: list[list[str]]) -> dict[str, str]:
    return {words[0]: words[1] for words in process_lines if len(words) == 2}


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("courier", ["on", "off"])
def test_a_login_node_delivers_for_a_node_without_network_while_it_trains(
    courier: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path / "shared"
    monkeypatch.setenv("KEEPSAKE_STAGING", str(shared))
    script = write_script(SCRIPT)
    with run_island(tmp_path / "node") as node:
        process = node.start(script, KEEPSAKE_MODE="offline", KEEPSAKE_COURIER=courier)
        assert process.stdout is not None
        lines = [process.stdout.readline().split() for _ in range(2)]
        early = keepsake.Project().deliver()
        assert early.chunks > 0
        assert process.poll() is None  # it goes on
        (running,) = keepsake.experiments.list()
        assert running.status == "running"  # its heartbeat lies on the shared disk
        Path("looked").touch()
        lines += [process.stdout.readline().split()]
        keepsake.Project().deliver()
        rest, talk = finish(process)
        assert process.returncode == 0, talk
        keepsake.Project().deliver()
    saved = read_step([*lines, *rest])
    assert len(saved) == 6
    (root,) = shared.iterdir()
    assert list(LocalStore(root).list(CHUNKS)) == []  # it was delivered, and nobody writes any more
    assert Repository.open(LocalStore(root)).list_experiments().experiments == []
    monkeypatch.delenv("KEEPSAKE_STAGING")
    move_to_another_machine(tmp_path / "other", monkeypatch)
    (found,) = keepsake.experiments.list()
    assert found.status == "finished"
    assert {one.id: one.open("weights").read()[:8].hex() for one in found.checkpoints} == saved
    assert keepsake.Project().check().problems == []


WAITING = """
    import keepsake
    experiment = keepsake.init()
    experiment.checkpoint(metrics={"loss": 1.0})
    print("saved", flush=True)
    input()
"""


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("courier", ["on", "off"])
def test_a_run_that_goes_on_offline_is_running_here_and_lost_elsewhere_until_its_end_is_pushed(
    courier: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEEPSAKE_COURIER", courier)
    environment = {**os.environ, "KEEPSAKE_MODE": "offline"}
    process = subprocess.Popen(
        [sys.executable, str(write_script(WAITING))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process.stdin:  # closing it ends the script
        assert process.stdout.readline() == "saved\n"
        keepsake.Project().deliver()
        assert statuses() == ["running"]
        assert len(keepsake.experiments.list(filter="status = running")) == 1
        with monkeypatch.context() as elsewhere:
            move_to_another_machine(tmp_path / "other", elsewhere)
            assert statuses() == ["lost"]
    finish(process)
    assert statuses() == ["failed"]  # input() found the end of the file
    keepsake.Project().deliver()
    move_to_another_machine(tmp_path / "another", monkeypatch)
    assert statuses() == ["failed"]


@pytest.mark.usefixtures("project")
def test_what_was_saved_offline_is_seen_before_anything_is_in_the_bucket(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigNotFoundError):
        keepsake.experiments.list()
    Path("weights").write_bytes(content(1))
    with monkeypatch.context() as offline:
        offline.setenv("KEEPSAKE_MODE", "offline")
        experiment = keepsake.init(params={"rate": 0.1})
        experiment.checkpoint(path="weights")
        experiment.stop()
    (found,) = keepsake.experiments.list()
    assert (found.params, found.status) == ({"rate": 0.1}, "finished")
    assert keepsake.experiments.get(found.id).checkpoints[0].open("weights").read() == content(1)
    for command in (["ls"], ["ps"], ["show", found.id], ["checkout", found.id, "-o", "out"]):
        done = CliRunner().invoke(cli, command)
        assert done.exit_code == 0, done.output
    assert Path("out/weights").read_bytes() == content(1)
    found.name = "first"
    keepsake.Project().deliver()
    assert [one.name for one in keepsake.experiments.list()] == ["first"]
    assert bucket().load_experiment(found.id).name == "first"


def test_when_the_bucket_cannot_be_reached_it_is_said_how_to_see_what_was_saved_offline(
    project: Path, s3_server: S3Server, s3_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(project, s3_url, s3_server.options | {"endpoint": "http://127.0.0.1:9"})
    with pytest.raises(StoreError, match="cannot be reached") as nothing:
        keepsake.experiments.list()
    with monkeypatch.context() as offline:
        offline.setenv("KEEPSAKE_MODE", "offline")
        keepsake.init().stop()
        assert statuses() == ["finished"]
    with pytest.raises(StoreError, match="cannot be reached") as something:
        keepsake.experiments.list()
    assert "KEEPSAKE_MODE" not in str(nothing.value)
    assert "KEEPSAKE_MODE=offline shows what is on this machine, `keepsake push` delivers it" in str(something.value)


@pytest.mark.parametrize(
    ("url", "options", "trouble"),
    [
        ("s3://team experiments/vision", {}, "does not name a bucket"),
        ("s3://team/100%25", {}, "does not name a bucket"),
        ("s3://AKIDEXAMPLE:hush-hush@team/vision", {}, "has user information in it"),
        ("s3://team/vision", {"regoin": "eu-central-1"}, "unknown repository options for s3://: regoin"),
    ],
)
def test_offline_nothing_is_saved_for_a_bucket_that_cannot_be_one(
    url: str, options: dict[str, object], trouble: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(tmp_path, url, options)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KEEPSAKE_MODE", "offline")
    for call in (keepsake.init, keepsake.Project().deliver):
        with pytest.raises(ConfigError) as caught:
            call()
        assert trouble in caught.value.message
        assert "hush" not in str(caught.value)


def test_what_was_saved_offline_for_a_wrong_bucket_is_pushed_from_its_directory(
    project: Path, tmp_path: Path, s3_server: S3Server, s3_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(project, "s3://no-such-bucket/vision", s3_server.options)
    with monkeypatch.context() as offline:
        offline.setenv("KEEPSAKE_STAGING", str(tmp_path / "shared"))
        offline.setenv("KEEPSAKE_MODE", "offline")
        keepsake.init(params={"rate": 0.1}).stop()
    configure(project, s3_url, s3_server.options)
    (saved,) = (tmp_path / "shared").iterdir()
    done = CliRunner().invoke(cli, ["push", str(saved), s3_url])
    assert done.exit_code == 0, done.output
    assert [one.params for one in keepsake.experiments.list()] == [{"rate": 0.1}]


@pytest.mark.usefixtures("project")
def test_offline_nothing_is_said_to_be_in_a_bucket(
    s3_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEEPSAKE_MODE", "offline")
    with pytest.raises(ConfigNotFoundError, match="nothing waits on this machine for s3://"):
        keepsake.experiments.list()
    keepsake.init(params={"rate": 0.1}).stop()
    for url in (s3_url, "s3://elsewhere/vision"):
        done = CliRunner().invoke(cli, ["push", url])
        assert (done.exit_code, f"nothing can be delivered to {url} offline" in done.output) == (1, True)
    assert f"{s3_url} is not asked offline" in CliRunner().invoke(cli, ["ps"]).output
    assert "is not asked" not in CliRunner().invoke(cli, ["ls"]).output
    assert CliRunner().invoke(cli, ["push", str(tmp_path / "disk")]).exit_code == 0
    (copied,) = keepsake.Project(str(tmp_path / "disk")).experiments.list()
    assert copied.params == {"rate": 0.1}


def test_a_project_that_is_set_up_offline_names_its_bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KEEPSAKE_MODE", "offline")
    done = CliRunner().invoke(cli, ["init", "s3://team/vision"])
    assert "keepsake.yaml names the repository s3://team/vision\n" in done.output
    assert Path("keepsake.yaml").read_text() == "repository: s3://team/vision\n"


def test_offline_nothing_is_migrated_to_a_bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEEPSAKE_MODE", "offline")
    old = write_repository(tmp_path / "old", old_experiment())
    with pytest.raises(ConfigError, match="nothing can be delivered to s3://elsewhere/vision offline"):
        keepsake.migrate(str(old), "s3://elsewhere/vision", directory=tmp_path)


def statuses() -> list[str]:
    return [one.status for one in keepsake.experiments.list()]


def test_a_node_without_network_says_so_at_once_when_nobody_said_offline(
    project: Path, tmp_path: Path, s3_server: S3Server, s3_url: str
) -> None:
    options = s3_server.options
    if not allows_namespaces():  # then the node has a network, and nobody else may answer there
        options |= {"endpoint": "http://127.0.0.1:9"}
    configure(project, s3_url, options)
    script = write_script("import keepsake; keepsake.init()")
    with run_island(tmp_path / "node") as node:
        process = node.start(script)
        _, talk = finish(process)
    assert process.returncode == 1
    assert f"the server {str(options['endpoint']).removeprefix('http://')} cannot be reached" in talk
