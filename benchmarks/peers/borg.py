"""BorgBackup, with its default compression (LZ4) and without encryption."""

from __future__ import annotations

import os
from pathlib import Path
from types import MappingProxyType

from benchmarks.peers.commands import run
from benchmarks.peers.interface import WEIGHTS, Needs, Program, Restorer

REPOSITORY = "borg-repository"


class Peer(Program, Restorer):
    """Creates an archive a step."""

    title = "Borg"
    how = "`borg create`, `borg extract`"
    needs = Needs(
        python=("borgbackup==1.4.5",),
        build=("libacl1-dev", "libattr1-dev", "liblz4-dev", "libxxhash-dev", "libzstd-dev"),
    )
    environment = MappingProxyType({"BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK": "yes"})

    def version(self) -> str:
        return run("borg", "--version").split()[1]

    def begin(self) -> None:
        run("borg", "init", "--encryption", "none", REPOSITORY)

    def save(self, step: int) -> str:
        run("borg", "create", f"{REPOSITORY}::step-{step}", WEIGHTS)
        return f"step-{step}"

    def end(self) -> None:
        """Nothing goes on after a command has ended."""

    def restore(self, reference: str, target: Path) -> Path:
        repository = Path(REPOSITORY).absolute()
        os.chdir(target)
        run("borg", "extract", f"{repository}::{reference}")
        return target / WEIGHTS
