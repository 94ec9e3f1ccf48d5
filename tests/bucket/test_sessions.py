"""Saving to a bucket: captured on this machine, delivered, read back on another one."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest
from click.testing import CliRunner

import keepsake
from keepsake._tracking.delivery import Delivery
from keepsake.cli.main import cli
from keepsake.directories import lock_directory, staging_directory
from keepsake.errors import ConfigError, NotFoundError, PermissionDeniedError, StoreError
from tests.bucket.conftest import configure
from tests.bucket.places import bucket, content, move_to_another_machine, staged_keys
from tests.courier.processes import until
from tests.durability.scripts import finish, run_script, start_script, write_script
from tests.servers.fault_proxy import FaultProxy
from tests.servers.seaweedfs import READER_KEY, READER_SECRET, S3Server

pytestmark = pytest.mark.usefixtures("project")


def test_what_was_saved_is_read_on_another_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("train.py").write_text("import keepsake")
    experiment = keepsake.init(path="train.py", params={"rate": 0.1})
    for step in range(3):
        Path("weights").write_bytes(content(step))
        experiment.checkpoint(path="weights", step=step, metrics={"loss": 1 / (step + 1)})
    experiment.stop()
    assert staged_keys() == set()
    move_to_another_machine(tmp_path / "other", monkeypatch)
    (found,) = keepsake.experiments.list()
    assert (found.id, found.params, found.status) == (experiment.id, {"rate": 0.1}, "finished")
    assert [one.open("weights").read() for one in found.checkpoints] == [content(step) for step in range(3)]
    assert found.checkpoints[0].open("train.py").read() == b"import keepsake"
    assert keepsake.Project().check().problems == []


def test_before_it_is_delivered_it_is_read_from_this_machine() -> None:
    experiment = keepsake.init(params={"rate": 0.1})
    Path("weights").write_bytes(content(1))
    checkpoint = experiment.checkpoint(path="weights", metrics={"loss": 0.5})
    assert bucket().list_experiments().experiments == []
    assert checkpoint.open("weights").read() == content(1)
    (found,) = keepsake.experiments.list(filter="loss = 0.5")
    assert found.best() is None
    assert keepsake.experiments.get(experiment.id[:7]).latest() == checkpoint
    assert found.status == "running"
    experiment.refresh()
    assert len(experiment.checkpoints) == 1


def test_waiting_delivers_and_writing_goes_on() -> None:
    experiment = keepsake.init()
    Path("weights").write_bytes(content(1))
    experiment.checkpoint(path="weights")
    keepsake.wait()
    assert len(bucket().load_experiment(experiment.id).checkpoints) == 1
    experiment.checkpoint(path="weights")
    experiment.log({"loss": 1.0})
    experiment.stop()
    state = bucket().load_experiment(experiment.id)
    assert len(state.checkpoints) == 2
    assert len(bucket().load_journal(experiment.id).events) == 5


def test_annotations_and_deletions_reach_the_bucket_at_once() -> None:
    experiment = keepsake.init()
    experiment.checkpoint(metrics={"loss": 1.0})
    experiment.stop()
    found = keepsake.experiments.get(experiment.id)
    found.name = "baseline"
    assert keepsake.experiments.get(experiment.id).name == "baseline"
    found.delete()
    assert list(keepsake.experiments.list()) == []


def test_a_single_checkpoint_is_deleted_delivered_or_not_also_beside_a_whole_experiment() -> None:
    delivered, staged = keepsake.init(), keepsake.init()
    first, second = delivered.checkpoint(step=1), delivered.checkpoint(step=2)
    delivered.stop()
    third, fourth = staged.checkpoint(step=3), staged.checkpoint(step=4)
    first.delete()
    removed = CliRunner().invoke(cli, ["rm", "-f", third.id, delivered.id])
    assert removed.exit_code == 0, removed.output
    staged.stop()
    (left,) = bucket().list_experiments().experiments
    assert [body["id"] for body in left.checkpoints] == [fourth.id]
    with pytest.raises(NotFoundError):
        second.delete()


def test_a_session_learns_from_a_delivery_that_its_experiment_was_deleted(capsys: pytest.CaptureFixture[str]) -> None:
    experiment = keepsake.init()
    experiment.checkpoint(metrics={"loss": 1.0})
    keepsake.wait()
    keepsake.experiments.get(experiment.id).delete()
    experiment.checkpoint(metrics={"loss": 0.5})
    place = keepsake.Project().find_place()
    Delivery(bucket(), place.staging, lock_directory()).deliver()
    Path("weights").write_bytes(content(1))
    experiment.checkpoint(path="weights")
    assert "was deleted" in capsys.readouterr().err
    assert list(keepsake.experiments.list()) == []


SCRIPT = """
    import os, sys, time
    import keepsake
    experiment = keepsake.init()
    print(experiment.id, flush=True)
    for step in range(1000):
        data = os.urandom(100_000)
        with open("weights", "wb") as file:
            file.write(data)
        checkpoint = experiment.checkpoint(path="weights", step=step)
        print(checkpoint.id, data[:8].hex(), flush=True)
