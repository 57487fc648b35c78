"""Scores: what a scorer makes of a response. Unscored is not zero."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from primum.schema.base import Record

ScoreStatus = Literal["scored", "refused", "unparseable", "engine_error", "judge_error", "abstained"]
SCORE_STATUSES: tuple[ScoreStatus, ...] = ("scored", "refused", "unparseable", "engine_error", "judge_error", "abstained")


class Score(Record):
    """One scorer's result for one response.

    Attributes:
        key: The response's key (``item id`` + ``#`` + epoch).
        scorer: The scorer's registered name.
        metric: What the value measures (``accuracy``, ``refusal``, ``harmfulness``, ...).
        status: Only ``scored`` has a value. ``abstained`` is a judge that says it does not know; ``judge_error`` one that gave no usable verdict.
        value: The value on the metric's own scale.
        label: What was read from the answer (letters, a class name), for readers.
        detail: Which rule read it, or the judge's short reason; never logged.
    """

    key: str
    scorer: str
    metric: str
    status: ScoreStatus
    value: float | None = None
    label: str = ""
    detail: str = ""

    @model_validator(mode="after")
    def _value_iff_scored(self) -> Score:
        if (self.status == "scored") != (self.value is not None):
            raise ValueError(f"score of {self.key}: a value is given exactly when the status is 'scored'")
        if self.value is not None and self.value != self.value:
            raise ValueError(f"score of {self.key}: NaN is not a score; use status 'judge_error' or 'unparseable'")
        return self


class Amendment(Record):
    """A correction of a score. The score it corrects is kept."""

    key: str
    scorer: str
    metric: str
    value: float | None
    status: ScoreStatus
    who: str
    when: str
    why: str
