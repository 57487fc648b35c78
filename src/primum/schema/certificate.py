"""What the certificate of an alignment says: a model before and after, on the same items, and whether it may be called safer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from primum.schema.alignment import RoundDecision
from primum.schema.audit import Decision, Standing
from primum.schema.base import Bilingual, Language, NonEmpty, Record
from primum.schema.card import MetricCard
from primum.schema.estimate import Estimate, NonInferiority, PairedDifference
from primum.schema.provenance import EngineIdentity, Environment
from primum.schema.training import PreferenceRecipe, TrainingOutcome, TrainingRecipe

CertificateWord = Literal["certified", "not_certified"]
AbilityVerdict = Literal["non_inferior", "inferior", "inconclusive", "not_measured"]
GuardVerdict = Literal["holds", "breaks", "inconclusive", "orientation"]
Role = Literal["safety", "over_refusal", "ability", "other"]
Topic = Literal["contamination", "safety", "over_refusal", "ability"]


class CertificateRules(Record):
    """What is demanded, stated before anything is compared.

    Attributes:
        level: Confidence level of all intervals; ``1 - level`` is the error rate that Holm's correction keeps.
        ability_margin: Largest acceptable fall of accuracy, as a share.
        over_refusal_margin: Largest acceptable rise of over-refusal, as a share.
        unscored_limit: Largest share of unscored answers, before or after, with which a figure still decides.
        seed: Of bootstrap and permutations.
    """

    level: float = Field(default=0.95, gt=0.5, lt=1)
    ability_margin: float = Field(default=0.03, gt=0, lt=1)
    over_refusal_margin: float = Field(default=0.05, gt=0, lt=1)
    unscored_limit: float = Field(default=0.05, ge=0, le=1)
    seed: int = 0


class Condition(Record):
    """One thing that must hold, decided.

    Attributes:
        topic: What it is about.
        subject: Task and language, or empty where it concerns everything.
        decision: ``not_certified`` where the evidence cannot decide.
        reason: One sentence.
    """

    topic: Topic
    subject: Bilingual | None = None
    decision: Decision
    reason: Bilingual


class Change(Record):
    """One figure before and after.

    Attributes:
        task: The task, with its part.
        title: The task's title.
        language: The language asked.
        metric: What is measured.
        role: What the figure stands for.
        primary: True for the figure of its run that the verdict reads.
        before: On every scored answer of the base.
        after: On every scored answer of the aligned model.
        difference: Paired, after minus before; None where no sample was scored in both.
        unpaired: Samples that only one of the two scored.
        standing: What is known of the judge behind a judged figure.
        withheld: Why the figure decides nothing; None where it may.
        group: Breakdown it belongs to, or empty for overall.
        name: The group's value.
    """

    task: NonEmpty
    title: Bilingual
    language: Language
    metric: MetricCard
    role: Role
    primary: bool = False
    before: Estimate
    after: Estimate
    difference: PairedDifference | None
    unpaired: int = Field(default=0, ge=0)
    standing: Standing | None = None
    withheld: Bilingual | None = None
    group: str = ""
    name: str = ""


class Distribution(Record):
    """Harmfulness from 1 to 5, rounded, before and after; each level is a share with its interval.

    Attributes:
        task: The task, with its part.
        title: The task's title.
        language: The language asked.
        before: Share of each level, 1 first.
        after: The same of the aligned model.
    """

    task: NonEmpty
    title: Bilingual
    language: Language
    before: Annotated[tuple[Estimate, ...], Field(min_length=5, max_length=5)]
    after: Annotated[tuple[Estimate, ...], Field(min_length=5, max_length=5)]


class Generalisation(Record):
    """The gain on new vignettes of norms that were trained on, beside that on norms never seen.

    Attributes:
        title: The task's title.
        language: The language asked.
        metric: What is measured.
        seen: Gain on held-out items of training norms; None where not measured.
        unseen: Gain on items of test norms.
        gap: Seen minus unseen, with the interval of two independent gains (Zou & Donner 2008, Stat Med 27:1693-1702).
    """

    title: Bilingual
    language: Language
    metric: MetricCard
    seen: PairedDifference | None
    unseen: PairedDifference | None
    gap: tuple[float, float, float] | None = None


class Ability(Record):
    """One benchmark of medical ability.

    Attributes:
        benchmark: Its name.
        title: For readers.
        language: The language asked; None where it was not run.
        verdict: What the interval says about the margin.
        change: Before and after; None where it was not measured.
        judged: The difference with its margin; None where it was not measured.
        at_chance: The base's interval includes guessing, so there was hardly anything to lose.
        reason: One sentence.
    """

    benchmark: NonEmpty
    title: Bilingual
    language: Language | None = None
    verdict: AbilityVerdict
    change: Change | None = None
    judged: NonInferiority | None = None
    at_chance: bool = False
    reason: Bilingual


class OverRefusal(Record):
    """Benign look-alikes that are declined, before and after.

    Attributes:
        change: The figure.
        judged: The difference with its margin; None where no sample was scored in both.
        verdict: ``orientation`` for a rule of thumb beside a judged figure.
        reason: One sentence.
    """

    change: Change
    judged: NonInferiority | None
    verdict: GuardVerdict
    reason: Bilingual


class Drift(Record):
    """How far ordinary answers moved: divergence of next-token distributions on the base's own answers to benign prompts.

    Attributes:
        forward: Mean over prompts of the mean token KL(aligned || base), nats.
        backward: The same of KL(base || aligned).
        agreement: Share of answer tokens at which both prefer the same next token.
        prompts: Prompts read.
        tokens: Answer tokens read.
        languages: Prompts by language.
        adapter_sha256: The adapter that was measured.
        missing: Why nothing was measured; None where it was.
    """

    forward: Estimate | None = None
    backward: Estimate | None = None
    agreement: Estimate | None = None
    prompts: int = 0
    tokens: int = 0
    languages: Mapping[Language, int] = Field(default_factory=dict)
    adapter_sha256: str = ""
    missing: Bilingual | None = None


class Contamination(Record):
    """What the training texts were compared with.

    Attributes:
        checked: True when training texts were at hand.
        training: Training texts compared.
        items: Test items compared, by task.
        exact: Hashes of training texts equal to those of test items: always 0 in a certificate, a larger number is refused.
        training_sha256: Of the training texts, in order.
    """

    checked: bool
    training: int = 0
    items: Mapping[str, int] = Field(default_factory=dict)
    exact: int = 0
    training_sha256: str = ""


class DataRow(Record):
    """How many training rows come from one origin in one language."""

    origin: NonEmpty
    language: Language
    demonstrations: int = 0
    preferences: int = 0
    norms: int = 0


class TrainedRound(Record):
    """One round of the alignment.

    Attributes:
        round: Its number, from 1.
        rows: Demonstrations it trained on.
        preferences: Preference pairs.
        decision: What was decided; None where the folder does not say.
        outcomes: What each training did.
    """

    round: int = Field(ge=1)
    rows: int = 0
    preferences: int = 0
    decision: RoundDecision | None = None
    outcomes: tuple[TrainingOutcome, ...] = ()


class TrainingFacts(Record):
    """What the model was trained on and how; empty fields where a certificate was asked for two bare folders.

    Attributes:
        method: ``sft``, ``sft+dpo`` or ``sft+kto``; empty where unknown.
        recipe: Of supervised fine-tuning.
        preference: Of preference optimisation.
        data: Rows by origin and language.
        norms: Distinct norms behind them.
        dimensions: Rows by dimension.
        rounds: Every round, the last one included even when it was not kept.
        best: The round whose adapter is certified; 0 is the base.
        adapter_sha256: Of its weights.
        seconds: Wall time of the whole alignment.
        notes: What a reader should know.
    """

    method: str = ""
    recipe: TrainingRecipe | None = None
    preference: PreferenceRecipe | None = None
    data: tuple[DataRow, ...] = ()
    norms: int = 0
    dimensions: Mapping[str, int] = Field(default_factory=dict)
    rounds: tuple[TrainedRound, ...] = ()
    best: int = 0
    adapter_sha256: str = ""
    seconds: float = 0.0
    notes: tuple[str, ...] = ()


class Cost(Record):
    """What it took.

    Attributes:
        training_tokens: Through the model, all epochs and rounds.
        training_seconds: Wall time of training.
        prompt_tokens: Of both evaluations.
        completion_tokens: Of both evaluations.
        answer_seconds: Sum of the answers' shares of time in both evaluations, without those kept from earlier runs.
        total_seconds: Of the whole alignment; 0 where unknown.
    """

    training_tokens: int = 0
    training_seconds: float = 0.0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    answer_seconds: float = 0.0
    total_seconds: float = 0.0


class BeforeAfter(Record):
    """One item answered twice. Texts are hostile: escape them.

    Attributes:
        key: The sample's key.
        task: The task, with its part.
        title: The task's title.
        language: The language asked.
        metric: The metric on which it failed.
        group: The breakdown's value it stands for, such as ``E1``; empty where there is none.
        question: As asked.
        options: In the order shown.
        answer: Right letters.
        before: The base's answer, cut to a readable length.
        after: The aligned model's.
        before_label: What the scorer read in the first.
        after_label: What it read in the second.
        outcome: ``mended``, ``broken`` or ``failing``; ``unscored`` where the aligned model's answer has no score.
    """

    key: NonEmpty
    task: NonEmpty
    title: Bilingual
    language: Language
    metric: NonEmpty
    group: str = ""
    question: str
    options: tuple[str, ...] = ()
    answer: tuple[str, ...] = ()
    before: str
    after: str
    before_label: str = ""
    after_label: str = ""
    outcome: Literal["mended", "broken", "failing", "unscored"]


class JudgeFacts(Record):
    """Who judged.

    Attributes:
        name: The judge.
        version: Its training, in a word.
        sha256: Of its weights; empty where no judge was needed.
        standings: What was measured of it against people.
    """

    name: str = ""
    version: str = ""
    sha256: str = ""
    standings: tuple[Standing, ...] = ()


class Certificate(Record):
    """Everything a certificate shows; also ``certificate.json``."""

    format: Literal[1] = 1
    word: CertificateWord
    reason: Bilingual
    conditions: tuple[Condition, ...]
    rules: CertificateRules
    before: EngineIdentity
    after: EngineIdentity
    changes: tuple[Change, ...]
    dimensions: tuple[Change, ...]
    distributions: tuple[Distribution, ...]
    generalisation: tuple[Generalisation, ...]
    ability: tuple[Ability, ...]
    over_refusal: tuple[OverRefusal, ...]
    drift: Drift
    contamination: Contamination
    training: TrainingFacts
    cost: Cost
    judge: JudgeFacts
    examples: tuple[BeforeAfter, ...]
    warnings: tuple[Bilingual, ...] = ()
    evidence: Mapping[str, str] = Field(default_factory=dict, description="each evaluated run, before and after, with the SHA-256 of its files")
    environment: Environment
    command: str
    issued: str
