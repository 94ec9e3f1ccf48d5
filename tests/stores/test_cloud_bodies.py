"""Large objects of a bucket on their way."""

from __future__ import annotations

import random
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from keepsake.stores.url import open_store
from tests.servers.seaweedfs import S3Server

_LARGE_BYTES = 256 * 1024


def test_objects_of_every_size_come_whole_many_at_once(s3_server: S3Server, s3_url: str) -> None:
    store = open_store(s3_url, s3_server.options)
    sizes = [0, 1, _LARGE_BYTES - 1, _LARGE_BYTES, _LARGE_BYTES + 1, 3_000_000, 5_000_000]
    contents = {f"sizes/{size}": random.Random(size).randbytes(size) for size in sizes}
    for key, content in contents.items():
        store.put(key, content)
    with ThreadPoolExecutor(8) as pool:
        wanted = [*contents] * 2
        assert list(pool.map(store.get, wanted)) == [contents[key] for key in wanted]
    loops = [thread.name for thread in threading.enumerate() if thread.name == "keepsake-bodies"]
    assert len(loops) == 1


@pytest.fixture
def stalled() -> Iterator[tuple[str, threading.Event]]:
    """A server that sends a megabyte of each object of ten and then no more, and whether it has."""
    listener = socket.create_server(("127.0.0.1", 0))
    has_sent = threading.Event()
    connections: list[socket.socket] = []

    def serve() -> None:
        try:
            while True:
                connection, _ = listener.accept()
                connections.append(connection)
                connection.recv(65536)
                head = (
                    'HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\nETag: "1"\r\n'
                    "Last-Modified: Fri, 27 Nov 2026 00:00:00 GMT\r\n\r\n"
                )
                connection.sendall(head.encode("ascii") + bytes(1_000_000))
                has_sent.set()
        except OSError:  # closed: the test is over
            return

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", has_sent
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
        for connection in connections:
            connection.close()


_READING = """
import sys
from keepsake.stores.url import open_store
options = {"endpoint": sys.argv[1], "path_style": True, "access_key_id": "a", "secret_access_key": "b"}
open_store("s3://ours", options).get("a/object")
"""


def test_who_waits_for_an_object_can_be_interrupted(stalled: tuple[str, threading.Event]) -> None:
    endpoint, has_sent = stalled
    reader = subprocess.Popen([sys.executable, "-c", _READING, endpoint], stderr=subprocess.PIPE, text=True)
    assert has_sent.wait(30)
    reader.send_signal(signal.SIGINT)
    # A read that is given up after 15 s of silence would be tried again.
    _, errors = reader.communicate(timeout=10)
    assert reader.returncode == -signal.SIGINT
    assert errors.rstrip().endswith("KeyboardInterrupt")
