"""Rows: what a benchmark has measured, and what it must reach."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    what: str
    measured: float
    unit: str
    """What stands behind the number: `x cp`, `%`, `µs`, `ms`, `MB`, `chunks`."""
    limit: float | None = None
    """The most that it may be, or the least; None for figures that are only reported."""
    remark: str = ""
    details: dict[str, Any] = field(default_factory=dict)
    """What the number was made from; JSON values."""
    is_rate: bool = False
    """Whether more is better, so that the limit is the least that is enough."""

    @property
    def is_met(self) -> bool | None:
        """Whether the limit is kept, by the number as it is shown; None without a limit."""
        if self.limit is None:
            return None
        shown = float(format_number(self.measured))
        return shown >= self.limit if self.is_rate else shown <= self.limit

    @property
    def measured_text(self) -> str:
        """The number with its unit."""
        return f"{format_number(self.measured)} {self.unit}"

    @property
    def limit_text(self) -> str:
        """The limit with its unit; empty without one."""
        if self.limit is None:
            return ""
        return f"at {'least' if self.is_rate else 'most'} {self.limit:g} {self.unit}"

    def to_json(self) -> dict[str, Any]:
        """Return the row as a dictionary that the `json` module can write."""
        return asdict(self) | {"is_met": self.is_met}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Row:
        """Read what `to_json` returned."""
        return cls(**{name: value for name, value in document.items() if name != "is_met"})


def format_number(value: float) -> str:
    """Show three significant digits, and whole numbers as such."""
    if value == int(value) or abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
