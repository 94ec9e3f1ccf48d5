"""Parts for testing Keepsake itself and stores of your own.

`StoreTests` and `AppendStoreTests` are the suites that every store passes; `RecordingStore`, `FaultyStore`, `SlowStore`
and `PowerLossStore` are stores around a store; `strategies` draws keys, values and file trees with Hypothesis. The
suites need pytest, the strategies Hypothesis; neither is imported before it is used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from keepsake.stores.around import Operation
from keepsake.testing.faulty import FaultyStore
from keepsake.testing.power_loss import PowerLossStore
from keepsake.testing.recording import RecordingStore
from keepsake.testing.slow import SlowStore

if TYPE_CHECKING:
    from keepsake.testing import strategies
    from keepsake.testing.append_store_tests import AppendStoreTests
    from keepsake.testing.store_tests import StoreTests

__all__ = [
    "AppendStoreTests",
    "FaultyStore",
    "Operation",
    "PowerLossStore",
    "RecordingStore",
    "SlowStore",
    "StoreTests",
    "strategies",
]

_SUITES = {
    "StoreTests": "keepsake.testing.store_tests",
    "AppendStoreTests": "keepsake.testing.append_store_tests",
}


def __getattr__(name: str) -> Any:
    if name == "strategies":
        return importlib.import_module("keepsake.testing.strategies")
    if name in _SUITES:
        import pytest

        # So that a failing `assert` of a suite shows its values.
        pytest.register_assert_rewrite(*_SUITES.values())
        return getattr(importlib.import_module(_SUITES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
