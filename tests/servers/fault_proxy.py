"""A proxy between a client and an S3 server that lets requests go wrong in the ways in which networks and servers do.

Requests are passed on with their `Host`, which their signature covers.
"""

from __future__ import annotations

import http.client
import socket
import struct
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal, NamedTuple, TypeAlias
from urllib.parse import urlsplit

from typing_extensions import Self

Fault: TypeAlias = Literal["reset", "truncate", "500", "503", "lost", "500 after", "stall"]
"""`reset`: the connection breaks before anything happens. `truncate`: half of the answer comes. `500`, `503`: so the
server answers, without doing anything. `lost`: the server does it, and the connection breaks. `500 after`: the server
does it and answers 500. `stall`: nothing comes any more."""

_SLOW_DOWN = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
_INTERNAL = b"<Error><Code>InternalError</Code><Message>We encountered an internal error.</Message></Error>"
_HOP_BY_HOP = {"connection", "transfer-encoding", "keep-alive", "content-length"}


class Request(NamedTuple):
    """A request that came by."""

    method: str
    path: str
    size_bytes: int
    is_conditional: bool = False
    """Whether it is to be carried out only if there is nothing yet."""


class FaultProxy:
    """A running proxy, as a context manager.

    Args:
        endpoint: the server.
    """

    def __init__(self, endpoint: str) -> None:
        self._server = urlsplit(endpoint).netloc
        self.fault: Fault | None = None
        """What happens to requests."""
        self.strikes: Callable[[Request], bool] = lambda _: True
        """Which requests the fault happens to."""
        self.refusal: tuple[int, bytes] | None = None
        """Status and document that every request is answered with, instead of by the server."""
        self.latency_s = 0.0
        """How long every request takes at least."""
        self.requests: list[Request] = []
        self.connections = 0
        """How many connections were made."""
        self.struck = 0
        """How many requests went wrong."""
        self._lock = threading.Lock()
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # or the end of an answer waits until its beginning is acknowledged

            def setup(self) -> None:
                super().setup()
                with proxy._lock:
                    proxy.connections += 1

            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except OSError:
                    self.close_connection = True

            def do_GET(self) -> None:
                proxy._handle(self)

            do_PUT = do_HEAD = do_DELETE = do_POST = do_GET  # noqa: N815 (names of the base class)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.endpoint = f"http://127.0.0.1:{self._http.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    def _handle(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        request = Request(handler.command, handler.path, len(body), "If-None-Match" in handler.headers)
        with self._lock:
            self.requests.append(request)
            fault = self.fault if self.fault is not None and self.strikes(request) else None
            self.struck += fault is not None
        time.sleep(self.latency_s)
        if fault == "reset":
            _reset(handler)
        elif fault == "stall":
            time.sleep(3600)
        elif self.refusal is not None:
            _answer(handler, self.refusal[0], {}, self.refusal[1])
        elif fault in ("500", "503"):
            _answer(handler, int(fault), {}, _INTERNAL if fault == "500" else _SLOW_DOWN)
        else:
            self._pass_on(handler, body, fault)

    def _pass_on(self, handler: BaseHTTPRequestHandler, body: bytes, fault: Fault | None) -> None:
        connection = http.client.HTTPConnection(self._server, timeout=60)
        try:
            headers = {name: value for name, value in handler.headers.items() if name.lower() not in _HOP_BY_HOP}
            if body or handler.command in ("PUT", "POST"):
                headers["Content-Length"] = str(len(body))
            connection.request(handler.command, handler.path, body or None, headers)
            answer = connection.getresponse()
            content = answer.read()
            answer_headers = {name: value for name, value in answer.getheaders() if name.lower() not in _HOP_BY_HOP}
            if handler.command == "HEAD":
                answer_headers["Content-Length"] = answer.getheader("Content-Length") or "0"
        finally:
            connection.close()
        if fault == "lost":
            _reset(handler)
        elif fault == "500 after":
            _answer(handler, 500, {}, _INTERNAL)
        else:
            _answer(handler, answer.status, answer_headers, content, is_cut=fault == "truncate")


def _answer(
    handler: BaseHTTPRequestHandler, status: int, headers: dict[str, str], content: bytes, *, is_cut: bool = False
) -> None:
    handler.send_response_only(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    if handler.command != "HEAD" and status not in (204, 304):
        handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    if handler.command != "HEAD":
        handler.wfile.write(content[: len(content) // 2] if is_cut else content)
    if is_cut:
        handler.wfile.flush()
        _reset(handler)


def _reset(handler: BaseHTTPRequestHandler) -> None:
    """Break the connection so that the client's system is told at once."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.close_connection = True
    handler.connection.close()
