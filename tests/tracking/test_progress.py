"""Waiting is seen when it takes a while: a bar on a terminal, lines elsewhere, and never an error because of it."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import textwrap
from pathlib import Path

import pytest

import keepsake
from keepsake._tracking import progress
from keepsake._tracking.progress import Waiting
from keepsake._tracking.settle import session_manifests, settle

WORK = """
    import atexit, os, sys, threading, time
    import keepsake._tracking.progress as progress

    progress.SLOW_S = progress.REDRAW_INTERVAL_S = 0.0

    def work():
        with progress.Waiting("making it compact") as waiting:
            waiting.expect(4_000_000)
            for number in range(4):
                {each}
                waiting(1_000_000)
        assert threading.active_count() == 1

    atexit.register(work)
"""


def run_on_terminal(source: str, **variables: str) -> tuple[str, int]:
    """Run a program whose standard error is a terminal; return what that showed, and the exit code."""
    pty = pytest.importorskip("pty")
    master, slave = pty.openpty()
    process = os.posix_spawn(
        sys.executable,
        [sys.executable, "-W", "error", "-c", textwrap.dedent(source)],
        {**os.environ, "TERM": "xterm", "COLUMNS": "120", **variables},
        file_actions=[(os.POSIX_SPAWN_DUP2, slave, 2), (os.POSIX_SPAWN_CLOSE, master)],
    )
    os.close(slave)
    shown = b""
    with contextlib.suppress(OSError):  # which is how Linux says that the other end is closed
        while data := os.read(master, 65536):
            shown += data
    os.close(master)
    return shown.decode(), os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have everything count as slow."""
    monkeypatch.setattr(progress, "SLOW_S", -1.0)


def test_what_is_quick_is_not_mentioned(capsys: pytest.CaptureFixture[str]) -> None:
    with Waiting("making it compact") as waiting:
        waiting.expect(1000)
        waiting(1000)
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("slow")
def test_elsewhere_than_on_a_terminal_there_is_a_line_at_the_start_and_one_at_the_end(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Waiting("making it compact") as waiting:
        waiting.expect(5_000_000)
        waiting.expect(3_000_000)
        for _ in range(8):
            waiting(1_000_000)
    assert capsys.readouterr().err.splitlines() == [
        "keepsake: everything is saved; making it compact, 7 MB to go (Ctrl-C is safe, the rest is done later)",
        "keepsake: done after 0 s",
    ]


@pytest.mark.usefixtures("slow")
def test_how_much_is_left_is_only_said_when_it_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    with Waiting("delivering to file:///there") as waiting:
        waiting(1_000_000)
    assert "delivering to file:///there (Ctrl-C is safe" in capsys.readouterr().err


@pytest.mark.usefixtures("slow")
def test_what_was_broken_off_is_not_called_done(capsys: pytest.CaptureFixture[str]) -> None:
    waiting = Waiting("making it compact")
    waiting(1)
    waiting.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert "done after" not in capsys.readouterr().err


@pytest.mark.usefixtures("slow")
def test_what_has_failed_is_not_called_done(capsys: pytest.CaptureFixture[str]) -> None:
    with Waiting("making it compact") as waiting:
        waiting(1)
        waiting.fail()
    assert "done after" not in capsys.readouterr().err


def test_it_ends_when_its_time_is_up() -> None:
    with pytest.raises(TimeoutError, match="making it compact"), Waiting("making it compact", timeout_s=0) as waiting:
        waiting(1)


@pytest.mark.usefixtures("slow")
@pytest.mark.parametrize("stream", [None, io.StringIO()])
def test_without_standard_error_it_works_in_silence(
    stream: io.StringIO | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if stream is not None:
        stream.close()
    monkeypatch.setattr(sys, "stderr", stream)
    with Waiting("making it compact") as waiting:
        waiting(1)


def test_on_a_terminal_a_bar_grows_while_the_interpreter_ends() -> None:
    shown, code = run_on_terminal(WORK.format(each="pass"))
    assert code == 0
    assert "keepsake: making it compact" in shown
    assert "1.0/4.0 MB" in shown
    assert "4.0/4.0 MB" in shown
    assert "Ctrl-C is safe" in shown
    assert shown.rindex("\x1b[?25h") > shown.rfind("\x1b[?25l")  # the cursor is visible
    assert "\n" in shown[shown.rindex("Ctrl-C") :]


def test_the_cursor_is_visible_also_while_the_bar_is_drawn() -> None:
    shown, code = run_on_terminal(WORK.format(each="os._exit(5) if number == 2 else None"))
    assert code == 5
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l")


@pytest.mark.parametrize(
    ("each", "variables"),
    [("pass", {"TERM": "dumb"}), ("sys.modules['rich.console'] = None", {})],
    ids=["a terminal that cannot move back", "no rich"],
)
def test_where_no_bar_can_be_drawn_there_are_lines(each: str, variables: dict[str, str]) -> None:
    shown, code = run_on_terminal(WORK.format(each=each), **variables)
    assert code == 0
    assert "keepsake: everything is saved; making it compact, 3 MB to go" in shown
    assert "keepsake: done after" in shown


def test_a_terminal_that_is_closed_in_the_middle_is_no_error() -> None:
    shown, code = run_on_terminal(WORK.format(each="os.close(2) if number == 2 else None"))
    assert code in (0, 120)  # the interpreter itself may mind that it cannot flush
    assert "Traceback" not in shown


def test_the_total_is_what_the_chunks_add_up_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for number in range(5):
        (tmp_path / f"file-{number}").write_bytes(os.urandom(300_000 * number))
    experiment = keepsake.init(path=".", quiet=True)
    experiment.checkpoint(path="file-4")
    repository = keepsake.Project().find_place().open_repository()
    journal = repository.load_journal(experiment.id)
    digests = session_manifests(journal, journal.events[0].session_id)
    done: list[int] = []
    totals: list[int] = []
    settle(repository, experiment.id, digests, on_progress=done.append, on_total=totals.append)
    assert totals == [sum(done)]
    assert totals[0] >= 3_000_000
    experiment.stop()
