"""What the variables of Azure's own tools say of an account, as far as the client does not read them itself.

https://learn.microsoft.com/azure/storage/blobs/authorize-data-operations-cli#set-environment-variables-for-authorization-parameters,
https://learn.microsoft.com/azure/storage/common/storage-configure-connection-string
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from keepsake.errors import ConfigError

CONNECTION = "AZURE_STORAGE_CONNECTION_STRING"

_OPTIONS = {"account": "AZURE_STORAGE_ACCOUNT", "account_key": "AZURE_STORAGE_KEY"}
_CONNECTION_OPTIONS = {
    "accountname": "account",
    "accountkey": "account_key",
    "sharedaccesssignature": "sas_token",
    "blobendpoint": "endpoint",
}
_USUAL_SUFFIX = "core.windows.net"
_IDENTITY_OPTIONS = ("anonymous", "account_key", "sas_token", "azure_cli")
_CLIENT_IDENTITIES = (
    *("AZURE_STORAGE_ACCOUNT_KEY", "AZURE_STORAGE_ACCESS_KEY", "AZURE_STORAGE_SAS_TOKEN", "AZURE_STORAGE_SAS_KEY"),
    *("AZURE_STORAGE_TOKEN", "AZURE_CLIENT_ID"),
)
"""The variables that the client reads itself, and that say who we are."""


def options_from_variables(options: Mapping[str, object], env: Mapping[str, str]) -> dict[str, object]:
    """Return the options that `az` and its like would take from variables, where nothing else says otherwise.

    Args:
        options: those that were written down, which count more, as do the variables that the client reads.
        env: the environment variables.

    Raises:
        ConfigError: the connection string cannot be read.
    """
    connection = env.get(CONNECTION)
    found: dict[str, object] = (
        _read_connection(connection)
        if connection
        else {option: env[name] for option, name in _OPTIONS.items() if env.get(name)}
    )
    account = options.get("account") or env.get("AZURE_STORAGE_ACCOUNT_NAME")
    if account and found.get("account", account) != account:
        return {}  # another account, and its key
    knows_who = any(options.get(name) for name in _IDENTITY_OPTIONS) or any(env.get(one) for one in _CLIENT_IDENTITIES)
    if knows_who:
        found = {name: value for name, value in found.items() if name not in _IDENTITY_OPTIONS}
    return {name: value for name, value in found.items() if name not in options}


def _read_connection(text: str) -> dict[str, object]:
    """Read a connection string: `AccountName=team;AccountKey=…`, or `BlobEndpoint=https://…;SharedAccessSignature=…`."""
    parts = {name.strip().lower(): value for name, _, value in (part.partition("=") for part in text.split(";"))}
    found: dict[str, object] = {option: parts[name] for name, option in _CONNECTION_OPTIONS.items() if parts.get(name)}
    if "endpoint" in found:
        found["endpoint"] = parts["blobendpoint"].rstrip("/")
    host = urlsplit(parts.get("blobendpoint", "")).hostname or ""
    account = str(found.get("account") or host.partition(".")[0])
    if not account:
        raise ConfigError(
            f"{CONNECTION} names no account", hint="copy the whole of it, in quotation marks, since it has semicolons"
        )
    suffix = parts.get("endpointsuffix") or _USUAL_SUFFIX
    if "endpoint" not in found and suffix != _USUAL_SUFFIX:
        found["endpoint"] = f"{parts.get('defaultendpointsprotocol') or 'https'}://{account}.blob.{suffix}"
    if "account_key" in found:
        found.pop("sas_token", None)
    return found | {"account": account}
