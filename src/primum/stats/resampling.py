"""Seeded resampling of whole clusters: the engine under every bootstrap here.

Whole clusters are drawn with replacement (Davison & Hinkley 1997, section 3.8; Field & Welsh 2007), so that repeated samples of one item, or items of
one vignette, are not counted as independent. Most statistics are functions of *totals* (a mean is a sum over a count, kappa a table of counts),
so a resample only needs the totals of its clusters. Resamples are drawn one after another from one stream: memory is that of one resample, and
asking for more resamples leaves the first ones unchanged.
"""

from __future__ import annotations

from collections.abc import Iterator
from statistics import NormalDist
from typing import Literal

import numpy as np
from pydantic import Field

from primum.hashing import derived_seed
from primum.schema.base import Record
from primum.stats.observations import FloatArray, IntArray, Interval

# Drawing how often each distinct cluster occurs costs about twenty times more per entry than drawing one cluster, and is otherwise the same draw.
_COST_OF_A_COUNT = 20


class Resampling(Record):
    """How resampled intervals and tests are made.

    Attributes:
        seed: Base seed; each use derives its own stream from it.
        resamples: Bootstrap resamples.
        permutations: Random sign flips of a permutation test where not all can be counted.
        level: Confidence level.
        kind: ``percentile`` or ``bca`` (bias-corrected and accelerated, Efron 1987). BCa is offered for means and their differences;
            other statistics use percentiles whatever is asked here, and their method says so.
    """

    seed: int = 0
    resamples: int = Field(default=2000, ge=100, le=1_000_000)
    permutations: int = Field(default=9999, ge=99, le=10_000_000)
    level: float = Field(default=0.95, gt=0, lt=1)
    kind: Literal["percentile", "bca"] = "percentile"


def generator(seed: int, stream: str) -> np.random.Generator:
    """Return the random generator of a named stream, equal on every machine (PCG64)."""
    return np.random.Generator(np.random.PCG64(derived_seed("stats", stream, seed)))


def cluster_totals(columns: FloatArray, codes: IntArray, m: int) -> FloatArray:
    """Sum each column within clusters.

    Values are added in sorted order, so that the result does not depend on the order in which responses came.

    Args:
        columns: Shape ``(n, width)``.
        codes: Cluster of each row, shape ``(n,)``.
        m: Number of clusters.

    Returns:
        Shape ``(m, width)``.
    """
    if m == len(codes):
        return columns
    totals = np.empty((m, columns.shape[1]))
    for index in range(columns.shape[1]):
        column = columns[:, index]
        order = np.lexsort((column, codes))
        totals[:, index] = np.bincount(codes[order], weights=column[order], minlength=m)
    return totals


def resampled_totals(rows: FloatArray, *, resampling: Resampling, stream: str) -> FloatArray:
    """Draw as many clusters as there are, with replacement, and sum them; again and again.

    The order of ``rows`` does not matter.

    Args:
        rows: Totals of each cluster, shape ``(m, width)``, m at least 1.
        resampling: Seed and number of resamples.
        stream: Name of the stream.

    Returns:
        Totals of each resample, shape ``(resamples, width)``.
    """
    kinds, counts = np.unique(rows, axis=0, return_counts=True)
    return resampled_totals_of_kinds(kinds, counts, resampling=resampling, stream=stream)


def resampled_totals_of_kinds(kinds: FloatArray, counts: IntArray, *, resampling: Resampling, stream: str) -> FloatArray:
    """As :func:`resampled_totals`, where equal clusters were counted beforehand.

    Args:
        kinds: Totals of each kind of cluster, shape ``(k, width)``; their order is part of the seed, so give them sorted.
        counts: How many clusters are of each kind, shape ``(k,)``.
        resampling: Seed and number of resamples.
        stream: Name of the stream.

    Returns:
        Totals of each resample, shape ``(resamples, width)``.
    """
    m, width = int(counts.sum()), kinds.shape[1]
    rng = generator(resampling.seed, stream)
    totals = np.empty((resampling.resamples, width))
    if len(kinds) * _COST_OF_A_COUNT <= m:
        shares = counts / m
        for index in range(resampling.resamples):
            totals[index] = (rng.multinomial(m, shares)[:, None] * kinds).sum(axis=0)
        return totals
    ordered = np.repeat(kinds, counts, axis=0)
    constant = (ordered == ordered[0]).all(axis=0)
    varying = np.flatnonzero(~constant)
    columns = [np.ascontiguousarray(ordered[:, index]) for index in varying]
    totals[:, constant] = ordered[0, constant] * m
    for index in range(resampling.resamples):
        drawn = rng.integers(0, m, size=m)
        for place, column in zip(varying, columns, strict=True):
            totals[index, place] = column[drawn].sum()
    return totals


