"""Programs that people save checkpoints with, each behind the interface of `interface`, one module a program."""

from __future__ import annotations

import importlib

from benchmarks.peers.interface import Program

KEEPSAKE = "keepsake_1"
PEERS = ("keepsake_04", "dvc", "mlflow", "trackio", "wandb", "restic", "borg", "tar_zstd")
"""Modules of this package, each with one class `Peer`."""


def load_program(name: str) -> type[Program]:
    """Return the class of the program in the module `name`."""
    program: type[Program] = importlib.import_module(f"benchmarks.peers.{name}").Peer
    return program
