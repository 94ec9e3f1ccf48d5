"""A real browser, a real server, and pages that fail a test on anything that goes wrong in them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Route, expect, sync_playwright

import keepsake
from benchmarks.browser import FLAGS

if TYPE_CHECKING:
    from tests.ui.browser.study import Study

AXE = Path(sys.prefix) / "npm" / "node_modules" / "axe-core" / "axe.min.js"
"""Where `make` has npm put it."""
PATIENCE_MS = 20_000
"""How long anything may take on a busy machine before a test gives up."""
expect.set_options(timeout=PATIENCE_MS)


def chromium_path() -> str:
    """Return the browser's program: what `KEEPSAKE_TEST_CHROMIUM` says, else the one on the path."""
    named = os.environ.get("KEEPSAKE_TEST_CHROMIUM")
    found = named or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert found, "these tests need Chromium: `make test` installs it on Debian; else KEEPSAKE_TEST_CHROMIUM names it"
    return found


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium_path(), args=list(FLAGS))
        yield launched
        launched.close()


@dataclass
class Served:
    """A running `keepsake ui`."""

    address: str
    """What it printed: the address of the page with its token."""
    process: subprocess.Popen[str] | None = None

    @property
    def origin(self) -> str:
        """The address without path and token."""
        parts = urlsplit(self.address)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def token(self) -> str:
        return self.address.partition("token=")[2]

    def at(self, path: str) -> str:
        """Return the address of a path with the token, which becomes a cookie."""
        parts = urlsplit(path)
        query = f"{parts.query}&" if parts.query else ""
        fragment = f"#{parts.fragment}" if parts.fragment else ""
        return f"{self.origin}{parts.path}?{query}token={self.token}{fragment}"


@pytest.fixture
def serve(user_directory: Path) -> Iterator[Callable[[Path], Served]]:
    """Start `keepsake ui` on a repository; it ends with the test."""
    started: list[subprocess.Popen[str]] = []

    def start(repository: Path | str) -> Served:
        command = [sys.executable, "-m", "keepsake", "ui", "--no-browser", "--port", "0", "-R", str(repository)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=user_directory)
        started.append(process)
        assert process.stdout is not None
        for line in process.stdout:
            if "token=" in line:
                return Served(line.split()[-1], process)
        raise AssertionError(f"`keepsake ui` ended with {process.wait()} instead of serving")

    yield start
    for process in started:
        process.terminate()
        process.wait(timeout=30)
        if process.stdout is not None:
            process.stdout.close()


@pytest.fixture(scope="session")
def served_study(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Study]]:
    """The study and what serves it, for all tests that do not change it."""
    from tests.ui.browser.study import serving_study  # which needs what is here

    with serving_study(tmp_path_factory.mktemp("study")) as site:
        yield site


@dataclass
class Watch:
    """What went wrong in a page. A test that makes something fail on purpose names a part of it in `expected`."""

    problems: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def note(self, problem: str) -> None:
        if not any(part in problem for part in self.expected):
            self.problems.append(problem)

    def follow(self, page: Page) -> None:
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.note(f"page error: {error.stack or error}"))
        page.on("request", self._on_request)

    def _on_console(self, message: ConsoleMessage) -> None:
        # On a machine with much else to do, something that was preloaded may be used later than the browser expects.
        if message.type in ("error", "warning") and "was preloaded using link preload" not in message.text:
            self.note(f"console {message.type}: {message.text}")

    def _on_request(self, request: Request) -> None:
        self.requests.append(request.url)
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob", "file") and parts.hostname != "127.0.0.1":
            self.note(f"foreign request: {request.url}")


@pytest.fixture
def watch() -> Iterator[Watch]:
    watched = Watch()
    yield watched
    assert not watched.problems


OpenPage = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser, watch: Watch) -> Iterator[OpenPage]:
    """Open a page: `open_page(served, "/charts", width=400, color_scheme="dark")`."""
    contexts: list[BrowserContext] = []

    def open_one(
        served: Served, path: str = "/", *, width: int = 1280, height: int = 800, color_scheme: Any = "light"
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=color_scheme, timezone_id="UTC", locale="en-US"
        )
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        watch.follow(page)
        page.goto(served.at(path))
        return page

    yield open_one
    for context in contexts:
        context.close()


STATIC = Path(keepsake.__file__).parent / "ui" / "static"


@pytest.fixture(scope="session")
def empty_page(browser: Browser) -> Iterator[Page]:
    """A page with nothing in it that can import the modules of the page, with no server."""

    def answer(route: Route) -> None:
        path = urlsplit(route.request.url).path
        if path == "/":
            route.fulfill(body="<!doctype html><title>empty</title>", content_type="text/html")
        else:
            route.fulfill(path=STATIC / path.removeprefix("/static/"), content_type="text/javascript")

    page = browser.new_page()
    page.route("**/*", answer)
    page.goto("http://127.0.0.1/")
    yield page
    page.close()


RunModule = Callable[..., Any]


@pytest.fixture
def run_module(empty_page: Page) -> RunModule:
    """Call a function with a module: `run_module("core/files.js", "(m, path) => m.isSource(path)", "a.py")`."""

    def run(module: str, function: str, *arguments: Any) -> Any:
        code = f"async (given) => ({function})(await import('/static/{module}'), ...given)"
        return empty_page.evaluate(code, list(arguments))

    return run


def axe_findings(page: Page) -> list[str]:
    """Return what axe-core calls serious or critical in a page as it is, with the element that it means."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    return _findings(page, "{}")


def axe_findings_in_both_themes(page: Page) -> list[str]:
    """Return the same of a page that is shown in light colours, and what dark ones change; it stays dark."""
    found = axe_findings(page)
    page.emulate_media(color_scheme="dark")
    assert page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    return found + _findings(page, "{runOnly: ['color-contrast', 'link-in-text-block']}")


def _findings(page: Page, options: str) -> list[str]:
    violations = page.evaluate(f"axe.run(document, {options}).then(({{ violations }}) => violations)")
    return [
        f"{violation['id']}: {node['target']}: {node['failureSummary']}"
        for violation in violations
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]
