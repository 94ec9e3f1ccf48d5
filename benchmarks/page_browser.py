"""The page in Chromium: from an address to what it shows, from a key to the screen, from a point to its curve.

A page is opened in a fresh context, which has signed in; the server runs, and has answered once before. Times are the
page's own: from the beginning of the navigation, or the key, to the frame after the one in which it is there. Beside
them stand pages that do as little as can be (`page_bare`): what the same takes the browser, and this machine.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from benchmarks import page_bare
from benchmarks.browser import frames_while, fresh_page, percentile, run_chromium, time_page, wait_for
from benchmarks.chromium import Chromium, Page
from benchmarks.histories import write_curves, write_histories
from benchmarks.peers.install import UnavailableError
from benchmarks.rows import Row
from benchmarks.scale import Scale

TABLE_SHOWS = "document.querySelectorAll('[role=grid] [role=row]').length > 5"
CODE_LIMIT_KB = 60.0
LIVE_INTERVAL_S = 1.3
_SETTLING_S = 0.5
_PRESSED_S = 0.3
"""How long a key is held down, so that nothing is asked of the page while it works."""

KEY = """() => { window.keyed = new Promise((resolve) => {
  const shown = () => document.querySelector('.count').textContent;
  const before = shown();
  addEventListener('keydown', () => {
    const start = performance.now();
    const check = () => shown() === before ? requestAnimationFrame(check)
      : requestAnimationFrame(() => resolve(performance.now() - start));
    check();
  }, { once: true, capture: true });
}); }"""
CLICK = """(number) => new Promise((resolve) => {
  const first = () => document.querySelector('[role=grid] [role=row][aria-rowindex="2"]').textContent;
  const headers = [...document.querySelectorAll('[role=columnheader] button')];
  const header = headers.filter((one) => one.textContent.startsWith('param'))[number];
  const before = first(), start = performance.now();
  header.click();
  const check = () => first() === before ? requestAnimationFrame(check)
    : requestAnimationFrame(() => resolve(performance.now() - start));
  check();
})"""
FILL = """(text) => {
  const box = document.querySelector('search input, [role=search] input');
  box.focus();
  Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(box, text);
  box.dispatchEvent(new Event('input', { bubbles: true }));
}"""
NUMBERS = ("37", "52", "81", "64")
SCROLL = """async (frames) => {
  const grid = document.querySelector('[role=grid]');
  const scroller = grid.scrollHeight > grid.clientHeight ? grid : document.scrollingElement;
  for (let frame = 0; frame < frames; frame++) {
    scroller.scrollTop += 120;
    await new Promise(requestAnimationFrame);
  }
}"""
SEEN = """(last) => new Promise((resolve) => {
  const end = performance.now() + 3000;
  const check = () => seen[last] === undefined && performance.now() < end
    ? requestAnimationFrame(check) : resolve(seen);
  check();
})"""
WRITER = """
import sys, time
from keepsake import Project
experiment = Project(repository=sys.argv[1]).experiments.create(quiet=True)
sys.stdin.readline()
for step in range(int(sys.argv[2])):
    time.sleep(float(sys.argv[3]))
    experiment.checkpoint(step=step, loss=1 / (step + 1), primary_metric=("loss", "minimize"))
    print(step, time.time(), flush=True)
