"""Where a courier cannot be, or not as usual: sessions do without, and other users' couriers do no harm."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

import keepsake
from keepsake import Project
from keepsake._tracking import presence
from tests.courier.processes import find_couriers, until
from tests.durability.scripts import assert_clean, only_experiment, run_script, write_script

NOBODY = 65534

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are looked for in /proc")
as_root = pytest.mark.skipif(
    not hasattr(os, "getuid") or os.getuid() != 0 or shutil.which("setpriv") is None, reason="only root can be others"
)

SAVING = """
    import os, sys
    from pathlib import Path
    import keepsake

    with keepsake.init(quiet=True) as experiment:
        Path("weights").write_bytes(os.urandom(100_000) + bytes(1_000_000))
        experiment.checkpoint(path="weights", metrics={"loss": 1.0})
"""


def heart_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "keepsake-heartbeat"]


@pytest.fixture
def shared() -> Iterator[Path]:
    """A directory that everybody may use; pytest's own is closed to others."""
    with tempfile.TemporaryDirectory(dir="/tmp") as place:
        Path(place).chmod(0o777)
        yield Path(place)


@pytest.mark.parametrize("how", ["variable", "keepsake.yaml"])
def test_where_it_is_switched_off_a_thread_keeps_the_heartbeat(monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    if how == "variable":
        monkeypatch.setenv("KEEPSAKE_COURIER", "off")
    else:
        monkeypatch.delenv("KEEPSAKE_COURIER")
        Path("keepsake.yaml").write_text("courier: false\n")
    with keepsake.init(quiet=True):
        assert len(heart_threads()) == 1
        assert only_experiment().status == "running"
    assert (heart_threads(), find_couriers()) == ([], [])


@pytest.mark.parametrize("executable", ["", "/usr/bin/blender", "/nowhere/python3"])
def test_where_the_program_is_no_python_a_thread_keeps_the_heartbeat(
    monkeypatch: pytest.MonkeyPatch, executable: str
) -> None:
    monkeypatch.setattr(sys, "executable", executable)
    monkeypatch.setattr(presence, "LOOK_INTERVAL_S", 0.0)
    monkeypatch.setattr("keepsake._tracking.dispatch.GRACE_S", 0.0)
    with keepsake.init(quiet=True) as experiment:
        for _ in range(4):  # a Python that cannot be run shows by nothing but its silence
            experiment.checkpoint(loss=1.0)
        assert len(heart_threads()) == 1
    until(lambda: not find_couriers())
    assert only_experiment().status == "finished"


@as_root
def test_where_no_process_may_be_started_training_goes_on(shared: Path) -> None:
    limit = "import os; os.environ['OPENBLAS_NUM_THREADS'] = '1'"  # which would end the process
    script = write_script(
        f"{limit}; import resource; resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))\n{dedent(SAVING)}"
    )
    run(script, shared, "nobody")
    assert find_couriers(shared) == []
    assert [one.status for one in Project(directory=shared).experiments.list()] == ["finished"]


def run(script: Path, shared: Path, user: str) -> None:
    """Run a script in the shared directory, as root or as nobody (who may read root's Python, and all else)."""
    place = shared / f"tmp-{user}"
    place.mkdir()
    place.chmod(0o777)
    reading = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    become = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *reading]
    command = [*(become if user == "nobody" else []), sys.executable, str(script.rename(shared / script.name))]
    variables = {**os.environ, "TMPDIR": str(place), "XDG_CACHE_HOME": str(place / "cache")}
    done = subprocess.run(command, cwd=shared, env=variables, umask=0, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@as_root
def test_two_users_of_one_repository_have_a_courier_each(shared: Path) -> None:
    for user in ("root", "nobody"):
        run(write_script(SAVING), shared, user)
    assert len(find_couriers(shared)) == 2
    until(lambda: not find_couriers(shared))
    project = Project(directory=shared)
    assert [one.status for one in project.experiments.list()] == ["finished", "finished"]
    assert project.check().is_clean


def test_without_shared_memory_all_works_as_ever() -> None:
    script = write_script(SAVING)
    hide = 'umount -l /dev/shm && exec "$@"'
    command = ["unshare", "-m", "sh", "-c", hide, "sh", sys.executable, str(script)]
    if os.getuid() != 0 or subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode:
        pytest.skip("nothing can be unmounted here")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(find_couriers()) == 1
    assert only_experiment().status == "finished"
    assert_clean()


def test_with_a_home_that_cannot_be_written_all_works_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/proc/self")  # where even root can make nothing
    code, _, talk = run_script(SAVING)
    assert (code, talk) == (0, "")
    assert len(find_couriers()) == 1
    assert only_experiment().status == "finished"
    assert_clean()
