"""Threads that share out work."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from keepsake._chunks.workers import run_workers


def test_every_item_is_worked_on_once() -> None:
    done: list[int] = []
    run_workers(lambda shared: done.extend(shared), range(1000), threads=4)
    assert sorted(done) == list(range(1000))


def test_several_threads_work_at_once() -> None:
    both = threading.Barrier(2, timeout=20)

    def work(items: Iterator[int]) -> None:
        for _ in items:
            both.wait()

    run_workers(work, range(2), threads=2)
    assert not both.broken


def test_one_thread_is_this_thread() -> None:
    names: list[str] = []
    run_workers(lambda items: names.extend(threading.current_thread().name for _ in items), range(3), threads=1)
    assert names == [threading.current_thread().name] * 3


@pytest.mark.parametrize("error", [ValueError("broken"), KeyboardInterrupt()])
def test_an_error_stops_all_threads_and_is_raised(error: BaseException) -> None:
    taken: list[int] = []

    def work(items: Iterator[int]) -> None:
        for item in items:
            taken.append(item)
            if item == 10:
                raise error

    with pytest.raises(type(error)):
        run_workers(work, iter(range(10**9)), threads=2)
    assert len(taken) < 10**6
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("keepsake-worker")]


def test_an_error_while_items_are_made_is_raised() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise OSError("no more")

    taken: list[int] = []
    with pytest.raises(OSError, match="no more"):
        run_workers(lambda shared: taken.extend(shared), items(), threads=3)
    assert taken in ([], [1]), "what was taken by the thread that failed is lost, and nothing else comes"
