"""What `repository_options` may say of a bucket, and what becomes of it in the client's own settings.

Whatever is not said comes from where the users of each cloud have it: variables, files of the cloud's own tools, roles
of the machine. Values of options never stand in a message: some of them are secrets.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from keepsake.errors import ConfigError
from keepsake.stores._azurevariables import options_from_variables

_S3 = MappingProxyType(
    {
        "endpoint": str,
        "region": str,
        "path_style": bool,
        "anonymous": bool,
        "profile": str,
        "access_key_id": str,
        "secret_access_key": str,
        "session_token": str,
    }
)
_GS = MappingProxyType({"endpoint": str, "anonymous": bool, "service_account": str})
_AZ = MappingProxyType(
    {"account": str, "endpoint": str, "anonymous": bool, "account_key": str, "sas_token": str, "azure_cli": bool}
)

_ANY = {"ca_bundle": str, "concurrency": int, "upload_mb_s": float}

OPTIONS: Mapping[str, Mapping[str, type]] = MappingProxyType({"s3": _S3 | _ANY, "gs": _GS | _ANY, "az": _AZ | _ANY})
"""The options of each scheme, and of what type they are."""

SECRET_OPTIONS = ("access_key_id", "secret_access_key", "session_token", "account_key", "sas_token")
"""The options whose values are shown to nobody."""

PATH_OPTIONS = ("service_account", "ca_bundle")
"""The options that are paths of files."""

PATH_VARIABLES = (
    *("GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_SERVICE_ACCOUNT", "GOOGLE_SERVICE_ACCOUNT_PATH"),
    *("AWS_CA_BUNDLE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_WEB_IDENTITY_TOKEN_FILE"),
    *("AZURE_FEDERATED_TOKEN_FILE", "SSL_CERT_FILE", "SSL_CERT_DIR"),
)
"""The variables of the clouds that are paths."""

_IDENTITIES = {
    "s3": ("anonymous", "profile", "access_key_id"),
    "gs": ("anonymous", "service_account"),
    "az": ("anonymous", "account_key", "sas_token", "azure_cli"),
}
"""The options that say who we are, of which there can be one."""

_ENDPOINT = re.compile(r"https?://[A-Za-z0-9.\-\[\]:]+(/[^\s?#@]*)?")
"""The client panics at what is no URL."""

_FORMS = {
    "account_key": re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?"),
    "sas_token": re.compile(r"\??[^=&]+=[^&]*(?:&[^=&]+=[^&]*)*"),
}
"""What the client would not understand otherwise, and then say things about that nobody does."""

_S3_NAMES = {"access_key_id", "secret_access_key", "session_token", "endpoint", "region"}


@dataclass(frozen=True, slots=True, repr=False)
class BucketOptions:
    """Checked options. They have no `repr`, for they hold secrets."""

    scheme: str
    values: Mapping[str, Any]
    implied_endpoint: str = ""
    """The endpoint that the cloud's own variables name."""
    implied_ca_bundle: str = ""
    """The file of certificates that the cloud's own variables name."""
    implied_secrets: tuple[str, ...] = ()
    """What the cloud's own variables hold of secrets."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """Values that must not be shown to anybody."""
        return (*(self.values[name] for name in SECRET_OPTIONS if self.values.get(name)), *self.implied_secrets)

    @property
    def allows_http(self) -> bool:
        """Whether the endpoint is one without encryption, which somebody has written down on purpose."""
        return str(self.values.get("endpoint") or self.implied_endpoint).startswith("http://")

    @property
    def ca_bundle(self) -> str | None:
        """A file with certificates of authorities that vouch for the server, besides the well-known ones."""
        return self.values.get("ca_bundle") or self.implied_ca_bundle or None

    @property
    def concurrency(self) -> int | None:
        """How many requests to have under way at once, if that was said."""
        return self.values.get("concurrency")

    @property
    def upload_bytes_per_s(self) -> float | None:
        """How much may be sent in a second, if that was said."""
        rate = self.values.get("upload_mb_s")
        return None if rate is None else rate * 1e6

    def client_config(self) -> dict[str, Any]:
        """Return the settings under the names that obstore has for them."""
        if self.scheme == "s3":
            return self._s3_config()
        return self._gs_config() if self.scheme == "gs" else self._az_config()

    def _s3_config(self) -> dict[str, Any]:
        config = {name: value for name, value in self.values.items() if name in _S3_NAMES}
        if "path_style" in self.values:
            config["virtual_hosted_style_request"] = not self.values["path_style"]
        if "anonymous" in self.values:
            config["skip_signature"] = self.values["anonymous"]
        return config

    def _gs_config(self) -> dict[str, Any]:
        config: dict[str, Any] = {}
        if "service_account" in self.values:
            config["service_account"] = self.values["service_account"]
        if "endpoint" in self.values:
            config["base_url"] = self.values["endpoint"]
        if "anonymous" in self.values:
            config["skip_signature"] = self.values["anonymous"]
        return config

    def _az_config(self) -> dict[str, Any]:
        names = {"account": "account_name", "account_key": "account_key", "sas_token": "sas_key"}
        names["azure_cli"] = "use_azure_cli"
        config = {ours: self.values[name] for name, ours in names.items() if name in self.values}
        if "endpoint" in self.values:
            config["endpoint"] = self.values["endpoint"]
        if "anonymous" in self.values:
            config["skip_signature"] = self.values["anonymous"]
        return config

    def credential_provider(self) -> Callable[[], dict[str, Any]] | None:
        """Return what gives the client the key or token for Azure; from its settings, it takes variables first."""
        names = {"account_key": "access_key", "sas_token": "sas_token"}
        given = {theirs: self.values[name] for name, theirs in names.items() if name in self.values}
        return (lambda: given | {"expires_at": None}) if given else None


def check_options(scheme: str, options: Mapping[str, object], env: Mapping[str, str] | None = None) -> BucketOptions:
    """Check the options of a bucket.

    Args:
        scheme: `s3`, `gs` or `az`.
        options: as they were written.
        env: the environment variables.

    Raises:
        ConfigError: one is unknown, or not of its type, or two say who we are.
    """
    variables = env or {}
    if scheme == "az":
        options = {**options_from_variables(options, variables), **options}
    known = OPTIONS[scheme]
    unknown = sorted(str(name) for name in options if name not in known)
    if unknown:
        raise ConfigError(
            f"unknown repository options for {scheme}://: {', '.join(unknown)}",
            hint=f"{scheme}:// knows {', '.join(known)}",
        )
    for name, value in options.items():
        if not _fits(value, known[name]):
            raise ConfigError(f"the repository option {name} of {scheme}:// must be {_KINDS[known[name]]}")
        if name in _FORMS and not _FORMS[name].fullmatch(str(value)):
            raise ConfigError(
                f"the repository option {name} of {scheme}:// cannot be one",
                hint="copy the whole of it, and nothing else",
            )
    identities = [name for name in _IDENTITIES[scheme] if options.get(name)]
    if len(identities) > 1:
        raise ConfigError(
            f"the repository options {' and '.join(identities)} of {scheme}:// exclude each other",
            hint="each says who you are: keep one of them",
        )
    endpoint = options.get("endpoint")
    if endpoint is not None and not _ENDPOINT.fullmatch(str(endpoint)):
        raise ConfigError(
            f"the repository option endpoint of {scheme}:// is not the address of a server",
            hint="write it as https://HOST or https://HOST:PORT, without user and password",
        )
    implied = next((variables[name] for name in _ENDPOINT_VARIABLES[scheme] if variables.get(name)), "")
    secrets = tuple(variables[name] for name in _SECRET_VARIABLES if variables.get(name))
    ca_bundle = variables.get("AWS_CA_BUNDLE", "") if scheme == "s3" else ""
    return BucketOptions(scheme, dict(options), implied, ca_bundle, secrets)


_ENDPOINT_VARIABLES = {
    "s3": ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"),
    "gs": ("GOOGLE_BASE_URL",),
    "az": ("AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT"),
}
_SECRET_VARIABLES = (
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
    *("AZURE_STORAGE_ACCOUNT_KEY", "AZURE_STORAGE_SAS_TOKEN", "AZURE_STORAGE_SAS_KEY", "AZURE_STORAGE_TOKEN"),
    *("AZURE_CLIENT_SECRET", "GOOGLE_SERVICE_ACCOUNT_KEY"),
)
_KINDS = {str: "text", bool: "true or false", int: "a whole number of at least 1", float: "a number above 0"}


def _fits(value: object, kind: type) -> bool:
    if kind in (str, bool):
        return isinstance(value, kind) and value != ""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or (kind is int and isinstance(value, float)):
        return False
    return value > 0
