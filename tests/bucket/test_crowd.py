"""Many processes on one bucket: some write, one collects, one lists."""

from __future__ import annotations

from pathlib import Path

import pytest

import keepsake
from tests.bucket.places import move_to_another_machine
from tests.durability.scripts import finish, sha, start_script, write_script

WRITERS, EXPERIMENTS = 14, 50

_WRITER = """
    import hashlib, os, random, sys
    import keepsake
    number, count = int(sys.argv[1]), int(sys.argv[2])
    os.environ["XDG_CACHE_HOME"] += f"/{number % 3}"  # as on three machines
    for run in range(count):
        experiment = keepsake.init(params={"number": number}, quiet=True)
        for step in range(2):
            # A half that all share, and a half of its own.
            data = random.Random(step).randbytes(100_000) + random.Random(f"{number} {run} {step}").randbytes(100_000)
            name = f"weights-{number}"
            open(name, "wb").write(data)
            checkpoint = experiment.checkpoint(path=name, step=step)
            print(checkpoint.id, name, hashlib.sha256(data).hexdigest(), flush=True)
        experiment.stop()
"""
_OTHERS = """
    import sys, time
    import keepsake
    from keepsake._repository.collect import collect
    end = time.monotonic() + float(sys.argv[2])
    while time.monotonic() < end:
        if sys.argv[1] == "collect":
            collect(keepsake.Project().find_place().open_home(), young_s=0.0)
        else:
            for one in keepsake.experiments.list():
                one.latest()
        print("round", flush=True)
"""


@pytest.mark.usefixtures("project")
def test_what_many_processes_write_beside_a_collector_is_all_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keepsake.init(quiet=True).delete()
    writer, others = write_script(_WRITER, "writer.py"), write_script(_OTHERS, "others.py")
    counts = [len(range(number, EXPERIMENTS, WRITERS)) for number in range(WRITERS)]
    beside = [start_script(others, what, 12) for what in ("collect", "list")]
    processes = [start_script(writer, number, count) for number, count in enumerate(counts)]
    saved: dict[str, tuple[str, str]] = {}
    for process in processes:
        lines, talk = finish(process)
        assert process.returncode == 0, talk
        assert "failed" not in talk
        saved |= {words[0]: (words[1], words[2]) for words in lines}
    for process in beside:
        rounds, talk = finish(process)
        assert process.returncode == 0, talk
        assert len(rounds) > 1
    assert len(saved) == 2 * EXPERIMENTS
    move_to_another_machine(tmp_path / "other", monkeypatch)
    there = {one.id: one for experiment in keepsake.experiments.list() for one in experiment.checkpoints}
    assert there.keys() == saved.keys()
    assert {one: (name, sha(there[one].open(name).read())) for one, (name, _) in saved.items()} == saved
    assert keepsake.Project().check().problems == []
