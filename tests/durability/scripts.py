"""Training scripts as processes of their own, and looking at what they left behind."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import keepsake
from keepsake import Checkpoint, Experiment, Project
from keepsake._chunks.chunkstore import ChunkStore
from keepsake._model.keys import CHUNKS, HEARTBEATS, JOURNALS, digest_of_key, parse_segment_key
from keepsake._repository.check import CheckReport
from keepsake._repository.repository import Repository
from keepsake.directories import lock_directory
from keepsake.stores.local import LocalStore

TIMEOUT_S = 60.0


def write_script(source: str, name: str = "train.py") -> Path:
    """Write a script into the current directory."""
    place = Path.cwd() / name
    place.write_text(textwrap.dedent(source))
    return place


def start_script(script: Path, *arguments: object, options: tuple[str, ...] = ()) -> subprocess.Popen[str]:
    """Start a script; its output is piped."""
    return subprocess.Popen(
        [sys.executable, *options, str(script), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str], timeout_s: float = TIMEOUT_S) -> tuple[list[list[str]], str]:
    """Wait for the end of a script; return the words of each line that it printed, and its standard error."""
    assert process.stdout is not None
    assert process.stderr is not None
    # Not `communicate`, which loses what was read ahead when single lines were read before. The reading ends with the
    # process, and a process that goes on for ever would fill the disk.
    execution = threading.Timer(timeout_s, process.kill)
    execution.start()
    try:
        with process.stdout, process.stderr:
            output, talk = process.stdout.read(), process.stderr.read()
        process.wait()
    finally:
        execution.cancel()
        process.kill()
    # The last line may be torn.
    return [line.split() for line in output[: output.rfind("\n") + 1].splitlines()], talk


def run_script(source: str, *arguments: object, options: tuple[str, ...] = ()) -> tuple[int, list[list[str]], str]:
    """Run a script to its end; return exit code, the words of each line that it printed, and its standard error."""
    process = start_script(write_script(source), *arguments, options=options)
    words, talk = finish(process)
    return process.returncode, words, talk


def sha(data: bytes) -> str:
    """Return what the scripts print of a file's content."""
    return hashlib.sha256(data).hexdigest()


def content_hash(checkpoint: Checkpoint, path: str) -> str:
    """Read a whole file of a checkpoint and return its hash."""
    with checkpoint.open(path) as file:
        return sha(file.read())


def all_checkpoints() -> dict[str, Checkpoint]:
    """Return every checkpoint of the project by its id."""
    return {one.id: one for experiment in keepsake.experiments.list() for one in experiment.checkpoints}


def only_experiment() -> Experiment:
    """Return the one experiment that there is."""
    (experiment,) = keepsake.experiments.list()
    return experiment


def check() -> CheckReport:
    """Check the repository of the current project."""
    return Project().check()


def assert_clean() -> None:
    """Check the repository, and fail with every problem that was found."""
    assert [f"{problem.key}: {problem.message}" for problem in check().problems] == []


def open_repository(root: Path | None = None) -> Repository:
    """Open the repository of the current project."""
    return Repository.open(LocalStore(root or Path.cwd() / ".keepsake"))


def raw_chunks(repository: Repository) -> list[str]:
    """Return the digests of chunks that were not encoded yet."""
    chunks = ChunkStore(repository.store)
    return [digest for info in repository.store.list(CHUNKS) if chunks.is_raw(digest := digest_of_key(info.key))]


def heartbeats(repository: Repository) -> list[str]:
    """Return the keys of all heartbeats."""
    return [info.key for info in repository.store.list(HEARTBEATS)]


def open_segments(repository: Repository) -> list[str]:
    """Return the keys of journal segments that were not sealed."""
    names = [parse_segment_key(info.key) for info in repository.store.list(JOURNALS)]
    return [name.key for name in names if name is not None and name.size_bytes is None]


def lock_files() -> list[Path]:
    """Return the files of session locks, but for what a process left that died while it made one."""
    return sorted(path for path in lock_directory().glob("*.lock") if not path.name.startswith("."))
