"""Rclone's S3 server over a directory: a third implementation, and a weak one. It ignores conditional headers."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.servers.process import free_port, run_server
from tests.servers.seaweedfs import ACCESS_KEY, SECRET_KEY, S3Server


@contextlib.contextmanager
def run_rclone(directory: Path, bucket: str) -> Iterator[S3Server]:
    """Run a server with one bucket; its objects are files below `directory`."""
    (directory / "files" / bucket).mkdir(parents=True)
    port = free_port()
    command = [str(Path(sys.executable).parent / "rclone"), "serve", "s3", "--addr", f"127.0.0.1:{port}"]
    command += [
        "--auth-key",
        f"{ACCESS_KEY},{SECRET_KEY}",
        "--config",
        os.devnull,
        "--cache-dir",
        str(directory / "cache"),
    ]
    with run_server([*command, str(directory / "files")], f"http://127.0.0.1:{port}/", directory / "log"):
        yield S3Server(f"http://127.0.0.1:{port}")