"""


@pytest.mark.parametrize("courier", ["on", "off"])
def test_after_a_kill_a_push_delivers_all_that_had_returned(
    courier: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEEPSAKE_COURIER", courier)
    process = start_script(write_script(SCRIPT))
    assert process.stdout is not None
    first = [process.stdout.readline().split() for _ in range(12)]
    process.send_signal(signal.SIGKILL)
    rest, _ = finish(process)
    saved = {words[0]: words[1] for words in (*first, *rest) if len(words) == 2}
    monkeypatch.setenv("KEEPSAKE_COURIER", "off")
    keepsake.Project().deliver()
    move_to_another_machine(tmp_path / "other", monkeypatch)
    (found,) = keepsake.experiments.list()
    there = {one.id: one.open("weights").read()[:8].hex() for one in found.checkpoints}
    assert {one: there.get(one) for one in saved} == saved
    assert keepsake.Project().check().problems == []


def test_the_courier_delivers_while_training_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEEPSAKE_COURIER", "on")
    experiment = keepsake.init()
    Path("weights").write_bytes(content(1))
    experiment.checkpoint(path="weights")
    until(lambda: bucket().list_experiments().experiments)
    assert bucket().load_experiment(experiment.id).checkpoints


FORKING = """
    import os, sys
    import keepsake
    experiment = keepsake.init()
    open("weights", "w").write("of the parent")
    experiment.checkpoint(path="weights", step=0)
    keepsake.wait()  # by now a bucket has been used
    for child in range(2):
        if os.fork() == 0:
            open(f"weights-{child}", "w").write(f"of child {child}")
            experiment.checkpoint(path=f"weights-{child}", step=child + 1)
            sys.exit(0)
        assert os.wait()[1] == 0
    experiment.stop()
"""


@pytest.mark.parametrize("courier", ["on", "off"])
def test_what_forked_children_save_is_delivered_and_nothing_is_said_to_have_failed(
    courier: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEEPSAKE_COURIER", courier)
    status, _, talk = run_script(FORKING)
    assert status == 0, talk
    assert "warning" not in talk
    assert talk.count("what this forked process saved waits") == (2 if courier == "off" else 0)
    move_to_another_machine(tmp_path / "other", monkeypatch)
    (found,) = keepsake.experiments.list()
    names = {0: "weights", 1: "weights-0", 2: "weights-1"}
    saved = {one.step: one.open(names[one.step or 0]).read() for one in found.checkpoints}
    assert saved == {0: b"of the parent", 1: b"of child 0", 2: b"of child 1"}


BEGINNING = """
    import multiprocessing, sys
    import keepsake

    def begin(number):
        with keepsake.init(params={"number": number}, quiet=True):
            return number

    if __name__ == "__main__":
        keepsake.init(quiet=True).stop()
        with multiprocessing.get_context(sys.argv[1]).Pool(1) as pool:
            print(pool.map(begin, [1, 2]))
"""


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_workers_that_begin_experiments_are_spawned_and_forked_ones_are_told_so(method: str) -> None:
    status, _, talk = run_script(BEGINNING, method)
    assert (status == 0) == (method == "spawn"), talk
    assert ("ForkedProcessError" in talk and "`spawn`" in talk) == (method == "fork")
    assert len(keepsake.experiments.list()) == (3 if method == "spawn" else 1)


OFFLINE = """
    import keepsake
    experiment = keepsake.init(params={"rate": 0.1})
    open("weights", "w").write("weights of an offline run")
    checkpoint = experiment.checkpoint(path="weights", metrics={"loss": 1.0})
    assert checkpoint.open("weights").read() == b"weights of an offline run"
    assert len(keepsake.experiments.list()) == 1
