"""Who we are on Azure, and what is said when that does not work; the server checks keys and tokens."""

from __future__ import annotations

import pytest

from keepsake.errors import ConfigError
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
