"""Moto, another implementation of S3, for contrast. It checks no signatures."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.servers.process import free_port, run_server
from tests.servers.seaweedfs import S3Server


@contextlib.contextmanager
def run_moto(directory: Path) -> Iterator[S3Server]:
    """Run a server; its objects are in its memory."""
    port = free_port()
    command = [str(Path(sys.executable).parent / "moto_server"), "-H", "127.0.0.1", "-p", str(port)]
    endpoint = f"http://127.0.0.1:{port}"
    with run_server(command, f"{endpoint}/", directory / "log"):
        yield S3Server(endpoint)
