"""tar with zstd on all processors: an archive a checkpoint, nothing shared between them."""

from __future__ import annotations

from pathlib import Path

from benchmarks.peers.commands import run
from benchmarks.peers.interface import WEIGHTS, Needs, Program, Restorer

ARCHIVES = Path("archives")


class Peer(Program, Restorer):
    """Writes an archive a step."""

    title = "tar, zstd"
    how = "`tar -I 'zstd -T0' -c`, `tar -I zstd -x`"
    needs = Needs(commands=("tar", "zstd"))

    def version(self) -> str:
        return run("zstd", "--version").rpartition(" v")[2].partition(",")[0]

    def begin(self) -> None:
        ARCHIVES.mkdir()

    def save(self, step: int) -> str:
        path = ARCHIVES / f"step-{step}.tar.zst"
        run("tar", "-I", "zstd -T0", "-cf", str(path), WEIGHTS)
        return str(path)

    def end(self) -> None:
        """Nothing goes on after a command has ended."""

    def restore(self, reference: str, target: Path) -> Path:
        run("tar", "-I", "zstd", "-xf", reference, "-C", str(target))
        return target / WEIGHTS
