"""However a training script ends: what the experiment says of it, and that nothing is left behind or left out."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

import pytest

import keepsake
from tests.durability.scripts import (
    all_checkpoints,
    assert_clean,
    content_hash,
    finish,
    heartbeats,
    lock_files,
    only_experiment,
    open_repository,
    open_segments,
    raw_chunks,
    run_script,
    start_script,
    write_script,
)

RECIPE = "signal.signal(signal.SIGTERM, signal.default_int_handler)\n"
"""What docs/ends.md advises for clusters: their warning becomes a Ctrl-C."""

BEGIN = """
import os, signal, sys, threading, time
from pathlib import Path
import keepsake

experiment = keepsake.init(path="train.py", quiet=True)
Path("weights").write_bytes(b"weights" * 100_000)
experiment.checkpoint(path="weights", metrics={"loss": 1.0})
"""


@pytest.mark.parametrize(
    ("end", "status", "code"),
    [
        ("", "finished", 0),
        ("experiment.stop()", "finished", 0),
        ("experiment.stop(); experiment.stop()", "finished", 0),
        ("sys.exit(0)", "finished", 0),
        ("sys.exit(3)", "finished", 3),  # the interpreter keeps no trace of it: docs/ends.md
        ("del experiment", "finished", 0),
        ("raise ValueError('too large')", "failed", 1),
        ("raise KeyboardInterrupt", "interrupted", -signal.SIGINT),
        ("os.kill(os.getpid(), signal.SIGINT); time.sleep(5)", "interrupted", -signal.SIGINT),
        ("os.kill(os.getpid(), signal.SIGTERM); time.sleep(5)", "lost", -signal.SIGTERM),
        ("os.kill(os.getpid(), signal.SIGKILL); time.sleep(5)", "lost", -signal.SIGKILL),
        # Below `nohup`, as tests may be, this signal is ignored.
        ("signal.signal(1, signal.SIG_DFL); os.kill(os.getpid(), 1); time.sleep(5)", "lost", -signal.SIGHUP),
        ("os._exit(0)", "lost", 0),
        ("os.abort()", "lost", -signal.SIGABRT),
        ("import ctypes; ctypes.string_at(0)", "lost", -signal.SIGSEGV),
        ("os.execv(sys.executable, [sys.executable, '-c', ''])", "lost", 0),
        ("with experiment: pass", "finished", 0),
        ("with experiment: raise ValueError('too large')", "failed", 1),
        ("with experiment: sys.exit(3)", "failed", 3),
        ("with experiment: sys.exit(0)", "finished", 0),
        ("with experiment: raise KeyboardInterrupt", "interrupted", -signal.SIGINT),
        ("signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); os.kill(os.getpid(), 15)", "finished", 0),
        (RECIPE + "os.kill(os.getpid(), signal.SIGTERM); time.sleep(5)", "interrupted", -signal.SIGINT),
        (RECIPE + "with experiment: os.kill(os.getpid(), signal.SIGTERM); time.sleep(5)", "interrupted", -2),
        ("try: raise ValueError('handled')\nexcept ValueError: pass", "finished", 0),
    ],
)
def test_an_experiment_says_how_its_script_ended(end: str, status: str, code: int) -> None:
    found, _, talk = run_script(BEGIN + end, options=("-W", "error"))
    assert found == code
    assert "keepsake:" not in talk
    experiment = only_experiment()
    assert (experiment.status, len(experiment.checkpoints)) == (status, 1)
    assert experiment.checkpoints[0].open("weights").read() == b"weights" * 100_000
    expected = {"type": "ValueError", "message": "too large"}
    assert experiment.error == (expected if status == "failed" and code == 1 else experiment.error)
    if status != "lost":
        repository = open_repository()
        left = (heartbeats(repository), lock_files(), open_segments(repository), raw_chunks(repository))
        assert left == ([], [], [], [])
    assert_clean()


def test_the_next_script_finishes_the_work_of_a_lost_one() -> None:
    run_script(BEGIN + "os._exit(1)")
    repository = open_repository()
    assert len(raw_chunks(repository)) == 2
    assert len(heartbeats(repository)) == len(lock_files()) == len(open_segments(repository)) == 1
    code, _, talk = run_script("import keepsake; keepsake.init(quiet=True)")
    assert (code, talk) == (0, "")
    assert (raw_chunks(repository), heartbeats(repository), lock_files(), open_segments(repository)) == ([], [], [], [])
    assert [one.status for one in keepsake.experiments.list()] == ["lost", "finished"]
    assert_clean()


def status_of(experiment: keepsake.Experiment) -> str:
    return experiment.status


def test_a_lost_experiment_can_be_gone_on_with() -> None:
    run_script(BEGIN + "os._exit(1)")
    experiment = only_experiment()
    assert status_of(experiment) == "lost"
    assert experiment.checkpoint(loss=0.5).step == 1
    assert status_of(experiment) == "running"
    experiment.stop()
    assert status_of(experiment) == "finished"
    assert_clean()


def test_a_thread_may_go_on_after_the_end_of_the_main_one() -> None:
    code, _, talk = run_script(
        BEGIN
        + """
