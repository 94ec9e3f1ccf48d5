"""Who we are on Azure and elsewhere, and what is said when that does not work: the server checks keys and tokens."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from keepsake.errors import ConfigError, PermissionDeniedError, StoreError
from keepsake.stores._azurevariables import options_from_variables
from keepsake.stores.base import Store
from keepsake.stores.url import open_store
from tests.servers.azurite import make_sas_token

ALL = "rcwdl"
WRONG_KEY = "d3Jvbmc="


def open_azure(azurite: dict[str, object], **identity: object) -> Store:
    """Return a store in Azure as somebody else than the fixture is."""
    options = {name: value for name, value in azurite.items() if name != "account_key"}
    return open_store("az://tests/identities", options | identity)


@pytest.mark.parametrize(
    "variables",
    [
        {"AZURE_STORAGE_ACCOUNT_KEY": WRONG_KEY},
        {"AZURE_STORAGE_TOKEN": "wrong"},
        {"AZURE_CLIENT_ID": "somebody", "AZURE_CLIENT_SECRET": "else", "AZURE_TENANT_ID": "elsewhere"},
    ],
)
@pytest.mark.parametrize("identity", ["sas_token", "account_key"])
def test_what_the_options_say_counts_more_than_variables(
    identity: str, variables: dict[str, str], azurite: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    value = make_sas_token("tests", ALL) if identity == "sas_token" else str(azurite["account_key"])
    store = open_azure(azurite, **{identity: value})
    store.put("a/object", b"content")
    assert store.get("a/object") == b"content"
    assert [info.key for info in store.list("a/")] == ["a/object"]


def connection(azurite: dict[str, object], **parts: object) -> str:
    """Return a connection string for the server, as the portal shows it, with some parts changed."""
    usual = {
        "DefaultEndpointsProtocol": "http",
        "AccountName": azurite["account"],
        "AccountKey": azurite["account_key"],
        "BlobEndpoint": f"{azurite['endpoint']}/",
    }
    return ";".join(f"{name}={value}" for name, value in (usual | parts).items() if value is not None)


def test_a_connection_string_says_all(azurite: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", connection(azurite))
    store = open_store("az://tests/connected")
    store.put("a/object", b"content")
    assert store.get("a/object") == b"content"


def test_a_connection_string_may_have_a_token(azurite: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    text = connection(azurite, AccountKey=None, SharedAccessSignature=make_sas_token("tests", ALL))
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", text)
    assert list(open_store("az://tests/connected-by-token").list()) == []


def test_variables_of_the_az_command_name_account_and_key(
    azurite: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT", str(azurite["account"]))
    monkeypatch.setenv("AZURE_STORAGE_KEY", str(azurite["account_key"]))
    store = open_store("az://tests/by-variables", {"endpoint": azurite["endpoint"]})
    assert list(store.list()) == []


@pytest.mark.parametrize(
    ("options", "variables", "expected"),
    [
        ({"account": "other"}, {"AZURE_STORAGE_ACCOUNT": "team", "AZURE_STORAGE_KEY": "a2V5"}, {}),
        ({}, {"AZURE_STORAGE_ACCOUNT_NAME": "other", "AZURE_STORAGE_ACCOUNT": "team", "AZURE_STORAGE_KEY": "a2V5"}, {}),
        ({"azure_cli": True}, {"AZURE_STORAGE_ACCOUNT": "team", "AZURE_STORAGE_KEY": "a2V5"}, {"account": "team"}),
        ({}, {"AZURE_STORAGE_KEY": "a2V5", "AZURE_STORAGE_ACCOUNT_KEY": "b3RoZXI="}, {}),
        (
            {},
            {
                "AZURE_STORAGE_CONNECTION_STRING": "BlobEndpoint=https://team.blob.core.windows.net/;SharedAccessSignature=sig=a"
            },
            {"account": "team", "endpoint": "https://team.blob.core.windows.net", "sas_token": "sig=a"},
        ),
        (
            {},
            {"AZURE_STORAGE_CONNECTION_STRING": "AccountName=team;AccountKey=a2V5;EndpointSuffix=core.other.net"},
            {"account": "team", "account_key": "a2V5", "endpoint": "https://team.blob.core.other.net"},
        ),
        (
            {},
            {"AZURE_STORAGE_CONNECTION_STRING": "AccountName=team;AccountKey=a2V5;EndpointSuffix=core.windows.net"},
            {"account": "team", "account_key": "a2V5"},
        ),
    ],
)
def test_variables_of_other_tools_fill_in_what_nothing_else_says(
    options: dict[str, object], variables: dict[str, str], expected: dict[str, object]
) -> None:
    assert options_from_variables(options, variables) == expected


def test_a_connection_string_without_an_account_is_refused_and_not_shown() -> None:
    with pytest.raises(ConfigError, match="AZURE_STORAGE_CONNECTION_STRING names no account") as caught:
        options_from_variables({}, {"AZURE_STORAGE_CONNECTION_STRING": "AccountKey=c2VjcmV0"})
    assert "c2VjcmV0" not in str(caught.value)


@pytest.mark.parametrize(
    ("scheme", "options"),
    [
        ("az", {"account_key": "a2V5", "sas_token": "sig=token"}),
        ("az", {"sas_token": "sig=token", "azure_cli": True}),
        ("gs", {"anonymous": True, "service_account": "account.json"}),
        ("s3", {"anonymous": True, "profile": "team"}),
        ("s3", {"profile": "team", "access_key_id": "a", "secret_access_key": "b"}),
    ],
)
def test_two_options_that_say_who_we_are_are_refused(scheme: str, options: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="exclude each other") as caught:
        open_store(f"{scheme}://tests", options)
    assert all(name in caught.value.message for name in list(options)[:2])


@pytest.mark.parametrize(
    "identity",
    [{"account_key": "hush hush"}, {"account_key": "c2VjcmV"}, {"sas_token": "hush"}, {"sas_token": "a=b&c"}],
)
def test_what_can_be_no_key_or_token_is_refused_and_not_shown(identity: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=f"{next(iter(identity))} of az:// cannot be one") as caught:
        open_store("az://tests", {"account": "team"} | identity)
    assert str(next(iter(identity.values()))) not in str(caught.value)


@pytest.mark.parametrize(
    ("identity", "says", "hints"),
    [
        ({"account_key": WRONG_KEY}, "AuthorizationFailure: Server failed to authenticate", "wrong or has expired"),
        ({"sas_token": make_sas_token("tests", ALL, "2020-01-01T00:00:00Z")}, "AuthorizationFailure", "has expired"),
        (
            {"sas_token": make_sas_token("tests", "rl")},
            "AuthorizationPermissionMismatch",
            "permissions that are needed",
        ),
    ],
)
def test_what_the_server_refuses_is_said_in_a_line_with_what_to_do(
    identity: dict[str, object], says: str, hints: str, azurite: dict[str, object]
) -> None:
    with pytest.raises(PermissionDeniedError, match=says) as caught:
        open_azure(azurite, **identity).put("a/object", b"content")
    assert "\n" not in caught.value.message
    assert hints in str(caught.value.hint)


def test_without_the_command_that_signs_in_it_is_said_what_to_install(
    azurite: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PermissionDeniedError, match="`az login` gives no credentials") as caught:
        open_azure(azurite, azure_cli=True).head("a/object")
    assert "install the `az` command" in str(caught.value.hint)


@pytest.mark.parametrize("url", ["az://tests", "gs://tests", "s3://tests"])
def test_an_endpoint_that_is_another_kind_of_server_is_doubted(url: str, web_server: str) -> None:
    options = {"endpoint": web_server} | ({"account": "team"} if url.startswith("az") else {})
    with pytest.raises(StoreError, match="the server answered 404") as caught:
        list(open_store(url, options | {"anonymous": True}).list())
    assert "`endpoint`" in str(caught.value.hint)


@pytest.fixture
def web_server(tmp_path: Path) -> Iterator[str]:
    """A server that has nothing to do with buckets."""
    handler = partial(QuietHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves files."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""
