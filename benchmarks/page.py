"""The page's server: what `keepsake ui` takes until it listens, and how long its answers about many experiments take.

Seconds as a reader of the API sees them, from another process on the same machine; what a browser makes of the answers
is measured elsewhere.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

from benchmarks.histories import write_histories
from benchmarks.rows import Row
from benchmarks.scale import Scale
from benchmarks.timing import wait_until_quiet
from keepsake import Project

LIMITED_EXPERIMENTS = 10_000
"""The number of experiments that the limits are for."""
LISTEN_LIMIT_MS = 600.0
FIRST_LIMIT_MS, AGAIN_LIMIT_MS, SELECT_LIMIT_MS, CHANGES_LIMIT_MS = 300.0, 20.0, 15.0, 10.0
FILTER = "params.lr < 0.1 and best.val_loss < 0.3"


def measure(scale: Scale, directory: Path) -> list[Row]:
    """Start the server on repositories of several sizes, and time its first answers and later ones."""
    rows: list[Row] = []
    for experiments in scale.listing_experiments:
        root = directory / f"repository-{experiments}"
        write_histories(root, experiments)
        Project(str(root), directory).experiments.list(limit=1)  # the catalog; listing has the time that it takes
        wait_until_quiet(scale.patience_s)
        rows += _measure_one(root, experiments, scale.pairs)
    return rows


def _measure_one(root: Path, experiments: int, repetitions: int) -> list[Row]:
    is_limited = experiments == LIMITED_EXPERIMENTS
    listening, first, again, select, unchanged, changed = ([] for _ in range(6))
    for _ in range(repetitions):
        with start(root) as server:
            listening.append(server.started_s)
            first.append(server.time_s("/api/v1/experiments?part=first"))
            cursor = server.cursor
            server.ask("/static/app.js")
            again.append(server.time_s("/api/v1/experiments?part=first"))
            select.append(min(server.time_s(f"/api/v1/select?filter={quote(FILTER)}") for _ in range(5)))
            unchanged.append(server.time_s(f"/api/v1/changes?since={cursor}"))
            changed.append(_time_a_change(root, server, cursor))
    label = f"keepsake ui, {experiments:,} experiments"
    figures: list[tuple[str, list[float], float | None]] = [
        (f"{label}, from the command to an answer", listening, LISTEN_LIMIT_MS),
        ("  what the table shows first, the first time", first, FIRST_LIMIT_MS),
        ("  the same again", again, AGAIN_LIMIT_MS),
        ("  a filter", select, SELECT_LIMIT_MS),
        ("  what has changed, when nothing has", unchanged, CHANGES_LIMIT_MS),
        ("  what has changed, after a checkpoint", changed, None),
    ]
    return [
        Row(what, statistics.median(times) * 1e3, "ms", limit if is_limited else None, details={"seconds": times})
        for what, times, limit in figures
    ]


def _time_a_change(root: Path, server: Server, cursor: str) -> float:
    """Time the answer about an experiment that has just begun, which is deleted again."""
    experiment = Project(str(root), root.parent).experiments.create(params={"lr": 0.1}, quiet=True)
    experiment.checkpoint(metrics={"loss": 0.1})
    taken = server.time_s(f"/api/v1/changes?since={cursor}")
    experiment.stop()
    experiment.delete()
    return taken


@dataclass
class Server:
    """A `keepsake ui` that runs."""

    netloc: str
    token: str
    started_s: float
    """From the command to the first answer."""

    def ask(self, address: str) -> bytes:
        """Return the body of an answer, compressed as it comes."""
        connection = http.client.HTTPConnection(self.netloc, timeout=600)
        headers = {"authorization": f"Bearer {self.token}", "accept-encoding": "gzip"}
        connection.request("GET", address, headers=headers)
        with contextlib.closing(connection), connection.getresponse() as answer:
            body = answer.read()
        if answer.status not in (200, 204):
            raise RuntimeError(f"{address} is answered with {answer.status}: {body[:200]!r}")
        return body

    def time_s(self, address: str) -> float:
        """Ask, and return how long the answer took to arrive whole."""
        started = time.perf_counter()
        self.ask(address)
        return time.perf_counter() - started

    @property
    def cursor(self) -> str:
        """Of the experiments as they are now."""
        cursor: str = json.loads(self.ask("/api/v1/meta"))["cursor"]
        return cursor


@contextlib.contextmanager
def start(root: Path) -> Iterator[Server]:
    """Run `keepsake ui` on a repository while the block runs."""
    command = [sys.executable, "-m", "keepsake", "ui", "--no-browser", "--port", "0", "-R", str(root)]
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ) as process:
        try:
            parts = urlsplit(process.stdout.readline().strip() if process.stdout is not None else "")
            server = Server(parts.netloc, parse_qs(parts.query)["token"][0], 0.0)
            server.ask("/")
            server.started_s = time.perf_counter() - started
            yield server
        finally:
            process.send_signal(signal.SIGINT)
