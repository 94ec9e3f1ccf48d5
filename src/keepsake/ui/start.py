"""`keepsake ui`, from the options to serving."""

from __future__ import annotations

import os
import socket
import sys
import threading

from keepsake.errors import ConfigError
from keepsake.project import Project
from keepsake.ui.server import DEFAULT_HOST, address_of, open_socket, serve
from keepsake.ui.token import load_token, new_token

ANY = ("0.0.0.0", "::")  # noqa: S104 (compared, not bound)


def start(project: Project, *, host: str = DEFAULT_HOST, port: int | None = None, open_browser: bool = True) -> None:
    """Serve the page of a project until the process is told to end; its address is printed first.

    Raises:
        ConfigError: a package is missing, or the port is taken.
        ConfigNotFoundError: there is no repository.
        InvalidInputError: this machine has no such address.
    """
    listening = open_socket(host, port)
    try:
        from keepsake.ui.access import Access
        from keepsake.ui.app import create_app
    except ImportError as error:
        raise ConfigError(f"the web page needs the package {error.name}", hint="pip install 'keepsake[ui]'") from error
    from keepsake.ui.site import Site

    token = load_token(os.environ)
    access = Access(token, {host, socket.gethostname()} - set(ANY), any_address=host in ANY)
    site = Site(project)
    site.warm_up()
    app = create_app(site, access)
    address = address_of(listening)
    sys.stdout.write(f"{address}?token={token}\n")
    sys.stdout.flush()
    if open_browser:
        once = new_token()
        access.add_pass(once)
        threading.Thread(target=_open_browser, args=(f"{address}?token={once}",), daemon=True).start()
    serve(app, listening)


def _open_browser(address: str) -> None:
    """Open a browser that has a window: one that runs in the terminal would take it from who waits for the address."""
    if os.name == "posix" and sys.platform != "darwin":
        if not any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")):
            return
    import webbrowser

    webbrowser.open(address)
