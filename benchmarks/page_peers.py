"""The web page beside those of other programs, on the same experiments: from the address to what is seen.

Every program is installed apart, records the experiments by its own API, and serves them with its own command. Each has
as many runs of its page as ours, in a fresh context of the same browser, after one that does not count.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.browser import run_chromium, serving, time_page
from benchmarks.chromium import Chromium
from benchmarks.page_browser import TABLE_SHOWS, charts_show, origin, serving_page
from benchmarks.pages import PAGES, load_page
from benchmarks.pages.interface import Experiment
from benchmarks.peers.install import Installation, UnavailableError, install_needs
from benchmarks.rows import Row
from benchmarks.scale import Scale
from keepsake import Project

PORT = 18_500
PARAMS, METRICS, STEPS = 12, 6, 10
ROOT = Path(__file__).parent.parent


def measure(scale: Scale, directory: Path) -> list[Row]:
    """Measure all pages that can be had here."""
    many = draw_experiments(scale.page_peer_experiments, PARAMS, METRICS, STEPS)
    curves = draw_experiments(scale.page_curves, 1, 1, scale.page_points)
    rows: list[Row] = []
    with run_chromium() as browser:
        rows += measure_ours(browser, many, curves, scale, directory / "keepsake")
        for name in PAGES:
            try:
                rows += measure_other(browser, name, many, curves, scale, directory / name)
            except UnavailableError as error:
                print(f"  {name} is not measured: {error}", file=sys.stderr)
    return rows


def draw_experiments(count: int, params: int, metrics: int, steps: int) -> list[Experiment]:
    """Return experiments with random params and falling curves; the same arguments give the same ones."""
    draw = random.Random(1)
    return [
        Experiment(
            f"run-{number:05}",
            {f"param_{one}": round(draw.random(), 6) for one in range(params)},
            {
                f"metric_{one}": [1 / (1 + 10 * step / steps) + 0.05 * draw.gauss(0, 1) for step in range(steps)]
                for one in range(metrics)
            },
        )
        for number in range(count)
    ]


def measure_ours(
    browser: Chromium, many: Sequence[Experiment], curves: Sequence[Experiment], scale: Scale, directory: Path
) -> list[Row]:
    """Measure the page of Keepsake."""
    record_ours(many, directory / "many")
    record_ours(curves, directory / "curves")
    with serving_page(directory / "many") as address:
        shows = f"{TABLE_SHOWS} && document.body.innerText.includes('{many[-1].name}')"
        table = _open(browser, origin(address), shows, scale, first=address)
    with serving_page(directory / "curves") as address:
        drawn = _open(browser, f"{origin(address)}charts", charts_show(1), scale, first=address)
    return [_row("Keepsake", "", _table_label(many), table), _row("Keepsake", "", _curves_label(curves), drawn)]


def record_ours(experiments: Sequence[Experiment], root: Path) -> None:
    """Record experiments with Keepsake."""
    project = Project(repository=str(root))
    for one in experiments:
        experiment = project.experiments.create(params=one.params, name=one.name, quiet=True)
        for step, values in enumerate(zip(*one.metrics.values(), strict=True)):
            experiment.checkpoint(step=step, metrics=dict(zip(one.metrics, values, strict=True)))
        experiment.stop()


def measure_other(
    browser: Chromium,
    name: str,
    many: Sequence[Experiment],
    curves: Sequence[Experiment],
    scale: Scale,
    directory: Path,
) -> list[Row]:
    """Measure the page of another program. Raises `UnavailableError` when it cannot be had, or does not serve."""
    page = load_page(name)
    installation = install_needs(name, page.needs)
    port = PORT + 10 * PAGES.index(name)
    rows: list[Row] = []
    table = page.table(port, many[-1].name)
    if table is not None:
        version = record(name, installation, many, directory / "many")
        with serving(
            page.command(installation.python, port), table[0].split("#")[0], **_place(name, directory / "many")
        ):
            rows.append(_row(page.title, version, _table_label(many), _open(browser, *table, scale)))
    drawn = page.curves(port + 1)
    if drawn is not None:
        version = record(name, installation, curves, directory / "curves")
        command = page.command(installation.python, port + 1)
        with serving(command, drawn[0].split("#")[0], **_place(name, directory / "curves")):
            rows.append(_row(page.title, version, _curves_label(curves), _open(browser, *drawn, scale)))
    return rows


def record(name: str, installation: Installation, experiments: Sequence[Experiment], directory: Path) -> str:
    """Record experiments with another program, in a fresh directory, and return its version."""
    print(f"  recording with {name} …", file=sys.stderr, flush=True)
    (directory / "home").mkdir(parents=True)
    data = directory / "experiments.json"
    data.write_text(json.dumps([asdict(one) for one in experiments]), encoding="utf-8")
    command = [str(installation.python), "-m", "benchmarks.pages.worker", name, str(data)]
    place = _place(name, directory)
    try:
        done = subprocess.run(
            command,
            cwd=directory,
            env=os.environ | place["environment"],
            check=True,
            capture_output=True,
            text=True,
        )
    except subprocess.CalledProcessError as error:
        raise UnavailableError(
            error.stderr.strip().splitlines()[-1] if error.stderr.strip() else "no message"
        ) from error
    return done.stdout.strip().splitlines()[-1]


def _place(name: str, directory: Path) -> dict[str, Any]:
    home = directory / "home"
    own = {"HOME": str(home), "XDG_CACHE_HOME": str(home / "cache"), "PYTHONPATH": str(ROOT)}
    return {"directory": directory, "environment": {**own, **load_page(name).environment}}


def _open(browser: Chromium, address: str, shows: str, scale: Scale, first: str | None = None) -> list[float]:
    time_page(browser, address, shows, runs=1, first=first)
    return time_page(browser, address, shows, runs=scale.page_runs, first=first)


def _table_label(experiments: Sequence[Experiment]) -> str:
    return f"list of {len(experiments):,} experiments"


def _curves_label(experiments: Sequence[Experiment]) -> str:
    points = len(next(iter(experiments[0].metrics.values())))
    return f"{len(experiments)} curves of {points:,} points"


def _row(title: str, version: str, label: str, times_ms: list[float]) -> Row:
    details = {"times_ms": times_ms, "version": version}
    return Row(f"page beside others: {label}, {title} {version}".rstrip(), median(times_ms), "ms", details=details)
