"""Chromium, and what a page does in it, timed by the page's own clock."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from benchmarks.chromium import Chromium, Page
from benchmarks.peers.install import UnavailableError

UNWANTED = (
    # With every window Chromium loads pages of its own, for what the address bar will propose: a second of a processor.
    "WebUIOmniboxPopup",
    "WebUIOmniboxAimPopup",
    # The rest is what keeps measurements steady, as drivers of tests have it.
    "AvoidCorsURLLoaderRestartOnRedirect",
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsFirstBalancedModeAutoEnable",
    "HttpsUpgrades",
    "MediaRouter",
    "NetworkTimeServiceQuerying",
    "OptimizationHints",
    "PaintHolding",
    "PreconnectToSearch",
    "ThirdPartyStoragePartitioning",
)
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Nothing but this machine can be found, so a page that works is known to need nothing else.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--disable-features=" + ",".join(UNWANTED),
)
PATIENCE_S = 120.0

WATCH = """
// When a condition on the page first holds and has been painted, in ms since the navigation began.
window.paintedWhen = (holds) => new Promise((resolve) => {
  const check = () => {
    let found = false;
    try { found = Boolean(holds()); } catch { found = false; }
    // What is there in a frame's callback is painted in that frame, which is over when the next one begins.
    requestAnimationFrame(found ? () => resolve(performance.now()) : check);
  };
  requestAnimationFrame(check);
});
"""


@contextlib.contextmanager
def run_chromium() -> Iterator[Chromium]:
    """Run a browser. Raises `UnavailableError` when there is none."""
    program = os.environ.get("KEEPSAKE_TEST_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        raise UnavailableError("this machine has no Chromium")
    browser = Chromium(program, FLAGS, patience_s=PATIENCE_S)
    try:
        yield browser
    finally:
        browser.close()


@contextlib.contextmanager
def serving(
    command: Sequence[str], address: str, *, directory: Path, environment: Mapping[str, str] | None = None
) -> Iterator[None]:
    """Run a server until the block ends; the block begins when it answers at `address`."""
    with (directory / "server.log").open("w") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=log, cwd=directory, env=os.environ | dict(environment or {})
        )
        try:
            _wait_for(address, process)
            yield
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()
            process.wait()


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise UnavailableError(f"the server ended with {process.returncode}")
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    raise UnavailableError(f"nothing answers at {address}")


def time_page(browser: Chromium, address: str, shows: str, *, runs: int, first: str | None = None) -> list[float]:
    """Open a page several times, each in a fresh context; return the ms from the address to what it shall show.

    Args:
        browser: from `run_chromium`.
        address: of the page.
        shows: an expression of JavaScript that is true when the page can be used.
        runs: how often.
        first: an address that is asked for before and not timed, as one that signs in. Nothing that it names is loaded.
    """
    times: list[float] = []
    for _ in range(runs):
        with fresh_page(browser) as page:
            if first is not None:
                page.sign_in(first)
            page.goto(address)
            times.append(wait_for(page, shows))
    return times


def fresh_page(browser: Chromium) -> AbstractContextManager[Page]:
    """Open a page in a context of its own, with what `wait_for` needs."""
    return browser.fresh_page(WATCH)


def wait_for(page: Page, shows: str) -> float:
    """Wait until an expression of JavaScript is true and painted; return the ms since the navigation began."""
    found: float = page.evaluate(f"window.paintedWhen(() => ({shows}))")
    return found


def frames_while(page: Page, act: str, argument: object) -> list[float]:
    """Return the ms between frames while an asynchronous function of JavaScript runs, called with `argument`."""
    found: list[float] = page.call(
        f"""async (argument) => {{
          const act = {act}, gaps = [];
          let last = performance.now(), goes = true;
          const tick = (now) => {{ gaps.push(now - last); last = now; if (goes) requestAnimationFrame(tick); }};
          requestAnimationFrame(tick);
          await act(argument);
          goes = false;
          return gaps.slice(2);
        }}""",
        argument,
    )
    return found


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which `share` of the values lie."""
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]
