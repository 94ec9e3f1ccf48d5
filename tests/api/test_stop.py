"""How an experiment ends, and what its status says of it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import keepsake
from tests.api.runs import make_run, only_experiment, run_script, write_files


def test_stop_marks_the_experiment_as_finished() -> None:
    experiment = keepsake.init()
    assert (experiment.is_running(), experiment.status) == (True, "running")
    experiment.stop()
    for one in (experiment, only_experiment()):
        assert (one.is_running(), one.status, one.error) == (False, "finished", None)


def test_stopping_twice_is_no_error() -> None:
    experiment = keepsake.init()
    experiment.stop()
    experiment.stop()
    assert only_experiment().status == "finished"


def test_stopping_an_experiment_that_was_only_looked_at_changes_nothing() -> None:
    running = keepsake.init()
    only_experiment().stop()
    assert running.is_running()
    assert only_experiment().is_running()


def test_an_experiment_that_was_looked_at_while_it_ran_knows_when_it_has_ended() -> None:
    experiment = keepsake.init()
    looked_at = only_experiment()
    assert looked_at.is_running()
    experiment.stop()
    assert looked_at.status == "finished"


def test_a_checkpoint_after_stop_goes_on_and_runs_again() -> None:
    experiment = keepsake.init()
    experiment.checkpoint(step=1)
    experiment.stop()
    experiment.checkpoint()
    assert experiment.is_running()
    experiment.stop()
    assert only_experiment().checkpoints.step == [1, 2]
    assert only_experiment().status == "finished"


def test_leaving_the_block_of_an_experiment_stops_it() -> None:
    with keepsake.init() as experiment:
        assert isinstance(experiment, keepsake.Experiment)
        assert experiment.is_running()
        experiment.checkpoint(step=1)
    assert only_experiment().status == "finished"


def test_an_exception_that_leaves_the_block_is_recorded_and_goes_on() -> None:
    with pytest.raises(ZeroDivisionError), keepsake.init():
        _ = 1 / 0
    experiment = only_experiment()
    assert experiment.status == "failed"
    assert experiment.error == {"type": "ZeroDivisionError", "message": "division by zero"}


def test_ctrl_c_in_the_block_is_an_interruption() -> None:
    with pytest.raises(KeyboardInterrupt), keepsake.init():
        raise KeyboardInterrupt
    assert only_experiment().status == "interrupted"


def test_a_script_that_ends_has_finished_its_experiment() -> None:
    assert run_script("import keepsake\nkeepsake.init().checkpoint(step=1)").returncode == 0
    assert only_experiment().status == "finished"


def test_a_script_that_ends_with_an_exception_has_failed() -> None:
    result = run_script("import keepsake\nkeepsake.init()\nraise ValueError('no such data')")
    assert result.returncode == 1
    assert "ValueError: no such data" in result.stderr
    experiment = only_experiment()
    assert experiment.status == "failed"
    assert experiment.error == {"type": "ValueError", "message": "no such data"}


def test_a_script_that_is_interrupted_says_so() -> None:
    result = run_script("import os, signal, keepsake\nkeepsake.init()\nos.kill(os.getpid(), signal.SIGINT)\ninput()")
    assert "KeyboardInterrupt" in result.stderr
    assert only_experiment().status == "interrupted"


@pytest.mark.parametrize("how", ["os.kill(os.getpid(), signal.SIGKILL)", "os._exit(0)"])
def test_a_script_that_ends_without_a_word_is_lost(how: str) -> None:
    run_script(f"import os, signal, keepsake\nkeepsake.init()\n{how}")
    assert only_experiment().status == "lost"
    assert not only_experiment().is_running()


def test_leaving_with_an_exit_code_is_recorded() -> None:
    assert run_script("import sys, keepsake\nwith keepsake.init():\n    sys.exit(3)").returncode == 3
    experiment = only_experiment()
    assert experiment.status == "failed"
    assert experiment.error == {"type": "SystemExit", "message": "3"}


def test_another_process_sees_a_script_run_and_end(project: Path) -> None:
    write_files(project, {"train.py": "import keepsake\nkeepsake.init()\nprint('ready', flush=True)\ninput()\n"})
    with subprocess.Popen(
        [sys.executable, "train.py"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        experiment = only_experiment()
        assert experiment.is_running()
        process.communicate("\n", timeout=60)
    assert experiment.status == "finished"


def test_no_signal_handlers_are_installed() -> None:
    signals = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1]
    before = [signal.getsignal(one) for one in signals]
    experiment = keepsake.init()
    assert [signal.getsignal(one) for one in signals] == before
    experiment.stop()


def test_wait_makes_what_was_saved_compact_while_the_experiment_runs(project: Path) -> None:
    write_files(project, {"w": "a" * 2_000_000})
    experiment = keepsake.init()
    experiment.checkpoint(path="w")
    before_bytes = _stored_bytes(project)
    keepsake.wait()
    assert before_bytes > 2_000_000
    assert _stored_bytes(project) < 100_000
    assert experiment.is_running()


def test_stop_makes_what_was_saved_compact(project: Path) -> None:
    write_files(project, {"w": "a" * 2_000_000})
    with keepsake.init(path="."):
        assert _stored_bytes(project) > 2_000_000
    assert _stored_bytes(project) < 100_000


def test_a_finished_experiment_leaves_no_heartbeat(project: Path) -> None:
    experiment = keepsake.init()
    assert len(list((project / ".keepsake" / "heartbeats").iterdir())) == 1
    experiment.stop()
    assert list((project / ".keepsake").rglob("heartbeats/*.json")) == []


def test_stopping_takes_no_time_when_there_is_nothing_to_do() -> None:
    experiment = make_run(stop=False)
    started_s = time.monotonic()
    experiment.stop()
    assert time.monotonic() - started_s < 5


def test_two_processes_may_write_to_one_experiment() -> None:
    experiment = keepsake.init()
    experiment.checkpoint(step=1)
    result = run_script(
        """
        import sys, keepsake
        experiment = keepsake.experiments.get(sys.argv[1])
        experiment.checkpoint(step=2)
        """,
        experiment.id,
    )
    assert result.returncode == 0, result.stderr
    assert only_experiment().is_running()
    experiment.checkpoint(step=3)
    experiment.stop()
    assert only_experiment().checkpoints.step == [1, 2, 3]
    assert experiment.checkpoints.step == [1, 2, 3]


def _stored_bytes(project: Path) -> int:
    return sum(place.stat().st_size for place in (project / ".keepsake" / "chunks").rglob("*") if place.is_file())