def work():
    threading.main_thread().join()
    time.sleep(0.1)
    for number in range(3):
        Path("weights").write_bytes(os.urandom(6_000_000))
        experiment.checkpoint(path="weights", metrics={"loss": 2.0})
threading.Thread(target=work).start()
"""
    )
    assert (code, talk) == (0, "")
    experiment = only_experiment()
    assert (experiment.status, len(experiment.checkpoints)) == ("finished", 4)
    assert all(one.open("weights").read(1) for one in experiment.checkpoints)
    assert raw_chunks(open_repository()) == []
    assert_clean()


def test_a_daemon_thread_loses_nothing_that_it_was_told_to_be_saved() -> None:
    code, words, _ = run_script(
        BEGIN
        + """
def work():
    while True:
        print(experiment.checkpoint(loss=2.0).id, flush=True)
threading.Thread(target=work, daemon=True).start()
time.sleep(0.2)
"""
    )
    assert code in (0, -signal.SIGABRT)  # a daemon thread that prints while the interpreter ends may abort it
    told = {line[0] for line in words if len(line[0]) == 64}
    experiment = only_experiment()
    assert told <= {one.id for one in experiment.checkpoints}
    assert experiment.status in ("finished", "lost")
    assert_clean()


def test_checkpoints_after_stop_start_a_session_of_their_own(project: Path) -> None:
    experiment = keepsake.init(quiet=True)
    experiment.checkpoint(loss=1.0)
    experiment.stop()
    assert status_of(experiment) == "finished"
    experiment.checkpoint(loss=0.5)
    assert status_of(experiment) == "running"
    assert keepsake.experiments.get(experiment.id).status == "running"
    experiment.stop()
    read = keepsake.experiments.get(experiment.id)
    assert [one.step for one in read.checkpoints] == [0, 1]
    assert read.status == "finished"
    assert_clean()


def test_both_experiments_of_a_script_end_with_it() -> None:
    code, _, talk = run_script("""
        import keepsake
        for number in range(2):
            keepsake.init(params={"number": number}, quiet=True).checkpoint(number=number)
        keepsake.init(params={"number": 2}, quiet=True)
        assert [one.status for one in keepsake.experiments.list()] == ["running"] * 3
    """)
    assert (code, talk) == (0, "")
    assert [one.status for one in keepsake.experiments.list()] == ["finished"] * 3
    assert_clean()


def test_ctrl_c_while_it_trains_and_saves_loses_nothing() -> None:
    script = write_script("""
        import os
        from pathlib import Path
        import keepsake

        experiment = keepsake.init(quiet=True)
        for number in range(200):
            Path("weights").write_bytes(os.urandom(3_000_000))
            print(experiment.checkpoint(path="weights", metrics={"loss": 1.0}).id, flush=True)
            if number == 0:  # the imports are done: Python itself ignores a Ctrl-C at some moments of an import
                print("begun", flush=True)
    """)
    for number in range(4):
        process = start_script(script)
        assert process.stdout is not None
        first = process.stdout.readline().strip()
        assert process.stdout.readline() == "begun\n"
        time.sleep(0.05 + 0.07 * number)
        process.send_signal(signal.SIGINT)
        words, talk = finish(process)
        assert process.returncode == -signal.SIGINT
        assert "keepsake:" not in talk
        experiment = keepsake.experiments.list()[-1]
        assert status_of(experiment) == "interrupted"
        assert {first, *(line[0] for line in words)} <= {one.id for one in experiment.checkpoints}
        assert all(len(one.open("weights").read()) == 3_000_000 for one in experiment.checkpoints)
    assert_clean()


LONG_END = """
import keepsake._tracking.progress as progress

