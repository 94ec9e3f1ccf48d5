"""A server that speaks as much of S3 as a listing needs, and lists in an order of its own, from no other start.

S3's directory buckets are such: https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-express-differences.html
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

_OBJECT = "<Contents><Key>{}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><Size>1</Size></Contents>"


@contextmanager
def run_unordered_s3(pages: Sequence[Sequence[str]]) -> Iterator[str]:
    """Serve these keys, a page an answer, whatever is asked; yield the endpoint."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            (token,) = parse_qs(urlsplit(self.path).query).get("continuation-token", ["0"])
            number = int(token)
            listed = "".join(map(_OBJECT.format, pages[number]))
            if number + 1 < len(pages):
                listed += f"<IsTruncated>true</IsTruncated><NextContinuationToken>{number + 1}</NextContinuationToken>"
            body = f"<ListBucketResult>{listed}</ListBucketResult>".encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
