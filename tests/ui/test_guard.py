"""The guard: who is answered, and what every answer says. A rule a test, as docs/ui-api.md has them under "Safety"."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

import keepsake
from keepsake.errors import StoreError
from keepsake.ui import guard
from keepsake.ui.access import Access
from keepsake.ui.api import ENDPOINTS, load_handler, table
from tests.ui.serving import TOKEN, Asker, serving

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
ADDRESSES = (
    "/", "/charts", "/e/0123456", "/static/app.js", "/static/nothing.js", "/nothing", "/api/v1/meta",
    "/api/v1/experiments", "/api/v1/select?filter=(", "/api/nothing", "/api/v1/experiments/000",
)  # fmt: skip


@pytest.fixture
def stranger(asker: Asker) -> Iterator[httpx.Client]:
    """A client without the token."""
    with httpx.Client(base_url=asker.origin, timeout=60) as client:
        yield client


def raw(
    origin: str, target: str, *, headers: dict[str, str] | None = None, method: str = "GET"
) -> http.client.HTTPResponse:
    """Ask for an address exactly as it is written."""
    parts = urlsplit(origin)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=60)
    connection.putrequest(method, target, skip_host="host" in (headers or {}))
    for name, value in {"authorization": f"Bearer {TOKEN}", **(headers or {})}.items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer


# The token


def test_nothing_is_answered_without_the_token(stranger: httpx.Client) -> None:
    for address in ADDRESSES:
        for headers in (
            {},
            {"authorization": "Bearer wrong"},
            {"authorization": TOKEN},
            {"authorization": f"Basic {TOKEN}"},
        ):
            answer = stranger.get(address, headers=headers)
            assert answer.status_code == 401
            assert "keepsake ui" in answer.text


def test_a_wrong_token_in_the_address_sets_no_cookie(stranger: httpx.Client) -> None:
    answer = stranger.get("/", params={"token": "wrong"})
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers


def test_the_token_becomes_a_cookie_and_leaves_the_address(stranger: httpx.Client) -> None:
    answer = stranger.get("/charts", params={"q": "a b&c", "token": TOKEN, "empty": ""})
    assert answer.status_code == 303
    assert answer.headers["location"] == "/charts?q=a+b%26c&empty="
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "path=/" in cookie
    assert TOKEN not in answer.headers["set-cookie"]
    assert stranger.get("/api/v1/meta").status_code == 200


def test_the_cookie_of_one_port_does_not_open_another(stranger: httpx.Client, tmp_path: Path) -> None:
    stranger.get("/", params={"token": TOKEN})
    keepsake.Project(str(tmp_path / "other"), tmp_path).experiments.create(quiet=True).stop()
    with serving(tmp_path / "other") as other, httpx.Client(base_url=other.origin) as client:
        for cookie in stranger.cookies.jar:
            client.cookies.set(cookie.name, cookie.value or "")
            client.cookies.set(f"keepsake-ui-{urlsplit(other.origin).port}", cookie.value or "")
        assert client.get("/api/v1/meta").status_code == 401


def test_a_browser_that_comes_from_another_site_gets_the_cookie_and_loads_the_page_anew(stranger: httpx.Client) -> None:
    headers = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    answer = stranger.get("/charts", params={"token": TOKEN}, headers=headers)
    assert answer.status_code == 200
    assert answer.headers["refresh"] == "0; url=/charts"
    assert answer.headers["set-cookie"]


def test_a_redirect_stays_on_the_server(asker: Asker) -> None:
    for target in ("//evil.example/a", "///evil.example", "/\\evil.example", "//evil.example"):
        location = raw(asker.origin, f"{target}?token={TOKEN}").getheader("location")
        assert location is not None
        assert location.startswith("/")
        assert location[1:2] not in ("/", "\\"), target


def test_an_address_for_a_browser_works_once(project: keepsake.Project, trained: list[keepsake.Experiment]) -> None:
    assert project.repository is not None
    access = Access(TOKEN)
    access.add_pass("once")
    with serving(Path(project.repository), access=access) as asker, httpx.Client(base_url=asker.origin) as browser:
        assert browser.get("/", params={"token": "once"}).status_code == 303
        assert browser.get("/api/v1/meta").status_code == 200
        assert asker.client.get("/", params={"token": "once"}).status_code == 401


# Methods


def test_only_get_and_head_are_answered(asker: Asker) -> None:
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"]:
        for address in ("/", "/api/v1/experiments"):
            answer = asker.client.request(method, address)
            assert answer.status_code == 405
            assert answer.headers["allow"] == "GET, HEAD"


def test_head_says_what_get_says_without_the_body(asker: Asker) -> None:
    for address in ["/", "/api/v1/experiments", "/api/v1/meta", "/static/app.js"]:
        head, get = asker.client.head(address), asker.client.get(address)
        assert head.status_code == get.status_code == 200
        assert head.content == b""
        assert head.headers["content-length"] == get.headers["content-length"]


# Host


def test_another_name_than_the_server_has_is_refused(asker: Asker) -> None:
    for host in [
        "evil.example",
        "evil.example:8237",
        "127.0.0.1.evil.example",
        "",
        "localhost.evil.example",
        "10.0.0.1",
        "[::2]",
    ]:
        for target in ("/", "/api/v1/meta"):
            assert raw(asker.origin, target, headers={"host": host}).status == 400


def test_names_of_the_loopback_interface_are_answered_at_any_port(asker: Asker) -> None:
    for host in ["127.0.0.1", "localhost:1", "LOCALHOST", "[::1]:8237"]:
        assert raw(asker.origin, "/api/v1/meta", headers={"host": host}).status == 200


def test_a_request_without_a_host_is_refused(asker: Asker) -> None:
    parts = urlsplit(asker.origin)
    with socket.create_connection((str(parts.hostname), parts.port or 0), timeout=60) as connection:
        connection.sendall(f"GET /api/v1/meta HTTP/1.0\r\nauthorization: Bearer {TOKEN}\r\n\r\n".encode())
        assert connection.recv(1000).split(b" ")[1] == b"400"


def test_a_server_on_all_addresses_has_every_address_for_a_name_and_no_other_name() -> None:
    access = Access(TOKEN, ["node7"], any_address=True)
    assert all(map(access.is_host, ("10.0.0.1:8237", "[2001:db8::1]:80", "node7:1", "NODE7", "localhost")))
    assert not any(map(access.is_host, ("evil.example", "10.0.0.1.evil.example", "node7.evil.example", "", ":80")))


# Other sites


def test_what_another_site_asks_is_refused(asker: Asker) -> None:
    for site in ["cross-site", "same-site"]:
        for address in ADDRESSES:
            for mode in ("no-cors", "cors"):
                answer = asker.client.get(address, headers={"sec-fetch-site": site, "sec-fetch-mode": mode})
                assert answer.status_code == 403
        navigation = {"sec-fetch-site": site, "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
        assert asker.client.get("/api/v1/meta", headers=navigation).status_code == 403
        assert asker.client.get("/", headers=navigation | {"sec-fetch-dest": "iframe"}).status_code == 403


def test_a_link_on_another_site_may_open_the_page(asker: Asker) -> None:
    navigation = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    assert asker.client.get("/", headers=navigation).status_code == 200


def test_what_the_page_and_its_user_ask_is_answered(asker: Asker) -> None:
    for site in ["none", "same-origin"]:
        assert asker.client.get("/api/v1/meta", headers={"sec-fetch-site": site}).status_code == 200


# Headers


def test_every_answer_says_what_a_browser_may_do_with_it(asker: Asker, stranger: httpx.Client) -> None:
    for address in ADDRESSES:
        for answer in (asker.client.get(address), stranger.get(address), asker.client.post(address)):
            assert answer.headers["content-security-policy"] == POLICY
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["referrer-policy"] == "no-referrer"
            assert answer.headers["cross-origin-resource-policy"] == "same-origin"
            assert answer.headers["cross-origin-opener-policy"] == "same-origin"
            assert "content-type" in answer.headers
            assert answer.headers["cache-control"] in ("no-store", "private, no-cache")
            assert not [name for name in answer.headers if name.startswith("access-control-")]
            assert "server" not in answer.headers


def test_the_policy_is_the_one_that_is_documented() -> None:
    assert guard.CONTENT_POLICY == POLICY


# Errors


def test_an_error_is_a_document_of_its_own_kind(asker: Asker) -> None:
    assert asker.error(404, "/nothing")["kind"] == "not-found"
    for status, headers in (
        (401, {"authorization": "no"}),
        (403, {"sec-fetch-site": "cross-site"}),
        (400, {"host": "x"}),
    ):
        answer = asker.get("/meta", headers=headers)
        assert answer.status_code == status
        assert set(answer.json()["error"]) >= {"kind", "message", "hint"}


@pytest.mark.parametrize(
    ("raised", "status"),
    [(RuntimeError("secret /home/ada"), 500), (StoreError("s3://key:pass@bucket fails"), 503), (RecursionError(), 500)],
)
def test_what_nobody_expected_is_told_to_the_terminal_and_not_to_who_asks(
    project: keepsake.Project,
    trained: list[keepsake.Experiment],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    raised: Exception,
    status: int,
) -> None:
    def fail(*_: object) -> None:
        raise raised

    monkeypatch.setattr(table, "get_selected", fail)
    assert project.repository is not None
    with serving(Path(project.repository)) as asker:
        error = asker.error(status, "/select")
        assert asker.get("/meta").status_code == 200
    assert not any(word in str(error) for word in ("Traceback", "ada", "key:pass", "RuntimeError"))
    assert ("Traceback" in capsys.readouterr().err) is (status == 500)


def test_every_endpoint_is_there_and_described() -> None:
    described = (Path(__file__).parents[2] / "docs" / "ui-api.md").read_text(encoding="utf-8")
    for path, name in ENDPOINTS.items():
        assert load_handler(name).__doc__
        assert f"`GET /api/v1{path.split('{id}')[0]}" in described


def test_a_repository_that_is_not_there_is_an_error_with_a_hint(tmp_path: Path) -> None:
    with serving(tmp_path / "nothing") as asker:
        for address in ("/meta", "/experiments", "/changes", "/select", "/experiments/0123456"):
            error = asker.error(503, address)
            assert error["kind"] == "config-not-found"
            assert error["hint"]


def test_a_repository_that_goes_while_it_is_served_is_not_an_empty_one(asker: Asker, project: keepsake.Project) -> None:
    ids = asker.json("/experiments")["ids"]
    place = Path(str(project.repository))
    away = place.rename(place.with_name("unmounted"))
    for address in ("/meta", "/experiments", f"/experiments/{ids[0]}"):
        assert asker.error(503, address)["kind"] == "config-not-found"
    away.rename(place)
    assert asker.json("/experiments")["ids"] == ids
    assert asker.json("/meta")["problems"] == []


# Files of the page


def test_every_address_of_the_page_is_the_page(asker: Asker) -> None:
    page = asker.client.get("/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    for address in ("/charts", "/scatter", "/parallel", "/e/0123/files/a.py", "/compare/a...b", "/storage", "/about"):
        other = asker.client.get(address)
        assert b'<div id="app">' in other.content
        assert other.headers["content-type"] == page.headers["content-type"]


def test_what_is_no_file_of_the_page_is_not_found_and_nothing_is_listed(asker: Asker) -> None:
    for target in [
        "/static/",
        "/static",
        "/static/core",
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/..%2fapp.py",
        "/static//app.js",
        "/static/core/../../app.py",
        "/../../etc/passwd",
        "/static/%00",
        "/index.html",
        "/static/app.js%00.html",
        "/static/\\..\\app.py",
        "/chart",
        "/E/0123",
    ]:
        assert raw(asker.origin, target).status == 404


def test_a_file_of_the_page_is_sent_once_and_compressed(asker: Asker) -> None:
    first = asker.client.get("/static/app.js")
    assert first.headers["content-encoding"] == "gzip"
    assert first.headers["content-type"] == "text/javascript; charset=utf-8"
    plain = asker.client.get("/static/app.js", headers={"accept-encoding": "identity"})
    assert plain.content == first.content
    again = asker.client.get("/static/app.js", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_nothing_but_http_is_served(asker: Asker) -> None:
    upgrade = {
        "connection": "upgrade",
        "upgrade": "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": "x" * 22,
    }
    assert raw(asker.origin, "/api/v1/meta", headers=upgrade).status != 101
