"""DVC, by its Python API, with a Git commit for every checkpoint; metrics go through DVCLive."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import Any

from benchmarks.peers.commands import run
from benchmarks.peers.interface import WEIGHTS, Needs, Program, Restorer, Tracker


class Peer(Program, Restorer, Tracker):
    """Adds the directory to DVC's cache and commits the file that points to it."""

    title = "DVC"
    how = "`dvc add` and `git commit`, `git checkout` and `dvc checkout`, in one process; DVCLive for metrics"
    needs = Needs(python=("dvc==3.67.1", "dvclive==3.49.1"), commands=("git",))
    environment = MappingProxyType(
        {
            "DVC_NO_ANALYTICS": "1",
            "GIT_AUTHOR_NAME": "benchmark",
            "GIT_AUTHOR_EMAIL": "benchmark@localhost",
            "GIT_COMMITTER_NAME": "benchmark",
            "GIT_COMMITTER_EMAIL": "benchmark@localhost",
        }
    )

    def __init__(self) -> None:
        from dvc.repo import Repo
        from dvclive import Live

        self._repository_class = Repo
        self._live_class = Live
        self._repository: Any = None
        self._live: Any = None

    def version(self) -> str:
        from importlib.metadata import version

        return version("dvc")

    def begin(self) -> None:
        run("git", "init", "--quiet")
        self._repository = self._repository_class.init()
        run("git", "commit", "--quiet", "--message", "begin")

    def save(self, step: int) -> str:
        self._repository.add(WEIGHTS)
        run("git", "add", f"{WEIGHTS}.dvc", ".gitignore")
        run("git", "commit", "--quiet", "--allow-empty", "--message", f"step {step}")
        return run("git", "rev-parse", "HEAD").strip()

    def end(self) -> None:
        if self._live is not None:
            self._live.end()
        self._repository.close()

    def restore(self, reference: str, target: Path) -> Path:  # noqa: ARG002 (DVC writes where the files belong)
        run("git", "checkout", "--quiet", reference)
        self._repository_class().checkout()
        return Path(WEIGHTS)

    def log(self, step: int, metrics: dict[str, float]) -> None:
        if self._live is None:
            self._live = self._live_class(report=None, save_dvc_exp=False)
        self._live.step = step
        for name, value in metrics.items():
            self._live.log_metric(name, value)
        self._live.next_step()
