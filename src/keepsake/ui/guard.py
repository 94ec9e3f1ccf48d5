"""The guard: every request passes it first, and every answer leaves through it.

- Only GET and HEAD are answered, only under a name of the server, and not when another site asks.
- A token in an address becomes a cookie, and the browser is sent to the same address without it.
- Every answer says what a browser may do with it: a page of ours runs our scripts and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from keepsake.ui.access import Access, cookie_name, is_foreign
from keepsake.ui.answers import answer_error

API = "/api/"
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS: Mapping[str, str] = {
    "content-security-policy": CONTENT_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}
"""Of every answer that says nothing else about these."""
COOKIE_DAYS = 30
_NOT_ADMITTED = "open the address that `keepsake ui` has printed, with its token"


class Guard:
    """The application behind its rules.

    Args:
        app: what answers a request that may be answered.
        access: who may ask.
    """

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return  # neither web sockets nor anything else is served
        request = Request(scope)
        answer = self._refuse(request)

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = _with_defaults(message.get("headers", ()))
            await send(message)

        await (answer or self._app)(scope, receive, send_guarded)

    def _refuse(self, request: Request) -> Response | None:
        """Return the answer to a request that may not pass, None for one that may."""
        path = request.scope["path"]
        is_page = not path.startswith(API)
        if request.method not in ("GET", "HEAD"):
            return _error(is_page, 405, "method", "only GET and HEAD are answered", {"allow": "GET, HEAD"})
        if not self._access.is_host(request.headers.get("host", "")):
            return _error(is_page, 400, "host", "this server has another name", hint="a name is added with --host")
        if is_foreign(request.headers, is_page=is_page):
            return _error(is_page, 403, "foreign", "another site asks")
        if "token" in request.query_params:
            return self._exchange(request, is_page=is_page)
        if not self._access.admits(request.headers, request.cookies):
            return _error(is_page, 401, "token", "the token is missing or wrong", hint=_NOT_ADMITTED)
        return None

    def _exchange(self, request: Request, *, is_page: bool) -> Response:
        if not self._access.admits_address(request.query_params["token"]):
            return _error(is_page, 401, "token", "the token is wrong", hint=_NOT_ADMITTED)
        host = request.headers["host"]
        address = _without_token(request)
        if request.headers.get("sec-fetch-site", "none") in ("none", "same-origin"):
            answer = Response(status_code=303, headers={"location": address})
        else:
            # A browser that came from another site would not send the cookie with the request that a redirect causes.
            answer = Response(status_code=200, headers={"refresh": f"0; url={address}"})
        answer.set_cookie(
            cookie_name(host),
            self._access.cookie_value(host),
            max_age=COOKIE_DAYS * 86_400,
            httponly=True,
            samesite="strict",
        )
        return answer


def _without_token(request: Request) -> str:
    """Return the address of a request, from its path on, without the token."""
    path = "/" + request.scope.get("raw_path", b"/").decode("ascii", "replace").lstrip("/\\")
    query = parse_qsl(request.scope["query_string"].decode("ascii", "replace"), keep_blank_values=True)
    rest = urlencode([(name, value) for name, value in query if name != "token"])
    return f"{path}?{rest}" if rest else path


def _error(
    is_page: bool, status: int, kind: str, message: str, headers: Mapping[str, str] | None = None, *, hint: str = ""
) -> Response:
    if is_page:
        return PlainTextResponse(f"{message}\n{hint}\n" if hint else f"{message}\n", status, headers)
    return answer_error(status, kind, message, hint=hint or None, headers=headers)


def _with_defaults(headers: Any) -> list[tuple[bytes, bytes]]:
    present: MutableMapping[bytes, None] = {name.lower(): None for name, _ in headers}
    more = [(name.encode(), value.encode()) for name, value in HEADERS.items() if name.encode() not in present]
    return [*headers, *more]
