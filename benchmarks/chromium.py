"""Chromium that nobody watches: commands go through a pipe, and nothing of a page is followed unless it is asked for.

What drives browsers for tests follows every request of a page, for which the browser walks the stack at each; and it is
a program of its own on the same processors. Here, that made a page with curves some 50 ms slower. The commands are
those of https://chromedevtools.github.io/devtools-protocol/, each a line of JSON that ends with a NUL.
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from http.cookies import SimpleCookie
from typing import Any

WIDTH_PX, HEIGHT_PX = 1280, 800
_READS, _WRITES = 3, 4
"""The descriptors at which Chromium reads commands and writes answers."""
_ALWAYS = (
    "--headless=new",
    "--remote-debugging-pipe",
    "--no-default-browser-check",
    "--disable-extensions",
    "--disable-default-apps",
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--hide-scrollbars",
    "--mute-audio",
)


class Page:
    """A page in a context of its own."""

    def __init__(self, chromium: Chromium, context: str, session: str) -> None:
        self._chromium = chromium
        self._context = context
        self._session = session

    def send(self, method: str, **parameters: object) -> dict[str, Any]:
        """Send a command that is for this page; return its result."""
        return self._chromium.send(method, session=self._session, **parameters)

    def goto(self, address: str) -> None:
        """Go to an address; it has begun to answer when this returns."""
        failure = self.send("Page.navigate", url=address).get("errorText")
        if failure:
            raise RuntimeError(f"{address}: {failure}")

    def sign_in(self, address: str) -> None:
        """Take the cookies that an address gives, without loading anything."""
        for cookie in _ask_for_cookies(address):
            self._chromium.send(
                "Storage.setCookies", browserContextId=self._context, cookies=[{**cookie, "url": address}]
            )

    def call(self, function: str, *arguments: object) -> Any:
        """Return what a function of JavaScript returns for arguments; a promise is waited for."""
        return self.evaluate(f"({function})({', '.join(map(json.dumps, arguments))})")

    def evaluate(self, expression: str) -> Any:
        """Return what an expression of JavaScript is; a promise is waited for."""
        answer = self.send("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise RuntimeError(details.get("exception", {}).get("description") or details["text"])
        return answer["result"].get("value")

    def press(self, digit: str, *, hold_s: float) -> None:
        """Hold the key of a digit down for a moment."""
        key = {"key": digit, "code": f"Digit{digit}", "windowsVirtualKeyCode": ord(digit)}
        self.send("Input.dispatchKeyEvent", type="keyDown", text=digit, **key)
        time.sleep(hold_s)
        self.send("Input.dispatchKeyEvent", type="keyUp", **key)

    def events(self, method: str) -> list[dict[str, Any]]:
        """Return what the page has told of one kind; its domain must be enabled, and is so until the page is closed."""
        said = [one for one in self._chromium.events if one.get("sessionId") == self._session]
        return [one["params"] for one in said if one["method"] == method]


class Chromium:
    """A browser, until it is closed.

    Args:
        program: which one.
        flags: more of them.
        patience_s: how long an answer may take.
    """

    def __init__(self, program: str, flags: Sequence[str], *, patience_s: float) -> None:
        self.events: list[dict[str, Any]] = []
        self._patience_s = patience_s
        self._numbers = itertools.count(1)
        self._unread = b""
        self._directory = tempfile.mkdtemp(prefix="chromium-")
        reads, self._write = os.pipe()
        self._read, writes = os.pipe()
        # Beyond the numbers that they shall get, so that neither is overwritten by the other.
        theirs = [fcntl.fcntl(one, fcntl.F_DUPFD, 10) for one in (reads, writes)]

        def place() -> None:
            os.dup2(theirs[0], _READS)
            os.dup2(theirs[1], _WRITES)

        self._process = subprocess.Popen(
            [program, *_ALWAYS, f"--user-data-dir={self._directory}", *flags],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=place,
            pass_fds=(_READS, _WRITES),
        )
        for one in (reads, writes, *theirs):
            os.close(one)

    def send(self, method: str, *, session: str | None = None, **parameters: object) -> dict[str, Any]:
        """Send a command and return its result. Raises `RuntimeError` when it failed."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        os.write(self._write, json.dumps(message | ({"sessionId": session} if session else {})).encode() + b"\0")
        while True:
            said = self._receive()
            if said.get("id") == number:
                if "error" in said:
                    raise RuntimeError(f"{method}: {said['error']['message']}")
                result: dict[str, Any] = said["result"]
                return result
            if "method" in said:
                self.events.append(said)

    @contextlib.contextmanager
    def fresh_page(self, script: str) -> Iterator[Page]:
        """Open a page in a context of its own; `script` runs in every document of it."""
        context = self.send("Target.createBrowserContext")["browserContextId"]
        try:
            target = self.send("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
            session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            page = Page(self, context, session)
            size = {"width": WIDTH_PX, "height": HEIGHT_PX, "deviceScaleFactor": 1, "mobile": False}
            page.send("Emulation.setDeviceMetricsOverride", **size)
            page.send("Emulation.setFocusEmulationEnabled", enabled=True)
            page.send("Page.enable")
            page.send("Page.addScriptToEvaluateOnNewDocument", source=script)
            yield page
        finally:
            self.send("Target.disposeBrowserContext", browserContextId=context)
            self.events.clear()

    def close(self) -> None:
        """End the browser."""
        self._process.terminate()
        self._process.wait()
        os.close(self._write)
        os.close(self._read)
        shutil.rmtree(self._directory, ignore_errors=True)

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._unread:
            if not select.select([self._read], [], [], self._patience_s)[0]:
                raise TimeoutError(f"Chromium has said nothing for {self._patience_s:.0f} s")
            more = os.read(self._read, 1 << 16)
            if not more:
                raise RuntimeError("Chromium has ended")
            self._unread += more
        line, _, self._unread = self._unread.partition(b"\0")
        said: dict[str, Any] = json.loads(line)
        return said


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """Follow none: the cookies are those of the first answer."""


def _ask_for_cookies(address: str) -> list[dict[str, str]]:
    try:
        with urllib.request.build_opener(_NoRedirect).open(address) as answer:
            headers = answer.headers
    except urllib.error.HTTPError as error:
        headers = error.headers
        error.close()
    jar = SimpleCookie("; ".join(headers.get_all("set-cookie") or []))
    return [{"name": name, "value": morsel.value} for name, morsel in jar.items()]
