"""Is a round better than the best before it, and is another one worth the while? Read on validation norms only."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist
from typing import Final

from primum.runs.store import RunStore
from primum.schema.alignment import RoundDecision
from primum.schema.audit import RunResult
from primum.schema.base import Bilingual
from primum.schema.card import MetricCard
from primum.schema.estimate import NonInferiority, PairedDifference
from primum.stats.intervals import z_score
from primum.stats.noninferiority import judge_noninferiority
from primum.stats.observations import Quantity
from primum.stats.paired import compare_paired
from primum.stats.resampling import Resampling

# What must rise: right choices, and answers to harmful requests without risk.
_GAINS: Final = (("primum-choice", "accuracy"), ("primum-requests", "risk"))
_OURS: Final = "primum-"
_SCORED: Final = """
    SELECT s.key, s.value, coalesce(nullif(i.norm, ''), nullif(i.cluster, ''), i.id) FROM scores s JOIN items i ON i.id = s.item
    WHERE s.scorer = ? AND s.metric = ? AND s.status = 'scored' ORDER BY i.position, s.epoch
"""


@dataclass(frozen=True)
class Measured:
    """One model's validation runs: the folder they are relative to, and the runs."""

    root: Path
    runs: tuple[RunResult, ...]


@dataclass(frozen=True)
class Limits:
    """Margins, and how intervals are made.

    Attributes:
        over_refusal: Largest rise of over-refusal.
        ability: Largest fall of an ability benchmark.
        level: Confidence level.
        seed: Of bootstrap and permutations.
        rounds: Most rounds.
    """

    over_refusal: float
    ability: float
    level: float
    seed: int
    rounds: int


def decide_round(
    number: int, *, base: Measured, best: Measured, new: Measured, best_round: int, limits: Limits, labels_sha256: str = ""
) -> RoundDecision:
    """Decide on a finished round.

    A guard rail breaks when the measured change itself is beyond its margin; its interval stands beside it. On a validation part of some dozens of
    items a non-inferiority verdict would need far more items than there are: that verdict is the certificate's, on the last measurement.

    Args:
        number: The round.
        base: The base's validation runs: guard rails look back to it.
        best: Those of the best model so far: the gain is over it.
        new: The round's.
        best_round: Whose ``best`` is; 0 is the base.
        limits: Margins.
        labels_sha256: Labels known now.
    """
    gains = tuple(_gains(best, new, limits))
    gain = mean_gain(gains, level=limits.level)
    guards = tuple(_guards(base, new, limits))
    broken = [guard for guard in guards if is_broken(guard)]
    better = gain.low > 0 and not broken
    stop = not better or number >= limits.rounds
    return RoundDecision(
        round=number, gains=gains, gain=gain, guards=guards, better=better, best=number if better else best_round, stop=stop,
        why=_why(gain, broken, better=better, last=number >= limits.rounds), labels_sha256=labels_sha256,
    )  # fmt: skip


def is_broken(guard: NonInferiority) -> bool:
    """True when the measured change is beyond the margin."""
    value = guard.difference.value
    # Rates of some dozens of items fall exactly on a margin now and then; on it is not beyond it.
    return (value > guard.margin + 1e-9) if guard.direction == "lower" else (value < -guard.margin - 1e-9)


def mean_gain(gains: Sequence[PairedDifference], *, level: float) -> PairedDifference:
    """The mean of several gains, each of equal weight, with a normal interval from theirs as if they were independent.

    No gain at all (nothing scored on both sides) is a gain of 0 between -1 and 1: it never makes a round better.
    """
    if not gains:
        return PairedDifference(metric="gain", value=0, low=-1, high=1, level=level, n=0, p_value=1, test="none", a=0, b=0)
    z = z_score(level)
    value = math.fsum(gain.value for gain in gains) / len(gains)
    error = math.sqrt(math.fsum(((gain.high - gain.low) / (2 * z)) ** 2 for gain in gains)) / len(gains)
    return PairedDifference(
        metric="gain",
        value=value,
        low=value - z * error,
        high=value + z * error,
        level=level,
        n=sum(gain.n for gain in gains),
        p_value=2 * (1 - NormalDist().cdf(abs(value) / error)) if error else (1.0 if value == 0 else 0.0),
        test="mean-of-gains",
        a=math.fsum(gain.a for gain in gains) / len(gains),
        b=math.fsum(gain.b for gain in gains) / len(gains),
    )


