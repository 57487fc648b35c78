"""What was measured of a judge: figures with their bars, and risk-coverage curves."""

from __future__ import annotations

from collections.abc import Mapping

from primum.schema.base import Record
from primum.schema.estimate import Estimate


class Measured(Record):
    """One figure.

    Attributes:
        section: ``unseen norms``, ``hard pairs``, ``out of domain``, ...
        subject: What it was measured on: a form, a set, a dimension; empty for all.
        estimate: The figure; ``estimate.group`` and ``estimate.name`` hold the breakdown.
        bar: What it must reach, or None.
        at_least: True where the figure must reach the bar, False where it must stay below.
    """

    section: str
    subject: str = ""
    estimate: Estimate
    bar: float | None = None
    at_least: bool = True

    @property
    def holds(self) -> bool | None:
        """Whether the point estimate meets the bar; None without a bar or a value."""
        if self.bar is None or self.estimate.value is None:
            return None
        return self.estimate.value >= self.bar if self.at_least else self.estimate.value <= self.bar


class CoveragePoint(Record):
    """Error among the exchanges kept when the most doubtful are left to people."""

    coverage: float
    error: float


class Measurement(Record):
    """Everything measured of one guardian.

    Attributes:
        guardian_sha256: Hash of the weights measured.
        material_sha256: Hash of the labelled material.
        figures: Every figure.
        curves: Set to its risk-coverage curve.
        notes: What a reader must know beside the figures.
    """

    guardian_sha256: str
    material_sha256: str
    figures: tuple[Measured, ...]
    curves: Mapping[str, tuple[CoveragePoint, ...]]
    notes: tuple[str, ...] = ()
