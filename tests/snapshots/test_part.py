"""Large files whose checkout was broken off: the next one goes on with what is there, and trusts none of it."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from keepsake._chunks.chunkstore import ChunkStore
from keepsake._model.keys import CHUNKS
from keepsake._model.manifest import Entry, Extent, Manifest
from keepsake._snapshots.checkout import plan_checkout, run_checkout
from keepsake._snapshots.part import name_part
from keepsake.errors import StoreError, WriteError
from keepsake.stores.local import LocalStore
from keepsake.testing import RecordingStore

PIECES = [bytes([number]) * 1000 for number in range(1, 9)]
WHOLE = b"".join(PIECES)

pytestmark = pytest.mark.skipif(os.name == "nt", reason="no such locks")


class Large:
    """A chunk store with a file that counts as large, and what is asked of it."""

    def __init__(self, directory: Path) -> None:
        self.store = RecordingStore(LocalStore(directory))
        self.chunks = ChunkStore(self.store)
        extents = tuple(Extent(self.chunks.put(piece), 0, len(piece)) for piece in PIECES)
        self.entry = Entry("d/large", "file", executable=True, extents=extents)

    def checkout(self, target: Path, on_progress: Callable[[int], None] | None = None) -> int:
        """Check the file out, and return how many chunks were asked for."""
        before = self.store.count("get", CHUNKS)
        plan = plan_checkout([Manifest((self.entry,))])
        run_checkout(plan, self.chunks, target, threads=1, on_progress=on_progress)
        return self.store.count("get", CHUNKS) - before

    def break_off(self, target: Path, after: int = 3, error: type[BaseException] = KeyboardInterrupt) -> Path:
        """Have a checkout broken off after some chunks, and return what it left."""
        done = iter(range(after))

        def on_progress(_: int) -> None:
            if next(done, None) == after - 1:
                raise error("broken off")

        with pytest.raises(error):
            self.checkout(target, on_progress)
        return target / "d" / name_part(self.entry)


@pytest.fixture
def large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Large:
    monkeypatch.setattr("keepsake._snapshots.checkout.LARGE_BYTES", len(WHOLE))
    return Large(tmp_path / "store")


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "target"


def check_whole(target: Path) -> None:
    """See that the file is there, and nothing else."""
    files = {str(one.relative_to(target)): one.read_bytes() for one in target.rglob("*") if one.is_file()}
    assert files == {"d/large": WHOLE}
    assert os.access(target / "d" / "large", os.X_OK)


def test_only_the_rest_is_fetched(large: Large, target: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert large.break_off(target).exists()
    assert "what is there of d/large stays" in capsys.readouterr().err
    assert large.checkout(target) == len(PIECES) - 3
    check_whole(target)


def test_progress_counts_what_was_there(large: Large, target: Path) -> None:
    large.break_off(target)
    counted: list[int] = []
    large.checkout(target, counted.append)
    assert sum(counted) == len(WHOLE)


@pytest.mark.parametrize("error", [StoreError, KeyboardInterrupt])
def test_whatever_broke_it_off_it_goes_on(large: Large, target: Path, error: type[BaseException]) -> None:
    for after in (1, 2, 3):
        large.break_off(target, after, error)
    assert large.checkout(target) == len(PIECES) - 3
    check_whole(target)


def test_a_disk_that_is_full_is_not_left_so(large: Large, target: Path) -> None:
    assert not large.break_off(target, error=WriteError).exists()
    assert large.checkout(target) == len(PIECES)


@pytest.mark.parametrize(
    ("content", "usable"),
    [
        (b"", 0),
        (b"\0" * 3000, 0),
        (WHOLE[:2999], 2),
        (b"!" + WHOLE[1:], 7),
        (WHOLE[:4000] + b"?" + WHOLE[4001:] + b"and more", 7),
        (WHOLE, 8),
    ],
    ids=["nothing", "holes", "torn", "damaged", "longer", "all"],
)
def test_what_is_there_is_believed_by_its_digest(large: Large, target: Path, content: bytes, usable: int) -> None:
    large.break_off(target).write_bytes(content)
    assert large.checkout(target) == len(PIECES) - usable
    check_whole(target)


def test_two_checkouts_at_once_are_both_whole(large: Large, target: Path) -> None:
    asked: list[int] = []

    def check_out_another(_: int) -> None:
        if not asked:
            asked.append(0)
            asked.append(large.checkout(target))

    large.checkout(target, check_out_another)
    assert asked[1] == len(PIECES)
    check_whole(target)


def test_a_part_of_other_content_is_left_alone(large: Large, target: Path) -> None:
    left = large.break_off(target)
    large.entry = Entry("d/large", "file", executable=True, extents=large.entry.extents[::-1])
    assert large.checkout(target) == len(PIECES)
    assert (target / "d" / "large").read_bytes() == b"".join(PIECES[::-1])
    assert left.exists()


def test_neither_a_link_nor_what_has_another_name_is_written_to(large: Large, target: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    for make in (os.symlink, os.link):
        outside.write_bytes(b"mine")
        part = target / "d" / name_part(large.entry)
        part.parent.mkdir(parents=True, exist_ok=True)
        make(outside, part)
        assert large.checkout(target) == len(PIECES)
        assert outside.read_bytes() == b"mine"
        assert (target / "d" / "large").read_bytes() == WHOLE
        part.unlink()


def test_where_there_are_no_locks_there_are_no_parts(
    large: Large, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    assert not large.break_off(target).exists()
    assert large.checkout(target) == len(PIECES)
    check_whole(target)


_KILLED = """
import os, signal, sys
from pathlib import Path
import keepsake._snapshots.checkout as checkout
from keepsake._model.manifest import Manifest
from tests.snapshots.test_part import Large

checkout.LARGE_BYTES = 1
large = Large(Path(sys.argv[1]))
done = []
def on_progress(size_bytes):
    done.append(size_bytes)
    if len(done) == 5:
        os.kill(os.getpid(), signal.SIGKILL)
large.checkout(Path(sys.argv[2]), on_progress)
"""


def test_killed_it_goes_on(large: Large, target: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", _KILLED, str(tmp_path / "store"), str(target)]
    here = Path(__file__).parents[2]
    assert subprocess.run(command, cwd=here, check=False).returncode == -9
    assert large.checkout(target) == len(PIECES) - 5
    check_whole(target)
