"""A place for one program: a project and a home of its own, in which workers run and whose files are weighed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.peers import load_program
from benchmarks.peers.install import Installation
from benchmarks.peers.interface import WEIGHTS, Job

SOURCES = Path(__file__).parent.parent.parent
TIMEOUT_S = 600.0


class Place:
    """A fresh project directory and a fresh home directory.

    Args:
        program: the module's name in `benchmarks.peers`.
        installation: where the program is.
        directory: what holds both; it must not exist.
    """

    def __init__(self, program: str, installation: Installation, directory: Path) -> None:
        self._program = program
        self._installation = installation
        self._directory = directory.absolute()
        self.project = self._directory / "project"
        self._home = self._directory / "home"
        self.project.mkdir(parents=True)
        self._home.mkdir()

    def run(self, action: str, **details: Any) -> dict[str, Any]:
        """Have a worker do a job, and return what it reports.

        The report also holds `processor_s`, the processor time of everything that was started, and `stayed`, the
        background processes that had to be ended.

        Raises:
            RuntimeError: the worker failed.
        """
        job_path, result, metered = (self._directory / f"{name}.json" for name in ("job", "result", "metered"))
        result.unlink(missing_ok=True)
        job = Job(self._program, action, str(result), **details)
        job_path.write_text(json.dumps(asdict(job)), encoding="utf-8")
        worker = [str(self._installation.python), "-m", "benchmarks.peers.worker", str(job_path)]
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.peers.meter", str(metered), *worker],
            cwd=self.project,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=TIMEOUT_S,
            check=False,
        )
        if done.returncode != 0 or not result.exists():
            raise RuntimeError(f"{self._program} could not {action}: {done.stderr.strip()[-2000:]}")
        report: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
        report |= json.loads(metered.read_text(encoding="utf-8"))
        return report

    def stored_bytes(self) -> int:
        """Return the length of all files in the project and in the home, without those that were to be saved.

        Several links to one file count once; where symbolic links point to does not count.
        """
        files = {(status.st_dev, status.st_ino): status.st_size for status in self._files()}
        return sum(files.values())

    def _files(self) -> Iterator[os.stat_result]:
        for root in (self.project, self._home):
            for parent, directories, names in os.walk(root):
                if Path(parent) == self.project and WEIGHTS in directories:
                    directories.remove(WEIGHTS)
                yield from (os.lstat(os.path.join(parent, name)) for name in names)

    def _environment(self) -> dict[str, str]:
        """Return all the variables that a program sees: nothing of the user's."""
        path = [*map(str, self._installation.paths), os.environ.get("PATH", os.defpath)]
        return {
            "PATH": os.pathsep.join(path),
            "PYTHONPATH": str(SOURCES),
            "HOME": str(self._home),
            "XDG_CACHE_HOME": str(self._home / ".cache"),
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "DO_NOT_TRACK": "1",
            **load_program(self._program).environment,
        }
