"""Servers as processes that end with this one, found ready by asking them."""

from __future__ import annotations

import contextlib
import os
import random
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from keepsake._tracking.helper import die_with_parent

PATIENCE_S = 60.0


@contextlib.contextmanager
def run_server(command: Sequence[str], url: str, log: Path, env: Mapping[str, str] | None = None) -> Iterator[None]:
    """Run a server for the time of the `with` block.

    Args:
        command: what starts it.
        url: what it answers, in whatever way, as soon as it is ready.
        log: a file for its output.
        env: variables besides those of this process.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, **(env or {})},
            preexec_fn=partial(die_with_parent, os.getpid()),
        )
    try:
        _wait_until_ready(process, url, log)
        yield
    finally:
        process.kill()
        process.wait()


def free_port() -> int:
    """Return a port that nobody listens on, of those that a system gives to nobody who asks for any."""
    while True:
        port = random.randrange(5_000, 11_000)
        if is_free(port):
            return port


def is_free(port: int) -> bool:
    """Say whether a server can listen on a port."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _wait_until_ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended: {log.read_text()[-2000:]}")
        with contextlib.suppress(OSError):
            try:
                urllib.request.urlopen(url, timeout=2).close()
            except urllib.error.HTTPError as refused:  # it asks who we are: it is there
                refused.close()
            return
        time.sleep(0.05)
    raise RuntimeError(f"{process.args!r} was not ready within {PATIENCE_S:g} s: {log.read_text()[-2000:]}")