progress.SLOW_S = 0.0
for number in range(int(sys.argv[1])):
    Path("weights").write_bytes(os.urandom(8_000_000))
    checkpoint = experiment.checkpoint(path="weights")
    print(checkpoint.id, hashlib.sha256(Path("weights").read_bytes()).hexdigest(), flush=True)
print("trained", flush=True)
time.sleep(60)
"""


def start_long_end(files: int) -> tuple[subprocess.Popen[str], dict[str, str]]:
    """Start a script that has files to settle at its end; return it when it has trained, and what it has saved."""
    process = start_script(write_script("import hashlib\n" + BEGIN + LONG_END), files)
    assert process.stdout is not None
    saved: dict[str, str] = {}
    while (line := process.stdout.readline()) != "trained\n":
        one, content = line.split()
        saved[one] = content
    return process, saved


def assert_kept(saved: dict[str, str]) -> None:
    """See to it that everything saved can be read, and that the next script finishes the work."""
    found = all_checkpoints()
    assert {one: content_hash(found[one], "weights") for one in saved} == saved
    assert_clean()
    code, _, _ = run_script("import keepsake; keepsake.init(quiet=True)")
    assert code == 0
    assert (raw_chunks(open_repository()), lock_files()) == ([], [])
    assert {one: content_hash(found[one], "weights") for one in saved} == saved
    assert_clean()


def test_a_second_ctrl_c_ends_the_waiting() -> None:
    process, saved = start_long_end(8)
    assert process.stderr is not None
    process.send_signal(signal.SIGINT)
    talk = ""
    while "making it compact" not in talk:
        talk += process.stderr.readline()
    process.send_signal(signal.SIGINT)
    _, rest = finish(process)
    assert process.returncode == -signal.SIGINT
    assert "(Ctrl-C is safe, the rest is done later)" in talk
    assert "interrupted; everything is saved" in rest
    assert status_of(only_experiment()) == "interrupted"
    assert raw_chunks(open_repository())
    assert_kept(saved)


@pytest.mark.parametrize("end", ["stop", "with"])
def test_ctrl_c_while_one_of_many_experiments_ends_is_not_swallowed(end: str) -> None:
    script = write_script(
        BEGIN
        + """
import contextlib
import keepsake._tracking.progress as progress

progress.SLOW_S = 0.0
for number in range(8):
    Path("weights").write_bytes(os.urandom(8_000_000))
    experiment.checkpoint(path="weights")
with experiment if sys.argv[1] == "with" else contextlib.nullcontext():
    pass
experiment.stop()
keepsake.init(quiet=True)
"""
    )
    process = start_script(script, end)
    assert process.stderr is not None
    while "making it compact" not in process.stderr.readline():
        pass
    process.send_signal(signal.SIGINT)
    _, talk = finish(process)
    assert process.returncode == -signal.SIGINT
    assert talk.count("interrupted; everything is saved") == 1
    assert status_of(only_experiment()) == "finished"
    assert_clean()


@pytest.mark.parametrize("pause_s", [0.0, 0.05])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_second_signal_at_any_moment_loses_nothing(number: signal.Signals, pause_s: float) -> None:
    process, saved = start_long_end(3)
    process.send_signal(signal.SIGINT)
    time.sleep(pause_s)
    process.send_signal(number)
    finish(process)
    assert status_of(only_experiment()) in ("interrupted", "lost")
    assert_kept(saved)


def test_a_script_without_the_heartbeat_leaves_none() -> None:
    code, _, talk = run_script("""
        import keepsake
        experiment = keepsake.init(quiet=True, disable_heartbeat=True)
        experiment.checkpoint(loss=1.0)
        print(len(list(__import__("pathlib").Path(".keepsake").glob("heartbeats/*"))))
    """)
    assert (code, talk) == (0, "")
    assert only_experiment().status == "finished"
    assert heartbeats(open_repository()) == []