def resampled_weights(codes: IntArray, m: int, *, resampling: Resampling, stream: str) -> Iterator[FloatArray]:
    """Yield, for each resample, how often each observation's cluster was drawn.

    For statistics that are not functions of totals, such as a rank statistic.

    Args:
        codes: Cluster of each observation, shape ``(n,)``.
        m: Number of clusters.
        resampling: Seed and number of resamples.
        stream: Name of the stream.

    Yields:
        Weights, shape ``(n,)``.
    """
    rng = generator(resampling.seed, stream)
    for _ in range(resampling.resamples):
        drawn = np.bincount(rng.integers(0, m, size=m), minlength=m).astype(np.float64)
        yield drawn[codes]


def percentile_interval(replicates: FloatArray, *, level: float) -> Interval:
    """Percentile interval (Efron 1979): the middle ``level`` of the replicates, shape ``(resamples,)``."""
    low, high = np.quantile(replicates, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def bca_interval(replicates: FloatArray, value: float, jackknife: FloatArray, *, level: float) -> Interval:
    """Bias-corrected and accelerated interval (Efron 1987, J Am Stat Assoc 82:171-185).

    Args:
        replicates: Bootstrap replicates, shape ``(resamples,)``.
        value: The statistic on the sample.
        jackknife: The statistic with each cluster left out in turn, shape ``(m,)``.
        level: Confidence level.
    """
    normal = NormalDist()
    # Ties count half; the clip keeps the correction finite when every replicate lies on one side.
    below = float(np.mean(replicates < value) + 0.5 * np.mean(replicates == value))
    edge = 0.5 / len(replicates)
    bias = normal.inv_cdf(min(max(below, edge), 1 - edge))
    gaps = jackknife.mean() - jackknife
    spread = float((gaps**2).sum())
    acceleration = float((gaps**3).sum()) / (6 * spread**1.5) if spread > 0 else 0.0
    ends = []
    for share in ((1 - level) / 2, (1 + level) / 2):
        shifted = bias + normal.inv_cdf(share)
        room = 1 - acceleration * shifted
        # Beyond the pole of the correction (extreme skew at an extreme level) the whole tail belongs to the interval.
        ends.append(normal.cdf(bias + shifted / room) if room > 0 else float(shifted > 0))
    low, high = np.quantile(replicates, sorted(ends))
    return float(low), float(high)


def error_interval(value: float, replicates: FloatArray, noise: FloatArray, *, level: float) -> Interval:
    """Interval of an error that is above 0 by chance alone, such as a calibration error or a spread of recalls.

    Percentiles would shut out the truth from below, since resampling adds the chance excess a second time. Such an error is a norm of a vector
    (of gaps, of recalls), so by the triangle inequality the sample's error exceeds the true one by at most the norm of the vector's noise: the
    low end takes off the noise's upper quantile, cut at 0. The high end is the percentile. The interval is wide on purpose.

    Args:
        value: The error on the sample.
        replicates: The error on each resample, shape ``(k,)``.
        noise: The same norm of the difference between each resample's vector and the sample's, shape ``(k,)``.
        level: Confidence level.
    """
    share = (1 + level) / 2
    return max(0.0, value - float(np.quantile(noise, share))), float(np.quantile(replicates, share))


def is_degenerate(replicates: FloatArray) -> bool:
    """Tell whether resampling changes nothing, so that the bootstrap knows nothing of the uncertainty."""
    spread = float(replicates.max() - replicates.min())
    return spread <= 1e-12 * max(1.0, float(np.abs(replicates).max()))


def unanimous_share(m: int, *, level: float) -> float:
    """Least share of the population that can plausibly agree when all ``m`` of a sample agree.

    A share p agrees m times in a row with probability ``p ** m``; the bound solves ``p ** m = (1 - level) / 2``. It is the Clopper-Pearson
    end for m out of m; at 95 % two-sided it is about ``1 - 3.7 / m`` (the "rule of three" is its one-sided sibling, Hanley & Lippman-Hand 1983).
    """
    return float(((1 - level) / 2) ** (1 / m)) if m > 0 else 0.0


def unanimous_interval(value: float, *, bounds: tuple[float, float], m: int, level: float) -> Interval:
    """Interval of a mean when all ``m`` independent clusters showed the same ``value``.

    At least ``unanimous_share`` of the population shows the value; the rest may lie anywhere on the scale. At the end of a 0-1 scale this
    is Clopper-Pearson's interval.
    """
    rest = 1 - unanimous_share(m, level=level)
    return value - rest * (value - bounds[0]), value + rest * (bounds[1] - value)
