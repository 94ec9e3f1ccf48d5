"""The life of a courier: it comes with a session, is alone, holds nothing, and goes when there is nothing to do."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path

import pytest

import keepsake
from keepsake._model.ids import new_id, new_session_id
from keepsake._tracking import dispatch, presence
from keepsake._tracking.dispatch import Dispatcher, courier_command, start_courier
from keepsake._tracking.instructions import Instructions
from keepsake._tracking.lock import SessionLock
from keepsake.directories import lock_directory
from tests.courier.processes import find_couriers, helper_of, instruct, log_text, serve, serving_courier, until
from tests.durability.scripts import assert_clean, finish, only_experiment, run_script, start_script, write_script

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are looked for in /proc")


def hold_session() -> SessionLock:
    """Be a session that writes nothing."""
    return SessionLock.acquire(
        lock_directory(),
        new_session_id(),
        experiment_id=new_id(),
        repository_url=instruct().store_url,
        heartbeat=True,
    )


def test_sessions_start_one_courier_which_ends_when_they_have_ended(project: Path) -> None:
    with keepsake.init(quiet=True) as first:
        until(serving_courier)
        until(lambda: len(find_couriers()) == 1)
        couriers = find_couriers()
        first.checkpoint(loss=1.0)
        with keepsake.init(quiet=True):
            assert find_couriers() == couriers
    until(lambda: not find_couriers())
    assert "there is nothing to do" in log_text()
    assert {path.suffix for path in lock_directory().iterdir()} <= {".courier", ".log", ".claim"}
    assert_clean()


def test_of_many_that_are_started_at_once_one_stays(project: Path) -> None:
    lock = hold_session()
    serve()
    for _ in range(6):
        assert start_courier(instruct())
    until(lambda: len(find_couriers()) == 1)
    lock.release()
    until(lambda: not find_couriers())


def test_a_script_meets_no_child_no_thread_and_no_warning() -> None:
    code, words, talk = run_script(
        """
        import os, threading
        import keepsake

        experiment = keepsake.init(quiet=True)
        experiment.checkpoint(loss=1.0)
        try:
            os.wait()
        except ChildProcessError:
            print("childless", threading.active_count())
        if os.fork() == 0:
            experiment.checkpoint(loss=0.5)
            experiment.stop()
            os._exit(0)
        os.wait()
    """,
        options=("-W", "error"),  # from Python 3.12 on, to fork beside a thread is one
    )
    assert (code, words, talk) == (0, [["childless", "1"]], "")
    assert len(only_experiment().checkpoints) == 2


def test_what_a_script_prints_ends_with_the_script(project: Path) -> None:
    code, words, talk = run_script("import keepsake; keepsake.init(quiet=True).checkpoint(loss=1.0); print('done')")
    assert (code, words, talk) == (0, [["done"]], "")
    (courier,) = find_couriers()  # which the pipes of the script, read to their ends, did not wait for
    until(serving_courier)
    open_files = {os.readlink(path) for path in Path(f"/proc/{courier}/fd").iterdir()}
    assert not [path for path in open_files if "pipe:" in path or str(project) in path or "tty" in path]
    assert os.getsid(courier) not in (os.getsid(0), 0)
    assert os.readlink(f"/proc/{courier}/cwd") == "/"


def test_what_everybody_can_see_of_it_holds_no_secret() -> None:
    instructions = Instructions(
        "s3://key:hunter2@host/bucket",
        "s3://key:hunter2@host/bucket",
        Path("/locks"),
        Path("/staging"),
        repository_options={"secret": "hunter2"},
    )
    command = courier_command(instructions)
    assert command is not None
    assert command[-2].endswith("bootstrap.py")
    assert "host/bucket" in command[-1]
    assert "hunter2" not in " ".join(command)
    serve()
    (courier,) = find_couriers()
    assert Path(f"/proc/{courier}/cmdline").read_bytes().split(b"\0")[-2].decode() == instruct().store_url
    assert Path(f"/proc/{courier}/comm").read_text() == "keepsake-courie\n"


def test_it_is_out_of_the_way_of_everything_else() -> None:
    lock = hold_session()
    serve()
    (courier,) = find_couriers()
    until(lambda: helper_of(courier))
    helper = helper_of(courier) or 0
    assert {os.getpriority(os.PRIO_PROCESS, each) for each in (courier, helper)} == {19}
    until(lambda: os.sched_getscheduler(helper) == os.SCHED_IDLE)
    assert os.sched_getscheduler(courier) == os.SCHED_OTHER
    variables = Path(f"/proc/{courier}/environ").read_bytes().split(b"\0")
    assert b"OPENBLAS_NUM_THREADS=1" in variables
    group = Path(f"/proc/{courier}/autogroup")
    assert not group.exists() or group.read_text().endswith("nice 19\n")
    lock.release()


def test_a_helper_that_is_killed_is_replaced_and_one_whose_courier_is_killed_dies() -> None:
    lock = hold_session()
    serve()
    (courier,) = find_couriers()
    until(lambda: helper_of(courier))
    first = helper_of(courier)
    assert first is not None
    os.kill(first, signal.SIGKILL)
    until(lambda: helper_of(courier) not in (None, first))
    assert "the helper ended with -9" in log_text()
    os.kill(courier, signal.SIGKILL)
    until(lambda: not find_couriers())
    lock.release()


def test_ctrl_c_reaches_the_script_and_not_the_courier() -> None:
    script = write_script("""
        import keepsake, time
        keepsake.init(quiet=True).checkpoint(loss=1.0)
        print("begun", flush=True)
        time.sleep(60)
    """)
    process = start_script(script)
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    until(serving_courier)
    (courier,) = find_couriers()
    assert os.getpgid(courier) != os.getpgid(process.pid)
    os.kill(courier, signal.SIGINT)
    process.send_signal(signal.SIGINT)
    finish(process)
    assert find_couriers() == [courier]
    assert only_experiment().status == "interrupted"


@pytest.mark.parametrize("gone", ["repository", "lock file"])
def test_it_ends_when_the_ground_is_gone_and_makes_nothing_anew(gone: str) -> None:
    instructions = serve(heartbeat_s=0.05)
    lock = hold_session()
    repository = Path.cwd() / ".keepsake"
    until(lambda: (repository / "heartbeats").is_dir())
    if gone == "repository":
        shutil.rmtree(repository, ignore_errors=True)
        shutil.rmtree(repository, ignore_errors=True)  # again, for a heartbeat that was just written
    else:
        instructions.lock_path.unlink()
    until(lambda: not find_couriers())
    assert f"{gone} is gone" in log_text()
    assert repository.exists() == (gone != "repository")
    lock.release()


def test_it_ends_when_the_repository_was_replaced() -> None:
    keepsake.Project(repository="other").experiments.create(quiet=True).stop()
    serve()
    lock = hold_session()
    # At once: a heartbeat that was just on its way would make a directory there.
    (Path.cwd() / ".keepsake").rename("elsewhere")
    Path("other").rename(".keepsake")
    until(lambda: "the repository is gone" in log_text())
    lock.release()
    until(lambda: not find_couriers())


def test_it_gives_up_when_nothing_works_for_long(project: Path) -> None:
    serve(give_up_s=0.5)
    with keepsake.init(quiet=True) as experiment:
        for name in ("chunks", "intents"):
            shutil.rmtree(project / ".keepsake" / name, ignore_errors=True)
            (project / ".keepsake" / name).write_text("a file where a directory has to be")
        Path("weights").write_bytes(b"weights")
        experiment.checkpoint(path="weights")
    until(lambda: not find_couriers())
    assert "nothing has worked" in log_text()


def test_a_killed_courier_is_replaced_as_often_as_need_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "LOOK_INTERVAL_S", 0.05)
    monkeypatch.setattr(dispatch, "GRACE_S", 0.5)
    killed: set[int] = set()
    with keepsake.init(quiet=True) as experiment:
        while len(killed) < 5:
            until(lambda: experiment.checkpoint(loss=1.0) and serving_courier() not in {None, *killed})
            (courier,) = find_couriers()
            os.kill(courier, signal.SIGKILL)
            killed.add(courier)
    assert_clean()


def test_after_three_that_never_ran_the_session_does_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "GRACE_S", 0.0)
    monkeypatch.setattr(dispatch, "_MODULES", ())
    dispatcher = Dispatcher(instruct())
    until(lambda: not dispatcher.ensure())
    # One that was started may yet run for a moment, and is not to be found before.
    until(lambda: "No module named 'keepsake'" in log_text() and not find_couriers() and not dispatcher.ensure())
