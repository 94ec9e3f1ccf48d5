"""The power goes under a real file system: ext4 is told to stop where it is, and mounted again.

The call that stops it (`FS_IOC_SHUTDOWN`, which file systems are tested with) drops what was not written to the disk,
the file system's own journal included. It needs a loop device, so it runs where tests run as root.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

import keepsake
from keepsake.errors import KeepsakeError
from tests.durability.scripts import all_checkpoints, check, content_hash, finish, sha, start_script, write_script

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the file systems of Linux are asked to stop")

FS_IOC_SHUTDOWN = 0x8004587D
"""include/uapi/linux/fs.h of Linux: `_IOR('X', 125, __u32)`."""
WITHOUT_WRITING = (2).to_bytes(4, sys.byteorder)
"""`EXT4_GOING_FLAGS_NOLOGFLUSH`: nothing more reaches the disk."""

SCRIPT = """
    import hashlib, os, sys, time
    from pathlib import Path
    from random import Random
    import keepsake

    random = Random(int(sys.argv[1]))
    experiment = keepsake.init(quiet=True, disable_heartbeat=True)
    weights = random.randbytes(2_000_000)
    for step in range(12):
        change = random.choice(["new", "overlapping", "unchanged"])
        if change == "new":
            weights = random.randbytes(random.randrange(100_000, 3_000_000))
        elif change == "overlapping":
            weights = weights[:50_000] + random.randbytes(100) + weights[50_100:]
        Path("weights").write_bytes(weights)
        checkpoint = experiment.checkpoint(path="weights")
        print("saved", checkpoint.id, hashlib.sha256(weights).hexdigest(), flush=True)
        if random.random() < 0.3:
            keepsake.wait()
            print("settled", flush=True)
        # The system writes some of the files by itself, in whatever order, and the names of all.
        for path in sorted(Path(os.environ["KEEPSAKE_REPOSITORY"]).rglob("*")):
            if path.is_file() and random.random() < 0.1:
                with path.open("rb") as file:
                    os.fsync(file.fileno())
    time.sleep(60)
"""


def run(*command: object) -> bool:
    return subprocess.run([*map(str, command)], capture_output=True).returncode == 0


class Disk:
    """An ext4 file system in a file, mounted at `place`."""

    def __init__(self, image: Path, place: Path) -> None:
        self.image = image
        self.place = place
        place.mkdir()

    def format(self) -> bool:
        """Make the file system; say whether that is possible here."""
        with self.image.open("wb") as file:
            file.truncate(96 * 1024 * 1024)
        tools = all(map(shutil.which, ("mkfs.ext4", "mount", "umount")))
        return tools and run("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0", self.image) and self.mount()

    def mount(self) -> bool:
        # Written by itself every second, in no order with the files' bytes, so that much is torn.
        options = "loop,commit=1,data=writeback,noauto_da_alloc"
        return run("mount", "-o", options, self.image, self.place)

    def cut_power(self) -> None:
        """Lose what is not on the disk, and mount what is."""
        import fcntl

        descriptor = os.open(self.place, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, FS_IOC_SHUTDOWN, WITHOUT_WRITING)
        finally:
            os.close(descriptor)
        assert run("umount", self.place)
        # From another file: where another process still holds the file system (in a mount namespace of its own), the
        # same one would come back as it is, stopped.
        old, self.image = self.image, self.image.with_name(f"{self.image.name}.")
        assert run("cp", "--sparse=always", old, self.image)
        old.unlink()
        assert self.mount()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    disk = Disk(tmp_path / "image", tmp_path / "mounted")
    if not disk.format():
        pytest.skip("no ext4 can be mounted here")
    yield disk
    run("umount", disk.place)


@pytest.mark.parametrize("seed", range(8))
def test_what_was_settled_survives_a_power_loss(disk: Disk, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEEPSAKE_REPOSITORY", str(disk.place / "repository"))
    saved, settled = run_until_the_power_goes(disk, seed)
    # This machine has not really started again.
    monkeypatch.setattr("keepsake._repository.repository.boot_time_ns", time.time_ns)
    assert_nothing_is_wrong(saved, settled)

    before = Path("weights").read_bytes()
    with keepsake.init(quiet=True, disable_heartbeat=True) as experiment:
        again = experiment.checkpoint(path="weights")
    disk.cut_power()
    saved[again.id] = sha(before)
    assert_nothing_is_wrong(saved, settled | {again.id})


def run_until_the_power_goes(disk: Disk, seed: int) -> tuple[dict[str, str], set[str]]:
    """Run the script for some checkpoints; return what it was told to be saved, by id, and what to be settled."""
    process = start_script(write_script(SCRIPT), seed)
    assert process.stdout is not None
    first = [process.stdout.readline().split() for _ in range(Random(seed).randrange(2, 14))]
    process.kill()
    rest, _ = finish(process)
    disk.cut_power()
    saved: dict[str, str] = {}
    settled: set[str] = set()
    for words in [*first, *rest]:
        if words[0] == "saved":
            saved[words[1]] = words[2]
        elif words[0] == "settled":
            settled = set(saved)
    return saved, settled


def assert_nothing_is_wrong(saved: dict[str, str], settled: set[str]) -> None:
    """Read every checkpoint that is listed, and compare it with what was saved and what `check` says."""
    found = all_checkpoints()
    assert settled <= found.keys()
    named = {touched.checkpoint_id for problem in check().problems for touched in problem.touches}
    assert named.isdisjoint(settled)
    for one in found.keys() & saved.keys():
        try:
            assert content_hash(found[one], "weights") == saved[one]
            assert one not in named
        except KeepsakeError:
            assert one in named
