"""The work of a courier: it settles while training goes on, keeps heartbeats for the living, finishes for the dead."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import keepsake
from keepsake import Experiment, Project
from keepsake._model.keys import chunk_key
from keepsake._tracking.lock import session_lock_state
from keepsake._tracking.settled import load_settled
from keepsake.directories import lock_directory
from tests.courier.processes import find_couriers, heartbeat_times, instruct, log_text, serve, stop_statuses, until
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
    sha,
    start_script,
    write_script,
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are looked for in /proc")

TRAINING = """
    import hashlib, random, sys, time
    from pathlib import Path
    import keepsake

    rng = random.Random(int(sys.argv[1]))
    experiment = keepsake.init(quiet=True)
    for step in range(int(sys.argv[2])):
        content = rng.randbytes(50_000) + bytes(300_000)
        Path("weights").write_bytes(content)
        checkpoint = experiment.checkpoint(path="weights", metrics={"step": step})
        print(checkpoint.id, hashlib.sha256(content).hexdigest(), flush=True)
    time.sleep(float(sys.argv[3]))
"""


def start_training(seed: int, *, steps: int, then_wait_s: float = 60.0) -> tuple[subprocess.Popen[str], list[str]]:
    """Start a script and read the words of its first checkpoint."""
    process = start_script(write_script(TRAINING), seed, steps, then_wait_s)
    assert process.stdout is not None
    return process, process.stdout.readline().split()


def save(experiment: Experiment, content: bytes) -> tuple[str, str]:
    Path("weights").write_bytes(content)
    return experiment.checkpoint(path="weights", metrics={"size": len(content)}).id, sha(content)


def is_all_finished() -> bool:
    """Say whether nothing is left to do for any session."""
    repository = open_repository()
    return not (lock_files() or heartbeats(repository) or open_segments(repository) or raw_and_needed())


def raw_and_needed() -> set[str]:
    """Return the raw chunks that a checkpoint refers to; one that was never finished may leave others."""
    repository = open_repository()
    needed = {one for digest in manifests() for one in repository.load_manifest(digest).digests()}
    return needed.intersection(raw_chunks(repository))


def manifests() -> list[str]:
    """Return the digests of the manifests of all checkpoints."""
    states = open_repository().list_experiments().experiments
    return [digest for state in states for body in state.checkpoints for digest in body["manifests"]]


def test_checkpoints_are_settled_while_training_goes_on_and_not_again_at_its_end() -> None:
    serve()
    with keepsake.init(quiet=True) as experiment:
        told = [save(experiment, os.urandom(100_000) + bytes(3_000_000)) for _ in range(4)]
        until(lambda: raw_chunks(open_repository()) == [])
        session = experiment._session
        assert session is not None
        until(lambda: len(load_settled(lock_directory(), session.id)) == 4)
        assert session_lock_state(lock_directory(), session.id) == "held"
        # What the session still did itself would be seen by this.
        repository = open_repository()
        chunks = [chunk_key(one) for digest in manifests() for one in repository.load_manifest(digest).digests()]
        before = {key: repository.store.head(key) for key in chunks}
    assert {key: repository.store.head(key) for key in chunks} == before
    assert list(lock_directory().glob("*.settled")) == []
    assert [(one, content_hash(all_checkpoints()[one], "weights")) for one, _ in told] == told
    assert_clean()


def test_a_killed_script_is_said_to_be_lost_and_its_work_is_finished() -> None:
    serve(idle_s=5.0)
    process, first = start_training(1, steps=3)
    assert process.stdout is not None
    told = [first, *(process.stdout.readline().split() for _ in range(2))]
    process.kill()
    killed_s = time.monotonic()
    finish(process)
    until(lambda: stop_statuses() == ["lost"])
    assert time.monotonic() - killed_s < 5.0
    until(is_all_finished)
    assert only_experiment().status == "lost"
    assert [[one, content_hash(all_checkpoints()[one], "weights")] for one, _ in told] == told
    assert_clean()


def test_heartbeats_are_kept_while_the_script_is_silent_and_end_with_it() -> None:
    serve()
    process, _ = start_training(1, steps=1)
    for _ in range(3):
        before = heartbeat_times()
        until(lambda seen=before: heartbeat_times() not in ([], seen))  # type: ignore[misc]
    assert only_experiment().status == "running"
    lock = hold_another_session()
    process.kill()
    finish(process)
    until(lambda: len(heartbeats(open_repository())) == 1)
    # It goes on with the living, and never again speaks for the dead.
    for _ in range(3):
        before = heartbeat_times()
        until(lambda seen=before: heartbeat_times() not in ([], seen))  # type: ignore[misc]
        assert len(before) == 1
    lock.stop()
    until(is_all_finished)


def hold_another_session() -> Experiment:
    return Project().experiments.create(quiet=True)


def test_no_heartbeat_is_left_behind_however_sessions_end_beside_it() -> None:
    serve(poll_s=0.001, heartbeat_s=0.0)
    for number in range(60):
        experiment = keepsake.init(quiet=True, disable_heartbeat=number % 10 == 0)
        time.sleep(0.0005 * (number % 7))
        # One of a session that ends may appear once more for a moment, until the courier sees that it has ended.
        assert any(experiment.id in key for key in heartbeats(open_repository())) == (number % 10 != 0)
        experiment.stop()
    until(lambda: not find_couriers())
    assert heartbeats(open_repository()) == []


def test_who_sleeps_is_not_dead_and_goes_on_where_it_was() -> None:
    serve()
    process, _ = start_training(1, steps=1)
    (courier,) = find_couriers()
    os.kill(process.pid, signal.SIGSTOP)
    os.kill(courier, signal.SIGSTOP)
    before = heartbeat_times()
    time.sleep(0.6)  # three heartbeats' time
    assert heartbeat_times() == before
    assert only_experiment().status == "running"
    os.kill(courier, signal.SIGCONT)
    until(lambda: heartbeat_times() != before)
    time.sleep(0.3)
    assert stop_statuses() == []
    os.kill(process.pid, signal.SIGCONT)
    process.send_signal(signal.SIGINT)
    finish(process)
    assert stop_statuses() == ["interrupted"]


def test_killed_with_the_script_at_any_moment_it_leaves_work_that_the_next_finishes() -> None:
    rng = random.Random(3)
    told: list[list[str]] = []
    for number in range(6):
        serve(idle_s=5.0)
        process, first = start_training(number, steps=rng.randrange(2, 12))
        time.sleep(rng.uniform(0.0, 0.4))
        for courier in find_couriers():
            os.kill(courier, signal.SIGKILL)
        process.kill()
        told += [first, *finish(process)[0]]
        until(lambda: not find_couriers())
    assert [one.status for one in keepsake.experiments.list()] == ["lost"] * 6
    serve()
    until(is_all_finished)
    there = all_checkpoints()
    assert {one: content_hash(there[one], "weights") for one, _ in told} == dict(told)
    assert_clean()


def test_two_at_once_do_no_harm() -> None:
    first = serve(poll_s=0.3)
    os.rename(first.lock_path, first.lock_path.with_suffix(".moved"))
    serve()
    process, one = start_training(1, steps=8, then_wait_s=0)
    told = [one, *finish(process)[0]]
    assert only_experiment().status == "finished"
    until(is_all_finished)
    assert [[one.id, content_hash(one, "weights")] for one in only_experiment().checkpoints] == told
    assert_clean()


def test_what_is_cut_short_at_the_end_the_courier_finishes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEEPSAKE_EXIT_TIMEOUT_S", "0")
    serve(idle_s=5.0)
    process, _ = start_training(1, steps=8, then_wait_s=0)
    _, talk = finish(process)
    assert "time is up" not in talk or "the courier makes it compact" in talk
    until(is_all_finished)
    assert stop_statuses() == ["finished"]


def test_what_went_to_staging_comes_home_while_the_session_lives(project: Path) -> None:
    serve()
    with keepsake.init(quiet=True) as experiment:
        journals = project / ".keepsake" / "journals"
        told = [save(experiment, b"before" * 10_000)]
        intents = project / ".keepsake" / "intents"
        intents.rename("kept")
        intents.write_text("a file where a directory has to be")
        told += [save(experiment, b"while %d" % number * 10_000) for number in range(3)]
        until(lambda: "delivering" in log_text())
        assert journals.is_dir()
        intents.unlink()
        Path("kept").rename(intents)
        until(lambda: len(only_experiment().checkpoints) == 4)
    assert [(one.id, content_hash(one, "weights")) for one in only_experiment().checkpoints] == told
    assert_clean()


def test_an_idle_courier_collects_once_a_day_and_not_in_a_new_repository(project: Path) -> None:
    experiment = keepsake.init(quiet=True)
    save(experiment, b"doomed" * 100_000)
    experiment.stop()
    experiment.delete()
    repository = open_repository()
    chunks = [info.key for info in repository.store.list("chunks/")]
    for path in (project / ".keepsake").glob("[cm]*s/*/*"):  # chunks and manifests, too young to be collected
        os.utime(path, (0, 0))
    mark = Path(os.environ["XDG_CACHE_HOME"]) / "keepsake" / "collected" / repository.id
    until(lambda: not find_couriers())
    assert mark.exists()
    assert [info.key for info in repository.store.list("chunks/")] == chunks != []
    os.utime(mark, (0, 0))
    serve(idle_s=0.2)
    until(lambda: not find_couriers())
    assert list(repository.store.list("chunks/")) == []
    assert f"collected {len(chunks) + 1} objects" in log_text()
    assert instruct().lock_path.exists()
