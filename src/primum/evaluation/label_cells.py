"""Cells of a label file: labels in words or numbers, a judge's scores and statuses. Cells never enter a message; they may hold model text."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple, NoReturn

from primum.errors import DataFormatError, UsageError
from primum.evaluation.judge_targets import Target
from primum.registry import nearest
from primum.schema.judge_calibration import Judged
from primum.schema.score import SCORE_STATUSES, ScoreStatus

SKIP: Final = "skip"
_STATUSES: Final[dict[str, ScoreStatus]] = {status: status for status in SCORE_STATUSES if status != "scored"}


class Cell(NamedTuple):
    """One cell's text and where it stands."""

    where: str
    text: str


def cell_text(value: Any) -> str:
    """A cell as stripped text; booleans as 0 and 1, whole floats (as spreadsheets keep them) without their point."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


class LabelReader:
    """Reads labels of one target.

    Args:
        target: What is labelled.
        words: More words for labels; ``skip`` leaves a label out.

    Raises:
        UsageError: A word is mapped to something that is no label of the target.
    """

    def __init__(self, target: Target, words: Mapping[str, str]) -> None:
        self.target = target
        self._words: dict[str, int | None] = dict(target.words)
        for word, label in words.items():
            number = _number(label)
            if label != SKIP and (number is None or number not in target.categories):
                known = ", ".join(str(category) for category in target.categories)
                raise UsageError(f"--labels-map maps {word!r} to something that is no label of {target.name}", remedy=f"give {known} or {SKIP}")
            self._words[word.lower()] = None if label == SKIP or number is None else int(number)

    def read(self, text: str) -> int | None:
        """The label, or None for a blank cell and for a word mapped to ``skip``.

        Raises:
            ValueError: Not a label.
        """
        if not text:
            return None
        if text.lower() in self._words:
            return self._words[text.lower()]
        number = _number(text)
        if number is None or number not in self.target.categories:
            raise ValueError("not a label")
        return int(number)

    def require(self, cell: Cell) -> int | None:
        """As :meth:`read`.

        Raises:
            DataFormatError: Not a label; names file, row and the nearest known ones.
        """
        try:
            return self.read(cell.text)
        except ValueError:
            self._refuse(cell)

    def _refuse(self, cell: Cell) -> NoReturn:
        known = sorted({*self._words, *(str(category) for category in self.target.categories)})
        raise DataFormatError(
            f"{cell.where}: not a label of {self.target.name}",
            remedy=f"{nearest(cell.text[:40], known)} Or say what it means: --labels-map WORD={self.target.categories[-1]} (or WORD={SKIP})",
        ) from None

    def verdicts(self, cells: Sequence[Cell]) -> list[Judged]:
        """A judge's column: labels where every cell is one, otherwise scores. Blank cells and status words have neither.

        Raises:
            DataFormatError: A cell is neither what the others are; names file and row.
        """
        spoken = [cell for cell in cells if cell.text and cell.text.lower() not in _STATUSES]
        if all(self._is_label(cell) for cell in spoken):
            return [self._labelled(cell) for cell in cells]
        if any(self._is_label(cell) and _number(cell.text) is None for cell in spoken) or all(_number(cell.text) is None for cell in spoken):
            self._refuse(next(cell for cell in spoken if not self._is_label(cell)))
        return [status or Judged(score=self.score(cell)) for cell in cells for status in (_status(cell),)]

    def score(self, cell: Cell) -> float:
        """One score.

        Raises:
            DataFormatError: Not a finite number, or off the target's scale; names file and row.
        """
        number = _number(cell.text)
        if number is None:
            raise DataFormatError(
                f"{cell.where}: the judge's score is not a number",
                remedy=f"write 0.5; leave the cell blank, or write {' or '.join(('abstained', 'judge_error'))}, where there is none",
            )
        low, high = self.target.categories[0], self.target.categories[-1]
        if self.target.ordinal and not low <= number <= high:
            raise DataFormatError(f"{cell.where}: the judge's score is off the scale of {low} to {high}", remedy=f"bring scores to {low} to {high}")
        return number

    def _is_label(self, cell: Cell) -> bool:
        try:
            return self.read(cell.text) is not None
        except ValueError:
            return False

    def _labelled(self, cell: Cell) -> Judged:
        status = _status(cell)
        if status is not None:
            return status
        label = self.require(cell)
        # Steps of a scale are also scores: a threshold can stand between them. A bare yes or no is not.
        return Judged(label=label, score=float(label) if self.target.ordinal and label is not None else None)


def _status(cell: Cell) -> Judged | None:
    if not cell.text:
        return Judged(status="judge_error")
    status = _STATUSES.get(cell.text.lower())
    return None if status is None else Judged(status=status)


def _number(text: str) -> float | None:
    """A finite number; Python's own ``1_000`` is none."""
    try:
        number = math.nan if "_" in text else float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