sys.stdin.readline()
"""


def charts_show(charts: int) -> str:
    """Return JavaScript that is true when so many charts are drawn."""
    drawn = "area.querySelector('canvas') && !area.parentElement.querySelector('.chart-note')"
    return f"[...document.querySelectorAll('.chart-area')].filter((area) => {drawn}).length >= {charts}"


def measure(scale: Scale, directory: Path) -> list[Row]:
    """Measure the page on repositories with many experiments, with many points, and with one that runs."""
    try:
        with run_chromium() as browser, page_bare.serving_bare() as bare:
            return [
                *measure_table(browser, scale, directory / "table", bare),
                *measure_charts(browser, scale, directory, bare),
                measure_live(browser, directory / "live", points=2 * scale.page_runs),
            ]
    except UnavailableError as error:
        print(f"  the page is not measured: {error}", file=sys.stderr)
        return []


def measure_table(browser: Chromium, scale: Scale, root: Path, bare: str) -> list[Row]:
    """Measure the table of experiments. `bare` is where the bare pages are."""
    empty = time_page(browser, bare, page_bare.EMPTY_SHOWS, runs=scale.page_runs)
    with fresh_page(browser) as page:
        page.goto(f"{bare}list")
        wait_for(page, "document.querySelector('input')")
        bare_keys = list(_time_keys(page, scale.page_numbers))
    write_histories(root, scale.page_experiments)
    label = f"{scale.page_experiments:,} experiments"
    with serving_page(root) as address:
        time_page(browser, origin(address), TABLE_SHOWS, runs=1, first=address)
        opened = time_page(browser, origin(address), TABLE_SHOWS, runs=scale.page_runs, first=address)
        with fresh_page(browser) as page:
            page.goto(address)
            wait_for(page, TABLE_SHOWS)
            time.sleep(_SETTLING_S)
            keys = list(_time_keys(page, scale.page_numbers))
            asked_keys = list(_time_keys(page, scale.page_numbers, "not params.lr >= 0."))
            clicks = [page.call(CLICK, number) for number in (0, 1, 0, 1)]
            frames = frames_while(page, SCROLL, scale.page_frames)
        code_kb = measure_code(browser, address)
    return [
        _row(f"page: from the address to a table of {label}", opened, 500.0),
        _row("  — an empty page", empty),
        _row("  a key in the filter to paint", keys, 50.0),
        _row("  — in one that only the server can answer", asked_keys, 50.0),
        _row("  — a key in a page that only asks and shows", bare_keys),
        _row("  a click that sorts to paint", clicks, 50.0),
        Row(
            "  frames while scrolling, 95th percentile",
            percentile(frames, 0.95),
            "ms",
            50.0,
            details={"frames_ms": frames},
        ),
        Row("  code sent for it, compressed", code_kb, "kB", CODE_LIMIT_KB),
    ]


def _time_keys(page: Page, numbers: int, before: str = "params.lr < 0.") -> Iterator[float]:
    for digits in NUMBERS[:numbers]:
        page.call(FILL, before)
        time.sleep(_SETTLING_S)
        for digit in digits:
            page.call(KEY)
            page.press(digit, hold_s=_PRESSED_S)
            yield page.evaluate("window.keyed")
    page.call(FILL, "")
    time.sleep(_SETTLING_S)


def measure_code(browser: Chromium, address: str) -> float:
    """Return how many kB of scripts and style sheets the landing page takes, as they are sent."""
    with fresh_page(browser) as page:
        page.sign_in(address)
        page.send("Network.enable")
        page.goto(origin(address))
        wait_for(page, TABLE_SHOWS)
        time.sleep(_SETTLING_S)
        wait_for(page, "true")  # so that what the page has told until now is read
        kinds = {event["requestId"]: event["type"] for event in page.events("Network.responseReceived")}
        sizes = {event["requestId"]: event["encodedDataLength"] for event in page.events("Network.loadingFinished")}
    code_bytes: float = sum(size for one, size in sizes.items() if kinds.get(one) in ("Script", "Stylesheet"))
    return code_bytes / 1e3


def measure_charts(browser: Chromium, scale: Scale, directory: Path, bare: str) -> list[Row]:
    """Measure charts: one, eight, and one with very many points. `bare` is where the bare pages are."""
    curves, points, many = scale.page_curves, scale.page_points, scale.page_many_points
    series = (
        (f"page: {curves} curves of {points:,} points", points, 1, 500.0),
        (f"page: eight charts of {curves} curves of {points:,} points", points, 8, 600.0),
        (f"page: {curves} curves of {many:,} points together", many // curves, 1, 1000.0),
    )
    rows: list[Row] = []
    for number, (what, each, metrics, limit_ms) in enumerate(series):
        root = directory / f"curves-{number}"
        write_curves(root, curves, each, metrics)
        with serving_page(root) as address:
            charts = f"{origin(address)}charts?across={min(metrics, 4)}"
            first = time_page(browser, charts, charts_show(metrics), runs=1, first=address)
            opened = time_page(browser, charts, charts_show(metrics), runs=scale.page_runs, first=address)
        address = f"{bare}charts/{metrics}/{curves}/{each}"
        shows = page_bare.charts_show(metrics)
        time_page(browser, address, shows, runs=1)
        rows.append(_row(what, opened, limit_ms))
        rows.append(
            _row("  — the same numbers drawn by uPlot alone", time_page(browser, address, shows, runs=scale.page_runs))
        )
        rows.append(Row("  the first time, before the journals were read", first[0], "ms"))
    return rows


def measure_live(browser: Chromium, root: Path, *, points: int) -> Row:
    """Measure how long after a checkpoint of a running experiment its point is on the page."""
    root.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-c", WRITER, str(root), str(points), str(LIVE_INTERVAL_S)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdin is not None
        assert writer.stdout is not None
        while not (root / "journals").is_dir():
            time.sleep(0.1)
        with serving_page(root) as address, fresh_page(browser) as page:
            page.sign_in(address)
            page.goto(f"{origin(address)}charts")
            page.call(
                """() => { window.seen = []; const watch = () => {
                  const text = document.querySelector('.chart-area')?.getAttribute('aria-label') ?? '';
                  const step = text.match(/ at (\\d+) in /);
                  if (step && seen[Number(step[1])] === undefined) seen[Number(step[1])] = Date.now() / 1000;
                  requestAnimationFrame(watch);
                }; watch(); }"""
            )
            writer.stdin.write("\n")
            writer.stdin.flush()
            sent = dict(line.split() for line in (writer.stdout.readline() for _ in range(points)))
            seen = page.call(SEEN, points - 1)
        writer.stdin.close()
    delays = [
        (seen[int(step)] - float(when)) * 1e3
        for step, when in sent.items()
        if int(step) < len(seen) and seen[int(step)] is not None
    ]
    if len(delays) <= points // 2:
        raise RuntimeError(f"only {len(delays)} of {points} points were seen")
    return Row(
        "page: a point of a running experiment, saved to seen", max(delays), "ms", 1500.0, f"the longest of {points}"
    )


@contextmanager
def serving_page(root: Path) -> Iterator[str]:
    """Run `keepsake ui` on a repository; yield its address, with the token, once it answers."""
    command = [sys.executable, "-m", "keepsake", "ui", "--no-browser", "--port", "0", "-R", str(root)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ)
    assert process.stdout is not None
    try:
        address = process.stdout.readline().strip()
        if "token=" not in address:
            raise RuntimeError(f"keepsake ui printed {address!r}")
        yield address
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def origin(address: str) -> str:
    """Return an address without the token."""
    return address.partition("?")[0]


def _row(what: str, times_ms: list[float], limit_ms: float | None = None) -> Row:
    return Row(what, median(times_ms), "ms", limit_ms, details={"times_ms": times_ms})
