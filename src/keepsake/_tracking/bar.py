"""A progress bar on standard error of a terminal, or in the cell of a notebook. It may fail, but it never raises.

It is drawn when `draw` is called and by no thread of its own. Neither standard stream is replaced meanwhile, and the
cursor stays visible, so that a program that is killed leaves the terminal as it was. In a notebook it is plain HTML
that is updated in place, which needs no widgets and no scripts.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeAlias

from keepsake._tracking.notebook import can_show

Show: TypeAlias = Callable[[int, "int | None"], None]
"""Shows the bytes that are done, of how many; None when that is not known."""

SAFE = "Ctrl-C is safe"


class Bar:
    """A bar that is shown.

    Args:
        show: shows how far the work is.
        end: leaves the bar as it is.
    """

    def __init__(self, show: Show, end: Callable[[], None]) -> None:
        self._show = show
        self._end = end
        self._is_broken = False

    def draw(self, done_bytes: int, total_bytes: int | None) -> None:
        """Show how far the work is; without a total, that it goes on."""
        if self._is_broken:
            return
        try:
            self._show(done_bytes, total_bytes)
        except Exception:  # noqa: BLE001 (whatever it is, the work that is waited for goes on)
            self._is_broken = True

    def close(self, done_bytes: int, total_bytes: int | None) -> None:
        """Show how far it came, and draw no more."""
        self.draw(done_bytes, total_bytes)
        try:
            self._end()
        except Exception:  # noqa: BLE001 (as above)
            self._is_broken = True


def open_bar(doing: str, done_bytes: int) -> Bar | None:
    """Return a bar that begins at `done_bytes`, or None where there is neither terminal nor notebook, or no rich."""
    try:
        if can_show():
            return _open_in_notebook(doing)
        return _open_on_terminal(doing, done_bytes) if _has_terminal() else None
    except Exception:  # noqa: BLE001 (a missing or odd rich, a closed stream: a line will do)
        return None


def _has_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()


def _open_on_terminal(doing: str, done_bytes: int) -> Bar | None:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if console.is_dumb_terminal:
        return None
    progress = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        DownloadColumn(),
        TimeRemainingColumn(),
        TextColumn(SAFE, markup=False),
        console=console,
        auto_refresh=False,
        redirect_stdout=False,
        redirect_stderr=False,
    )
    task = progress.add_task(f"keepsake: {doing}", total=None, completed=done_bytes)
    progress.start()
    console.show_cursor(True)

    def show(done_bytes: int, total_bytes: int | None) -> None:
        progress.update(task, completed=done_bytes, total=total_bytes, refresh=True)

    return Bar(show, progress.stop)


def _open_in_notebook(doing: str) -> Bar:
    from html import escape

    import IPython.display

    display: Callable[..., Any] = IPython.display.display

    def bundle(done_bytes: int, total_bytes: int | None) -> dict[str, str]:
        total = f"/{total_bytes / 1e6:,.0f}" if total_bytes is not None else ""
        text = f"keepsake: {doing}, {done_bytes / 1e6:,.0f}{total} MB ({SAFE})"
        ends = f' value="{done_bytes}" max="{total_bytes}"' if total_bytes is not None else ""
        return {"text/plain": text, "text/html": f"<progress{ends}></progress> {escape(text)}"}

    handle = display(bundle(0, None), raw=True, display_id=True)

    def show(done_bytes: int, total_bytes: int | None) -> None:
        handle.update(bundle(done_bytes, total_bytes), raw=True)

    return Bar(show, lambda: None)
