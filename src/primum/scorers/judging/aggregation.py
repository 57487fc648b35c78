"""One figure from several judges' verdicts on one answer."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Final

# What a metric gets when a panel is evenly split on it: no value.
TIE: Final = None


def majority(votes: Sequence[float]) -> float | None:
    """The value (0 or 1) that more than half give, or :data:`TIE`."""
    ones = sum(votes)
    if 2 * ones == len(votes):
        return TIE
    return 1.0 if 2 * ones > len(votes) else 0.0


def middle(values: Sequence[float]) -> float:
    """The median; of an even number of values, the mean of the two in the middle."""
    return float(median(values))
