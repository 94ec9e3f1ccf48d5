"""`keepsake ui`, from the options to serving."""

from __future__ import annotations

import os
import socket
import sys
import threading

from keepsake.errors import ConfigError
from keepsake.project import Project
from keepsake.ui.access import Access
from keepsake.ui.server import ANY_ADDRESS, DEFAULT_HOST, address_of, open_socket
from keepsake.ui.token import load_token, new_token


def start(project: Project, *, host: str = DEFAULT_HOST, port: int | None = None, open_browser: bool = True) -> None:
    """Serve the page of a project until the process is told to end; its address is printed first.

    Raises:
        ConfigError: a package is missing, or the port is taken.
        ConfigNotFoundError: there is no repository.
        InvalidInputError: this machine has no such address.
    """
    try:
        import uvicorn  # noqa: F401 (so that nothing is printed when it is missing)

        from keepsake.ui.app import create_app
        from keepsake.ui.server import serve
        from keepsake.ui.site import Site
    except ImportError as error:
        raise ConfigError(f"the web page needs the package {error.name}", hint="pip install 'keepsake[ui]'") from error
    site = Site(project)
    site.open()
    with open_socket(host, port) as listening:
        site.warm_up()
        is_any = host in ANY_ADDRESS
        token = load_token(os.environ)
        access = Access(token, [socket.gethostname()] if is_any else [host], any_address=is_any)
        app = create_app(site, access)
        address = address_of(listening)
        sys.stdout.write(f"{address}?token={token}\n")
        sys.stdout.flush()
        if open_browser:
            once = new_token()
            access.add_pass(once)
            threading.Thread(target=show, args=(f"{address}?token={once}",), daemon=True).start()
        serve(app, listening)


def show(address: str) -> None:
    """Open a browser that has a window: one that runs in the terminal would take it from who waits for the address."""
    is_desktop = os.name != "posix" or sys.platform == "darwin"
    if is_desktop or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")):
        import webbrowser

        webbrowser.open(address)
