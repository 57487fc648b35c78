"""What a quality check found, and whether it is within its limits."""

from __future__ import annotations

from primum.schema.base import Record


class Check(Record):
    """One figure against its limits.

    Attributes:
        name: What was measured.
        value: The figure.
        low: Least allowed, or None.
        high: Greatest allowed, or None.
        n: How many things were looked at.
        examples: Some of what is off, for a writer to mend; at most twenty.
        note: What a reader should know.
    """

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    n: int = 0
    examples: tuple[str, ...] = ()
    note: str = ""

    @property
    def passed(self) -> bool:
        """True within the limits; a figure without limits always passes."""
        return (self.low is None or self.value >= self.low) and (self.high is None or self.value <= self.high)

    @property
    def limits(self) -> str:
        """The limits in words."""
        if self.low is not None and self.high is not None:
            return f"{self.low:g} to {self.high:g}"
        if self.low is not None:
            return f"at least {self.low:g}"
        return f"at most {self.high:g}" if self.high is not None else "reported"


SHOWN_EXAMPLES = 20
