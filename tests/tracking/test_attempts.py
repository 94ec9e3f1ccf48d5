"""Attempts: what fails is said once and tried again after ever longer pauses, and does not hold up anything else."""

from __future__ import annotations

from keepsake._tracking.attempts import LONGEST_PAUSE_S, Attempts, Health
from keepsake.errors import StoreError


class Trial:
    """Attempts with a clock of their own."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.now_s = 1000.0
        self.attempts = Attempts(self.said.append, lambda: self.now_s)

    def fail(self, what: str) -> None:
        with self.attempts.trying(what):
            raise StoreError("the disk is full")

    def work(self, what: str) -> None:
        with self.attempts.trying(what):
            pass

    def failing_s(self) -> float:
        return self.attempts.health.failing_s(self.now_s)

    def pause_s(self, what: str) -> float:
        """Wait until it may be tried again; return for how long that was."""
        waited_s = 0.0
        while not self.attempts.may_try(what):
            self.now_s += 0.5
            waited_s += 0.5
        return waited_s


def test_pauses_double_up_to_a_limit_and_begin_anew_after_a_success() -> None:
    trial = Trial()
    pauses_s = []
    for _ in range(8):
        trial.fail("delivering")
        pauses_s.append(trial.pause_s("delivering"))
    assert pauses_s == [2, 4, 8, 16, 32, LONGEST_PAUSE_S, LONGEST_PAUSE_S, LONGEST_PAUSE_S]
    trial.work("delivering")
    assert trial.attempts.may_try("delivering")
    trial.fail("delivering")
    assert trial.pause_s("delivering") == 2


def test_what_fails_does_not_hold_up_anything_else_and_is_said() -> None:
    trial = Trial()
    trial.fail("delivering")
    assert not trial.attempts.may_try("delivering")
    assert trial.attempts.may_try("settling")
    assert trial.said == ["delivering: StoreError: the disk is full"]


def test_nothing_works_only_for_as_long_as_nothing_does() -> None:
    trial = Trial()
    assert trial.failing_s() == 0
    trial.fail("delivering")
    trial.now_s += 100
    trial.fail("settling")
    assert trial.failing_s() == 100
    trial.work("settling")
    assert trial.failing_s() == 0
    trial.now_s += 50
    trial.fail("delivering")
    trial.now_s += 7
    assert trial.failing_s() == 7


def test_of_two_processes_it_is_enough_that_one_gets_on() -> None:
    assert Health(10.0).join(Health(20.0)).failing_s(100.0) == 0
    assert Health(10.0, 15.0).join(Health(20.0)).failing_s(100.0) == 80
    assert Health(10.0, 15.0).join(Health(20.0, 30.0)).failing_s(100.0) == 80
    assert Health(10.0, 40.0).join(Health(20.0, 30.0)).failing_s(100.0) == 70


def test_what_is_not_wanted_any_more_counts_no_failures() -> None:
    trial = Trial()
    trial.fail("settling")
    trial.attempts.forget("settling")
    assert trial.attempts.may_try("settling")
