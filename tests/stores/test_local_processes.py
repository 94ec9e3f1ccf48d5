"""The local store under several processes and threads, some of which are killed."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from keepsake.stores._temporary import is_temporary
from keepsake.stores.local import LocalStore


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


_CREATE = """
import sys
from keepsake.stores.local import LocalStore
store = LocalStore(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
print(sum(store.create(f"a/{number}", sys.argv[2].encode() * 500) for number in range(100)))
"""


def test_of_many_creating_processes_exactly_one_wins(store: LocalStore) -> None:
    processes = [_start(_CREATE, str(store.root), str(number)) for number in range(4)]
    _let_go(processes)
    wins = [int(process.communicate(timeout=60)[0]) for process in processes]
    assert sum(wins) == 100
    winners = Counter(store.get(f"a/{number}") for number in range(100))
    assert winners == Counter({b"%d" % number * 500: count for number, count in enumerate(wins) if count})
    assert list(store.list_temporary()) == []


_REPLACE = """
import itertools, sys
from keepsake.stores.local import LocalStore
store = LocalStore(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
for number in itertools.count():
    letter = b"abcdefgh"[number % 8 : number % 8 + 1]
    store.put("a/object", [letter * 100_000, letter * 50_000])
    store.put(f"b/{number % 40}", letter * 30_000)
"""


def test_a_killed_writer_leaves_whole_objects_and_a_reader_beside_it_sees_no_mix(store: LocalStore) -> None:
    for attempt in range(8):
        process = _start(_REPLACE, str(store.root))
        _let_go([process])
        until = time.monotonic() + 0.05 + 0.013 * attempt
        while time.monotonic() < until:
            if store.head("a/object") is not None:
                assert _is_one_letter(store.get("a/object"), 150_000)
        process.kill()
        process.communicate()
        for info in store.list():
            assert _is_one_letter(store.get(info.key), 150_000 if info.key == "a/object" else 30_000)
    assert store.head("b/0") is not None
    assert all(is_temporary(info.key.rsplit("/", 1)[1]) for info in store.list_temporary())


def _is_one_letter(data: bytes, size_bytes: int) -> bool:
    return len(data) == size_bytes and data == data[:1] * size_bytes


def _start(script: str, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _let_go(processes: list[subprocess.Popen[str]]) -> None:
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()


def test_a_listing_beside_a_deleter_shows_what_stays_exactly_once(store: LocalStore) -> None:
    kept = {f"{number % 5}/kept{number}" for number in range(50)}
    for key in kept:
        store.put(key, b"")
    stopped = threading.Event()

    def churn() -> None:
        number = 0
        while not stopped.is_set():
            store.put(f"{number % 5}/going{number}", b"")
            store.delete(f"{number % 5}/going{number}")
            number += 1

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        for _ in range(100):
            listed = [info.key for info in store.list() if "kept" in info.key]
            assert sorted(listed) == sorted(kept)
    finally:
        stopped.set()
        thread.join()
