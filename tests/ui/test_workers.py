"""The threads that answer requests."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from keepsake.ui.workers import Workers


def test_as_many_work_at_once_as_there_are_and_no_more() -> None:
    workers = Workers(3)
    together = threading.Barrier(3)
    assert [one.result() for one in [workers.submit(together.wait, 60) for _ in range(3)]] != []
    gate, running, most, lock = threading.Event(), [0], [0], threading.Lock()

    def work(number: int) -> int:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        gate.wait(60)
        with lock:
            running[0] -= 1
        return number

    futures = [workers.submit(work, number) for number in range(20)]
    gate.set()
    assert [one.result(60) for one in futures] == list(range(20))
    assert most[0] <= 3


def test_a_thread_that_is_free_is_used_again() -> None:
    workers = Workers(8)
    names = {workers.submit(lambda: threading.current_thread().name).result(60) for _ in range(20)}
    assert len(names) <= 2  # a thread is free only a moment after its answer is there


def test_an_error_is_handed_to_who_asked_and_the_thread_goes_on() -> None:
    workers = Workers(1)
    with pytest.raises(ZeroDivisionError):
        workers.submit(lambda: 1 // 0).result(60)
    assert workers.submit(lambda: 2).result(60) == 2


def test_a_process_ends_while_they_are_at_work() -> None:
    code = "import time; from keepsake.ui.workers import Workers; Workers(2).submit(time.sleep, 3600)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0
