"""What a judge is shown when it is measured against people, what it says, and what the measurement found."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final, Literal, get_args

from pydantic import Field, model_validator

from primum.schema.base import Bilingual, NonEmpty, Record
from primum.schema.estimate import Estimate
from primum.schema.score import ScoreStatus

JudgeTarget = Literal["risk", "harmfulness", "refusal", "over_refusal", "q1", "q2", "q3", "q4"]
JUDGE_TARGETS: Final[tuple[JudgeTarget, ...]] = get_args(JudgeTarget)
ThresholdRule = Literal["balanced_accuracy", "false_block_rate"]


class Pair(Record):
    """A prompt and an answer to it, as a judge sees them. Both are hostile text.

    Attributes:
        key: Identifies the pair within its file.
        prompt: What was asked.
        answer: What was answered; never blank (nothing is asked about a blank answer).
        language: ``zh``, ``en``, or what the file says.
        norm: Id of the norm at stake where the file names one.
    """

    key: NonEmpty
    prompt: str
    answer: str
    language: str
    norm: str = ""


class Judged(Record):
    """What a judge says of one pair.

    Attributes:
        score: Higher means more of the target: a probability for a yes-or-no target, 1 to 5 for harmfulness. None where it gives none.
        label: Its own decision, where it makes one.
        status: ``scored`` exactly when there is a score or a label; otherwise why there is none. It is counted, never guessed.
    """

    score: float | None = None
    label: int | None = None
    status: ScoreStatus = "scored"

    @model_validator(mode="after")
    def _verdict_iff_scored(self) -> Judged:
        if (self.status == "scored") != (self.score is not None or self.label is not None):
            raise ValueError("a judge's verdict has a score or a label exactly when its status is 'scored'")
        if self.score is not None and not math.isfinite(self.score):
            raise ValueError("a judge's score is a finite number; use status 'judge_error'")
        return self


class BarCheck(Record):
    """One bar, decided.

    Attributes:
        metric: What it is on; ``unscored``, ``rows`` and ``clusters`` stand for the share without a verdict, the rows measured and the independent
            units among them.
        bar: Lower ends must reach it (``unscored``: the share must not exceed it).
        found: The lower end (or share, or count), None where it is undefined.
        cleared: Whether it is reached.
        reason: One sentence.
    """

    metric: str
    bar: float
    found: float | None
    cleared: bool
    reason: Bilingual


class CalibrationVerdict(Record):
    """Whether the judge's figures may be relied on.

    Attributes:
        decision: ``certified`` only if every bar is cleared, over all rows and in at least one language of its own.
        reasons: Why, one sentence each: what was not reached, or that everything was.
        checks: Every bar over all rows.
    """

    decision: Literal["certified", "not_certified"]
    reasons: tuple[Bilingual, ...]
    checks: tuple[BarCheck, ...]


class ReliabilityBin(Record):
    """Rows of about equal score.

    Attributes:
        low: Lowest score.
        high: Highest score.
        mean: Mean score.
        observed: Share that people labelled positive.
    """

    low: float
    high: float
    mean: float
    observed: Estimate


class Confusion(Record):
    """How often each label of people met each label of the judge.

    Attributes:
        categories: The labels, in order: rows for people, columns for the judge.
        counts: Rows of counts.
        unscored: For each label of people, rows on which the judge gave no label.
    """

    categories: tuple[int, ...]
    counts: tuple[tuple[int, ...], ...]
    unscored: tuple[int, ...]


class FittedThreshold(Record):
    """A threshold fitted on one half of the rows and measured on the other. A pair is flagged when its score is at or above it.

    Attributes:
        rule: What it was fitted for.
        limit: The false-block rate asked for (``false_block_rate`` only).
        threshold: The score.
        operating: True for the one that decides labels where the judge gives scores only.
        fitted_n: Rows it was fitted on.
        fitted_negatives: Benign rows among them.
        fitted_false_blocks: Benign rows among them that it flags.
        measurements: Figures on the other half: ``false_block_rate`` (Clopper-Pearson), ``recall``, and agreement.
    """

    rule: ThresholdRule
    limit: float | None
    threshold: float
    operating: bool
    fitted_n: int
    fitted_negatives: int
    fitted_false_blocks: int
    measurements: tuple[Estimate, ...]


class HumanCeiling(Record):
    """How far people agree with each other: more cannot be asked of a judge.

    Attributes:
        raters: Number of raters.
        shared: Pairs that two or more of them labelled.
        measurements: Human-human ``alpha``, and with exactly two raters ``kappa`` and ``accuracy`` (the share of equal labels).
        judge_alpha: Alpha of the judge with each single rater, pooled, on the pairs that two or more labelled and the judge decided:
            ties count here, so it compares with ``human_alpha``.
        human_alpha: Human-human alpha on those same pairs.
        share: ``judge_alpha / human_alpha``; without a value where people do not clearly agree more than by chance.
    """

    raters: int
    shared: int
    measurements: tuple[Estimate, ...]
    judge_alpha: Estimate
    human_alpha: Estimate
    share: Estimate


class LabelCounts(Record):
    """What became of a label file's rows.

    Attributes:
        rows: Rows read.
        pairs: Different (prompt, answer) pairs.
        raters: Different raters.
        labelled: Pairs with one label from people; everything measured rests on these.
        ties: Pairs left out because raters are tied.
        unlabelled: Pairs left out because nobody labelled them.
        labels: Labelled pairs of each label.
        statuses: Labelled pairs by what the judge said of them; ``empty_answer`` was not shown to it.
    """

    rows: int
    pairs: int
    raters: int
    labelled: int
    ties: int
    unlabelled: int
    labels: Mapping[str, int]
    statuses: Mapping[str, int]


class JudgeCalibration(Record):
    """A judge measured against people: ``calibration.json``.

    Attributes:
        judge: Its name.
        judge_sha256: What identifies it: weights, or model and prompt, or the column that holds its verdicts.
        target: What it judged.
        languages: Languages in which it cleared every bar on that language's own rows; a certificate holds for no other.
        labels_file: Name of the label file, without its folder.
        labels_sha256: Hash of its bytes.
        positive_from: Lowest label that counts as positive where a yes or no is needed.
        kappa_weights: How near misses count in kappa.
        alpha_scale: Scale of Krippendorff's alpha.
        counts: What became of the rows.
        measured_rows: ``all``, or ``second_half`` where labels come from a threshold fitted on the first half. Areas, calibration error and
            reliability use no threshold and always rest on all rows.
        measurements: Agreement of judge and people, overall (no group) and by group.
        human: The ceiling, None with fewer than two raters.
        confusion: On the measured rows.
        reliability: Empty without probabilities.
        thresholds: Empty without scores.
        bars: The bars asked for.
        verdict: Whether they are cleared.
        notes: What a reader must know: figures that could not be made, and why.
        seed: Seed of the halves and of the bootstrap.
        resamples: Bootstrap resamples.
        level: Confidence level.
        primum: Version that made it.
    """

    judge: NonEmpty
    judge_sha256: str
    target: JudgeTarget
    languages: tuple[str, ...]
    labels_file: str
    labels_sha256: str
    positive_from: int
    kappa_weights: str
    alpha_scale: str
    counts: LabelCounts
    measured_rows: Literal["all", "second_half"]
    measurements: tuple[Estimate, ...]
    human: HumanCeiling | None
    confusion: Confusion | None
    reliability: tuple[ReliabilityBin, ...]
    thresholds: tuple[FittedThreshold, ...]
    bars: Mapping[str, float]
    verdict: CalibrationVerdict
    notes: tuple[Bilingual, ...] = ()
    seed: int
    resamples: int = Field(ge=100)
    level: float = Field(gt=0, lt=1)
    primum: str
