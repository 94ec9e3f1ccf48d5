"""Buckets beside the program of 2021: saving ten checkpoints, a listing of many experiments, a checkout.

That program takes no other S3 server than Amazon's, so both are led to the same SeaweedFS under Amazon's names, through
the same encrypted connections. They take turns, each with a process of its own for everything, started and ended within
the time that is measured. Neither has anything of the bucket at hand when it begins.
"""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from benchmarks.histories import write_histories
from benchmarks.listing import find_old_program, write_old_repository
from benchmarks.peers.install import UnavailableError, install
from benchmarks.rows import Row
from benchmarks.scale import Scale
from benchmarks.timing import Action, Pairs, measure_pairs
from keepsake._model.keys import JOURNALS
from keepsake._repository.packs import pack_journals
from keepsake._repository.repository import Repository
from keepsake.stores._bucketoptions import check_options
from keepsake.stores.cloud import CloudStore
from keepsake.stores.local import LocalStore
from keepsake.stores.url import open_store
from tests.servers.amazon import Amazon, run_amazon

BUCKET = "compared"
CHECKPOINTS = 10
EXPERIMENTS = 1_000
MAX_PAIRS = 5
_TRAIN = """
import shutil, sys
import keepsake
experiment = keepsake.init(params={"rate": 0.1})
for step, weights in enumerate(sys.argv[1:]):
    shutil.copyfile(weights, "weights.npy")
    checkpoint = experiment.checkpoint(path="weights.npy", step=step, metrics={"loss": 1 / (step + 1)})
experiment.stop()
with open("last", "w") as file:
    file.write(checkpoint.id)
"""
_CHECK_OUT = """
import keepsake
keepsake.experiments.list()[-1].latest().checkout("out", quiet=True)
"""


