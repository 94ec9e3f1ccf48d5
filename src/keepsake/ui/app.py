"""The application: the endpoints, the files of the page, and the guard in front of both."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp

from keepsake.ui.access import Access
from keepsake.ui.answers import accepts_gzip, answer_error, answer_failure, answer_json
from keepsake.ui.api import ENDPOINTS, PREFIX, load_handler
from keepsake.ui.files import PageFiles
from keepsake.ui.guard import Guard
from keepsake.ui.site import Site
from keepsake.ui.workers import Workers

THREADS = 8
"""So many requests are worked on at once; what they wait for is mostly a disk or a network."""

Endpoint = Callable[[Request], Awaitable[Response]]


def create_app(site: Site, access: Access, files: PageFiles | None = None) -> ASGIApp:
    """Return the application that serves a project.

    Args:
        site: the project.
        access: who may ask.
        files: the page.
    """
    pool = Workers(THREADS)
    routes = [Route(f"{PREFIX}{path}", _endpoint(site, name, pool)) for path, name in ENDPOINTS.items()]
    routes.append(Route("/api/{rest:path}", _refuse_unknown))
    routes.append(Route("/{rest:path}", _page_endpoint(files or PageFiles())))
    return Guard(Router(routes, redirect_slashes=False), access)


def _endpoint(site: Site, name: str, pool: Executor) -> Endpoint:
    def work(request: Request) -> Response:
        try:
            found = load_handler(name)(site, request)
            return found if isinstance(found, Response) else answer_json(request, found)
        except Exception as error:  # noqa: BLE001 (nothing of it may reach who asks)
            return answer_failure(error)

    async def answer(request: Request) -> Response:
        return await asyncio.get_running_loop().run_in_executor(pool, work, request)

    return answer


async def _refuse_unknown(request: Request) -> Response:
    return answer_error(404, "not-found", f"there is no {request.url.path}", hint="docs/ui-api.md has all addresses")


def _page_endpoint(files: PageFiles) -> Endpoint:
    async def answer(request: Request) -> Response:
        file = files.find(request.scope["path"])
        if file is None:
            return PlainTextResponse("there is no such page\n", 404)
        headers = {
            "etag": file.tag,
            "cache-control": "private, no-cache",
            "vary": "accept-encoding",
            "content-type": file.media_type,
        }
        if request.headers.get("if-none-match") == file.tag:
            return Response(status_code=304, headers=headers)
        if file.compressed is not None and accepts_gzip(request):
            return Response(file.compressed, headers=headers | {"content-encoding": "gzip"})
        return Response(file.data, headers=headers)

    return answer
