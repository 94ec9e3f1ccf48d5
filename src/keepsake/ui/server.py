"""The server: its socket, and serving until somebody ends it."""

from __future__ import annotations

import errno
import os
import socket
from contextlib import suppress
from typing import TYPE_CHECKING

from keepsake.errors import ConfigError, InvalidInputError

if TYPE_CHECKING:
    import uvicorn
    from starlette.types import ASGIApp

DEFAULT_HOST = "127.0.0.1"
ANY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 (compared, not bound)
DEFAULT_PORT = 8237
PORTS_TRIED = 20
"""From the default one upwards, before any free one will do."""


def open_socket(host: str = DEFAULT_HOST, port: int | None = None) -> socket.socket:
    """Listen on an address.

    Args:
        host: a name or an address.
        port: the port, 0 for any free one; the default one or the next free one when None.

    Raises:
        InvalidInputError: there is no such host, or it is not this machine's.
        ConfigError: the port is taken, or may not be used.
    """
    if port is not None:
        return _listen(host, port)
    for candidate in range(DEFAULT_PORT, DEFAULT_PORT + PORTS_TRIED):
        with suppress(ConfigError):
            return _listen(host, candidate)
    return _listen(host, 0)


def serve(app: ASGIApp, listening: socket.socket) -> None:
    """Answer requests until the process is told to end, by Ctrl-C or SIGTERM."""
    with suppress(KeyboardInterrupt):
        make_server(app).run(sockets=[listening])


def make_server(app: ASGIApp) -> uvicorn.Server:
    """Return a server that is not started yet; setting its `should_exit` ends it."""
    import uvicorn

    config = uvicorn.Config(
        app,
        http="h11",
        ws="none",
        loop="asyncio",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=1,
    )
    return uvicorn.Server(config)


def address_of(listening: socket.socket) -> str:
    """Return the address of what listens, as a browser takes it."""
    host, port = listening.getsockname()[:2]
    if host in ANY_ADDRESS:
        host = socket.gethostname()
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError) as error:
        raise InvalidInputError(f"there is no host {host!r}", hint="--host takes an address of this machine") from error
    opened = socket.socket(family, kind, protocol)
    try:
        if os.name == "posix":
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind(where)
        opened.listen(128)
    except OSError as error:
        opened.close()
        if error.errno == errno.EADDRNOTAVAIL:
            raise InvalidInputError(f"{host} is not an address of this machine") from error
        raise ConfigError(
            f"cannot listen on {host}:{port}: {error.strerror or error}",
            hint="choose another --port; 0 takes a free one",
        ) from error
    return opened
