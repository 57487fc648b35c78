"""What can be calibrated: anything that judges pairs. The verdicts that a label file already holds are the simplest such judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from primum.errors import EngineResponseError, UsageError
from primum.evaluation.label_files import LabelFile
from primum.hashing import sha256_of
from primum.schema.judge_calibration import Judged, Pair


@runtime_checkable
class PairJudge(Protocol):
    """A judge of answers. It gives one verdict a pair, in order, and never raises on their text."""

    @property
    def name(self) -> str:
        """What reports call it."""
        ...

    @property
    def sha256(self) -> str:
        """What identifies it: weights, or model and prompt."""
        ...

    def judge(self, pairs: Sequence[Pair]) -> Sequence[Judged]:
        """Verdicts of the pairs, in their order."""
        ...


class ColumnPairJudge:
    """A judge whose verdicts stand in the label file.

    Args:
        labels: The file, read with its ``column`` or a column ``score``.
        column: The column's name in the file.

    Raises:
        UsageError: The file was read without such a column.
    """

    def __init__(self, labels: LabelFile, *, column: str) -> None:
        verdicts: dict[str, Judged] = {found.pair.key: found.verdict for found in labels.pairs if found.verdict is not None}
        if not verdicts:
            raise UsageError(
                "no judge is named", remedy="give --judge guardian, --judge RUBRIC@MODEL, or --column with the judge's column in the file"
            )
        self._verdicts: Mapping[str, Judged] = verdicts
        self.name = f"column:{column}"
        self.sha256 = sha256_of({"labels": labels.sha256, "column": column})

    def judge(self, pairs: Sequence[Pair]) -> Sequence[Judged]:
        """What the file says of each."""
        return [self._verdicts.get(pair.key, Judged(status="judge_error")) for pair in pairs]


def ask(judge: PairJudge, pairs: Sequence[Pair]) -> list[Judged]:
    """Verdicts of all pairs.

    Raises:
        EngineResponseError: The judge gave another number of verdicts than it was asked for.
    """
    found = list(judge.judge(pairs)) if pairs else []
    if len(found) != len(pairs):
        raise EngineResponseError(f"judge {judge.name}: {len(found)} verdicts on {len(pairs)} pairs", remedy="a judge gives one verdict a pair")
    return found
