"""Attempts: what of the courier's work failed, when each may be tried again, and since when nothing has worked.

What fails is said in the log once and tried again, after a pause that doubles each time; so a store that is away costs
next to nothing, and one session's trouble does not hold up the others.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

FIRST_PAUSE_S = 2.0
LONGEST_PAUSE_S = 60.0


@dataclass(frozen=True, slots=True)
class Health:
    """How work goes, in one process or in several: times are the system's monotonic ones."""

    worked_s: float
    """When something worked, or the work was begun."""
    failing_since_s: float | None = None
    """When the first failure after that was."""

    def join(self, other: Health) -> Health:
        """Return how it goes in both."""
        failures = [one.failing_since_s for one in (self, other) if one.failing_since_s is not None]
        return Health(max(self.worked_s, other.worked_s), min(failures, default=None))

    def failing_s(self, now_s: float) -> float:
        """Return for how long everything that was tried has failed."""
        return 0.0 if self.failing_since_s is None else now_s - max(self.worked_s, self.failing_since_s)


class Attempts:
    """What was tried, by name.

    Args:
        log: is told of failures.
        clock: the time in seconds, from any beginning.
    """

    def __init__(self, log: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._clock = clock
        self._pauses_s: dict[str, float] = {}
        self._not_before_s: dict[str, float] = {}
        self.health = Health(clock())

    @contextlib.contextmanager
    def trying(self, what: str) -> Iterator[None]:
        """Do something in the `with` block that may fail; then it is logged, and not to be tried for a while."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 (nothing above could handle it, and the other errands go on)
            self.fail(what, error)
        else:
            self.forget(what)
            self.health = Health(self._clock())

    def may_try(self, what: str) -> bool:
        """Say whether the pause after the last failure is over."""
        return self._clock() >= self._not_before_s.get(what, float("-inf"))

    def forget(self, what: str) -> None:
        """Count no failures for what has worked, or is not wanted any more."""
        self._pauses_s.pop(what, None)
        self._not_before_s.pop(what, None)

    def fail(self, what: str, error: Exception) -> None:
        """Say that something failed; it is not to be tried for a while."""
        pause_s = min(LONGEST_PAUSE_S, 2 * self._pauses_s.get(what, FIRST_PAUSE_S / 2))
        self._pauses_s[what] = pause_s
        self._not_before_s[what] = self._clock() + pause_s
        if self.health.failing_since_s is None:
            self.health = Health(self.health.worked_s, self._clock())
        self._log(f"{what}: {type(error).__name__}: {error}")
