"""restic, with its default settings: deduplicated, compressed with zstd, encrypted, verified."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

from benchmarks.peers.commands import run
from benchmarks.peers.interface import WEIGHTS, Needs, Program, Restorer

REPOSITORY = "restic-repository"


class Peer(Program, Restorer):
    """Backs up the directory, with the step as a tag."""

    title = "restic"
    how = "`restic backup`, `restic restore`"
    needs = Needs(debian=("restic",))
    environment = MappingProxyType({"RESTIC_PASSWORD": "benchmark", "RESTIC_REPOSITORY": REPOSITORY})

    def version(self) -> str:
        return run("restic", "version").split()[1]

    def begin(self) -> None:
        run("restic", "init")

    def save(self, step: int) -> str:
        run("restic", "backup", "--quiet", "--tag", f"step-{step}", WEIGHTS)
        return f"step-{step}"

    def end(self) -> None:
        """Nothing goes on after a command has ended."""

    def restore(self, reference: str, target: Path) -> Path:
        run("restic", "restore", "latest", "--quiet", "--tag", reference, "--target", str(target))
        return target / WEIGHTS
