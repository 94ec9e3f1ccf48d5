"""Child processes: forked, spawned, and a PyTorch data loader's, in the middle of an experiment."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

import pytest

import keepsake
from tests.durability.scripts import (
    assert_clean,
    content_hash,
    finish,
    heartbeats,
    lock_files,
    only_experiment,
    open_repository,
    run_script,
    sha,
    start_script,
    write_script,
)

FORKING = ("-W", "ignore:This process:DeprecationWarning")
"""From Python 3.12 on, who forks beside any thread is warned, and the heartbeat is one."""

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")


@pytest.mark.parametrize("end", ["os._exit(0)", "os.kill(os.getpid(), 9)", "sys.exit(0)", "raise ValueError"])
def test_a_forked_child_writes_in_a_session_of_its_own_and_ends_alone(end: str) -> None:
    code, _, talk = run_script(
        f"""
        import os, sys
        import keepsake

        experiment = keepsake.init(quiet=True)
        experiment.checkpoint(who="parent")
        child = os.fork()
        if child == 0:
            sys.stderr = open(os.devnull, "w")
            for _ in range(3):
                experiment.checkpoint(who="child")
            {end}
        os.waitpid(child, 0)
        assert experiment.is_running()
        assert keepsake.experiments.get(experiment.id).is_running()
        experiment.checkpoint(who="parent")
    """,
        options=FORKING,
    )
    assert (code, talk) == (0, "")
    experiment = only_experiment()
    assert [one.metrics["who"] for one in experiment.checkpoints] == ["parent", *["child"] * 3, "parent"]
    assert experiment.status == "finished"
    with keepsake.init(quiet=True):
        pass
    assert (heartbeats(open_repository()), lock_files()) == ([], [])
    assert_clean()


def test_a_child_that_is_forked_while_a_thread_is_at_the_experiment_writes_to_it() -> None:
    code, _, talk = run_script(
        """
        import os, signal, threading
        import keepsake

        experiment = keepsake.init(quiet=True)
        held, is_over = threading.Event(), threading.Event()

        def be_at_it():
            with experiment._lock:
                held.set()
                is_over.wait()

        threading.Thread(target=be_at_it).start()
        held.wait()
        child = os.fork()
        if child == 0:
            signal.alarm(60)
            experiment.log(who="child")
            os._exit(0)
        is_over.set()
        assert os.waitpid(child, 0)[1] == 0
    """,
        options=FORKING,
    )
    assert (code, talk) == (0, "")
    assert [entry.metrics for entry in only_experiment().logs] == [{"who": "child"}]


def test_the_end_of_the_parent_does_not_end_the_childs_session() -> None:
    code, words, talk = run_script(
        """
        import os, time
        import keepsake

        experiment = keepsake.init(quiet=True)
        experiment.checkpoint(who="parent")
        ready, tell = os.pipe()
        go, say_go = os.pipe()
        if os.fork() == 0:
            os.close(say_go)
            experiment.checkpoint(who="child")
            os.write(tell, b"x")
            os.read(go, 1)
            experiment.checkpoint(who="child")
            experiment.stop()
            os._exit(0)
        os.read(ready, 1)
        experiment.stop()
        print(keepsake.experiments.get(experiment.id).status)
        os.write(say_go, b"x")
        os.wait()
        print(keepsake.experiments.get(experiment.id).status)
    """,
        options=FORKING,
    )
    assert (code, words, talk) == (0, [["running"], ["finished"]], "")
    assert [one.metrics["who"] for one in only_experiment().checkpoints] == ["parent", "child", "child"]
    assert_clean()


def test_a_killed_parent_is_lost_although_a_forked_child_lives_on() -> None:
    script = write_script("""
        import os, time
        import keepsake

        experiment = keepsake.init(quiet=True)
        experiment.checkpoint(loss=1.0)
        child = os.fork()
        if child == 0:
            os.close(1), os.close(2)
            time.sleep(60)
            os._exit(0)
        print(child, flush=True)
        time.sleep(60)
    """)
    process = start_script(script)
    assert process.stdout is not None
    child = int(process.stdout.readline())
    try:
        assert only_experiment().status == "running"
        process.kill()
        finish(process)
        os.kill(child, 0)
        assert only_experiment().status == "lost"
    finally:
        os.kill(child, signal.SIGKILL)


def test_a_started_program_does_not_inherit_the_lock() -> None:
    code, words, talk = run_script(
        """
        import os, subprocess, sys
        import keepsake

        keepsake.init(quiet=True).checkpoint(loss=1.0)
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"],
                                 close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        print(child.pid, flush=True)
        os._exit(0)
    """,
        options=FORKING,
    )
    assert (code, talk) == (0, "")
    try:
        assert only_experiment().status == "lost"
    finally:
        os.kill(int(words[0][0]), signal.SIGKILL)


WORKERS = """
    import multiprocessing, sys
    from pathlib import Path
    import keepsake

    def work(experiment, number):
        Path(f"weights-{number}").write_bytes(bytes([number]) * 100_000)
        for step in range(3):
            experiment.checkpoint(path=f"weights-{number}", metrics={"worker": number}, step=step)
        if number == 3:
            sys.stderr = open("/dev/null", "w")
            raise ValueError("this worker fails")

    def begin(number):
        experiment = keepsake.init(params={"worker": number}, quiet=True)
        sys.stderr = open("/dev/null", "w")
        experiment.checkpoint(loss=1.0)
        if number == 1:
            raise ValueError("bad luck")
        if number == 2:
            sys.exit(3)

    if __name__ == "__main__":
        context = multiprocessing.get_context(sys.argv[1])
        experiment = keepsake.init(params={"worker": "main"}, quiet=True)
        experiment.checkpoint(metrics={"worker": -1})
        children = [context.Process(target=work, args=(experiment, number)) for number in range(4)]
        children += [context.Process(target=begin, args=(number,)) for number in range(3)]
        for child in children:
            child.start()
        for child in children:
            child.join()
        experiment.checkpoint(metrics={"worker": -1})
