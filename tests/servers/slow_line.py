"""A long line: what a client sends arrives later, as over a network. It sees bytes and no requests, so it costs little.

A connection takes the latency to be made, and each request takes it once more, however many are under way.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
from collections.abc import Iterator
from multiprocessing.connection import Connection
from urllib.parse import urlsplit


@contextlib.contextmanager
def run_slow_line(endpoint: str, latency_s: float) -> Iterator[str]:
    """Run a line to a server, in a process of its own, and yield the endpoint at its other end."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_run, args=(endpoint, latency_s, there), daemon=True)
    process.start()
    there.close()  # so that a process that fails to start is noticed
    try:
        yield here.recv()
    finally:
        process.kill()
        process.join()


def _run(endpoint: str, latency_s: float, connection: Connection) -> None:
    asyncio.run(_serve(endpoint, latency_s, connection))


async def _serve(endpoint: str, latency_s: float, connection: Connection) -> None:
    place = urlsplit(endpoint)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: _Client(place.hostname or "", place.port or 80, latency_s), "127.0.0.1", 0
    )
    connection.send(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    await server.serve_forever()


class _Client(asyncio.Protocol):
    """One connection, seen from the client; what it sends goes on after a while."""

    def __init__(self, host: str, port: int, latency_s: float) -> None:
        self._place = (host, port)
        self._latency_s = latency_s
        self._loop = asyncio.get_running_loop()
        self._server: asyncio.Transport | None = None
        self._early: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._client = transport
        self._task = self._loop.create_task(self._connect())

    async def _connect(self) -> None:
        await asyncio.sleep(self._latency_s)
        transport, _ = await self._loop.create_connection(lambda: _Server(self._client), *self._place)
        self._server = transport
        for data in self._early:
            transport.write(data)
        self._early.clear()

    def data_received(self, data: bytes) -> None:
        self._loop.call_later(self._latency_s, self._send, data)

    def _send(self, data: bytes) -> None:
        if self._server is None:
            self._early.append(data)
        elif not self._server.is_closing():
            self._server.write(data)

    def connection_lost(self, _: Exception | None) -> None:
        self._task.cancel()
        if self._server is not None:
            self._server.close()


class _Server(asyncio.Protocol):
    """The same connection, seen from the server; what it sends goes on at once."""

    def __init__(self, client: asyncio.Transport) -> None:
        self._client = client

    def data_received(self, data: bytes) -> None:
        self._client.write(data)

    def connection_lost(self, _: Exception | None) -> None:
        self._client.close()
