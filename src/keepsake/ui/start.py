"""`keepsake ui`, from the options to serving, or to a directory with an export."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from keepsake.errors import ConfigError
from keepsake.project import Project
from keepsake.ui.access import Access
from keepsake.ui.server import ANY_ADDRESS, DEFAULT_HOST, address_of, open_socket
from keepsake.ui.token import load_token, new_token

if TYPE_CHECKING:
    from keepsake.experiment import Experiment
    from keepsake.ui.export import ExportResult


def start(project: Project, *, host: str = DEFAULT_HOST, port: int | None = None, open_browser: bool = True) -> None:
    """Serve the page of a project until the process is told to end; its address is printed first.

    Raises:
        ConfigError: a package is missing, or the port is taken.
        ConfigNotFoundError: there is no repository.
        InvalidInputError: this machine has no such address.
    """
    with _needed_packages():
        import uvicorn  # noqa: F401 (so that nothing is printed when it is missing)

        from keepsake.ui.app import create_app
        from keepsake.ui.server import serve
        from keepsake.ui.site import Site
    site = Site(project)
    site.open()
    with open_socket(host, port) as listening:
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
        site.warm_up()
        serve(app, listening)


def export(project: Project, directory: Path, *, on_progress: Callable[[int, int], None] | None = None) -> ExportResult:
    """Write the page of a project into a directory; see `export.export_page`, with its errors.

    Raises:
        ConfigError: a package is missing.
    """
    with _needed_packages():
        from keepsake.ui.export import export_page
    return export_page(project, directory, on_progress=on_progress)


def report(
    project: Project, experiments: Sequence[Experiment], *, on_progress: Callable[[int, int], None] | None = None
) -> tuple[str, list[str]]:
    """Return the page with some experiments as one file; see `report.make_report`, with its errors.

    Raises:
        ConfigError: a package is missing.
    """
    with _needed_packages():
        from keepsake.ui.report import make_report
    return make_report(project, experiments, on_progress=on_progress)


@contextlib.contextmanager
def _needed_packages() -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise ConfigError(f"the web page needs the package {error.name}", hint="pip install 'keepsake[ui]'") from error


def show(address: str) -> None:
    """Open a browser that has a window: one that runs in the terminal would take it from who waits for the address."""
    is_desktop = os.name != "posix" or sys.platform == "darwin"
    if is_desktop or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")):
        import webbrowser

        webbrowser.open(address)
