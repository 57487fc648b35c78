"""Labelled answers as people write them: one entry a norm, a topic, a question or a remark, with named slots.

A slot's name carries most of its labels, so that a writer cannot contradict them; what differs within a slot (harmfulness, quality) is written
beside the text. The scales are those of arXiv 2403.03744 (harmfulness) and arXiv 2601.07954 (R1, R2, Q1..Q4).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from primum.schema.base import Bilingual, NonEmpty, Record
from primum.schema.guardian import Stance
from primum.schema.norm import NormId, Slug

Breaks = Literal["R1", "R2", "both"]
Harm = Annotated[int, Field(ge=3, le=5)]
RequestNumber = Annotated[int, Field(ge=0)]
# Q1 issue identified, Q2 norm referred to, Q3 actionable, Q4 empathy.
Quality = Annotated[str, StringConstraints(pattern=r"^[01]{4}$")]


class SafeAnswer(Bilingual):
    """An answer that breaks nothing, with its quality."""

    quality: Quality


class RiskyAnswer(Bilingual):
    """An answer that breaks the norm (R1), endangers somebody (R2) or both."""

    harmfulness: Harm
    breaks: Breaks


class MinimalEdit(Record):
    """Two answers to one harmful request that differ in few words and have opposite labels."""

    request: RequestNumber
    safe: SafeAnswer
    unsafe: RiskyAnswer


class SharedAnswer(RiskyAnswer):
    """One text that answers a legitimate prompt well and is complicity as the answer to a harmful one; its quality is that of the first."""

    quality: Quality


class Twin(Record):
    """Two prompts that differ in purpose or facts, and the answer that fits both."""

    request: RequestNumber
    benign: Bilingual
    answer: SharedAnswer


class RequestAnswer(SafeAnswer):
    """A safe answer to one of the norm's harmful requests."""

    request: RequestNumber


class HedgedAnswer(RiskyAnswer):
    """Cautious words, and help all the same."""

    request: RequestNumber


class DeclinedAnswer(Bilingual):
    """A needless refusal of a legitimate request."""

    stance: Stance


class CaseAnswer(Bilingual):
    """A free answer to a vignette: safe with its quality, or risky with its harm."""

    quality: Quality | None = None
    harmfulness: Harm | None = None
    breaks: Breaks | None = None

    @model_validator(mode="after")
    def _one_side(self) -> CaseAnswer:
        if not (self.quality is None) == (self.harmfulness is not None) == (self.breaks is not None):
            raise ValueError("give either quality (a safe answer), or harmfulness and breaks (a risky one)")
        return self


class Case(Record):
    """A vignette put as an open question; the last of four answers goes against the norm."""

    vignette: Slug
    answers: Annotated[tuple[CaseAnswer, ...], Field(min_length=4, max_length=4)]

    @model_validator(mode="after")
    def _last_is_risky(self) -> Case:
        if [answer.breaks is not None for answer in self.answers] != [False, False, False, True]:
            raise ValueError("the first three answers are safe, and the last one goes against the norm")
        return self


class NormEntry(Record):
    """Labelled answers around one norm."""

    norm: NormId
    edit: MinimalEdit
    twin: Twin
    hedged: HedgedAnswer
    redirect: RequestAnswer
    neutral: RequestAnswer
    helpful: SafeAnswer
    refused: DeclinedAnswer
    unsafe_help: RiskyAnswer
    case: Case


class ExtraEdit(Record):
    """Another minimal edit: on one of the norm's requests, or on a prompt of its own."""

    request: RequestNumber | None = None
    prompt: Bilingual | None = None
    safe: Bilingual
    unsafe: RiskyAnswer

    @model_validator(mode="after")
    def _one_prompt(self) -> ExtraEdit:
        if (self.request is None) == (self.prompt is None):
            raise ValueError("give either request (a number) or prompt (a text)")
        return self


class ExtraTwin(Record):
    """Another pair of prompts and the answer that fits both."""

    request: RequestNumber | None = None
    harmful: Bilingual | None = None
    benign: Bilingual
    answer: RiskyAnswer

    @model_validator(mode="after")
    def _one_prompt(self) -> ExtraTwin:
        if (self.request is None) == (self.harmful is None):
            raise ValueError("give either request (a number) or harmful (a text)")
        return self


class PairEntry(Record):
    """More hard pairs around one norm."""

    norm: NormId
    edits: tuple[ExtraEdit, ...]
    twins: tuple[ExtraTwin, ...]


class HarmfulAnswer(Bilingual):
    """A risky answer outside the norms."""

    harmfulness: Harm


class EditedAnswer(HarmfulAnswer):
    """A minimal edit of a good answer that makes it dangerous."""

    edit_of: Literal["good", "good_plain"]


class TopicAnswers(Record):
    """Answers to a harmful prompt and to its benign look-alike."""

    refusal: Bilingual
    safe_other: Bilingual
    comply: HarmfulAnswer
    comply_other: HarmfulAnswer
    helpful: Bilingual
    over_refusal: Bilingual
    shared: HarmfulAnswer
    mild: Bilingual


class TopicEntry(Record):
    """A harmful prompt of general safety, its benign look-alike, and answers."""

    topic: NonEmpty
    harmful: Bilingual
    benign: Bilingual
    answers: TopicAnswers


class LongAnswers(Record):
    """Answers as long as chat assistants write them: two that go along with the harmful prompt, a safe one, and one to the benign prompt."""

    long_comply: HarmfulAnswer
    long_comply_other: HarmfulAnswer
    long_safe: Bilingual
    long_helpful: Bilingual


class LongEntry(Record):
    """A harmful prompt, a legitimate one on the same topic, and long answers."""

    topic: NonEmpty
    harmful: Bilingual
    benign: Bilingual
    answers: LongAnswers


class ClinicalAnswers(Record):
    """Answers to a legitimate health question."""

    good: Bilingual
    good_plain: Bilingual
    unsafe: HarmfulAnswer
    unsafe_other: HarmfulAnswer
    edited: EditedAnswer
    refused: Bilingual


class ClinicalEntry(Record):
    """A legitimate health question and answers."""

    topic: NonEmpty
    question: Bilingual
    answers: ClinicalAnswers


class RemarkAnswers(Record):
    """Replies to a remark in a chat."""

    good: Bilingual
    good_other: Bilingual
    unsafe: HarmfulAnswer
    unsafe_other: HarmfulAnswer


class RemarkEntry(Record):
    """A remark as people type it, and replies."""

    topic: NonEmpty
    remark: Bilingual
    answers: RemarkAnswers


class NormEntries(Record):
    """One file: entries of one source's norms."""

    entries: tuple[NormEntry, ...]


class PairEntries(Record):
    """One file: more hard pairs of one source's norms."""

    entries: tuple[PairEntry, ...]


class TopicEntries(Record):
    """One file of general safety."""

    entries: tuple[TopicEntry, ...]


class LongEntries(Record):
    """One file of long answers."""

    entries: tuple[LongEntry, ...]


class ClinicalEntries(Record):
    """One file of health questions."""

    entries: tuple[ClinicalEntry, ...]


class RemarkEntries(Record):
    """One file of remarks."""

    entries: tuple[RemarkEntry, ...]
