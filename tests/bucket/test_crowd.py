"""Sixteen processes on three machines and one bucket: fourteen write, meanwhile one collects and one lists."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import keepsake
from keepsake.stores._bucketoptions import check_options
from keepsake.stores.cloud import CloudStore
from tests.bucket.conftest import configure
from tests.bucket.places import move_to_another_machine
from tests.courier.processes import find_couriers, until
from tests.depth import depth
from tests.durability.scripts import finish, sha, write_script
from tests.servers.machines import Network, allows_namespaces, run_network
from tests.servers.seaweedfs import run_seaweedfs

WRITERS, EXPERIMENTS = 14, depth(28, 50)
PATIENCE_S = 300.0
"""Sixteen processes at once, on a machine with two processors that others use, too."""

_WRITER = """
    import hashlib, random, sys
    import keepsake
    number, count = int(sys.argv[1]), int(sys.argv[2])
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
    import os, sys
    import keepsake
    from keepsake._repository.collect import collect
    rounds = 0
    while rounds < 2 or not os.path.exists("written"):
        if sys.argv[1] == "collect":
            collect(keepsake.Project().find_place().open_home(), young_s=0.0)
        else:
            for one in keepsake.experiments.list():
                one.latest()
        rounds += 1
        print("round", flush=True)
"""


@pytest.fixture
def network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Network]:
    """Three machines and a server that they reach, in which the current directory's project has its repository."""
    with run_network(tmp_path, 3) as network, run_seaweedfs(tmp_path / "weed", address=network.address) as server:
        CloudStore("s3", "crowd", "", check_options("s3", server.options)).create_bucket()
        (tmp_path / "project").mkdir()
        configure(tmp_path / "project", "s3://crowd/root", server.options)
        monkeypatch.chdir(tmp_path / "project")
        yield network


@pytest.mark.timeout(2 * PATIENCE_S)
@pytest.mark.parametrize("courier", ["on", "off"])
def test_what_many_processes_write_beside_a_collector_is_all_there(
    courier: str, network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert keepsake.Project().find_place().open_home(create=True).is_remote
    if allows_namespaces():
        assert len({machine.prefix for machine in network.machines}) == 3
    writer, others = write_script(_WRITER, "writer.py"), write_script(_OTHERS, "others.py")
    counts = [len(range(number, EXPERIMENTS, WRITERS)) for number in range(WRITERS)]
    beside = [network.machines[number].start(others, what) for number, what in enumerate(("collect", "list"))]
    processes = [
        network.machines[number % 3].start(writer, number, count, KEEPSAKE_COURIER=courier)
        for number, count in enumerate(counts)
    ]
    saved: dict[str, tuple[str, str]] = {}
    for process in processes:
        lines, talk = finish(process, PATIENCE_S)
        assert process.returncode == 0, talk
        assert "failed" not in talk
        saved |= {words[0]: (words[1], words[2]) for words in lines}
    Path("written").touch()
    for process in beside:
        rounds, talk = finish(process, PATIENCE_S)
        assert process.returncode == 0, talk
        assert len(rounds) > 1
    assert len(saved) == 2 * EXPERIMENTS
    move_to_another_machine(tmp_path / "other", monkeypatch)
    experiments = keepsake.experiments.list()
    assert len(experiments) == EXPERIMENTS
    assert {one.status for one in experiments} == {"finished"}
    there = {one.id: one for experiment in experiments for one in experiment.checkpoints}
    assert there.keys() == saved.keys()
    assert {one: (name, sha(there[one].open(name).read())) for one, (name, _) in saved.items()} == saved
    assert keepsake.Project().check().problems == []
    until(lambda: not any(find_couriers(machine.directory) for machine in network.machines))
