"""Many writers at once: processes and threads, to one repository and to one experiment."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

import keepsake
from tests.durability.scripts import (
    all_checkpoints,
    assert_clean,
    content_hash,
    finish,
    heartbeats,
    open_segments,
    sha,
    start_script,
    write_script,
)

TRAINING = """
    import hashlib, random, sys, time
    from pathlib import Path

    import keepsake

    name, experiment_id = sys.argv[1:]
    rng = random.Random(name)
    shared = random.Random(0).randbytes(200_000)
    weights = Path(f"weights-{name}")
    if experiment_id == "own":
        experiment = keepsake.init(path="train.py", params={"name": name}, quiet=True)
    else:
        experiment = keepsake.experiments.get(experiment_id)
    for step in range(8):
        content = shared + rng.randbytes(50_000)
        weights.write_bytes(content)
        one = experiment.checkpoint(path=weights, metrics={"name": name, "number": step})
        print("checkpoint", one.id, hashlib.sha256(content).hexdigest(), experiment.id, flush=True)
        experiment.log(name=name, number=step)
    experiment.stop()
"""


def test_ten_processes_write_to_one_repository_four_of_them_to_one_experiment() -> None:
    script = write_script(TRAINING)
    shared = keepsake.init(path="train.py", params={"name": "shared"}, quiet=True)
    processes = {name: start_script(script, name, shared.id if name < "e" else "own") for name in "abcdefghij"}
    results = {name: finish(process) for name, process in processes.items()}
    assert {name: talk for name, (_, talk) in results.items()} == dict.fromkeys("abcdefghij", "")
    shared.stop()

    there = all_checkpoints()
    told = {line[1]: (name, line[2], line[3]) for name, (words, _) in results.items() for line in words}
    assert len(told) == 80
    assert there.keys() == told.keys()
    for checkpoint_id, (name, expected, experiment_id) in told.items():
        assert there[checkpoint_id].experiment_id == experiment_id
        assert content_hash(there[checkpoint_id], f"weights-{name}") == expected
    assert len(keepsake.experiments.list()) == 7
    logs = [entry.metrics for experiment in keepsake.experiments.list() for entry in experiment.logs]
    assert sorted(map(str, logs)) == sorted(
        str({"name": name, "number": number}) for name in "abcdefghij" for number in range(8)
    )

    experiment = keepsake.experiments.get(shared.id)
    assert len(experiment.checkpoints) == 32
    for name in "abcd":
        own = [one for one in experiment.checkpoints if one.metrics["name"] == name]
        assert [one.metrics["number"] for one in own] == list(range(8))
        steps = [one.step or 0 for one in own]
        assert steps == list(range(steps[0], steps[0] + 8))
    assert {one.status for one in keepsake.experiments.list()} == {"finished"}
    assert_clean()


def test_many_processes_may_make_the_repository_at_once(project: Path) -> None:
    script = write_script("import keepsake; keepsake.init(quiet=True).checkpoint(loss=1.0)")
    processes = [start_script(script) for _ in range(6)]
    assert [finish(process) for process in processes] == [([], "")] * 6
    experiments = keepsake.experiments.list()
    assert [(one.status, len(one.checkpoints)) for one in experiments] == [("finished", 1)] * 6
    assert_clean()


def _run_threads(count: int, act: threading.Barrier | None, work: object) -> None:
    """Call `work(number)` in so many threads; what they raise is raised here."""
    errors: list[BaseException] = []

    def run(number: int) -> None:
        try:
            if act is not None:
                act.wait()
            work(number)  # type: ignore[operator]
        except BaseException as error:  # noqa: BLE001
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


@pytest.mark.parametrize("attached", [False, True])
def test_threads_may_checkpoint_files_and_metrics_at_once(project: Path, attached: bool) -> None:
    experiment = keepsake.init(quiet=True)
    if attached:
        experiment.checkpoint(loss=0.0)
        experiment.stop()
        experiment = keepsake.experiments.get(experiment.id)
    before = len(experiment.checkpoints)
    told: dict[str, tuple[int, int, str | None]] = {}

    def work(number: int) -> None:
        for index in range(10):
            if number % 2:
                content = bytes([number, index]) * 10_000
                (project / f"weights-{number}").write_bytes(content)
                one = experiment.checkpoint(path=f"weights-{number}", metrics={"loss": 1.0})
                told[one.id] = (number, index, sha(content))
            else:
                one = experiment.checkpoint(metrics={"loss": 1.0})
                told[one.id] = (number, index, None)
                experiment.log(loss=2.0)

    _run_threads(8, threading.Barrier(8), work)
    in_memory = {one.id for one in experiment.checkpoints}
    experiment.stop()
    read = keepsake.experiments.get(experiment.id)
    by_id = {one.id: one for one in read.checkpoints}
    assert by_id.keys() == in_memory
    assert told.keys() <= in_memory
    assert len(by_id) == before + 80
    assert len(read.logs) == 40
    assert sorted(one.step or 0 for one in read.checkpoints) == list(range(before + 80))
    for checkpoint_id, (number, _, expected) in told.items():
        if expected is not None:
            assert content_hash(by_id[checkpoint_id], f"weights-{number}") == expected
    for number in range(8):
        own = [told[one.id][1] for one in read.checkpoints if one.id in told and told[one.id][0] == number]
        assert own == list(range(10))
    assert read.status == "finished"
    assert (heartbeats_now(), open_segments_now()) == ([], [])
    assert_clean()


def heartbeats_now() -> list[str]:
    from tests.durability.scripts import open_repository

    return heartbeats(open_repository())


def open_segments_now() -> list[str]:
    from tests.durability.scripts import open_repository

    return open_segments(open_repository())


def test_threads_may_begin_experiments_at_once(project: Path) -> None:
    def work(number: int) -> None:
        with keepsake.init(params={"number": number}, quiet=True) as experiment:
            experiment.checkpoint(number=number)

    _run_threads(6, None, work)
    found = {one.params["number"]: one for one in keepsake.experiments.list()}
    assert found.keys() == set(range(6))
    assert all(one.checkpoints[0].metrics == {"number": number} for number, one in found.items())
    assert_clean()


def test_one_thread_may_stop_while_others_checkpoint(project: Path) -> None:
    experiment = keepsake.init(quiet=True)
    told: list[str] = []

    def work(number: int) -> None:
        for _ in range(30):
            if number == 0:
                experiment.stop()
            else:
                told.append(experiment.checkpoint(loss=1.0).id)

    _run_threads(4, threading.Barrier(4), work)
    experiment.stop()
    read = keepsake.experiments.get(experiment.id)
    assert {one.id for one in read.checkpoints} == set(told)
    assert read.status == "finished"
    assert_clean()


def test_steps_count_on_in_each_session_from_the_last_that_it_knew(project: Path) -> None:
    experiment = keepsake.init(quiet=True)
    assert [experiment.checkpoint(loss=1.0).step for _ in range(2)] == [0, 1]
    assert experiment.checkpoint(step=10).step == 10
    assert experiment.checkpoint().step == 11
    other = keepsake.experiments.get(experiment.id)
    assert other.checkpoint().step == 12
    assert experiment.checkpoint().step == 12
    assert other.checkpoint(step=3).step == 3
    assert other.checkpoint().step == 4
    other.stop()
    assert other.checkpoint().step == 5


def test_an_experiment_runs_until_its_last_session_is_over(project: Path) -> None:
    experiment = keepsake.init(quiet=True)
    experiment.checkpoint(loss=1.0)
    attached = [keepsake.experiments.get(experiment.id) for _ in range(2)]
    for one in attached:
        one.checkpoint(loss=2.0)
    experiment.stop()
    assert keepsake.experiments.get(experiment.id).status == "running"
    attached[0].stop()
    assert attached[0].status == "running"
    attached[1].stop()
    assert {one.status for one in (experiment, *attached)} == {"finished"}
    assert len(keepsake.experiments.get(experiment.id).checkpoints) == 3
    assert_clean()


def test_what_an_attached_session_writes_comes_after_all_that_it_has_read(project: Path) -> None:
    experiment = keepsake.init(quiet=True)
    for number in range(5):
        writer = keepsake.experiments.get(experiment.id) if number % 2 else experiment
        writer.checkpoint(number=number)
        writer.stop()
    read = keepsake.experiments.get(experiment.id).checkpoints
    assert [one.metrics["number"] for one in read] == list(range(5))
    assert [one.created for one in read] == sorted(one.created for one in read)
