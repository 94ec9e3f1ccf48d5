"""Couriers as the processes that they are: finding, starting and waiting for them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keepsake
from keepsake._model.keys import HEARTBEATS
from keepsake._repository.repository import Repository
from keepsake._tracking.dispatch import start_courier
from keepsake._tracking.instructions import Instructions
from keepsake._tracking.lock import is_locked
from keepsake.directories import lock_directory
from keepsake.stores.local import LocalStore

PATIENCE_S = 90.0
"""What takes a second on an idle machine may take as long on a busy one: a courier gives way to everything else."""
SCRIPT = b"_tracking/bootstrap.py"


def find_couriers(temporary: Path | None = None) -> list[int]:
    """Return the process ids of the couriers of this test's user, or of all whose files are below `temporary`.

    A courier's helper counts only when its courier is gone.
    """
    below = os.fsencode(temporary or os.environ["TMPDIR"])
    parents: dict[int, int] = {}
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdecimal() and SCRIPT in (process / "cmdline").read_bytes():
                variables = (process / "environ").read_bytes().split(b"\0")
                if any(one.startswith(b"TMPDIR=" + below) for one in variables):
                    status = (process / "stat").read_text()
                    parents[int(process.name)] = int(status.rpartition(")")[2].split()[1])
        except OSError:
            continue  # it has ended, or is somebody else's
    return [process_id for process_id, parent in parents.items() if parent not in parents]


def helper_of(courier: int) -> int | None:
    """Return the process id of a courier's helper, if it has one."""
    children = Path(f"/proc/{courier}/task/{courier}/children").read_text().split()
    return int(children[0]) if children else None


def until(condition: Callable[[], object], *, patience_s: float = PATIENCE_S) -> None:
    """Wait until something is so; fail when it does not become so."""
    end_s = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < end_s, f"this did not happen within {patience_s:g} s"
        time.sleep(0.02)


def instruct(root: Path | None = None, **settings: Any) -> Instructions:
    """Make instructions for the repository of the current project, with little patience unless they say otherwise."""
    url = (root or Path.cwd() / ".keepsake").as_uri()
    hasty: dict[str, Any] = {"poll_s": 0.1, "heartbeat_s": 0.2, "deliver_s": 0.2, "idle_s": 1.0}
    staging = Path(os.environ["XDG_CACHE_HOME"]) / "keepsake" / "staging"
    return Instructions(url, url, lock_directory(), staging, **(hasty | settings))


def serve(**settings: Any) -> Instructions:
    """Start a courier for the current project, whose repository is made when it is not there, and wait for it."""
    instructions = instruct(**settings)
    Repository.open_or_create(LocalStore(Path.cwd() / ".keepsake"))
    assert start_courier(instructions)
    until(lambda: serving_courier() is not None)
    return instructions


def serving_courier() -> int | None:
    """Return the process id of the courier of the current project that has begun to work, if there is one."""
    path = instruct().lock_path
    text = path.read_text() if is_locked(path) else ""
    # What stands there was written by an earlier one until this one has begun.
    return int(text) if text.endswith("\n") and int(text) in find_couriers() else None


def log_text() -> str:
    """Return what the last courier of the current project had to say."""
    return instruct().log_path.read_text()


def heartbeat_times() -> list[int]:
    """Return when the heartbeats in the current project's repository were written."""
    return [one.modified_ns for one in LocalStore(Path.cwd() / ".keepsake").list(HEARTBEATS)]


def stop_statuses() -> list[str]:
    """Return what is written about how the sessions of the only experiment ended."""
    (experiment,) = keepsake.experiments.list()
    repository = Repository.open(LocalStore(Path.cwd() / ".keepsake"))
    sessions = repository.load_experiment(experiment.id).sessions.values()
    return sorted(str(one.stop["status"]) for one in sessions if one.stop is not None)
