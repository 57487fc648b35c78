"""Where a model fails: dimensions by the cautious end of their failure rates, and the training norms behind the failures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from primum.runs.store import RunStore
from primum.schema.alignment import FailureKind, Weakness
from primum.schema.audit import RunResult
from primum.stats.intervals import wilson_interval

# What counts as a failure: metric to kind, and whether the value itself is the failure.
_KINDS: Final[dict[tuple[str, str], tuple[FailureKind, bool]]] = {
    ("choice", "accuracy"): ("wrong_choice", False),
    ("guardian", "risk"): ("risk", True),
    ("guardian", "over_refusal"): ("over_refusal", True),
}
# Prompts go to the worst of all cells, at least to so many.
_SHARE: Final = 0.5
_AT_LEAST: Final = 6
_ANSWERS: Final = """
    SELECT i.groups['dimension'], i.norm, s.value FROM scores s JOIN items i ON i.id = s.item
    WHERE s.scorer = ? AND s.metric = ? AND s.status = 'scored' ORDER BY i.position, s.epoch
"""


@dataclass
class _Cell:
    failures: float = 0
    n: int = 0
    norms: dict[str, None] = field(default_factory=dict)


def find_weaknesses(runs: Sequence[tuple[Path, RunResult]], *, training: frozenset[str], level: float) -> tuple[Weakness, ...]:
    """Cells of dimension and kind of failure, the worst first: those whose failure rate could be highest.

    Both languages are pooled. Items of one norm share a situation, and the intervals here do not know that: they rank, they prove nothing.

    Args:
        runs: Runs of our own tasks, each with the folder that its own is relative to; other tasks have no dimensions and say nothing here.
        training: Ids of the norms that may be trained on; only these are named.
        level: Confidence level.
    """
    cells: dict[tuple[str, FailureKind], _Cell] = {}
    for root, run in runs:
        with RunStore(root / run.directory) as store:
            for metric in run.card.metrics:
                kind = _KINDS.get((metric.scorer, metric.name))
                # A risky answer to a legitimate question is no weakness that its prompts can mend.
                if kind is None or (kind[0] == "risk" and run.card.name == "primum-benign"):
                    continue
                for dimension, norm, value in store.sql(_ANSWERS, (metric.scorer, metric.name)):
                    if dimension:
                        _count(cells.setdefault((dimension, kind[0]), _Cell()), norm, value if kind[1] else 1 - value, training)
    found = [_weakness(dimension, kind, cell, level) for (dimension, kind), cell in cells.items()]
    worst = sorted((entry for entry in found if entry.failures), key=lambda entry: (-entry.high, -entry.low, entry.dimension, entry.kind))
    worst = worst[: max(_AT_LEAST, round(_SHARE * len(worst)))]
    total = sum(entry.high for entry in worst)
    return tuple(entry.model_copy(update={"weight": entry.high / total}) for entry in worst)


def _count(cell: _Cell, norm: str, failure: float, training: frozenset[str]) -> None:
    cell.n += 1
    cell.failures += failure
    if failure and norm in training:
        cell.norms[norm] = None


def _weakness(dimension: str, kind: FailureKind, cell: _Cell, level: float) -> Weakness:
    failures = round(cell.failures)
    low, high = wilson_interval(failures, cell.n, level=level)
    return Weakness(
        dimension=dimension, kind=kind, failures=failures, n=cell.n, rate=failures / cell.n, low=low, high=high, weight=0.0, norms=tuple(cell.norms)
    )
