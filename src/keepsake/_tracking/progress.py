"""Waiting that is seen: work at the end of a program says what it does once that takes a while, and how much is left.

On a terminal and in a notebook it is a bar, elsewhere a line when it begins to take long and one when it is done. It
also ends the work when its time is up. What it shows never matters: where nothing can be shown, nothing is.
"""

from __future__ import annotations

import math
import time
from types import TracebackType
from typing import TYPE_CHECKING

from keepsake.notices import notice

if TYPE_CHECKING:
    from typing_extensions import Self

    from keepsake._tracking.bar import Bar

SLOW_S = 1.5
"""Work that takes longer is announced; what a person hardly notices is not."""
REDRAW_INTERVAL_S = 0.1


class Waiting:
    """Work that somebody waits for, as a `with` block; called with the bytes of each piece that is done.

    Calls may come from several threads, one at a time. No thread is started, as none can be while an interpreter ends.

    Args:
        doing: what is done, as it is said after "everything is saved": "making it compact".
        timeout_s: how long it may take.
    """

    def __init__(self, doing: str, *, timeout_s: float = math.inf) -> None:
        self._doing = doing
        self._timeout_s = timeout_s
        self._started_s = time.monotonic()
        self._drawn_s = -math.inf
        self._done_bytes = 0
        self._total_bytes: int | None = None
        self._is_announced = False
        self._has_failed = False
        self._bar: Bar | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close(self._done_bytes, self._total_bytes)
        elif self._is_announced and error is None and not self._has_failed:
            notice(f"done after {self._taken_s():.0f} s")

    def expect(self, size_bytes: int) -> None:
        """Say that there are so many bytes more to be done; without a word, their number is unknown."""
        self._total_bytes = (self._total_bytes or 0) + size_bytes

    def fail(self) -> None:
        """Have it not called done at the end: it was left, and whoever knows why says so."""
        self._has_failed = True

    def __call__(self, size_bytes: int) -> None:
        """Count bytes that are done, which may be none. Raises `TimeoutError` when the time is up."""
        self._done_bytes += size_bytes
        taken_s = self._taken_s()
        if taken_s > self._timeout_s:
            raise TimeoutError(f"{self._doing} takes longer than {self._timeout_s:g} s")
        if not self._is_announced and taken_s > SLOW_S:
            self._is_announced = True
            self._announce()
        if self._bar is not None and time.monotonic() - self._drawn_s > REDRAW_INTERVAL_S:
            self._bar.draw(self._done_bytes, self._total_bytes)
            self._drawn_s = time.monotonic()

    def _taken_s(self) -> float:
        return time.monotonic() - self._started_s

    def _announce(self) -> None:
        from keepsake._tracking.bar import open_bar

        self._bar = open_bar(self._doing, self._done_bytes)
        if self._bar is None:
            left = ""
            if self._total_bytes is not None:
                left = f", {max(0, self._total_bytes - self._done_bytes) / 1e6:,.0f} MB to go"
            notice(f"everything is saved; {self._doing}{left} (Ctrl-C is safe, the rest is done later)")
