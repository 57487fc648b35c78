"""Criteria with signed points, for all questions or for each: a rubric of one's own from a file.

After HealthBench (Arora RK et al. 2025, arXiv:2505.08775): a judge says of each criterion whether the answer meets it, and

    score = (points of the criteria that are met) / (points of the criteria with positive points),

cut to 0..1 for the metric ``rubric``; the sum before it is cut stays in the score's detail. The judge never sees the points. The file is YAML
or JSON::

    version: "1"
    criteria:                       # for every question
      - {id: refers, points: 5, text: {zh: 建议及时就医, en: Advises to see a doctor in time}}
    items:                          # besides, for single ones
      case-17:
        - {id: dose, points: -8, text: {zh: 给出了致死剂量, en: Names a lethal dose}}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated

from pydantic import Field as Described
from pydantic import StringConstraints, model_validator

from primum.config import load_model
from primum.errors import UsageError
from primum.hashing import sha256_of
from primum.schema.base import Bilingual, NonEmpty, Record
from primum.schema.card import MetricCard
from primum.schema.item import CHOICE_FORMS, Item
from primum.scorers.judging.fencing import ANSWER_LIMIT
from primum.scorers.judging.prompted import PromptedRubric
from primum.scorers.judging.rubric import Exchange
from primum.scorers.judging.verdicts import CASE, REASON, Field, Verdict

NAME = "judge-points"
CriterionId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]


class Criterion(Record):
    """One description that is true of an answer or not."""

    id: CriterionId
    text: Bilingual
    points: int

    @model_validator(mode="after")
    def _counts(self) -> Criterion:
        if self.points == 0:
            raise ValueError(f"criterion {self.id!r}: 0 points decide nothing; give it a sign or leave it out")
        if self.id in {CASE, REASON}:
            raise ValueError(f"criterion {self.id!r}: this key belongs to the verdict itself; choose another id")
        return self


class PointsFile(Record):
    """The file given with ``--rubric``."""

    version: NonEmpty = "1"
    criteria: tuple[Criterion, ...] = ()
    items: Mapping[str, tuple[Criterion, ...]] = Described(default_factory=dict)

    @model_validator(mode="after")
    def _every_list_can_be_scored(self) -> PointsFile:
        lists = {"criteria": self.criteria} if self.criteria else {}
        lists |= {f"items.{item}": (*self.criteria, *own) for item, own in self.items.items()}
        if not lists:
            raise ValueError("no criteria; give some under 'criteria' or 'items'")
        for place, listed in lists.items():
            ids = [criterion.id for criterion in listed]
            if len(set(ids)) != len(ids):
                raise ValueError(f"{place}: two criteria share an id; give each its own")
            if not any(criterion.points > 0 for criterion in listed):
                raise ValueError(f"{place}: no criterion with positive points, so there is nothing to be reached")
        return self


class PointsRubric(PromptedRubric):
    """One true-or-false field a criterion; metric rubric.

    Args:
        file: The criteria.
        answer_limit: Characters of an answer that the judge sees.
    """

    name = NAME
    words = "points"
    forms = frozenset()
    metrics = (
        MetricCard(name="rubric", scorer=NAME, judged=True, kind="mean", bounds=(0, 1), title=Bilingual(zh="评分细则得分", en="Rubric score")),
    )

    def __init__(self, file: PointsFile, *, answer_limit: int = ANSWER_LIMIT) -> None:
        super().__init__(answer_limit=answer_limit)
        self.file = file

    @property
    def version(self) -> str:
        """Version of our words, and of the file."""
        return f"{super().version}/{self.file.version}"

    @cached_property
    def prompt_sha256(self) -> str:
        """Hash of frame, words and criteria."""
        return sha256_of({**self._prompt_parts(), "criteria": self.file})

    def applies(self, item: Item) -> bool:
        """Items without letters that have criteria."""
        return item.form not in CHOICE_FORMS and bool(self._criteria(item.id))

    def fields_of(self, exchange: Exchange) -> tuple[Field, ...]:
        """One a criterion."""
        return tuple(Field(criterion.id) for criterion in self._criteria(exchange.item))

    def scale_of(self, exchange: Exchange) -> str:
        """The criteria, one a line, without their points."""
        lines = [f'"{criterion.id}": {criterion.text.in_language(exchange.language)}' for criterion in self._criteria(exchange.item)]
        return "\n".join([*lines, super().scale_of(exchange)])

    def measure(self, verdict: Verdict, exchange: Exchange) -> Mapping[str, float]:
        """Points reached as a share of those that can be reached, cut to 0..1."""
        reached, most = self._points(verdict, exchange)
        return {"rubric": min(1.0, max(0.0, reached / most))}

    def describe(self, verdict: Verdict, exchange: Exchange) -> str:
        """The points before they are cut, and the criteria that are met."""
        reached, most = self._points(verdict, exchange)
        met = ",".join(name for name, value in verdict.values.items() if value)
        return f"{reached}/{most} points; met: {met or '-'}"

    def _points(self, verdict: Verdict, exchange: Exchange) -> tuple[int, int]:
        listed = self._criteria(exchange.item)
        reached = sum(criterion.points for criterion in listed if verdict.values[criterion.id])
        return reached, sum(criterion.points for criterion in listed if criterion.points > 0)

    def _criteria(self, item: str) -> Sequence[Criterion]:
        return (*self.file.criteria, *self.file.items.get(item, ()))


def open_rubric(file: Path | None) -> PointsRubric:
    """Make the rubric from its file.

    Raises:
        UsageError: No file was given.
        ConfigError: The file does not fit.
    """
    if file is None:
        raise UsageError(f"rubric {NAME} needs a file of criteria", remedy="give --rubric FILE.yaml (docs/judges.md shows one)")
    return PointsRubric(load_model(file, PointsFile))
