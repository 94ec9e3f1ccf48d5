"""From the URL of a repository to its store. Which schemes work is said here and nowhere else."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from keepsake.errors import ConfigError
from keepsake.stores._bucketoptions import PATH_OPTIONS as PATH_OPTIONS
from keepsake.stores._bucketoptions import PATH_VARIABLES as PATH_VARIABLES
from keepsake.stores._bucketoptions import SECRET_OPTIONS as SECRET_OPTIONS
from keepsake.stores._bucketoptions import check_options
from keepsake.stores.base import Store, is_key
from keepsake.stores.local import LocalStore
from keepsake.stores.retry import RetryStore

if TYPE_CHECKING:
    from keepsake.stores.cloud import CloudStore

BUCKET_SCHEMES = ("s3", "gs", "az")
"""The schemes of buckets: Amazon S3, Google Cloud Storage, Azure Blob Storage."""

SCHEMES = ("file", *BUCKET_SCHEMES)
"""The schemes that work."""


def is_bucket(url: str) -> bool:
    """Say whether a URL is that of a bucket."""
    return url.partition("://")[0] in BUCKET_SCHEMES


def bucket_url(url: str) -> str:
    """Return the URL of a place in a bucket as its store calls it: without what makes no difference."""
    scheme, _, rest = url.partition("://")
    bucket, _, path = rest.partition("/")
    root = path.strip("/")
    return f"{scheme}://{bucket}/{root}" if root else f"{scheme}://{bucket}"


_BUCKET = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")


def open_store(url: str, options: Mapping[str, object] | None = None) -> Store:
    """Return the store at `url`, without looking at it.

    Args:
        url: `file://` and an absolute path, percent-encoded where need be. Relative paths are resolved by whoever knows
            what they are relative to, before they become a URL. Or `s3://`, `gs://` or `az://`, a bucket, and the path
            in it that is the root of the store.
        options: settings for the store's client (`repository_options` of `keepsake.yaml`); `file` has none.

    Raises:
        ConfigError: the URL is malformed, its scheme does not work, or an option is unknown. Of other URLs
            than `file://` the message shows the scheme only, since there may be credentials in them.
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        raise ConfigError(f"{url!r} is not a URL of a repository", hint=_schemes_hint())
    if scheme in BUCKET_SCHEMES:
        return _open_bucket(scheme, rest, options or {})
    if scheme != "file":
        raise ConfigError(f"this version cannot keep a repository at {scheme}://", hint=_schemes_hint())
    if options:
        names = ", ".join(sorted(map(str, options)))
        raise ConfigError(
            f"unknown repository options for file://: {names}", hint="file:// takes no options: drop them"
        )
    path = _path_of(rest)
    if os.path.dirname(path) == path:  # noqa: PTH120 (of a root, Path.parent is the root as well, but so it is of ".")
        raise ConfigError(
            f"file://{rest} is the root of a file system", hint="give a directory in it, such as file:///data/keepsake"
        )
    return LocalStore(path)


def create_bucket(url: str, options: Mapping[str, object] | None = None) -> None:
    """Make the bucket of a URL; one that is ours already is no error. It works on S3 only.

    Raises:
        ConfigError: the URL or the options are wrong, or it is not on S3; the hint has the command that makes it.
        ConflictError: somebody else has a bucket of this name.
        StoreError: it was refused.
    """
    if not is_bucket(url):
        raise ConfigError(f"{url} is no bucket", hint="leave --create-bucket out")
    scheme, _, rest = url.partition("://")
    _make_bucket_store(scheme, rest, options or {}).create_bucket()


def check_bucket(url: str, options: Mapping[str, object]) -> None:
    """Check that a URL and options can be those of a bucket: no client is needed, and nothing is asked of a server.

    Raises:
        ConfigError: the URL is malformed, or an option is unknown or not of its type.
    """
    scheme, _, rest = url.partition("://")
    _split_bucket(scheme, rest)
    check_options(scheme, options)


def _open_bucket(scheme: str, rest: str, options: Mapping[str, object]) -> Store:
    """Return the store in a bucket, with the policies around it."""
    store = RetryStore(_make_bucket_store(scheme, rest, options), attempts=3, total_s=5)
    limit = check_options(scheme, options).upload_bytes_per_s
    if limit is None:
        return store
    from keepsake.stores.throttle import ThrottleStore

    return ThrottleStore(store, bytes_per_s=limit)


def _make_bucket_store(scheme: str, rest: str, options: Mapping[str, object]) -> CloudStore:
    bucket, root = _split_bucket(scheme, rest)
    checked = check_options(scheme, options, os.environ)
    try:
        from keepsake.stores.cloud import CloudStore
    except ModuleNotFoundError as error:
        if error.name != "obstore":
            raise
        raise ConfigError(
            f"a repository at {scheme}:// needs obstore, which is not installed", hint="pip install 'keepsake[cloud]'"
        ) from None
    return CloudStore(scheme, bucket, root, checked)


def _split_bucket(scheme: str, rest: str) -> tuple[str, str]:
    """Return the bucket and the path in it that a URL names."""
    bucket, _, path = rest.partition("/")
    root = path.strip("/")
    if "@" in bucket:
        raise ConfigError(
            f"the {scheme}:// URL has user information in it", hint="docs/clouds.md says where credentials belong"
        )
    if not _BUCKET.fullmatch(bucket) or (root and not is_key(root)) or set("?#%") & set(root):
        raise ConfigError(
            f"the {scheme}:// URL does not name a bucket and a plain path in it",
            hint=f"write {scheme}://BUCKET or {scheme}://BUCKET/PATH, the path in printable ASCII without ? # % \\ :",
        )
    return bucket, root


def _path_of(rest: str) -> str:
    """Return the path that follows `file://` in a URL."""
    if "?" in rest or "#" in rest:
        raise ConfigError(
            f"file://{rest} has a '?' or '#' in it",
            hint="in a URL, write them as %3F and %23 when they belong to the path",
        )
    path = os.fsdecode(unquote_to_bytes(rest.removeprefix("localhost") if rest.startswith("localhost/") else rest))
    if "\0" in path:
        raise ConfigError(f"file://{rest} has a null byte in it", hint="remove the %00")
    if os.name == "nt":
        # file:///C:/directory, or file://server/share/directory
        path = path[1:] if re.match(r"/[A-Za-z]:/", path) else f"//{path}" if not path.startswith("/") else path
        is_absolute = bool(re.match(r"[A-Za-z]:/|//[^/]", path))
    else:
        is_absolute = path.startswith("/")
    if not is_absolute:
        raise ConfigError(
            f"file://{rest} does not name an absolute path",
            hint=f"write three slashes, as in file:///{rest.lstrip('/') or 'data/keepsake'}, or a plain path",
        )
    return path


def _schemes_hint() -> str:
    return "these work: " + ", ".join(f"{scheme}://" for scheme in SCHEMES)
