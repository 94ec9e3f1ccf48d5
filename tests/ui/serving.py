"""The server of the page on a port of its own, in a thread, and how tests ask it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from keepsake.project import Project
from keepsake.ui.access import Access
from keepsake.ui.app import create_app
from keepsake.ui.server import make_server, open_socket
from keepsake.ui.site import Site
from tests.courier.processes import until

TOKEN = "a-token-for-tests-that-is-long-enough"


class Asker:
    """Asks a server of the page.

    Args:
        origin: where it is, without a path.
        client: with the token in its headers.
    """

    def __init__(self, origin: str, client: httpx.Client) -> None:
        self.origin = origin
        self.client = client

    def get(self, address: str, *, headers: dict[str, str] | None = None, **params: Any) -> httpx.Response:
        """Ask for an address below `/api/v1`; a parameter that is a list is repeated."""
        return self.client.get(f"/api/v1{address}", params=params, headers=headers)

    def json(self, address: str, **params: Any) -> Any:
        """Ask, and return the document of the answer, which must not be an error."""
        answer = self.get(address, **params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def error(self, status: int, address: str, **params: Any) -> dict[str, Any]:
        """Ask, and return the error of the answer, which must have this status."""
        answer = self.get(address, **params)
        assert answer.status_code == status, answer.text
        error: dict[str, Any] = answer.json()["error"]
        return error


@contextlib.contextmanager
def serving(repository: Path | Project, *, access: Access | None = None) -> Iterator[Asker]:
    """Serve a repository on a disk, or that of a project, while the block runs."""
    project = repository if isinstance(repository, Project) else Project(str(repository), repository.parent)
    listening = open_socket(port=0)
    origin = f"http://127.0.0.1:{listening.getsockname()[1]}"
    app = create_app(Site(project), access or Access(TOKEN))
    server = make_server(app)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        until(lambda: server.started)
        with httpx.Client(base_url=origin, headers={"authorization": f"Bearer {TOKEN}"}, timeout=60) as client:
            yield Asker(origin, client)
    finally:
        server.should_exit = True
        thread.join()
        listening.close()
