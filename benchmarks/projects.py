"""Projects to measure with: fresh ones in directories of their own, and how much their repositories hold."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from keepsake import Project
from keepsake.experiment import Experiment

REPOSITORY = ".keepsake"
COURIER = "KEEPSAKE_COURIER"
"""The variable that says whether there may be a courier: `off` for everything that is not about it."""


def begin(directory: Path) -> Experiment:
    """Begin an experiment in the project `directory`, which need not exist."""
    directory.mkdir(parents=True, exist_ok=True)
    project = Project(repository=str(directory / REPOSITORY), directory=directory)
    return project.experiments.create(quiet=True)


@contextlib.contextmanager
def courier_allowed() -> Iterator[None]:
    """Let experiments that are begun now leave work to a courier, as they do unless they are told otherwise."""
    before = os.environ.pop(COURIER, None)
    try:
        yield
    finally:
        if before is not None:
            os.environ[COURIER] = before


def abandon(experiment: Experiment, directory: Path) -> None:
    """End an experiment without settling what it saved, and make room for a new repository.

    The old one's files are cut to nothing and moved aside instead of deleted: ext4 passes over every inode that was
    deleted in the last minutes when it looks for a free one (`recently_deleted` in `fs/ext4/ialloc.c`), so that
    creating files would become slower with every repository that was deleted before.
    """
    experiment.delete()
    for parent, _, names in os.walk(directory / REPOSITORY):
        for name in names:
            os.truncate(os.path.join(parent, name), 0)
    (directory / REPOSITORY).rename(directory / f"{REPOSITORY}-{experiment.id}")


def stored_bytes(directory: Path, prefix: str = "") -> int:
    """Return the length of all files of a project's repository: journals, manifests, everything.

    Args:
        directory: the project directory.
        prefix: a directory of the repository, to count only that.
    """
    root = directory / REPOSITORY / prefix
    return sum(os.path.getsize(os.path.join(parent, name)) for parent, _, names in os.walk(root) for name in names)
