"""A SeaweedFS that programs reach under Amazon's names: for the program of 2021, which takes no other server.

They are told of a proxy (`HTTPS_PROXY`) that connects every name with this server, and of an authority that vouches for
it (`AWS_CA_BUNDLE`). What passes through the proxy is encrypted; it copies bytes and sees nothing.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.servers.certificates import make_certificates
from tests.servers.process import free_port
from tests.servers.seaweedfs import ACCESS_KEY, SECRET_KEY, S3Server, run_seaweedfs

REGION = "us-east-1"
_NAMES = ("s3.amazonaws.com", f"s3.{REGION}.amazonaws.com")


@dataclass(frozen=True)
class Amazon:
    """A server that passes for Amazon's."""

    server: S3Server
    """The same server without encryption and without the proxy."""
    environment: dict[str, str]
    """Variables that lead programs to it."""


@contextlib.contextmanager
def run_amazon(directory: Path) -> Iterator[Amazon]:
    """Run a server and the proxy before it."""
    certificates = make_certificates(directory / "certificates", [*_NAMES, *(f"*.{name}" for name in _NAMES)])
    port = free_port()
    options = [f"-s3.port.https={port}", f"-s3.cert.file={certificates.server}", f"-s3.key.file={certificates.key}"]
    options.append(f"-s3.domainName={','.join(_NAMES)}")
    # Amazon tells the region of a bucket also to those it does not know.
    with (
        run_seaweedfs(directory / "server", options=options, anonymous=["Read", "List"]) as server,
        socket.create_server(("127.0.0.1", 0)) as listening,
    ):
        threading.Thread(target=_accept, args=(listening, port), daemon=True).start()
        environment = {
            "HTTPS_PROXY": f"http://127.0.0.1:{listening.getsockname()[1]}",
            "AWS_CA_BUNDLE": str(certificates.authority),
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        }
        yield Amazon(server, environment)


def _accept(listening: socket.socket, port: int) -> None:
    with contextlib.suppress(OSError):  # when it is closed
        while True:
            client, _ = listening.accept()
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=_connect, args=(client, port), daemon=True).start()


def _connect(client: socket.socket, port: int) -> None:
    """Answer `CONNECT host:port`, and then pass on what comes from either side, as long as the server is there."""
    with contextlib.suppress(ConnectionRefusedError), client, socket.create_connection(("127.0.0.1", port)) as server:
        server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # or each handshake waits for an acknowledgement
        head = b""
        while b"\r\n\r\n" not in head:
            data = client.recv(4096)
            if not data:
                return
            head += data
        client.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
        back = threading.Thread(target=_pass_on, args=(server, client), daemon=True)
        back.start()
        _pass_on(client, server)
        back.join()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    buffer = bytearray(1 << 18)
    with contextlib.suppress(OSError):
        while count := source.recv_into(buffer):
            target.sendall(memoryview(buffer)[:count])
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)
