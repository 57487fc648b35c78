"""Sources and norms: what the law says, in our words, with the raw material for items.

A YAML file in ``primum/data/norms`` holds one source and its norms. Sentences are ours; the law's own text is never copied, only pointed at.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from primum.schema.base import Bilingual, NonEmpty, Record
from primum.schema.taxonomy import DimensionId, PrincipleId, SceneId

SourceType = Literal["law", "administrative_regulation", "judicial_interpretation", "departmental_rule", "normative_document",
                     "guideline", "standard", "ethics_code", "policy", "international"]  # fmt: skip
SourceStatus = Literal["current", "amended", "repealed", "not_yet_in_force"]
Severity = Literal["low", "medium", "high", "critical"]
Bound = Literal["physician", "nurse", "pharmacist", "technician", "institution", "manager", "researcher", "ethics_committee",
                "manufacturer", "ai_provider", "data_handler", "anyone"]  # fmt: skip
AnswerKind = Literal["compliant", "compliant_curt", "compliant_alarming", "violating", "violating_quotes_norm"]
# What a vignette asks: the right conduct, the next step once something has been done, which of two duties goes first, a defensible balance, how
# urgent, or which handling of a medicine is safe.
Asks = Literal["conduct", "next_step", "priority", "equilibrium", "triage", "drug_safety"]
# Attack styles of MedEthicEval between direct and jargon; jargon as in arXiv 2403.03744; multi_turn builds pressure over turns.
RequestStyle = Literal["direct", "user_reality", "vague_description", "role_play", "extreme_situation", "post_hoc_justification",
                       "jargon", "multi_turn"]  # fmt: skip
JudgementVerdict = Literal["allowed", "allowed_by_exception", "forbidden"]
ReviewStatus = Literal["unreviewed", "reviewed", "adjudicated"]

SourceId = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,8}-[a-z0-9]+(?:-[a-z0-9]+)*$")]
NormId = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,8}-[a-z0-9-]+/art-[a-z0-9-]+$")]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(?:-[a-z0-9]+)*$")]


class Source(Record):
    """A law, code or guideline, pinned to one version."""

    id: SourceId
    jurisdiction: NonEmpty
    type: SourceType
    title: Bilingual
    issuer: NonEmpty
    number: str = ""
    version: dt.date | None = None
    effective: dt.date | None = None
    status: SourceStatus
    superseded_by: SourceId | None = None
    read_at: NonEmpty
    checked: NonEmpty


MINIMUM_WRONG = 4


class WrongOption(Bilingual):
    """A plausible wrong conduct, with the reason it is wrong."""

    why: Bilingual


class Vignette(Bilingual):
    """A situation that the norm decides, with right and wrong conduct."""

    id: Slug
    asks: Asks = "conduct"
    right: Bilingual
    also_right: tuple[Bilingual, ...] = ()
    wrong: Annotated[tuple[WrongOption, ...], Field(min_length=2)]

    @model_validator(mode="after")
    def _options_differ(self) -> Vignette:
        if self.asks == "equilibrium" and not self.also_right:
            raise ValueError(f"vignette {self.id!r}: an equilibrium dilemma needs at least two defensible answers; give also_right")
        if self.asks != "equilibrium" and len(self.wrong) < MINIMUM_WRONG:
            raise ValueError(f"vignette {self.id!r}: {len(self.wrong)} wrong options; give at least {MINIMUM_WRONG}")
        options = [self.right, *self.also_right, *self.wrong]
        for language in ("zh", "en"):
            texts = [option.in_language(language) for option in options]
            if len(set(texts)) != len(texts):
                raise ValueError(f"vignette {self.id!r}: two options have the same {language} text; make each option differ")
        return self


class Judgement(Bilingual):
    """What somebody did, in one or two sentences, and whether the norm allows it."""

    verdict: JudgementVerdict
    why: Bilingual


class HarmfulRequest(Bilingual):
    """Help sought in breaking the norm. For ``multi_turn``, the text is the last turn and ``turns`` are the user's earlier ones."""

    style: RequestStyle = "direct"
    turns: tuple[Bilingual, ...] = ()

    @model_validator(mode="after")
    def _turns_fit_style(self) -> HarmfulRequest:
        if bool(self.turns) != (self.style == "multi_turn"):
            raise ValueError("a multi_turn request has earlier turns, and no other style has; mend style or turns")
        return self


class NormAnswer(Bilingual):
    """An answer to the norm's first harmful request."""

    kind: AnswerKind


class Norm(Record):
    """One rule of conduct in a source."""

    id: NormId
    article: NonEmpty
    related: tuple[NonEmpty, ...] = ()
    dimensions: Annotated[tuple[DimensionId, ...], Field(min_length=1, max_length=3)]
    scenes: Annotated[tuple[SceneId, ...], Field(min_length=1)]
    principles: tuple[PrincipleId, ...] = ()
    severity: Severity
    bound: Bound | tuple[Bound, ...]
    statement: Bilingual
    exceptions: Bilingual | None = None
    vignettes: Annotated[tuple[Vignette, ...], Field(min_length=2)]
    judgements: tuple[Judgement, ...] = ()
    requests: tuple[HarmfulRequest, ...] = ()
    benign: tuple[Bilingual, ...] = ()
    answers: tuple[NormAnswer, ...] = ()
    review: ReviewStatus = "unreviewed"

    @property
    def source(self) -> str:
        """The id of the norm's source."""
        return self.id.partition("/")[0]

    @property
    def dimension(self) -> DimensionId:
        """The primary dimension."""
        return self.dimensions[0]

    @model_validator(mode="after")
    def _vignette_ids_differ(self) -> Norm:
        ids = [vignette.id for vignette in self.vignettes]
        if len(set(ids)) != len(ids):
            raise ValueError(f"norm {self.id}: two vignettes share an id; give each its own")
        return self


class NormFile(Record):
    """One YAML file: a source and its norms."""

    source: Source
    norms: tuple[Norm, ...]
