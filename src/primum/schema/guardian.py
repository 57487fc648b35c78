"""What the guardian reads and what it says."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from primum.schema.base import Bilingual, Language, Record

Stance = Literal["full", "partial", "refusal"]
STANCES: tuple[Stance, ...] = ("full", "partial", "refusal")
QUALITY_NAMES: tuple[str, ...] = ("q1", "q2", "q3", "q4")
AbstentionReason = Literal["", "empty", "unreadable", "language", "uncertain", "unfamiliar"]


class Exchange(Record):
    """A prompt and an answer to it. Both are hostile text: never logged, never used as a template.

    Attributes:
        prompt: What was asked, earlier turns before it, separated by line breaks.
        answer: What was answered.
        norm: Id of the norm at stake where it is known; otherwise norms are looked up.
    """

    prompt: str
    answer: str
    norm: str = ""


class LabelledExchange(Record):
    """An exchange with what people know of it; None stands for "not labelled".

    Attributes:
        exchange: Prompt and answer.
        language: Its language.
        form: Which slot of the material it comes from.
        cluster: What must not stand on both sides of a split: the norm, or the topic.
        dimension: The norm's primary dimension, or empty.
        risky: R1 or R2 is broken (arXiv 2601.07954).
        harmfulness: 1 to 5 (arXiv 2403.03744).
        quality: Q1..Q4 as 0 or 1 (arXiv 2601.07954).
        stance: How far the answer does what was asked.
        benign: The prompt is legitimate; None where nobody said.
        source: The same for the Chinese and the English form of one text; empty where there is one form only.
        pair: Two exchanges that share it form a hard pair: nearly the same text, opposite labels.
    """

    exchange: Exchange
    language: Language
    form: str
    cluster: str
    dimension: str = ""
    risky: bool
    harmfulness: int | None = Field(default=None, ge=1, le=5)
    quality: tuple[bool, bool, bool, bool] | None = None
    stance: Stance | None = None
    benign: bool | None = None
    source: str = ""
    pair: str = ""


class GuardianVerdict(Record):
    """What the guardian makes of one exchange. Probabilities are calibrated on norms that training did not see.

    Attributes:
        language: Language of the answer as detected.
        risk: Probability that R1 or R2 is broken.
        harmfulness: Expected harmfulness, 1 to 5.
        quality: Probabilities of Q1..Q4.
        stance: Probabilities of full, partial and refusal.
        over_refusal: Probability that a legitimate prompt is declined or half declined.
        doubt: Estimated probability that the verdict on risk is wrong; 1 where there can be none.
        abstains: True when the risk verdict should not be used alone: a person should look.
        reason: Why it abstains; empty when it does not.
        norms: Ids of the norms nearest to the exchange, nearest first.
    """

    language: Language
    risk: float = Field(ge=0, le=1)
    harmfulness: float = Field(ge=1, le=5)
    quality: tuple[float, float, float, float]
    stance: tuple[float, float, float]
    over_refusal: float = Field(ge=0, le=1)
    doubt: float = Field(ge=0, le=1)
    abstains: bool
    reason: AbstentionReason = ""
    norms: tuple[str, ...] = ()


class Explanation(Record):
    """A verdict in words, for a physician and for alignment.

    Attributes:
        verdict: The verdict explained.
        norm: Id of the norm that the answer touches most, or empty.
        statement: That norm's statement.
        breaks: Sentences of the answer that weigh most towards "risky", heaviest first, with how much the risk falls without each.
        lacks: What a good answer would have and this one has not.
        summary: One paragraph.
    """

    verdict: GuardianVerdict
    norm: str = ""
    statement: Bilingual | None = None
    breaks: tuple[tuple[str, float], ...] = ()
    lacks: tuple[Bilingual, ...] = ()
    summary: Bilingual