"""


def test_offline_nothing_is_sent_until_it_is_pushed(
    project: Path, s3_server: S3Server, s3_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(project, s3_url, s3_server.options | {"endpoint": "http://127.0.0.1:1"})
    monkeypatch.setenv("KEEPSAKE_MODE", "offline")
    status, _, talk = run_script(OFFLINE)
    assert status == 0, talk
    assert f"`keepsake push` delivers it to {s3_url}" in talk
    with pytest.raises(ConfigError, match="offline"):
        keepsake.Project().deliver()
    monkeypatch.delenv("KEEPSAKE_MODE")
    configure(project, s3_url, s3_server.options)
    assert keepsake.Project().deliver().segments == 1
    assert bucket().list_experiments().experiments[0].created["params"] == {"rate": 0.1}
    assert staged_keys() == set()


def test_disabled_nothing_is_left_and_calls_work(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEEPSAKE_MODE", "disabled")
    before = set(project.rglob("*"))
    experiment = keepsake.init(path=".", params={"rate": 0.1})
    checkpoint = experiment.checkpoint(path=".", metrics={"loss": 1.0}, primary_metric=("loss", "minimize"))
    experiment.log({"loss": 0.5})
    experiment.name = "nothing"
    experiment.refresh()
    assert experiment.best() == checkpoint
    for read in (lambda: checkpoint.open("keepsake.yaml"), lambda: experiment.checkout("out")):
        with pytest.raises(NotFoundError, match="could not be saved: KEEPSAKE_MODE is disabled"):
            read()
    experiment.stop()
    assert experiment.status == "finished"
    assert set(project.rglob("*")) == before
    assert list(lock_directory().iterdir()) == []


def test_a_bucket_that_cannot_be_reached_at_the_end_warns_and_loses_nothing(
    project: Path, s3_server: S3Server, s3_url: str, proxy: FaultProxy, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(project, s3_url, s3_server.options | {"endpoint": proxy.endpoint})
    experiment = keepsake.init()
    Path("weights").write_bytes(content(1))
    experiment.checkpoint(path="weights")
    proxy.fault = "reset"
    experiment.stop()
    proxy.fault = None
    said = capsys.readouterr().err
    assert f"is not complete in {s3_url}" in said
    assert "delivers it when the repository works again, else `keepsake push`" in said
    assert "testsecret" not in said
    assert keepsake.Project().deliver().chunks == 1
    assert bucket().load_experiment(experiment.id).checkpoints


def test_a_missing_bucket_is_an_error_at_once(project: Path, s3_server: S3Server) -> None:
    configure(project, "s3://there-is-no-such-bucket", s3_server.options)
    with pytest.raises(StoreError, match="no bucket") as caught:
        keepsake.init()
    assert "aws s3 mb" in str(caught.value.hint)


def test_a_bucket_that_can_only_be_read_is_an_error_at_once_and_can_be_read(
    project: Path, s3_server: S3Server, s3_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    keepsake.init().stop()
    capsys.readouterr()
    reader = {"access_key_id": READER_KEY, "secret_access_key": READER_SECRET}
    configure(project, s3_url, s3_server.options | reader)
    with pytest.raises(PermissionDeniedError, match="AccessDenied") as caught:
        keepsake.init()
    assert "permissions" in str(caught.value.hint)
    assert READER_SECRET not in str(caught.value)
    assert capsys.readouterr().err == ""  # nothing was written that could be left behind
    assert len(keepsake.experiments.list()) == 1


def test_the_command_makes_the_bucket(tmp_path: Path, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "new").mkdir()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", str(s3_server.options["access_key_id"]))
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", str(s3_server.options["secret_access_key"]))
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server.endpoint)
    command = ["init", "-D", str(tmp_path / "new"), "s3://made-by-keepsake/root"]
    refused = CliRunner().invoke(cli, command)
    assert refused.exit_code == 1
    made = CliRunner().invoke(cli, [*command, "--force", "--create-bucket"])
    assert made.exit_code == 0, made.output
    assert "s3://made-by-keepsake/root" in made.output


def test_staging_that_is_deleted_while_a_script_runs_takes_along_only_what_waited(
    capsys: pytest.CaptureFixture[str],
) -> None:
    experiment = keepsake.init(quiet=True)
    for step in range(3):
        Path("weights").write_bytes(content(step))
        experiment.checkpoint(path="weights", step=step)
        if step == 0:
            keepsake.wait()
        if step == 1:
            shutil.rmtree(staging_directory(os.environ))  # as who empties ~/.cache does
    experiment.stop()
    said = capsys.readouterr().err
    assert said.count("only what was delivered is kept") == 1
    (found,) = keepsake.experiments.list()
    assert [one.step for one in found.checkpoints] == [0, 2]
    assert [one.open("weights").read() for one in found.checkpoints] == [content(0), content(2)]
    assert found.status == "finished"
