"""Thresholds on a judge's score: fitted on one half of the rows, measured on the other."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from primum.evaluation.judge_agreement import Row, count_gaps
from primum.evaluation.judge_targets import Target
from primum.hashing import derived_seed
from primum.schema.estimate import Estimate
from primum.schema.judge_calibration import FittedThreshold, ThresholdRule
from primum.stats.agreement import estimate_kappa, estimate_macro_f1, estimate_percent_agreement, pair_ratings
from primum.stats.discrimination import estimate_balanced_accuracy
from primum.stats.intervals import estimate_proportion
from primum.stats.observations import FloatArray, Quantity
from primum.stats.resampling import Resampling


def split_rows(rows: Sequence[Row], target: Target, *, seed: int) -> tuple[list[Row], list[Row]]:
    """Two halves that share no cluster, in file order.

    Clusters with and without a positive are dealt out in turn, each kind in the order of a seeded hash, so that both halves hold both kinds
    wherever there are two of each. The halves do not depend on the order of the rows.
    """
    positive = {row.cluster for row in rows if row.label is not None and target.positive(row.label)}
    first: set[str] = set()
    turn = 0
    for kind in (positive, {row.cluster for row in rows} - positive):
        for cluster in sorted(kind, key=lambda name: (derived_seed("calibration-half", seed, name), name)):
            if turn % 2 == 0:
                first.add(cluster)
            turn += 1
    return [row for row in rows if row.cluster in first], [row for row in rows if row.cluster not in first]


def fit_balanced(scores: FloatArray, truth: FloatArray) -> float | None:
    """The score at or above which flagging gives the highest balanced accuracy, the lowest of equals; None without both classes."""
    candidates = np.unique(scores)
    positive, negative = np.sort(scores[truth == 1]), np.sort(scores[truth == 0])
    if positive.size == 0 or negative.size == 0:
        return None
    hits = 1 - np.searchsorted(positive, candidates, side="left") / positive.size
    rejections = np.searchsorted(negative, candidates, side="left") / negative.size
    # Rounding must not prefer one of equal thresholds.
    return float(candidates[int(np.argmax(np.round(hits + rejections, 12)))])


def fit_false_blocks(benign: FloatArray, limit: float) -> float | None:
    """The smallest threshold that flags at most ``limit`` of the benign scores; None without any.

    It is the next number above the score of the first benign row that must not be flagged any more, so it needs no row of the other class.
    """
    if benign.size == 0:
        return None
    allowed = math.floor(limit * benign.size + 1e-9)
    return math.nextafter(float(np.sort(benign)[::-1][min(allowed, benign.size - 1)]), math.inf)


def fit_thresholds(
    first: Sequence[Row], second: Sequence[Row], target: Target, *, limit: float | None, resampling: Resampling
) -> tuple[FittedThreshold, ...]:
    """Fit on the first half and measure on the second; the one for a false-block rate comes first and operates, where one is asked for.

    Args:
        first: Rows to fit on.
        second: Rows to measure on.
        target: What is judged.
        limit: Largest share of benign rows to flag, or None.
        resampling: Seed, resamples and level.
    """
    fitting = [row for row in first if row.label is not None and row.score is not None]
    scores = np.array([row.score for row in fitting], dtype=np.float64)
    truth = np.array([target.positive(row.label or 0) for row in fitting], dtype=np.float64)
    rules: list[tuple[ThresholdRule, float | None]] = [] if limit is None else [("false_block_rate", fit_false_blocks(scores[truth == 0], limit))]
    rules.append(("balanced_accuracy", fit_balanced(scores, truth)))
    fitted = [(rule, threshold) for rule, threshold in rules if threshold is not None]
    return tuple(
        FittedThreshold(
            rule=rule,
            limit=limit if rule == "false_block_rate" else None,
            threshold=threshold,
            operating=place == 0,
            fitted_n=len(fitting),
            fitted_negatives=int((truth == 0).sum()),
            fitted_false_blocks=int((scores[truth == 0] >= threshold).sum()),
            measurements=tuple(_measure(second, target, threshold, resampling)),
        )
        for place, (rule, threshold) in enumerate(fitted)
    )


def _measure(rows: Sequence[Row], target: Target, threshold: float, resampling: Resampling) -> list[Estimate]:
    kept = [row for row in rows if row.label is not None and row.score is not None]
    flags = [int((row.score or 0.0) >= threshold) for row in kept]
    truth = [target.positive(row.label or 0) for row in kept]
    clusters = [row.cluster for row in kept]
    gaps = count_gaps(row for row in rows if row.label is not None and row.score is None)

    def about(metric: str) -> Quantity:
        return Quantity(metric=metric, unscored=gaps)

    def rate(metric: str, side: int) -> Estimate:
        rows_of = [index for index, value in enumerate(truth) if value == side]
        return estimate_proportion(
            [flags[index] for index in rows_of],
            quantity=about(metric),
            clusters=[clusters[index] for index in rows_of],
            level=resampling.level,
            method="clopper-pearson",
        )

    pairs = pair_ratings(truth, flags, categories=(0, 1), clusters=clusters)
    return [
        rate("false_block_rate", 0),
        rate("recall", 1),
        estimate_balanced_accuracy(flags, truth, quantity=about("balanced_accuracy"), clusters=clusters, resampling=resampling),
        estimate_kappa(pairs, quantity=about("kappa"), interval="bootstrap", resampling=resampling),
        estimate_macro_f1(pairs, quantity=about("macro_f1"), resampling=resampling),
        estimate_percent_agreement(pairs, quantity=about("accuracy"), level=resampling.level),
    ]