def measure(scale: Scale, directory: Path) -> list[Row]:
    """Let both programs save, list and check out; nothing where the old one cannot be had."""
    try:
        old_python, old_command = install("keepsake_04").python, find_old_program()
    except UnavailableError:
        return []
    with run_amazon(directory) as amazon:
        CloudStore("s3", BUCKET, "", check_options("s3", amazon.server.options)).create_bucket()
        new = _Program(directory / "new", [sys.executable], [sys.executable, "-m", "keepsake"], amazon)
        old = _Program(directory / "old", [str(old_python)], [str(old_command)], amazon)
        pairs = min(scale.pairs, MAX_PAIRS)
        (directory / "weights").mkdir()
        return [
            _measure_saving(new, old, directory / "weights", scale.big_file_bytes // 5, pairs),
            *_measure_checkout(new, old, pairs),
            *_measure_listing(new, old, amazon, directory, min(EXPERIMENTS, max(scale.listing_experiments)), pairs),
        ]


class _Program:
    """One of the two, with a project, a home directory and a repository of its own.

    Args:
        directory: for project and home.
        python: the interpreter that has it.
        command: its command line.
        amazon: the server.
    """

    def __init__(self, directory: Path, python: list[str], command: list[str], amazon: Amazon) -> None:
        self.project = directory / "project"
        self.project.mkdir(parents=True)
        self.url = f"s3://{BUCKET}/{directory.name}"
        self._home = directory / "home"
        self._python, self._command = python, command
        # No courier, here as elsewhere: it would outlive the script.
        own = {"HOME": str(self._home), "XDG_CACHE_HOME": str(self._home / "cache"), "KEEPSAKE_NO_ANALYTICS": "1"}
        self._environment: Mapping[str, str] = os.environ | amazon.environment | own
        if python != [sys.executable]:  # another package of the same name
            self._environment = {name: value for name, value in self._environment.items() if name != "PYTHONPATH"}

    def forget(self) -> None:
        """Be a machine that has nothing of the bucket at hand."""
        shutil.rmtree(self._home, ignore_errors=True)
        shutil.rmtree(self.project, ignore_errors=True)
        self.project.mkdir()
        self._home.mkdir()

    def train(self, weights: list[Path]) -> None:
        """Run a script that saves each of the files, until all of it is in the bucket."""
        self._run([*self._python, str(self.project / "train.py"), *map(str, weights)])

    def prepare_training(self) -> None:
        """Write the script that trains, beside nothing."""
        self.prepare_script("train.py", _TRAIN)

    def prepare_script(self, name: str, text: str) -> None:
        """Write a script of a project, beside nothing."""
        self.forget()
        (self.project / "keepsake.yaml").write_text(f"repository: {self.url}\n", encoding="utf-8")
        (self.project / name).write_text(text, encoding="utf-8")

    def run_script(self, name: str) -> None:
        """Run a script of the project."""
        self._run([*self._python, str(self.project / name)])

    def run(self, *arguments: str, url: str | None = None) -> None:
        """Run a command on the repository."""
        self._run([*self._command, arguments[0], "-R", url or self.url, *arguments[1:]])

    def _run(self, command: list[str]) -> None:
        done = subprocess.run(
            command,
            check=False,
            cwd=self.project,
            env=dict(self._environment),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(command[:4])} failed: {done.stderr.decode()[-2000:]}")


def _measure_saving(new: _Program, old: _Program, weights: Path, size_bytes: int, pairs: int) -> Row:
    paths = [weights / f"{number}.npy" for number in range(CHECKPOINTS)]
    seeds = itertools.count()

    def action(program: _Program) -> Action:
        def prepare() -> None:
            program.prepare_training()
            for path in paths:  # new ones for each run, so that none of them is there already
                rng = np.random.default_rng(next(seeds))
                np.save(path, rng.standard_normal(size_bytes // 4, dtype=np.float32) * np.float32(0.02))

        return Action(lambda: program.train(paths), prepare)

    found = measure_pairs(action(new), action(old), pairs=pairs, patience_s=0.0)
    what = f"{CHECKPOINTS} checkpoints of {size_bytes / 1e6:.0f} MB, until they are in the bucket"
    return _row(what, found, "the whole script, on the same server under the names of Amazon's")


def _measure_checkout(new: _Program, old: _Program, pairs: int) -> list[Row]:
    """Check out the last checkpoint that each has saved, on a machine that has nothing of it."""
    last = {program: (program.project / "last").read_text() for program in (new, old)}

    def by_command(program: _Program) -> Action:
        return Action(lambda: program.run("checkout", last[program], "-o", "out"), program.forget)

    def by_script(program: _Program) -> Action:
        return Action(
            lambda: program.run_script("check_out.py"), lambda: program.prepare_script("check_out.py", _CHECK_OUT)
        )

    def checkout(action: Callable[[_Program], Action], how: str, limit: float | None, remark: str) -> Row:
        found = measure_pairs(action(new), action(old), pairs=pairs, patience_s=0.0)
        files = [program.project / "out" / "weights.npy" for program in (new, old)]
        if not all(file.exists() for file in files):
            raise RuntimeError(f"not both programs gave a file back: {files}")
        return _row(how.format(f"{files[0].stat().st_size / 1e6:.0f} MB"), found, remark, limit)

    return [
        checkout(by_command, "checkout of one, {}", 1.0, "by the command line"),
        checkout(by_script, "  by a script", None, "which lists experiments, and takes the last"),
    ]


def _measure_listing(
    new: _Program, old: _Program, amazon: Amazon, directory: Path, experiments: int, pairs: int
) -> list[Row]:
    """List many experiments for the first time, before and after somebody has packed their journals."""
    histories = write_histories(directory / "histories", experiments)
    write_old_repository(histories, directory / "old-histories")
    new_url, old_url = f"s3://{BUCKET}/new-list", f"s3://{BUCKET}/old-list"
    _upload(directory / "histories", new_url, amazon)
    _upload(directory / "old-histories", old_url, amazon)

    def listing(what: str, limit: float | None, remark: str) -> Row:
        found = measure_pairs(
            Action(lambda: new.run("ls", url=new_url), new.forget),
            Action(lambda: old.run("ls", url=old_url), old.forget),
            pairs=pairs,
            patience_s=0.0,
        )
        return _row(what, found, remark, limit)

    unpacked = listing("  before anybody has packed journals", None, "a request for each experiment, in both programs")
    pack_journals(Repository.open(open_store(new_url, amazon.server.options)))
    what = f"listing {experiments:,} experiments for the first time"
    return [listing(what, 1.0, "as couriers and `keepsake collect` leave a bucket"), unpacked]


def _upload(root: Path, url: str, amazon: Amazon) -> None:
    source, target = LocalStore(root), open_store(url, amazon.server.options)
    for info in source.list():
        if info.key.startswith((JOURNALS, "metadata/")) or info.key == "repository.json":
            target.put(info.key, source.get(info.key))


def _row(what: str, pairs: Pairs, remark: str, limit: float | None = 1.0) -> Row:
    return Row(f"  {what}", pairs.ratio, "x Keepsake 0.4", limit, remark, pairs.to_json())
