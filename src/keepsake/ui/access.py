"""Who may ask: the token in its three forms, the names of the server, and where a request comes from.

Pure decisions over headers; `guard` acts on them.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import threading
from collections.abc import Iterable, Mapping

LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})


class Access:
    """What a request must show.

    Args:
        token: of the user.
        names: further names that the server has, besides those of the loopback interface: hosts or addresses.
        any_address: whether it listens on all addresses, so that any address may be its name. (DNS rebinding needs a
            name.)
    """

    def __init__(self, token: str, names: Iterable[str] = (), *, any_address: bool = False) -> None:
        self._token = token
        self._names = LOOPBACK_NAMES | {_in_brackets(name.lower()) for name in names}
        self._any_address = any_address
        self._passes: set[str] = set()
        self._lock = threading.Lock()

    def add_pass(self, text: str) -> None:
        """Take `text` for the token in an address, once.

        A browser is started with the address as an argument, which every user of the machine can see.
        """
        with self._lock:
            self._passes.add(text)

    def admits_address(self, token: str) -> bool:
        """Say whether the token in an address is right."""
        with self._lock:
            if token in self._passes:
                self._passes.remove(token)
                return True
        return _is_same(token, self._token)

    def admits(self, headers: Mapping[str, str], cookies: Mapping[str, str]) -> bool:
        """Say whether a request carries the token in its headers, or the cookie."""
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and _is_same(token.strip(), self._token):
            return True
        host = headers.get("host", "")
        return _is_same(cookies.get(cookie_name(host), ""), self.cookie_value(host))

    def cookie_value(self, host: str) -> str:
        """Return what the cookie holds: what follows from the token and its address, and not the token.

        Browsers send a cookie to every port of a host, so also to a server of somebody else.
        """
        return hmac.new(self._token.encode(), host.lower().encode(), hashlib.sha256).hexdigest()

    def is_host(self, host: str) -> bool:
        """Say whether the `Host` header names this server."""
        name, _ = _split_port(host.lower())
        if name in self._names:
            return True
        return self._any_address and _is_address(name)


def cookie_name(host: str) -> str:
    """Return the name of the cookie: one a port, as a browser keeps one set of cookies for all ports of a host."""
    return f"keepsake-ui-{_split_port(host)[1] or '80'}"


def is_foreign(headers: Mapping[str, str], *, is_page: bool) -> bool:
    """Say whether another site causes a request; one that only opens the page in a tab of its own may.

    Args:
        headers: of the request.
        is_page: whether it asks for the page, which is the same for everybody, and not for what is in the repository.
    """
    site = headers.get("sec-fetch-site", "none")
    if site in ("none", "same-origin"):
        return False
    is_tab = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    return not (is_page and is_tab)


def _is_same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), wanted.encode())


def _split_port(host: str) -> tuple[str, str]:
    name, colon, port = host.rpartition(":")
    if colon and port.isascii() and port.isdigit():
        return name, port
    return host, ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def _in_brackets(name: str) -> str:
    return f"[{name}]" if ":" in name and not name.startswith("[") else name
