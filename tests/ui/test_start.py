"""`keepsake ui`, the command: what it prints, where it listens, how it ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import webbrowser
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

import keepsake
from keepsake.errors import ConfigError, InvalidInputError
from keepsake.ui import server, start
from keepsake.ui.server import address_of, open_socket
from keepsake.ui.token import load_token
from tests.courier.processes import until


class Running:
    """A `keepsake ui` in a process of its own, with a browser that only notes what it is given."""

    def __init__(self, project: keepsake.Project, *arguments: str, **environment: str) -> None:
        command = [sys.executable, "-m", "keepsake", "ui", *arguments]
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=project.directory,
            env=os.environ | {"KEEPSAKE_REPOSITORY": str(project.repository)} | environment,
        )
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().strip()

    def end(self, number: int) -> tuple[int, str, str]:
        """Send a signal; return the exit code and what was printed after the address."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, out, err


def test_the_last_line_is_the_address_with_the_token_and_ctrl_c_ends_it_quietly(
    project: keepsake.Project, trained: list[keepsake.Experiment]
) -> None:
    running = Running(project, "--port", "0", "--no-browser")
    parts = urlsplit(running.address)
    assert (parts.scheme, parts.hostname, parts.path) == ("http", "127.0.0.1", "/")
    (token,) = parse_qs(parts.query)["token"]
    assert token == load_token(os.environ)
    with httpx.Client(follow_redirects=True, timeout=60) as browser:
        assert browser.get(running.address).status_code == 200
        assert browser.get(f"http://{parts.netloc}/api/v1/meta").json()["experiments"] == 2
    assert running.end(signal.SIGINT) == (0, "", "")


def test_a_request_under_way_does_not_keep_it_from_ending(
    project: keepsake.Project, trained: list[keepsake.Experiment]
) -> None:
    running = Running(project, "--port", "0", "--no-browser")
    parts = urlsplit(running.address)
    with socket.create_connection((str(parts.hostname), parts.port or 0), timeout=60) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n")  # the rest never comes
        code, out, err = running.end(signal.SIGTERM)
    assert (out, err) == ("", "")
    assert code in (0, -signal.SIGTERM)


def test_the_browser_is_given_an_address_that_works_once(
    project: keepsake.Project, trained: list[keepsake.Experiment], tmp_path: Path
) -> None:
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > {tmp_path}/opening && mv {tmp_path}/opening {tmp_path}/opened\n')
    browser.chmod(0o700)
    running = Running(project, "--port", "0", BROWSER=f"{browser} %s")
    until((tmp_path / "opened").exists)
    opened = (tmp_path / "opened").read_text()
    assert opened != running.address
    assert urlsplit(opened).netloc == urlsplit(running.address).netloc
    assert httpx.get(opened, timeout=60).status_code == 303
    assert httpx.get(opened, timeout=60).status_code == 401
    assert running.end(signal.SIGINT)[0] == 0


def test_no_browser_is_opened_where_none_has_a_window(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    start.show("http://127.0.0.1:1/")
    assert opened == []
    monkeypatch.setenv("DISPLAY", ":0")
    start.show("http://127.0.0.1:1/")
    assert opened == ["http://127.0.0.1:1/"]


def test_only_this_machine_can_reach_it_unless_an_address_is_given() -> None:
    with open_socket(port=0) as listening:
        assert listening.getsockname()[0] == "127.0.0.1"
    with open_socket("0.0.0.0", 0) as listening:
        assert urlsplit(address_of(listening)).hostname == socket.gethostname().lower()


def test_a_default_port_that_is_taken_is_passed_over_and_a_wanted_one_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with open_socket(port=0) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr(server, "DEFAULT_PORT", port)
        with open_socket() as other:
            assert other.getsockname()[1] != port
        with pytest.raises(ConfigError, match="cannot listen on"):
            open_socket(port=port)


@pytest.mark.parametrize("host", ["no.such.host.invalid", "203.0.113.7", "\udcff", "a" * 300])
def test_an_address_that_is_not_this_machines_is_refused(host: str) -> None:
    with pytest.raises(InvalidInputError):
        open_socket(host, 0)


def test_importing_the_command_imports_no_server() -> None:
    code = (
        "import sys, keepsake.cli.ui; print([one for one in ('starlette', 'uvicorn', 'asyncio') if one in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