"""


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_processes_of_multiprocessing_write_to_the_experiment_and_begin_others(method: str) -> None:
    code, _, talk = run_script(WORKERS, method, options=FORKING)
    assert (code, talk) == (0, "")
    found = {one.params["worker"]: one for one in keepsake.experiments.list()}
    main = found.pop("main")
    workers = [one.metrics["worker"] for one in main.checkpoints]
    assert sorted(map(str, workers)) == sorted(map(str, [-1, -1, *[0, 1, 2, 3] * 3]))
    for one in main.checkpoints:
        if one.path is not None:
            assert content_hash(one, one.path) == sha(bytes([int(one.path[-1])]) * 100_000)
    assert main.status == "finished"
    statuses = {number: one.status for number, one in found.items()}
    if sys.version_info >= (3, 13):  # where nothing tells a process of multiprocessing that it failed
        assert statuses == dict.fromkeys(range(3), "finished")
    else:
        assert statuses == {0: "finished", 1: "failed", 2: "failed"}
        assert found[1].error == {"type": "ValueError", "message": "bad luck"}
    assert (heartbeats(open_repository()), lock_files()) == ([], [])
    assert_clean()


def test_a_pool_may_be_given_experiments_to_look_at() -> None:
    code, words, talk = run_script(
        """
        import multiprocessing
        import keepsake

        def look(experiment):
            return experiment.params["number"], experiment.latest().metrics["loss"]

        if __name__ == "__main__":
            for number in range(3):
                with keepsake.init(params={"number": number}, quiet=True) as experiment:
                    experiment.checkpoint(loss=number / 2)
            with multiprocessing.get_context("spawn").Pool(2) as pool:
                print(*pool.map(look, keepsake.experiments.list()))
    """,
        options=FORKING,
    )
    assert (code, talk) == (0, "")
    assert "".join(words[0]) == "(0,0.0)(1,0.5)(2,1.0)"


@pytest.mark.slow
def test_a_data_loader_with_workers_trains_beside_it_with_all_warnings_as_errors() -> None:
    code, words, talk = run_script(
        """
        import hashlib, io
        from pathlib import Path
        import torch
        import keepsake

        data = torch.utils.data.TensorDataset(torch.arange(64.0).reshape(32, 2), torch.ones(32, 1))
        model = torch.nn.Linear(2, 1)
        optimizer = torch.optim.SGD(model.parameters(), lr=1e-5)
        experiment = keepsake.init(path="train.py", params={"lr": 1e-5}, quiet=True)
        loader = torch.utils.data.DataLoader(data, batch_size=8, num_workers=2)
        for epoch in range(2):
            for inputs, wanted in loader:
                loss = torch.nn.functional.mse_loss(model(inputs), wanted)
                optimizer.zero_grad(); loss.backward(); optimizer.step()
                experiment.log(loss=loss)
            torch.save(model.state_dict(), "model.pth")
            one = experiment.checkpoint(path="model.pth", metrics={"loss": loss}, primary_metric=("loss", "minimize"))
            print(one.id, hashlib.sha256(Path("model.pth").read_bytes()).hexdigest())
        """,
        options=("-W", "error"),
    )
    assert (code, talk) == (0, "")
    experiment = only_experiment()
    assert [[one.id, content_hash(one, "model.pth")] for one in experiment.checkpoints] == words
    assert (experiment.status, len(experiment.logs)) == ("finished", 8)
    assert_clean()


def test_reading_goes_on_in_a_forked_child() -> None:
    code, words, talk = run_script(
        """
        import hashlib, os, random
        from pathlib import Path
        import keepsake

        content = random.Random(1).randbytes(5_000_000)
        Path("weights").write_bytes(content)
        with keepsake.init(quiet=True) as experiment:
            file = experiment.checkpoint(path="weights").open("weights")
            start = file.read(2_000_000)
            if os.fork() == 0:
                os._exit(int(start + file.read() != content))
            print(os.waitstatus_to_exitcode(os.wait()[1]), start + file.read() == content)
    """,
        options=FORKING,
    )
    assert (code, words, talk) == (0, [["0", "True"]], "")


def test_the_heartbeat_goes_on_after_a_fork(project: Path) -> None:
    experiment = keepsake.init(quiet=True)
    names = _heart_threads()
    assert len(names) == 1
    child = os.fork()
    if child == 0:
        os._exit(len(_heart_threads()))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert len(_heart_threads()) == 1
    experiment.stop()
    assert _heart_threads() == []


def _heart_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "keepsake-heartbeat"]


def test_children_that_are_forked_while_threads_list_experiments_list_them_too() -> None:
    code, _, talk = run_script(
        """
        import os, signal, threading
        import keepsake

        def look():
            assert len(keepsake.experiments.list()) == 2

        def look_again_and_again():
            while not done.is_set():
                look()

        for _ in range(2):
            with keepsake.init(quiet=True) as experiment:
                experiment.checkpoint(loss=1.0)
        look()
        done = threading.Event()
        threads = [threading.Thread(target=look_again_and_again, daemon=True) for _ in range(8)]
        for thread in threads:
            thread.start()
        for _ in range(30):
            child = os.fork()
            if child == 0:
                signal.alarm(20)  # ends one that hangs
                look()
                os._exit(0)
            assert os.waitpid(child, 0)[1] == 0, "a child hung"
        done.set()
        for thread in threads:
            thread.join()
        look()
    """,
        options=FORKING,
    )
    assert (code, talk) == (0, "")
