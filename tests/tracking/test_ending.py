"""What an exception makes of the experiments that it ends."""

from __future__ import annotations

import pytest

from keepsake._tracking.ending import status_of_exception


class OddError(Exception):
    """An exception that cannot say what it is about."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


class OwnError(ValueError):
    """An exception of the program's own."""


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (None, "finished"),
        (SystemExit(), "finished"),
        (SystemExit(0), "finished"),
        (SystemExit(3), "failed"),
        (SystemExit("words"), "failed"),
        (KeyboardInterrupt(), "interrupted"),
        (ValueError("v"), "failed"),
        (MemoryError(), "failed"),
        (GeneratorExit(), "failed"),
    ],
)
def test_an_exception_decides_the_status(error: BaseException | None, status: str) -> None:
    found, details = status_of_exception(error)
    assert found == status
    assert (details is not None) == (status == "failed")


def test_the_error_is_named_with_its_module_and_its_message_is_bounded() -> None:
    assert status_of_exception(ValueError("v")) == ("failed", {"type": "ValueError", "message": "v"})
    _, own = status_of_exception(OwnError("x" * 10_000))
    assert own is not None
    assert own["type"] == f"{__name__}.OwnError"
    assert len(own["message"]) == 2000
    assert status_of_exception(OddError())[1] == {"type": f"{__name__}.OddError", "message": ""}