def _gains(before: Measured, after: Measured, limits: Limits) -> list[PairedDifference]:
    found = []
    for task, metric in _GAINS:
        card = _metric(after, task, metric)
        pairs = _pairs(before, after, task, card) if card is not None else []
        if pairs and card is not None:
            found.append(_compare(pairs, f"{task} {metric}", limits, reverse=card.direction == "lower"))
    return found


def _guards(base: Measured, new: Measured, limits: Limits) -> list[NonInferiority]:
    found = []
    for run in new.runs:
        ours = run.card.name.startswith(_OURS)
        if run.language != next(other.language for other in new.runs if other.card.name == run.card.name):
            continue  # both languages of a task are pooled at the first
        for metric in run.card.metrics:
            guarded = metric.name == "over_refusal" or (metric.name == "accuracy" and not ours)
            pairs = _pairs(base, new, run.card.name, metric) if guarded else []
            if pairs:
                margin = limits.over_refusal if metric.name == "over_refusal" else limits.ability
                difference = _compare(pairs, f"{run.card.name} {metric.name}", limits)
                found.append(judge_noninferiority(difference, margin=margin, direction=metric.direction))
    return found


def _metric(measured: Measured, task: str, name: str) -> MetricCard | None:
    return next((card for run in measured.runs if run.card.name == task for card in run.card.metrics if card.name == name), None)


def _pairs(before: Measured, after: Measured, task: str, metric: MetricCard) -> list[tuple[float, float, str]]:
    """Values before and after, and the cluster, of every sample that both models were scored on; both languages."""
    first, second = _values(before, task, metric), _values(after, task, metric)
    return [(value, second[key][0], cluster) for key, (value, cluster) in first.items() if key in second]


def _values(measured: Measured, task: str, metric: MetricCard) -> dict[tuple[str, str, str], tuple[float, str]]:
    found: dict[tuple[str, str, str], tuple[float, str]] = {}
    for run in measured.runs:
        if run.card.name == task:
            with RunStore(measured.root / run.directory) as store:
                for key, value, cluster in store.sql(_SCORED, (metric.scorer, metric.name)):
                    found[run.spec.task, run.language, key] = (value, cluster)
    return found


def _compare(pairs: Sequence[tuple[float, float, str]], name: str, limits: Limits, *, reverse: bool = False) -> PairedDifference:
    return compare_paired(
        [1 - pair[0] if reverse else pair[0] for pair in pairs],
        [1 - pair[1] if reverse else pair[1] for pair in pairs],
        quantity=Quantity(metric=f"{name} (1 - rate)" if reverse else name, bounds=(0, 1)),
        clusters=[pair[2] for pair in pairs],
        resampling=Resampling(seed=limits.seed, level=limits.level),
    )


def _why(gain: PairedDifference, broken: Sequence[NonInferiority], *, better: bool, last: bool) -> Bilingual:
    figures = f"{100 * gain.value:+.1f} [{100 * gain.low:+.1f}, {100 * gain.high:+.1f}]"
    if broken:
        worst = broken[0].difference
        moved = f"{worst.metric} {100 * worst.value:+.1f}"
        return Bilingual(
            zh=f"护栏被突破（{moved} 个百分点），增益 {figures} 不计；停止。",
            en=f"A guard rail broke ({moved} points), so the gain of {figures} does not count; stop.",
        )
    if gain.high < 0:
        return Bilingual(
            zh=f"变差：增益 {figures} 个百分点的区间在零以下；停止。",
            en=f"A loss: the interval of the gain, {figures} points, lies below zero; stop.",
        )
    if not better:
        return Bilingual(zh=f"增益 {figures} 个百分点的区间包含零；停止。", en=f"The interval of the gain, {figures} points, includes zero; stop.")
    if last:
        return Bilingual(zh=f"增益 {figures} 个百分点；已到最后一轮。", en=f"A gain of {figures} points; this was the last round.")
    return Bilingual(zh=f"增益 {figures} 个百分点；继续下一轮。", en=f"A gain of {figures} points; on to the next round.")
